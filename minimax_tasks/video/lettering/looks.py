"""Drawing titles in each of the looks: a picture with transparency, as large as the film."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain

from PIL import Image, ImageDraw

from minimax_tasks.video.lettering.canvas import (
    WHITE,
    Ink,
    all_over,
    foot,
    safe_edges,
    unit,
    with_shadow,
)
from minimax_tasks.video.lettering.captions import room_for_captions
from minimax_tasks.video.lettering.faces import Face, is_shaped
from minimax_tasks.video.lettering.look_names import LOOKS
from minimax_tasks.video.lettering.typesetting import Line, Type, draw_lines, fitted, line_height
from minimax_tasks.video.shape import Size

_DARK: Ink = (24, 24, 27)
_SMALLEST = 11
"""Pixels of the smallest type, as long as it fits."""
_RULE = 255
_DIM = 92
"""How dark, of 255, the picture becomes behind a title."""


@dataclass(frozen=True)
class Words:
    """What a title says."""

    text: str
    subtitle: str = ""


@dataclass(frozen=True)
class _Page:
    """Where a look is drawn: the edges of the safe area, and the unit of its sizes."""

    size: Size
    left: float
    top: float
    right: float
    bottom: float
    unit: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def lines(
        self, text: str, face: Face, share: float, most: int, tracking: float = 0.0, width: float = 1.0
    ) -> list[Line]:
        """A text in lines; `share` is the size of its type in units, `width` its part of the page's."""
        kind = Type(face, max(_SMALLEST, round(self.unit * share)), tracking)
        return fitted(text, kind, self.width * width, most)


_Draw = Callable[[Image.Image], None]
_Look = Callable[[_Page, Words], tuple[_Draw, float]]
"""Gives what draws the look, and the size of its title's type."""


def draw_title(words: Words, look: str, size: Size, *, above_captions: bool = False) -> Image.Image:
    """The title in a look of `LOOKS`, over any picture: in white, with what keeps it readable."""
    draw, pixels = _drawn(words, look, size, room_for_captions(size) if above_captions else 0.0)
    return with_shadow(size, draw, WHITE, min(pixels, unit(size) * 0.07), partial(_GROUNDS[look], _DIM))


@dataclass(frozen=True)
class CardWords:
    """The title of a card: where it covers the card, and its ink."""

    cover: Image.Image
    ink: Ink

    def moved_down(self, pixels: float) -> Image.Image:
        """Where it covers the card when it stands that much lower."""
        if pixels < _UNSEEN:
            return self.cover
        down = (1, 0, 0, 0, 1, -pixels)
        return self.cover.transform(self.cover.size, Image.Transform.AFFINE, down, Image.Resampling.BILINEAR)


_UNSEEN = 0.05
"""Of a pixel."""


@lru_cache(maxsize=4)
def card_words(words: Words, look: str, size: Size, on_light: bool) -> CardWords:
    """The title in a look of `LOOKS` for a card of ours, which needs no shadow; dark letters if it is light."""
    cover = Image.new("L", size, 0)
    _drawn(words, look, size)[0](cover)
    return CardWords(cover, _DARK if on_light else WHITE)


def _drawn(words: Words, look: str, size: Size, raised: float = 0.0) -> tuple[_Draw, float]:
    left, top, right, bottom = safe_edges(size)
    margin = unit(size) * 0.035  # words stand a little within the safe area, not on its edge
    page = _Page(size, left + margin, top + margin, right - margin, bottom - margin - raised, unit(size))
    return _LOOKS[look](page, words)


def _classic(page: _Page, words: Words) -> tuple[_Draw, float]:
    title = page.lines(words.text, Face.SERIF, 0.115, 3, width=0.9)
    leading = _size(title) * 1.12
    under = page.lines(_capitals(words.subtitle), Face.SEMIBOLD, 0.03, 2, 0.2, 0.8) if words.subtitle else []
    gap = _size(title) * 0.42
    high = line_height(title, leading) + (gap + line_height(under, _size(under) * 1.5) if under else 0)
    top = (page.size[1] - high) / 2

    def draw(canvas: Image.Image) -> None:
        foot = draw_lines(canvas, title, page.left, page.right, top, leading, "center", 255)
        draw_lines(canvas, under, page.left, page.right, foot + gap, _size(under) * 1.5, "center", 225)

    return draw, _size(title)


def _wide(page: _Page, words: Words) -> tuple[_Draw, float]:
    title = page.lines(_capitals(words.text), Face.LIGHT, 0.1, 3, 0.26, 0.94)
    leading = _size(title) * 1.34
    under = page.lines(_capitals(words.subtitle), Face.REGULAR, 0.032, 2, 0.28, 0.8) if words.subtitle else []
    gap = _size(title) * 0.5
    high = line_height(title, leading) + (2 * gap + line_height(under, _size(under) * 1.5) if under else 0)
    top = (page.size[1] - high) / 2

    def draw(canvas: Image.Image) -> None:
        foot = draw_lines(canvas, title, page.left, page.right, top, leading, "center", 255)
        if under:
            half, middle = page.unit * 0.06, page.size[0] / 2
            _bar(canvas, middle - half, foot + gap * 0.75, middle + half, page.unit * 0.0022)
            draw_lines(
                canvas, under, page.left, page.right, foot + gap * 1.6, _size(under) * 1.5, "center", 235
            )

    return draw, _size(title)


def _bold(page: _Page, words: Words) -> tuple[_Draw, float]:
    title = page.lines(_capitals(words.text), Face.BLACK, 0.17, 3, -0.012, 0.96)
    under = page.lines(words.subtitle, Face.SEMIBOLD, 0.044, 2, 0.0, 0.8) if words.subtitle else []
    return _at_foot(page, words, (title, 0.92), (under, 1.25), gap=0.12, strength=240)


def _chapter(page: _Page, words: Words) -> tuple[_Draw, float]:
    title = page.lines(words.text, Face.SERIF, 0.092, 3, width=0.75)
    leading = _size(title) * 1.14
    over = (
        page.lines(_capitals(words.subtitle), Face.SEMIBOLD, 0.029, 1, 0.24, 0.75) if words.subtitle else []
    )
    gap = page.unit * 0.03
    side = _side(words.text)
    left, right = page.left + page.unit * 0.05, page.right - page.unit * 0.05
    high = line_height(over, 0) + (gap if over else 0) + gap + line_height(title, leading)
    top = (page.size[1] - high) / 2

    def draw(canvas: Image.Image) -> None:
        at = draw_lines(canvas, over, left, right, top, 0, side, 235) + (gap if over else 0)
        rule = page.unit * 0.12
        begin = left if side == "left" else right - rule
        _bar(canvas, begin, at, begin + rule, page.unit * 0.0036)
        draw_lines(canvas, title, left, right, at + gap, leading, side, 255)

    return draw, _size(title)


def _place(page: _Page, words: Words) -> tuple[_Draw, float]:
    title = page.lines(_capitals(words.text), Face.SEMIBOLD, 0.042, 2, 0.16, 0.8)
    under = page.lines(words.subtitle, Face.REGULAR, 0.04, 2, 0.03, 0.8) if words.subtitle else []
    return _at_foot(page, words, (title, 1.3), (under, 1.3), gap=0.28, strength=255)


def _at_foot(
    page: _Page,
    words: Words,
    title: tuple[list[Line], float],
    under: tuple[list[Line], float],
    *,
    gap: float,
    strength: int,
) -> tuple[_Draw, float]:
    """A title at the foot of the page with its subtitle `under` it, both as lines and leading.

    The leading is in sizes of their own type, the `gap` between them in sizes of the title's. `strength` is that of the
    subtitle, of 255.
    """
    (title_lines, title_leading), (under_lines, under_leading) = title, under
    leading, below = _size(title_lines) * title_leading, _size(under_lines) * under_leading
    apart = _size(title_lines) * gap
    side = _side(words.text)
    foot = line_height(under_lines, below) + (apart if under_lines else 0)
    top = page.bottom - foot - line_height(title_lines, leading)

    def draw(canvas: Image.Image) -> None:
        end = draw_lines(canvas, title_lines, page.left, page.right, top, leading, side, 255)
        draw_lines(canvas, under_lines, page.left, page.right, end + apart, below, side, strength)

    return draw, _size(title_lines)


def _lower_third(page: _Page, words: Words) -> tuple[_Draw, float]:
    title = page.lines(words.text, Face.SEMIBOLD, 0.058, 1, width=0.7)
    under = page.lines(words.subtitle, Face.REGULAR, 0.042, 2, 0.01, 0.7) if words.subtitle else []
    gap = _size(title) * 0.14
    side = _side(words.text)
    leading = _size(under) * 1.22
    high = line_height(title, 0) + (gap + line_height(under, leading) if under else 0)
    top = page.bottom - high - page.unit * 0.02
    bar, apart = max(2.0, page.unit * 0.006), page.unit * 0.026

    def draw(canvas: Image.Image) -> None:
        begin = page.left if side == "left" else page.right - bar
        _bar(canvas, begin, top + _size(title) * 0.1, begin + bar, high - _size(title) * 0.06)
        left, right = page.left + bar + apart, page.right - bar - apart
        end = draw_lines(canvas, title, left, right, top, 0, side, 255)
        draw_lines(canvas, under, left, right, end + gap, leading, side, 255)

    return draw, _size(title)


_GROUNDS = {look: all_over if look in ("classic", "wide", "chapter") else foot for look in LOOKS}
"""Look -> where the picture becomes darker behind it."""

_LOOKS: dict[str, _Look] = dict(
    zip(LOOKS, (_classic, _wide, _bold, _chapter, _place, _lower_third), strict=True)
)


def _size(lines: Sequence[Line]) -> float:
    return float(lines[0].type.pixels) if lines else 0.0


def _capitals(text: str) -> str:
    """The text in capitals; letters that have none, or that would become two, stay."""
    return "".join(chain.from_iterable(one if len(one.upper()) > 1 else one.upper() for one in text))


def _side(text: str) -> str:
    """The side at which a text begins."""
    from unicodedata import bidirectional

    strong = next((kind for one in text if (kind := bidirectional(one)) in ("L", "R", "AL")), "L")
    return "left" if strong == "L" or not is_shaped(text) else "right"


def _bar(canvas: Image.Image, left: float, top: float, right: float, height: float) -> None:
    ImageDraw.Draw(canvas).rectangle(
        (round(left), round(top), round(right) - 1, round(top) + max(1, round(height)) - 1), fill=_RULE
    )
