"""What is wrong with the name of a frame that does not exist: the picture, the shot, or the place in the shot."""

import re
from collections.abc import Callable, Collection, Iterable
from fractions import Fraction

from minimax_tasks.api.suggest import did_you_mean
from minimax_tasks.redaction import quoted, shortened

_SECONDS = r"[0-9]{1,4}(?:\.[0-9]{1,6})?"
FRAME_OF_FILM = re.compile(
    rf"(?P<file>.+\.(?:mp4|mov|m4v|mkv|webm|avi))(?:@(?P<seconds>{_SECONDS})|#(?P<place>first|last))",
    re.IGNORECASE,
)
"""A frame of a film from outside the board: `ferry.mp4@3.2`, `ferry.mp4#last`."""

FRAME_OF_BOARD = re.compile(
    rf"(?P<board>.+\.(?:ya?ml|json))#(?P<shot>.+?)(?:\.(?P<place>first|last)|@(?P<seconds>{_SECONDS}))",
    re.IGNORECASE,
)
"""A frame of a shot of another board: `harbour.yaml#040.last`."""

_OUTSIDE = re.compile(
    r".+\.(?:(?:mp4|mov|m4v|mkv|webm|avi)(?:[@#.].*)?|ya?ml(?:[@#].*)?|json#.*)", re.IGNORECASE
)
_LONGEST = 4096
"""Characters of such a name."""

_CLOCK = re.compile(
    r"(?:(?P<minutes>[0-9]{1,2}):)?(?P<seconds>[0-9]{1,4}(?:[.,][0-9]{1,6})?)\s*s?(?:ec|econds)?"
)
_FIRST = ("begin", "beginning", "start", "head", "in", "first frame")
_LAST = ("end", "ending", "tail", "out", "final", "last frame", "-1")
_MOST_NAMED = 30
"""A message names this many shots; the others are in the file that it is about."""

Near = Callable[[str, Iterable[str]], str | None]
"""The known word that was probably meant."""


def is_outside(name: str) -> bool:
    """Whether a name means a film or another board, well or badly written."""
    return len(name) <= _LONGEST and _OUTSIDE.fullmatch(name) is not None


def no_such_frame(
    key: str, wanted: str, *, own: str, frames: Collection[str], shots: Collection[str], near: Near
) -> str:
    """The message for `wanted`, which is neither a frame of the board nor one of a shot. `own` is the shot's id."""
    if wanted in shots:
        return f"{key} = {quoted(wanted)}: this is a shot; write {_ways(wanted)}"
    found = _split(wanted, shots)
    if found and found[0] in shots:
        return f"{key} = {quoted(wanted)}: {_wrong_place(*found)}"
    guess = near(wanted, frames)
    if found and not guess:
        shot, mark, place = found
        # Of ids that are numbers a near one is another shot, not a slip.
        meant = None if shot.isdecimal() else near(shot, [other for other in shots if other != own])
        guessed = f"{did_you_mean(f'{meant}{mark}{place}')} Shots" if meant else "; shots"
        return f"{key} = {quoted(wanted)}: there is no shot {quoted(shot)}{guessed}: {_named(shots)}"
    guess = guess or near(wanted, [f"{shot}.last" for shot in shots if shot != own])
    guessed = f"{did_you_mean(guess)} Frames" if guess else "; frames"
    names = shortened(", ".join(frames), 1000) or "none"
    return f"{key}: there is no frame {quoted(wanted)}{guessed} of this board: {names}"


def _split(wanted: str, shots: Collection[str]) -> tuple[str, str, str] | None:
    """Shot, mark and place of what is written like a frame of a shot; a shot's id may hold a point itself."""
    for mark in "@.":
        shot, there, place = wanted.partition(mark)
        while there:
            if shot in shots:
                return shot, mark, place
            more, there, place = place.partition(mark)
            shot = f"{shot}{mark}{more}"
    shot, mark, place = wanted.rpartition("@")
    if shot:
        return shot, mark, place
    shot, mark, place = wanted.rpartition(".")
    is_place = place.casefold() in ("first", "last", *_FIRST, *_LAST)
    return (shot, mark, place) if shot and is_place else None


def _wrong_place(shot: str, mark: str, place: str) -> str:
    meant = _meant(shot, place.strip())
    guess = f"did you mean {meant!r}? Allowed" if meant else "allowed"
    return f"shot {shot} is there, but {quoted(mark + place)} is no place in it; {guess}: {_ways(shot)}"


def _meant(shot: str, place: str) -> str:
    if place.casefold() in _FIRST:
        return f"{shot}.first"
    if place.casefold() in _LAST:
        return f"{shot}.last"
    found = _CLOCK.fullmatch(place)
    if not found:
        return ""
    seconds = Fraction(found["seconds"].replace(",", ".")) + 60 * int(found["minutes"] or 0)
    return f"{shot}@{float(seconds):g}"


def _ways(shot: str) -> str:
    return f"{shot}.first, {shot}.last, or {shot}@2.5 for the frame at 2.5 seconds"


def _named(shots: Collection[str]) -> str:
    names = list(shots)
    more = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
