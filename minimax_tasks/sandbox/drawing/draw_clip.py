"""The clips of the sandbox: real MP4s that do what their prompt asks of the camera.

A clip with a first frame starts exactly on it, one with a last frame ends exactly on that, so that chains of
clips behave as with the service. The same arguments make the same bytes.
"""

import math
import random
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from minimax_tasks.errors import ControlFlow
from minimax_tasks.sandbox.drawing.motion import (
    Group,
    Pose,
    camera_groups,
    camera_path,
    group_at,
    without_commands,
)
from minimax_tasks.sandbox.drawing.scenery import draw_portrait, draw_scene, pin_up
from minimax_tasks.sandbox.drawing.sound import draw_sound
from minimax_tasks.sandbox.drawing.sounding_file import sounding_mp4
from minimax_tasks.video.colour import frame_of, plane_pixels
from minimax_tasks.video.encode import Cue, H264Writer, h264_mp4
from minimax_tasks.video.frames import cover

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

WIDESCREEN = 16 / 9

MARGIN = 0.25
"""How far a picture reaches over the frame on every side, of the frame, for the camera to move into."""

RENDER_THREADS = 2
AHEAD = 6
"""Frames drawn ahead of the encoder, at most."""
SMALL = 320 * 180
"""Pixels of a frame below which it is drawn in less time than it takes to hand it from thread to thread."""


class Abandoned(ControlFlow):
    """Nobody wants the clip any more; what is written of it is no clip."""


@dataclass(frozen=True)
class Rendered:
    """The size in pixels and the number of frames of a clip that was written."""

    width: int
    height: int
    frames: int


def clip_size(resolution: str, aspect: float | None) -> tuple[int, int]:
    """Width and height of a clip, both even: the short side is the resolution (768P, 1080P, ...).

    `aspect` is width by height of the first frame; a clip without one is 16:9. Raises `ValueError` for a
    resolution that is not of that form.
    """
    match = re.fullmatch(r"(\d+)[Pp]", resolution)
    if not match:
        raise ValueError(f"a resolution is written as 768P, not {resolution!r}")
    short = _even(int(match[1]))
    aspect = aspect or WIDESCREEN
    return (_even(short * aspect), short) if aspect >= 1 else (short, _even(short / aspect))


def draw_clip(
    path: str | Path,
    *,
    prompt: str,
    resolution: str,
    seconds: float,
    fps: int = 24,
    first: Image.Image | None = None,
    last: Image.Image | None = None,
    subject: Image.Image | None = None,
    references: Sequence[Image.Image] = (),
    aspect: float | None = None,
    frames: int | None = None,
    sounds: bool = False,
    variant: int = 1,
    scale: str | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> Rendered:
    """Write a clip of `seconds` to the local `path`, an MP4 with its index in front.

    It starts on `first`, or on a drawn scene that suits the prompt (with `subject` in it), moves as the
    camera commands of the prompt say, and changes into `last`, cropped to the shape of the clip. `variant`
    numbers the takes of a request: each looks different. `references` are seen in the frame, as small pictures.
    `aspect`, width by height, and `frames` are for clips whose shape and length are not those of their request,
    and `sounds` for those with a track of sound, which have no subtitles and their index at the end.
    `scale` is a resolution to render in instead, for
    tests in a hurry. What the prompt says is a track of subtitles. Raises `ValueError` for a resolution
    that is not written like 768P, and `Abandoned` at the first frame before which it is no longer `wanted`.
    """
    shape = first or last
    if aspect is None and shape is not None:
        aspect = shape.width / shape.height
    size = clip_size(scale or resolution, aspect)
    frames = frames or max(1, round(seconds * fps))
    rng = random.Random(f"{variant}\n{prompt}")
    groups = camera_groups(prompt)
    clip = _Clip(
        start=_opening(prompt, size, first, subject, references, variant),
        end=_Backdrop.reflected(cover(last, size)) if last else None,
        path=camera_path(groups, frames, rng=rng, margin=MARGIN),
        lights=_lights(frames, rng),
    )
    writing: AbstractContextManager[H264Writer]
    if sounds:
        sound = draw_sound(prompt, variant, frames / fps)
        writing = sounding_mp4(str(path), size, Fraction(fps), _encoding(fps), sound)
    else:
        cues = _cues(without_commands(prompt), groups, frames, fps)
        writing = h264_mp4(str(path), size, Fraction(fps), _encoding(fps), cues)
    with writing as writer:
        small = size[0] * size[1] < SMALL
        for frame in map(clip.frame, range(frames)) if small else _made_ahead(clip.frame, frames):
            if not wanted():
                raise Abandoned
            writer.write(frame)
    return Rendered(*size, frames)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def _encoding(fps: int) -> dict[str, str]:
    return {
        "preset": "superfast",
        "crf": "23",
        "g": str(2 * fps),
        # Joins drop the last packet of a clip, so nothing may be decoded after it.
        "bf": "0",
        # The bytes must not depend on how many cores a machine has.
        "threads": "1",
    }


@dataclass(frozen=True)
class _Backdrop:
    """The Y, U and V planes of a picture that is larger than the frame, for a camera to look at."""

    planes: tuple[Image.Image, ...]
    size: tuple[int, int]
    edge: tuple[int, int]

    @classmethod
    def reflected(cls, image: Image.Image) -> "_Backdrop":
        """A picture of the size of the frame; beyond its edges it is mirrored."""
        edge = int(image.width * MARGIN) // 2 * 2, int(image.height * MARGIN) // 2 * 2
        planes = []
        for pixels, part in zip(_pixels(image), (1, 2, 2), strict=True):
            x, y = edge[0] // part, edge[1] // part
            planes.append(Image.fromarray(np.pad(pixels, ((y, y), (x, x)), mode="symmetric")))
        return cls(tuple(planes), image.size, edge)

    @classmethod
    def framed(cls, image: Image.Image, size: tuple[int, int]) -> "_Backdrop":
        """A picture that is already larger than the frame; the frame is its middle."""
        planes = tuple(Image.fromarray(pixels) for pixels in _pixels(image))
        return cls(planes, size, ((image.width - size[0]) // 2, (image.height - size[1]) // 2))

    def seen_from(self, pose: Pose) -> list[Image.Image]:
        """The planes of the frame that the camera sees."""
        left, top, right, bottom = self._box(pose)
        seen = []
        for plane, part in zip(self.planes, (1, 2, 2), strict=True):
            box = (left / part, top / part, right / part, bottom / part)
            size = (self.size[0] // part, self.size[1] // part)
            # A box in fractions of a pixel: whole pixels would make slow moves jitter.
            seen.append(plane.resize(size, Image.Resampling.BILINEAR, box=box))
        return seen

    def _box(self, pose: Pose) -> tuple[float, float, float, float]:
        width, height = self.size
        shrink = math.exp(-pose.zoom)
        left = self.edge[0] + width * ((1 - shrink) / 2 + pose.x)
        top = self.edge[1] + height * ((1 - shrink) / 2 + pose.y)
        right, bottom = left + width * shrink, top + height * shrink
        # The path keeps to the margin; the edge is rounded to whole pixels, which can be a little less.
        whole_width, whole_height = width + 2 * self.edge[0], height + 2 * self.edge[1]
        return max(0.0, left), max(0.0, top), min(whole_width, right), min(whole_height, bottom)


def _pixels(image: Image.Image) -> list[Pixels]:
    return [plane_pixels(plane) for plane in frame_of(image).planes]


def _opening(
    prompt: str,
    size: tuple[int, int],
    first: Image.Image | None,
    subject: Image.Image | None,
    references: Sequence[Image.Image],
    variant: int,
) -> _Backdrop:
    if first:
        return _Backdrop.reflected(cover(first, size))
    if subject:
        return _Backdrop.framed(draw_portrait(subject, prompt, size, variant, margin=MARGIN), size)
    scene = draw_scene(prompt, size, variant, margin=MARGIN)
    return _Backdrop.framed(pin_up(scene, references, size), size)


def _lights(frames: int, rng: random.Random) -> list[float]:
    """How much brighter each frame is than its picture: not at all at the ends, or chains would drift."""
    swell = rng.choice((-1, 1)) * rng.uniform(0.03, 0.08)
    return [swell * math.sin(math.pi * frame / max(1, frames - 1)) for frame in range(frames)]


def _cues(text: str, groups: tuple[Group, ...], frames: int, fps: int) -> list[Cue]:
    """What the camera does, and the prompt, as subtitles: any frame may be continued in another clip."""
    begins = [
        frame
        for frame in range(frames)
        if frame == 0 or group_at(groups, frame, frames) != group_at(groups, frame - 1, frames)
    ]
    cues = []
    for begin, end in zip(begins, [*begins[1:], frames], strict=True):
        moves = " + ".join(move.english for move in group_at(groups, begin, frames))
        lines = "\n".join(filter(None, (f"[{moves}]" if moves else "", text)))
        if lines:
            cues.append(Cue(begin / fps, end / fps, lines))
    return cues


@dataclass(frozen=True)
class _Clip:
    """All that the frames of a clip are made from."""

    start: _Backdrop
    end: _Backdrop | None
    path: list[Pose]
    lights: list[float]

    def frame(self, number: int) -> av.VideoFrame:
        """Frame `number`, as it is encoded."""
        planes = [np.asarray(plane) for plane in self._picture(number)]
        light = self.lights[number]
        if round(255 * light):
            lit = np.rint(16 + (np.arange(256) - 16) * (1 + light))
            planes[0] = np.clip(lit, 0, 255).astype(np.uint8)[planes[0]]
        return _packed(planes, self.start.size)

    def _picture(self, number: int) -> list[Image.Image]:
        share = self._share_of_end(number)
        pose = self.path[number]
        if self.end is None or share <= 0:
            return self.start.seen_from(pose)
        # Both pictures move alike, and the last one comes to rest as it is.
        end = self.end.seen_from(pose - self.path[-1])
        if share >= 1:
            return end
        start = self.start.seen_from(pose)
        return [Image.blend(one, two, share) for one, two in zip(start, end, strict=True)]

    def _share_of_end(self, number: int) -> float:
        """How far the first picture has changed into the last one."""
        if self.end is None:
            return 0.0
        time = min(1.0, max(0.0, (number / max(1, len(self.path) - 1) - 0.15) / 0.7))
        return time * time * (3 - 2 * time)


def _packed(planes: list[Pixels], size: tuple[int, int]) -> av.VideoFrame:
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, pixels in zip(frame.planes, planes, strict=True):
        plane_pixels(plane)[:] = pixels
    return frame


def _made_ahead(make: Callable[[int], av.VideoFrame], frames: int) -> Iterator[av.VideoFrame]:
    """The frames in order, made by other threads while the one before is encoded."""
    with ThreadPoolExecutor(RENDER_THREADS) as pool:
        waiting: deque[Future[av.VideoFrame]] = deque()
        for number in range(frames):
            waiting.append(pool.submit(make, number))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
