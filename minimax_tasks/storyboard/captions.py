"""The captions of a film: what is spoken in its shots, when, by language."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest

from minimax_tasks.storyboard.board_words import by_language
from minimax_tasks.storyboard.edit import Cut, Edit, asked_lengths, make_edit
from minimax_tasks.storyboard.plan import Plan

FASTEST = 20.0
"""Characters a second that most people can read (source: the timed text style guides of broadcasters, 17 to 20)."""


@dataclass(frozen=True)
class Caption:
    """A line on the screen, from `starts_at` to `ends_at` in seconds of the film."""

    shot: str
    starts_at: Fraction
    ends_at: Fraction
    text: str

    @property
    def characters_a_second(self) -> float:
        """How fast it has to be read."""
        seconds = float(self.ends_at - self.starts_at)
        return len(self.text) / seconds if seconds > 0 else float("inf")


def captions_of(plan: Plan, edit: Edit) -> dict[str, list[Caption]]:
    """Language -> captions in order; "" where the board names none. A line that is too long for its shot ends with it."""
    found: dict[str, list[Caption]] = {}
    for cut, following in zip_longest(edit.cuts, edit.cuts[1:]):
        until = cut.ends_at - (following.overlap if following else 0)
        for language, captions in _of_shot(plan, cut, until).items():
            found.setdefault(language, []).extend(captions)
    return found


def too_fast(plan: Plan) -> Iterator[Caption]:
    """The captions that nobody can read in time, of every language, by the lengths that are asked for."""
    if not any(shot.shot.dialogue for shot in plan.shown):
        return
    edit = make_edit(plan, asked_lengths(plan))
    for captions in captions_of(plan, edit).values():
        yield from (caption for caption in captions if caption.characters_a_second > FASTEST)


def _of_shot(plan: Plan, cut: Cut, until: Fraction) -> dict[str, list[Caption]]:
    spoken = by_language(plan.by_id[cut.shot].shot.dialogue)
    found: dict[str, list[Caption]] = {}
    for language, lines in spoken.items():
        for line, after in zip_longest(lines, lines[1:]):
            begin = cut.starts_at + Fraction(str(line.from_ or 0))
            end = until if line.to is None else cut.starts_at + Fraction(str(line.to))
            if line.to is None and after is not None and after.from_ is not None:
                end = cut.starts_at + Fraction(str(after.from_))
            end = min(end, until)
            if begin < end:
                text = " ".join(line.text.split())
                found.setdefault(language, []).append(Caption(cut.shot, begin, end, text))
    return found
