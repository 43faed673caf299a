"""The part of a clip that a film shows, as a board writes it: `1.2..3.7`, `..-0.5`, `2..`.

A time without a sign counts from the beginning of the clip, one with a minus from its end.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

_TIME = r"-?(?:[0-9]{1,4}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})"
TRIM = re.compile(rf"\s*(?P<begin>{_TIME})?\s*\.\.\s*(?P<end>{_TIME})?\s*")
"""Two times in seconds; either may be left out."""


@dataclass(frozen=True)
class Trim:
    """A part of a clip; None stands for the clip's own beginning or end."""

    begin: Fraction | None = None
    end: Fraction | None = None

    def of(self, seconds: Fraction) -> tuple[Fraction, Fraction]:
        """From when to when a clip of `seconds` is shown: within the clip, and empty where nothing is left of it."""
        begin = _from_beginning(self.begin or Fraction(0), seconds)
        end = seconds if self.end is None else _from_beginning(self.end, seconds)
        return min(begin, end), end

    def just_misses(self, seconds: Fraction, by: Fraction) -> bool:
        """Whether nothing is left only because a clip is shorter than it was asked to be, by so much at most."""
        parts = (self.of(seconds), self.of(seconds + by))
        return [begin < end for begin, end in parts] == [False, True]


WHOLE = Trim()


def read_trim(text: str | None) -> Trim:
    """A trim from the text of a board. Raises `ValueError` for a text that is none."""
    if text is None:
        return WHOLE
    found = TRIM.fullmatch(text)
    if found is None or not (found["begin"] or found["end"]):
        raise ValueError("no trim")
    return Trim(*(None if time is None else Fraction(time) for time in (found["begin"], found["end"])))


def _from_beginning(time: Fraction, seconds: Fraction) -> Fraction:
    return min(max(seconds + time if time < 0 else time, Fraction(0)), seconds)
