"""The value of `cut`: a transition and its length in seconds."""

import re
from collections.abc import Callable, Iterable

from minimax_tasks.api.catalog.synonyms import folded
from minimax_tasks.redaction import quoted
from minimax_tasks.video.transition_names import BLENDS, TRANSITIONS

SHORTEST_TRANSITION, LONGEST_TRANSITION = 0.1, 5.0
"""Seconds: anything shorter is not noticed."""

_USUAL = "0.5"
_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{0,6})?|\.[0-9]{1,6}")
"""A number as it is written in a board: digits and a point."""
_WRITTEN = re.compile(
    r"(?P<name>.*?)[\s:,]*(?:(?P<number>[0-9][0-9.,]*|\.[0-9]+)\s*(?:s|sec|seconds?)?)?", re.I | re.S
)

_CALLED = {
    "fade to black": "fadeblack", "dip to black": "fadeblack", "fade out": "fadeblack", "fade in": "fadeblack",
    "fade from black": "fadeblack", "black": "fadeblack", "fade to white": "fadewhite", "dip to white": "fadewhite",
    "flash": "fadewhite", "white": "fadewhite", "fade to grey": "fadegrays", "fade to gray": "fadegrays",
    "cross dissolve": "dissolve", "cross fade": "crossfade", "x fade": "crossfade", "mix": "dissolve",
    "blend": "dissolve", "lap dissolve": "dissolve", "wipe": "wipeleft", "slide": "slideleft", "push": "slideleft",
    "cover": "coverleft", "reveal": "revealleft", "iris": "circleopen", "iris in": "circleclose",
    "iris out": "circleopen", "circle": "circleopen", "clock": "radial", "clock wipe": "radial", "blur": "hblur",
    "zoom": "zoomin", "pixelate": "pixelize", "pixels": "pixelize", "curtain": "vertopen", "smooth": "smoothleft",
    "淡入淡出": "fade", "叠化": "dissolve", "黑场": "fadeblack", "闪白": "fadewhite", "划像": "wipeleft",
}  # fmt: skip
"""What editors and other programs call transitions."""


def read_cut(cut: str, near: Callable[[str, Iterable[str]], str | None]) -> tuple[str, float] | str:
    """Name and seconds of a transition as written in a board, or what is wrong with it."""
    name, _, seconds = cut.strip().partition(" ")
    number = seconds.strip().removesuffix("s").strip() or _USUAL
    length = float(number) if _SECONDS.fullmatch(number) else -1.0
    if name in TRANSITIONS and SHORTEST_TRANSITION <= length <= LONGEST_TRANSITION:
        return name, length
    return f"cut = {quoted(cut)}{_advice(cut, near)}"


def _advice(cut: str, near: Callable[[str, Iterable[str]], str | None]) -> str:
    written = _WRITTEN.fullmatch(cut.strip())
    name, number = (written["name"], written["number"] or "") if written else (cut, "")
    number = number.replace(",", ".")
    is_usable = _SECONDS.fullmatch(number) and SHORTEST_TRANSITION <= float(number) <= LONGEST_TRANSITION
    seconds = number if is_usable else _USUAL
    known, first = _BY_FOLD.get(folded(name)), (name.split() or [""])[0]
    if known and folded(name) != known:
        return f": there is no such transition; did you mean {known} {seconds}? {ALL_TRANSITIONS}"
    own = known or (first if first in TRANSITIONS else None)
    if own:
        bounds = f"{SHORTEST_TRANSITION:g} to {LONGEST_TRANSITION:g}"
        return f"; allowed: {own} with its seconds, {bounds}, such as {own} {seconds}; {ALL_TRANSITIONS}"
    guessed = near(name, TRANSITIONS)
    guess = f"; did you mean {guessed} {seconds}? Allowed" if guessed else "; allowed"
    return (
        f": there is no such transition{guess}: true (without quotes), or one of {_KINDS}; {ALL_TRANSITIONS}"
    )


_KINDS = f"{', '.join(BLENDS)}, fadeblack, wipeleft, … with its seconds"
ALL_TRANSITIONS = "the table of transitions has them all"
"""Where to look on. A program that can print the table says how instead."""

_BY_FOLD = {name: name for name in TRANSITIONS}


for _word, _name in _CALLED.items():
    _BY_FOLD.setdefault(folded(_word), _name)
