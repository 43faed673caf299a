"""Transitions in the terms of editing programs: the numbers of SMPTE 258M for wipes, as EDLs and XML files have them.

A wipe that runs the other way is `reversed`. What has no number is left to each format. Final Cut Pro (FCPXML) knows its
transitions by ids, which Apple publishes nowhere.
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


class Effect(NamedTuple):
    """A transition of Final Cut Pro: its name and id, and the name, key and value of each parameter."""

    name: str
    uid: str
    parameters: tuple[tuple[str, str, str], ...] = ()


_WAYS = {"left": "0", "up": "1", "right": "2", "down": "3"}
"""Where to an edge or a picture moves."""


def _wipe(way: str) -> Effect:
    return Effect("Wipe", "FxPlug:857E2FBA-98DB-411B-A88C-CE6ABC1F65D8", (("Direction", "13", _WAYS[way]),))


def _slide_in(way: str) -> Effect:
    # Type 0 is "Slide In". The numbers of the others are in no export that we found, so a push and a reveal are not here.
    parameters = (("Type", "5", "0"), ("Direction", "4", _WAYS[way]))
    return Effect("Slide", "FxPlug:6AAB0D54-FCD8-4EBD-A62D-D352A5ED1648", parameters)


FCPX_DISSOLVE = Effect(DISSOLVE, "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265")

_FCPX = {
    **dict.fromkeys(BLENDS, FCPX_DISSOLVE),
    # Without a colour it is black; how another is written is in no export whose colour is known.
    "fadeblack": Effect("Fade To Color", "FxPlug:F779C565-486D-4633-8035-0374B4DB8F5C"),
    **{f"{motion}{way}": _wipe(way) for motion in ("wipe", "smooth") for way in _WAYS},
    **{f"cover{way}": _slide_in(way) for way in _WAYS},
    "circleopen": Effect("Circle", "FxPlug:1C52AC71-7116-4248-B51F-5F5641EA9EDD"),
    "radial": Effect("Clock", "FxPlug:B2C3F87B-2A21-4E13-8173-46ED4FEBC57A"),
}
"""Transition -> the one of Final Cut Pro. Sources:

- the ids: its own export, read by github.com/brianwestphal/video-studio (docs/transitions.md), which pairs them with
  these transitions of FFmpeg; Fade To Color and the dissolve are also in an export of DaVinci Resolve, in
  github.com/CommandPost/FCPCafe (docs/learn/immersive.md)
- `Type` 5 "0 (Slide In)" and `Direction` 4 "2 (Right)" of Slide: a Chinese export in github.com/ourfor/fcp-maker, and an
  English one. The number alone is written, since the words are in the language of the program.
- `Direction` 13 of Wipe and the other numbers of directions: a writer of Remotion's timelines for Final Cut Pro

Circle and Clock have no parameters here: as they come, the one opens and the other runs clockwise.
"""


def fcpx_effect(kind: str) -> Effect | None:
    """The transition of Final Cut Pro, None where none is known that looks like it."""
    return _FCPX.get(kind)
