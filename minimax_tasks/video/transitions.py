"""Transitions from one clip to the next, over a number of frames that both have."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import av.error
import av.filter
import numpy as np

from minimax_tasks.video.colour import plane_pixels, reformatted
from minimax_tasks.video.transition_names import BLENDS, CUT, TRANSITIONS, XFADES

__all__ = ["BLENDS", "CUT", "TRANSITIONS", "XFADES", "cross"]


def cross(
    before: Sequence[av.VideoFrame], after: Sequence[av.VideoFrame], kind: str
) -> Iterator[av.VideoFrame]:
    """Mix the overlap of two clips; both sides give the same number of frames, and so does the result."""
    if kind not in BLENDS:
        yield from _xfade(before, after, kind)
        return
    for number, (one, two) in enumerate(zip(before, after, strict=True), 1):
        yield _blend(one, two, number / (len(before) + 1))


def _blend(one: av.VideoFrame, two: av.VideoFrame, share: float) -> av.VideoFrame:
    frame = av.VideoFrame(one.width, one.height, "yuv420p")
    weight = round(share * 256)
    for plane, plane_one, plane_two in zip(frame.planes, one.planes, two.planes, strict=True):
        mixed = plane_pixels(plane_one).astype(np.uint16) * np.uint16(256 - weight)
        mixed += plane_pixels(plane_two).astype(np.uint16) * np.uint16(weight)
        plane_pixels(plane)[:] = (mixed + 128) >> 8
    return frame


_COLOUR_FOR_EACH_PIXEL = "yuv444p"
"""The only pixels of those kinds that the filter takes. FFmpeg would convert others by itself, and their matrix too."""


def _as_709(picture: av.VideoFrame, pixels: str) -> av.VideoFrame:
    return reformatted(picture, format=pixels, from_matrix="ITU709", to_matrix="ITU709", limited=True)


def _xfade(
    before: Sequence[av.VideoFrame], after: Sequence[av.VideoFrame], kind: str
) -> Iterator[av.VideoFrame]:
    # The filter works in seconds, so here a frame is one: the clips' real rate does not matter.
    rate = Fraction(1)
    graph = av.filter.Graph()
    sides = []
    mix = graph.add("xfade", f"transition={kind}:duration={len(before)}:offset=0")
    for number, frame in enumerate((before[0], after[0])):
        buffer = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=av.VideoFormat(_COLOUR_FOR_EACH_PIXEL),
            time_base=rate,
            name=f"side{number}",
        )
        # The filter refuses an input that is not marked as having a constant rate.
        constant = graph.add("fps", str(rate))
        buffer.link_to(constant)
        constant.link_to(mix, 0, number)
        sides.append(buffer)
    sink = graph.add("buffersink")
    mix.link_to(sink)
    graph.configure()

    left = len(before)
    for number, pair in enumerate(zip(before, after, strict=True)):
        for side, picture in zip(sides, pair, strict=True):
            frame = _as_709(picture, _COLOUR_FOR_EACH_PIXEL)
            frame.pts = number
            frame.time_base = rate
            # A duration left over from decoding would make `fps` repeat the last frame hundreds of times.
            frame.duration = 1
            side.push(frame)
    for side in sides:
        side.push(None)
    while left:
        try:
            mixed = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        yield _as_709(mixed, "yuv420p")
        left -= 1
