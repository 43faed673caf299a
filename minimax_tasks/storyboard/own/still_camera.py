"""The camera over a still: which part of the picture each frame shows, for the moves that `camera` names.

A still has no depth: a camera that slides and one that turns show the same, and of two moves that undo each other on
the screen nothing is left.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from minimax_tasks.api.catalog.cameras import MOVES, Move
from minimax_tasks.video.easing import eased

Group = tuple[Move, ...]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture, in its pixels."""

_WAYS: dict[str, tuple[str, int]] = {
    "truck": ("x", 1),
    "pan": ("x", 1),
    "pedestal": ("y", -1),
    "tilt": ("y", -1),
    "dolly": ("zoom", 1),
    "zoom": ("zoom", 1),
    "shake": ("shake", 0),
    "static": ("", 0),
}
"""Axis of a move -> what it changes on the screen, and which way for a positive sign: `x` to the right, `y` down."""

SOFT = 0.25
"""Share of a move in which it gathers speed, and in which it loses it."""

_DRIFT = 0.25
"""Widths of the screen that a pan travels in a second, at most."""

_ROOM = 0.15
"""Widths of the screen that a pan has on a picture that is no wider than the screen: it is shown closer for that."""

_GROWTH = 0.05
"""How fast it gets closer, as a logarithm a second; twice as close takes 14 s."""

_LEAST, _MOST = 0.10, 0.35
"""The logarithms by which one move gets closer."""

_STRENGTH = {"dolly": 1.0, "zoom": 1.4}

_SWAY = 0.005
"""Widths of the screen that an unsteady hand moves to either side."""


def cannot_be_drawn(groups: Sequence[Group]) -> str:
    """Which of these moves a still cannot show, and what it can; empty when it shows all."""
    able = ", ".join(move.english for move in MOVES if move.axis in _WAYS)
    for group in groups:
        for move in group:
            if move.axis not in _WAYS:
                return f"{move.english}: nothing in a still moves that a camera could follow; allowed: {able}"
        for one, other in combinations(group, 2):
            (axis, way), (other_axis, other_way) = _WAYS[one.axis], _WAYS[other.axis]
            if axis and axis == other_axis and way * one.sign == -other_way * other.sign != 0:
                return (
                    f"{one.english} and {other.english} undo each other on a still, which has no depth; "
                    f"allowed at the same time: moves of which each shows, such as push in, pan left; of: {able}"
                )
    return ""


@dataclass(frozen=True)
class _View:
    """What is shown: how much closer, as a logarithm, and its middle, in widths and heights of the screen."""

    zoom: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def __add__(self, other: "_View") -> "_View":
        return _View(self.zoom + other.zoom, self.x + other.x, self.y + other.y)

    def __mul__(self, share: float) -> "_View":
        return _View(self.zoom * share, self.x * share, self.y * share)


def camera_boxes(
    groups: Sequence[Group], frames: int, seconds: float, picture: tuple[int, int], screen: tuple[int, int]
) -> list[Box]:
    """What each of these frames shows of a picture on a screen: sizes are width and height in pixels.

    Groups run one after the other, in equal parts of the time. The screen is always filled: a box never reaches over
    the edge of the picture. A picture of another shape than the screen gives pans and tilts the room that it has.
    """
    scale = min(picture[0] / screen[0], picture[1] / screen[1])
    wide, high = screen[0] * scale, screen[1] * scale
    free = (picture[0] / wide - 1, picture[1] / high - 1)
    each = seconds / max(1, len(groups))
    whole = [_of_group(group, each, free) for group in groups]
    path = []
    for number in range(frames):
        time = number / max(1, frames - 1)
        view = _View()
        for at, group in enumerate(groups):
            share = min(1.0, max(0.0, time * len(groups) - at))
            view += whole[at] * eased(share, SOFT)
            if any(move.axis == "shake" for move in group) and 0 < share < 1:
                view += _sway(share * each, share)
        path.append(view)
    return [_box(view, wide, high, picture) for view in _within(path, free)]


def _of_group(group: Group, seconds: float, free: tuple[float, float]) -> _View:
    """Where the moves of a group bring the camera."""
    view = _View()
    for move in dict.fromkeys(group):
        axis, way = _WAYS[move.axis]
        if axis == "zoom":
            closer = min(_MOST, max(_LEAST, _GROWTH * seconds)) * _STRENGTH[move.axis]
            view += _View(zoom=move.sign * way * closer)
        elif axis == "x":
            view += _View(x=move.sign * way * min(max(free[0], _ROOM), _DRIFT * seconds))
        elif axis == "y":
            view += _View(y=move.sign * way * min(max(free[1], _ROOM), _DRIFT * seconds))
    return view


def _sway(seconds: float, share: float) -> _View:
    """An unsteady hand: slow, never twice the same, and still at both ends."""
    calm = min(1.0, 6 * share, 6 * (1 - share))
    x = math.sin(4.1 * seconds) + 0.5 * math.sin(9.7 * seconds + 2)
    y = math.sin(5.3 * seconds + 1) + 0.5 * math.sin(8.3 * seconds)
    return _View(x=calm * _SWAY * x, y=calm * _SWAY * y)


def _within(path: list[_View], free: tuple[float, float]) -> list[_View]:
    """The path around the middle of the picture, as far out as it can be, and no smaller than it must be."""
    middle = _View(
        -min(view.zoom for view in path),
        -(min(view.x for view in path) + max(view.x for view in path)) / 2,
        -(min(view.y for view in path) + max(view.y for view in path)) / 2,
    )
    path = [view + middle for view in path]
    x = _at_most(max(abs(view.x) for view in path), (free[0] + _ROOM) / 2)
    y = _at_most(max(abs(view.y) for view in path), (free[1] + _ROOM) / 2)
    path = [_View(view.zoom, view.x * x, view.y * y) for view in path]
    closer = max(
        -math.log(room) - view.zoom
        for view in path
        for room in (free[0] + 1 - 2 * abs(view.x), free[1] + 1 - 2 * abs(view.y))
    )
    return [view + _View(max(0.0, closer)) for view in path]


def _at_most(value: float, limit: float) -> float:
    return 1.0 if value <= limit else limit / value


def _box(view: _View, wide: float, high: float, picture: tuple[int, int]) -> Box:
    half_wide, half_high = wide * math.exp(-view.zoom) / 2, high * math.exp(-view.zoom) / 2
    x, y = picture[0] / 2 + view.x * wide, picture[1] / 2 + view.y * high
    x = min(max(x, half_wide), picture[0] - half_wide)  # rounding may carry it a hair over the edge
    y = min(max(y, half_high), picture[1] - half_high)
    return (
        max(0.0, x - half_wide),
        max(0.0, y - half_high),
        min(float(picture[0]), x + half_wide),
        min(float(picture[1]), y + half_high),
    )
