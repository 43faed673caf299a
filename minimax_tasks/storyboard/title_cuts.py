"""Where titles stand in a film: their places, made from the cuts of its clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING

from minimax_tasks.storyboard.board_titles import Title
from minimax_tasks.storyboard.plan import Plan

if TYPE_CHECKING:
    from minimax_tasks.storyboard.edit import Cut

SLOWEST_READER = 20.0
"""Letters a second that people read who see a title for the first time."""


@dataclass(frozen=True)
class TitleCut:
    """A title in its place in the film; times are seconds. That of a card stands for as long as the card."""

    shot: str
    title: Title
    starts_at: Fraction
    ends_at: Fraction


def lay_titles(plan: Plan, cuts: "Sequence[Cut]") -> tuple[TitleCut, ...]:
    """The titles of a plan over the cuts of its film, in order. One that would go on for longer ends with its shot."""
    return tuple(_laid(plan, cuts))


def _laid(plan: Plan, cuts: "Sequence[Cut]") -> Iterator[TitleCut]:
    for cut, following in zip_longest(cuts, cuts[1:]):
        until = cut.ends_at - (following.overlap if following else 0)
        for title in () if cut.is_slate else plan.by_id[cut.shot].shot.title:
            begin = cut.starts_at + Fraction(str(title.from_ or 0))
            end = until if title.to is None else min(until, cut.starts_at + Fraction(str(title.to)))
            if begin < end:
                yield TitleCut(cut.shot, title, begin, end)


def title_warnings(plan: Plan, titles: Sequence[TitleCut]) -> Iterator[str]:
    """What is doubtful about the titles of a film: those that it never shows, and those that nobody can read in time."""
    for shot in plan.shown:
        placed = [one for one in titles if one.shot == shot.shot.id]
        if len(placed) < len(shot.shot.title):
            yield f"shot {shot.shot.id}: a title of it begins when the shot is over, and is never seen"
        for one in placed:
            seconds = float(one.ends_at - one.starts_at)
            needed = 0.5 + len(one.title.words) / SLOWEST_READER
            if seconds < needed:
                yield (
                    f"shot {shot.shot.id}: its title is seen for {seconds:.3g} s; to be read it needs {needed:.1f} s"
                )
