"""The names of transitions, in a module that needs no PyAV, so that boards are checked quickly."""

CUT = "cut"

BLENDS = ("fade", "dissolve", "crossfade")
"""Three names for the same even blend."""

XFADES = (
    "fadeblack", "fadewhite", "fadegrays", "wipeleft", "wiperight", "wipeup", "wipedown", "wipetl",
    "wipetr", "wipebl", "wipebr", "slideleft", "slideright", "slideup", "slidedown", "smoothleft",
    "smoothright", "smoothup", "smoothdown", "coverleft", "coverright", "coverup", "coverdown",
    "revealleft", "revealright", "revealup", "revealdown", "circleopen", "circleclose",
    "circlecrop", "rectcrop", "vertopen", "vertclose", "horzopen", "horzclose", "radial",
    "distance", "pixelize", "hblur", "zoomin",
)  # fmt: skip
"""Transitions of FFmpeg's xfade filter."""

TRANSITIONS: tuple[str, ...] = BLENDS + XFADES
"""The transitions that `join` knows, apart from a cut."""

_DIRECTIONS = {
    "left": "to the left", "right": "to the right", "up": "upwards", "down": "downwards",
    "tl": "to the top left", "tr": "to the top right", "bl": "to the bottom left", "br": "to the bottom right",
}  # fmt: skip

_MOTIONS = {
    "wipe": "an edge wipes {}",
    "slide": "the next picture pushes the old one {}",
    "smooth": "a soft edge wipes {}",
    "cover": "the next picture slides {} over the old one",
    "reveal": "the old picture slides {} off the next one",
}

_ALONE = {
    "fadeblack": "through black", "fadewhite": "through white", "fadegrays": "through grey",
    "circleopen": "a circle opens on the next picture", "circleclose": "a circle closes on the old one",
    "circlecrop": "a circle closes to black and opens", "rectcrop": "a rectangle closes to black and opens",
    "vertopen": "opens like a curtain, from a vertical line", "vertclose": "closes to a vertical line",
    "horzopen": "opens from a horizontal line", "horzclose": "closes to a horizontal line",
    "radial": "sweeps round like a clock's hand", "distance": "pixel by pixel, by likeness",
    "pixelize": "through coarse pixels", "hblur": "through a sideways blur", "zoomin": "zooms into the old picture",
}  # fmt: skip


def shows(name: str) -> str:
    """What a transition looks like."""
    if name in BLENDS:
        return "an even blend"
    if name in _ALONE:
        return _ALONE[name]
    motion = next(motion for motion in _MOTIONS if name.startswith(motion))
    return _MOTIONS[motion].format(_DIRECTIONS[name.removeprefix(motion)])
