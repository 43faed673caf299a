"""Transitions in the terms of editing programs: the numbers of SMPTE 258M for wipes, as EDLs and XML files have them.

A wipe that runs the other way is `reversed`. What has no number is left to each format.
"""

from typing import NamedTuple

from minimax_tasks.video.transition_names import BLENDS


class Wipe(NamedTuple):
    """A wipe by its number, and the effect of Final Cut Pro 7 that draws it."""

    code: int
    effect: str
    reversed: bool = False


_EDGE, _BOX, _DOOR, _IRIS = "Edge Wipe", "Inset Wipe", "Center Wipe", "Oval Iris"

WIPES = {
    **{f"{motion}right": Wipe(1, _EDGE) for motion in ("wipe", "smooth")},
    **{f"{motion}left": Wipe(1, _EDGE, reversed=True) for motion in ("wipe", "smooth")},
    **{f"{motion}down": Wipe(2, _EDGE) for motion in ("wipe", "smooth")},
    **{f"{motion}up": Wipe(2, _EDGE, reversed=True) for motion in ("wipe", "smooth")},
    "wipebr": Wipe(3, _BOX), "wipebl": Wipe(4, _BOX), "wipetl": Wipe(5, _BOX), "wipetr": Wipe(6, _BOX),
    "vertopen": Wipe(21, _DOOR), "vertclose": Wipe(21, _DOOR, reversed=True),
    "horzopen": Wipe(22, _DOOR), "horzclose": Wipe(22, _DOOR, reversed=True),
    "circleopen": Wipe(119, _IRIS), "circleclose": Wipe(119, _IRIS, reversed=True),
    "radial": Wipe(201, "Clock Wipe"),
}  # fmt: skip
"""Transition -> the wipe that it is; source: SMPTE 258M, whose numbers SMIL 2.0 repeats with a picture of each."""

DISSOLVE = "Cross Dissolve"

_FCP7 = {
    **dict.fromkeys(BLENDS, DISSOLVE),
    "fadeblack": "Dip to Color Dissolve",
    **{f"slide{way}": "Push Slide" for way in ("left", "right", "up", "down")},
}


def fcp7_effect(kind: str) -> str:
    """The effect of Final Cut Pro 7 for a transition, "" where it has none like it."""
    return WIPES[kind].effect if kind in WIPES else _FCP7.get(kind, "")
