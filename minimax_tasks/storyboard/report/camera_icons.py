"""Camera moves as small drawings, the way arrows are drawn on a storyboard panel."""

from collections.abc import Sequence
from html import escape

from minimax_tasks.api.catalog.cameras import MOVES

WIDTH, HEIGHT = 56, 48
"""Size of one group's drawing, in the drawing's own units."""

GAP = 12
"""Room between two groups, where a chevron says "then"."""

_ENGLISH = {move.name: move.english for move in MOVES}

_UPRIGHT = "1 0 0 1 0 0"
_FLIPPED = f"-1 0 0 1 {WIDTH} 0"
_UPSIDE_DOWN = f"1 0 0 -1 0 {HEIGHT}"
_TURNED = f"-1 0 0 -1 {WIDTH} {HEIGHT}"


def _path(data: str, *transforms: str, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="2.6 3"' if dashed else ""
    return "".join(
        f'<path d="{data}"{dashes}/>'
        if transform == _UPRIGHT
        else f'<path d="{data}"{dashes} transform="matrix({transform})"/>'
        for transform in transforms or (_UPRIGHT,)
    )


def _in_corners(data: str) -> str:
    return _path(data, _UPRIGHT, _FLIPPED, _UPSIDE_DOWN, _TURNED)


_FRAME = (
    '<rect x="11" y="12.5" width="34" height="23" rx="2" stroke-width="1.5" stroke-opacity=".6"'
    ' fill="currentColor" fill-opacity=".08"/>'
)

# Every axis has a place of its own, so that moves made at the same time do not cover each other: truck
# below the frame, pan above, pedestal on the right, tilt on the left, push and pull in the corners, zoom
# on the middle line, tracking above it and shake below.
_TRUCK = "M15 42.5H41M36.6 38.9l4.4 3.6-4.4 3.6"
_PAN = "M14 8.5Q28 .5 42 8.5M36.4 9.6l5.6-1.1M42 8.5l-2-5.3"
_PEDESTAL = "M50.4 32.5V15.5M46.6 20l3.8-4.5 3.8 4.5"
_TILT = "M8 34Q-.4 24 8 14M8 14l.2 5.6M8 14l-5.3 1.5"
_PUSH = "M5.5 7L16.5 18M16.5 12.4V18H10.9"
_PULL = "M5.5 7L16.5 18M5.5 12.6V7H11.1"
_LENS = '<rect x="22.5" y="20.2" width="11" height="7.6" rx="1" stroke-width="1.8" stroke-dasharray="2 1.9"/>'
_ASKEW = (
    '<rect x="11" y="12.5" width="34" height="23" rx="2" stroke-width="1.5" stroke-opacity=".6"'
    ' transform="rotate(-7 28 24)"/>'
)

_DRAWINGS = {
    "truck_left": _path(_TRUCK, _FLIPPED),
    "truck_right": _path(_TRUCK),
    "pan_left": _path(_PAN, _FLIPPED),
    "pan_right": _path(_PAN),
    "push_in": _in_corners(_PUSH),
    "pull_out": _in_corners(_PULL),
    "pedestal_up": _path(_PEDESTAL),
    "pedestal_down": _path(_PEDESTAL, _UPSIDE_DOWN),
    "tilt_up": _path(_TILT),
    "tilt_down": _path(_TILT, _UPSIDE_DOWN),
    "zoom_in": _LENS + _path("M3.5 24H17", _UPRIGHT, _FLIPPED, dashed=True)
    + _path("M14.8 20.2L18.6 24l-3.8 3.8", _UPRIGHT, _FLIPPED),
    "zoom_out": _LENS + _path("M18 24H4.5", _UPRIGHT, _FLIPPED, dashed=True)
    + _path("M6.8 20.2L3 24l3.8 3.8", _UPRIGHT, _FLIPPED),
    "shake": _ASKEW + _path("M17 32l2.2-2.4 4.4 4.6 4.4-4.6 4.4 4.6 4.4-4.6 2.2 2.4"),
    "tracking": '<circle cx="20.5" cy="19.5" r="3.6"/>' + _path("M28 19.5H38M34.4 15.9l3.6 3.6-3.6 3.6"),
    "static": _path("M28 17.5v13M21.5 24h13"),
}  # fmt: skip
"""One drawing for each move of the catalogue, on top of the frame."""


def camera_svg(groups: Sequence[Sequence[str]], size: int = 40) -> str:
    """Draw camera moves as inline SVG in the current text colour.

    `groups` holds the names of the catalogue's moves: those of one group happen at the same time and
    share a frame; the groups follow each other from left to right. `size` is the height in CSS pixels.
    Without any group the frame is empty: the model chooses.
    """
    cells = [_cell(group) for group in groups] or [_FRAME]
    width = len(cells) * WIDTH + (len(cells) - 1) * GAP
    drawn = "".join(
        f'<g transform="translate({index * (WIDTH + GAP)} 0)">{cell}</g>' + _then(index)
        for index, cell in enumerate(cells)
    )
    return (
        f'<svg class="camera" role="img" viewBox="0 0 {width} {HEIGHT}"'
        f' width="{round(size * width / HEIGHT)}" height="{size}" fill="none" stroke="currentColor"'
        f' stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">'
        f"<title>{escape(camera_words(groups))}</title>{drawn}</svg>"
    )


def camera_words(groups: Sequence[Sequence[str]]) -> str:
    """Say camera moves in the English of the catalogue: `Push in + Tilt up, then Static shot`."""
    return ", then ".join(" + ".join(_english(name) for name in group) for group in groups) or "Free camera"


def _cell(group: Sequence[str]) -> str:
    for name in group:
        _english(name)
    return _FRAME + "".join(_DRAWINGS[name] for name in group)


def _then(index: int) -> str:
    if index == 0:
        return ""
    x = index * (WIDTH + GAP) - GAP + 3.5
    return f'<path d="M{x} 19l5 5-5 5" stroke-width="1.8" opacity=".7"/>'


def _english(name: str) -> str:
    if name not in _ENGLISH:
        raise ValueError(f"no camera move is called {name!r}; there are {', '.join(_ENGLISH)}")
    return _ENGLISH[name]
