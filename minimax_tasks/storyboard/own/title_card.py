"""A title card as a shot: words on black or white, drawn here and free."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from minimax_tasks.storyboard.board_titles import Title
from minimax_tasks.storyboard.own.own_clip import DrawnClip, own_key
from minimax_tasks.video.shape import Size

if TYPE_CHECKING:
    from PIL import Image

DRAWING = 1
"""The version of how it is drawn: part of the key, so that another way makes other files."""

USUAL_SECONDS = 4
_GROUNDS = {"black": (0, 0, 0), "white": (246, 245, 242)}
"""Paper is not as bright as a lamp."""
_BEFORE = Fraction(3, 10)
"""Seconds of the empty card before the words come."""
_RISE = 0.012


@dataclass(frozen=True)
class TitleCard(DrawnClip):
    """A card with a title on it."""

    KIND: ClassVar[str] = "title"

    title: Title | None = None

    def pictures(self, size: Size, frames: int) -> "Iterator[Image.Image]":
        """Every picture of it: the words fade in, rise a little, and fade out."""
        for number in range(frames):
            yield self.picture(size, number, frames)

    def picture(self, size: Size, number: int, frames: int) -> "Image.Image":
        """The picture with this number, drawn alone."""
        from PIL import Image

        from minimax_tasks.video.lettering.looks import Words, card_words
        from minimax_tasks.video.overlays import Overlay

        title = self.title
        assert title is not None
        rate = frames / self.seconds
        fade = min(round(Fraction(str(title.fade)) * rate), frames // 3)
        begins = min(round(_BEFORE * rate), frames // 6)
        words = Overlay(begins, frames, lambda size: [], fade_in=fade, fade_out=fade, rise=_RISE)
        card = Image.new("RGB", size, _GROUNDS[title.over])
        if number < begins:
            return card
        drawn = card_words(Words(title.text, title.subtitle or ""), title.look, size, title.over == "white")
        placed = drawn.moved_down(words.sunk(number, size[1]))
        card.paste(Image.new("RGB", size, drawn.ink), mask=placed.point(_times(words.strength(number))))
        return card


def _times(strength: float) -> list[int]:
    return [round(value * strength) for value in range(256)]


def title_card(title: Title) -> TitleCard:
    """The card of a title that is over black or white."""
    seconds = Fraction(str(title.seconds or USUAL_SECONDS))
    facts = title.model_dump(mode="json", by_alias=True, exclude={"from_", "to", "seconds"})
    key = own_key("title", **facts, seconds=str(seconds), drawing=DRAWING)
    return TitleCard(key, title.words, seconds, title=title)
