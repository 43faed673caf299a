"""How the camera of a sandbox clip moves: the commands in a prompt, and the path they make.

The sandbox stands for the service, so it reads prompts by its own rules and forgives more than a client should.
"""

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from minimax_tasks.api.catalog.cameras import MOVES, Move
from minimax_tasks.video.easing import eased

Group = tuple[Move, ...]
"""Moves that happen at the same time."""

BRACKETS = re.compile(r"[\[【]([^\[\]【】]*)[\]】]")
SEPARATORS = re.compile(r"[,，、+;；]|\band\b")
SENTENCES = re.compile(r"[.!?。！？\n]+")
AFTERWARDS = re.compile(r"\bthen\b|然后|随后|接着")
CAMERA = re.compile(r"\bcamera\b|镜头", re.IGNORECASE)


def _spellings() -> dict[str, Move]:
    return {
        name.lower(): move
        for move in MOVES
        for name in (*move.aliases, move.chinese, move.words, move.english)
    }


SPELLINGS = _spellings()

IN_SENTENCES = re.compile(
    "|".join(
        # Short aliases such as `hold` and `push` are words of the story too; in sentences only phrases count.
        rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name)
        for name in sorted(SPELLINGS, key=len, reverse=True)
        if " " in name or not name.isascii() or name in {move.words.lower() for move in MOVES}
    )
)


def camera_groups(prompt: str) -> tuple[Group, ...]:
    """The moves that a prompt asks for, group after group in time.

    `[Push in, Pedestal up]` is one group. A prompt without such commands is read for sentences about the
    camera: "The camera pushes in while it rises, then holds a static shot."
    """
    return _commands(prompt) or _sentences(prompt)


_BETWEEN = re.compile(r"\]\s*[,，]?\s*(?:then|然后)\s*(?=\[)")


def without_commands(prompt: str) -> str:
    """The prompt without its bracketed camera commands, and without the words between them."""

    def kept(match: re.Match[str]) -> str:
        return "" if _named(match[1]) else match[0]

    listed = _BETWEEN.sub("] ", prompt)
    text = re.sub(r"\s+([,.;!?，。；！？])", r"\1", BRACKETS.sub(kept, listed))
    return " ".join(text.split())


def _commands(prompt: str) -> tuple[Group, ...]:
    return tuple(group for match in BRACKETS.finditer(prompt) if (group := _named(match[1])))


def _named(text: str) -> Group:
    names = (" ".join(name.lower().split()) for name in SEPARATORS.split(text))
    return tuple(dict.fromkeys(SPELLINGS[name] for name in names if name in SPELLINGS))


def _sentences(prompt: str) -> tuple[Group, ...]:
    groups = []
    for sentence in SENTENCES.split(prompt):
        if not CAMERA.search(sentence):
            continue
        for clause in AFTERWARDS.split(sentence.lower()):
            moves = tuple(dict.fromkeys(SPELLINGS[found[0]] for found in IN_SENTENCES.finditer(clause)))
            if moves:
                groups.append(moves)
    return tuple(groups)


@dataclass(frozen=True)
class Pose:
    """Where the camera is; all zero shows the picture as it is.

    `zoom` is a logarithm, `x` and `y` (right and down) are shares of the frame's sides.
    """

    zoom: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def __add__(self, other: "Pose") -> "Pose":
        return Pose(self.zoom + other.zoom, self.x + other.x, self.y + other.y)

    def __sub__(self, other: "Pose") -> "Pose":
        return self + other * -1

    def __mul__(self, factor: float) -> "Pose":
        return Pose(self.zoom * factor, self.x * factor, self.y * factor)

    def overhang(self) -> float:
        """How far the view reaches over the edge of the picture, in shares of the frame's sides."""
        return (math.exp(-self.zoom) - 1) / 2 + max(abs(self.x), abs(self.y))


def camera_path(groups: tuple[Group, ...], frames: int, *, rng: random.Random, margin: float) -> list[Pose]:
    """The pose of every frame; the first is where the camera stands now.

    Groups run one after the other in equal parts of the clip. Without any, the camera drifts. `rng` varies
    how far it goes; the path becomes smaller as a whole when it would leave a `margin` around the picture.
    """
    strength = rng.uniform(0.8, 1.15)
    drift = _drift(rng)
    path = []
    for frame in range(frames):
        time = frame / max(1, frames - 1)
        pose = drift(time)
        if groups:
            # Every group that is over leaves the camera where it brought it.
            parts = (min(1.0, max(0.0, time * len(groups) - number)) for number in range(len(groups)))
            pose = sum((_group_pose(group, part) for group, part in zip(groups, parts, strict=True)), Pose())
        path.append(pose * strength)
    return _within(path, margin)


def group_at(groups: tuple[Group, ...], frame: int, frames: int) -> Group:
    """The moves that are going on in a frame."""
    if not groups:
        return ()
    return groups[min(len(groups) - 1, frame * len(groups) // max(1, frames - 1))]


def _within(path: list[Pose], margin: float) -> list[Pose]:
    """The path, as large as it may be; seen from its end as well, for clips that end on a given picture."""

    def fits(factor: float) -> bool:
        scaled = [pose * factor for pose in path]
        return all(max(pose.overhang(), (pose - scaled[-1]).overhang()) <= margin for pose in scaled)

    factor = 1.0
    while not fits(factor):
        factor *= 0.95
    return [pose * factor for pose in path]


def _drift(rng: random.Random) -> Callable[[float], Pose]:
    x, y = rng.choice((-1, 1)) * rng.uniform(0.02, 0.04), rng.uniform(-0.015, 0.015)
    zoom = rng.choice((0.07, 0.09, -0.06))
    return lambda time: Pose(zoom, x, y) * _glide(time)


def _group_pose(group: Group, time: float) -> Pose:
    return sum((MODELS[move.axis](move.sign, time) for move in group), Pose())


def _glide(time: float) -> float:
    """Even speed, with a soft start and stop: a camera on rails."""
    return eased(time, 0.12)


def _swing(time: float) -> float:
    """Slow, fast, slow: a head that turns."""
    return time * time * (3 - 2 * time)


def _truck(sign: int, time: float) -> Pose:
    return Pose(x=sign * 0.16 * _glide(time))


def _pan(sign: int, time: float) -> Pose:
    return Pose(zoom=0.05 * math.sin(math.pi * time), x=sign * 0.2 * _swing(time))


def _dolly(sign: int, time: float) -> Pose:
    return Pose(zoom=(0.36 if sign > 0 else -0.27) * _glide(time))


def _zoom(sign: int, time: float) -> Pose:
    return Pose(zoom=(0.5 if sign > 0 else -0.32) * _swing(time))


def _pedestal(sign: int, time: float) -> Pose:
    return Pose(y=-sign * 0.15 * _glide(time))


def _tilt(sign: int, time: float) -> Pose:
    return Pose(zoom=0.04 * math.sin(math.pi * time), y=-sign * 0.18 * _swing(time))


def _shake(_sign: int, time: float) -> Pose:
    hold = min(1.0, 8 * time, 8 * (1 - time))
    x = 0.010 * math.sin(47 * time) + 0.005 * math.sin(113 * time + 2)
    y = 0.009 * math.sin(61 * time + 1) + 0.005 * math.sin(139 * time)
    return Pose(x=hold * x, y=hold * y)


def _tracking(_sign: int, time: float) -> Pose:
    return Pose(zoom=0.1 * _swing(time), x=0.1 * math.sin(2 * math.pi * time) * math.sin(math.pi * time))


def _static(_sign: int, _time: float) -> Pose:
    return Pose()


MODELS: dict[str, Callable[[int, float], Pose]] = {
    "truck": _truck,
    "pan": _pan,
    "dolly": _dolly,
    "zoom": _zoom,
    "pedestal": _pedestal,
    "tilt": _tilt,
    "shake": _shake,
    "tracking": _tracking,
    "static": _static,
}
"""By the axis of a move: where it brings the camera in the share `time` of its part of the clip."""
