"""Camera moves as small drawings, the way arrows are drawn on a storyboard panel."""

from collections.abc import Sequence
from html import escape

from minimax_tasks.api.catalog.cameras import MOVES

CELL = 48
"""Side of one group's drawing, in the drawing's own units."""

GAP = 12
"""Room between two groups, where a chevron says "then"."""

_ENGLISH = {move.name: move.english for move in MOVES}

_UPRIGHT = "1 0 0 1 0 0"
_FLIPPED = f"-1 0 0 1 {CELL} 0"
_UPSIDE_DOWN = f"1 0 0 -1 0 {CELL}"
_TURNED = f"-1 0 0 -1 {CELL} {CELL}"


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


_FRAME = '<rect x="10" y="14" width="28" height="20" rx="2" stroke-width="1.5" opacity=".45"/>'

# Every axis has a place of its own around the frame, so that moves made at the same time do not cover
# each other: truck below, pan above, pedestal on the right, tilt on the left, push and pull in the
# corners, zoom on the middle line.
_TRUCK = "M13 42H35M30.4 38l4.6 4-4.6 4"
_PAN = "M12 9.5Q24 1 36 9.5M30.6 10.2l5.4-.7M36 9.5l-1.7-5.2"
_PEDESTAL = "M43.6 33V15M39.7 19.7l3.9-4.7 3.9 4.7"
_TILT = "M7 33Q-.6 24 7 15M7 15l.3 5.3M7 15l-5.1 1.3"
_PUSH = "M5 9L15 19M15 13.6V19H9.6"
_PULL = "M5 9L15 19M5 14.4V9H10.4"
_LENS = '<rect x="19.5" y="20.6" width="9" height="6.8" rx="1" stroke-width="1.8" stroke-dasharray="2 1.8"/>'

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
    "zoom_in": _LENS + _path("M3 24H15", _UPRIGHT, _FLIPPED, dashed=True)
    + _path("M12.6 20.4L16.2 24l-3.6 3.6", _UPRIGHT, _FLIPPED),
    "zoom_out": _LENS + _path("M16 24H4", _UPRIGHT, _FLIPPED, dashed=True)
    + _path("M6.6 20.4L3 24l3.6 3.6", _UPRIGHT, _FLIPPED),
    "shake": '<rect x="10" y="14" width="28" height="20" rx="2" stroke-width="1.5" opacity=".45"'
    ' transform="rotate(-8 24 24)"/>' + _path("M13 29l2.75-4.5 3.67 7 3.67-7 3.67 7 3.67-7 2.75 4.5"),
    "tracking": '<circle cx="17" cy="21.5" r="3.8"/>' + _path("M24.5 21.5H34M30.4 18l3.6 3.5-3.6 3.5"),
    "static": _path("M24 17.5v13M17.5 24h13"),
}  # fmt: skip
"""One drawing for each move of the catalogue, on top of the frame."""


def camera_svg(groups: Sequence[Sequence[str]], size: int = 40) -> str:
    """Draw camera moves as inline SVG in the current text colour.

    `groups` holds the names of the catalogue's moves: those of one group happen at the same time and
    share a frame; the groups follow each other from left to right. `size` is the height in CSS pixels.
    Without any group the frame is empty: the model chooses.
    """
    cells = [_cell(group) for group in groups] or [_FRAME]
    width = len(cells) * CELL + (len(cells) - 1) * GAP
    drawn = "".join(
        f'<g transform="translate({index * (CELL + GAP)} 0)">{cell}</g>' + _then(index)
        for index, cell in enumerate(cells)
    )
    return (
        f'<svg class="camera" role="img" viewBox="0 0 {width} {CELL}"'
        f' width="{round(size * width / CELL)}" height="{size}" fill="none" stroke="currentColor"'
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
    x = index * (CELL + GAP) - GAP + 3.5
    return f'<path d="M{x} 19l5 5-5 5" stroke-width="1.8" opacity=".7"/>'


def _english(name: str) -> str:
    if name not in _ENGLISH:
        raise ValueError(f"no camera move is called {name!r}; there are {', '.join(_ENGLISH)}")
    return _ENGLISH[name]
