"""The frames of any clip, brought to one size, one rate and one kind of colour."""

import math
from collections.abc import Iterator
from fractions import Fraction

import av
import av.video.stream
import numpy as np
from numpy.typing import NDArray

from minimax_tasks.video.colour import BT709, EXACT, UNTAGGED, untagged_matrix
from minimax_tasks.video.source import Source, VideoError, name_of, opened, picture_stream

FULL_RANGE = 2
BLACK = (16, 128, 128)
"""Y, U and V of black in limited range."""


def conformed(source: Source, size: tuple[int, int], fps: Fraction) -> Iterator[av.VideoFrame]:
    """The clip as yuv420p BT.709 frames of `size` (width, height; even) at a constant `fps`.

    A picture of another shape keeps its shape and gets black bars. Raises `VideoError`.
    """
    with opened(source) as container:
        stream = picture_stream(container)
        stream.thread_type = "AUTO"
        if stream.time_base is None:
            raise VideoError(f"{name_of(source)}: its frames carry no times")
        for frame in at_rate(container.decode(stream), stream.time_base, fps):
            yield _fitted(frame, size, stream.sample_aspect_ratio or Fraction(1))


def at_rate(frames: Iterator[av.VideoFrame], time_base: Fraction, fps: Fraction) -> Iterator[av.VideoFrame]:
    """Repeat or leave out frames so that they come at an even rate; an even clip comes through as it is."""
    shown: av.VideoFrame | None = None
    start = 0
    count = 0
    for frame in frames:
        pts = frame.pts or 0
        if shown is None:
            start = pts
        else:
            due = _nearest((pts - start) * time_base * fps)
            while count < due:
                yield shown
                count += 1
        shown = frame
    if shown is None:
        return
    end = (shown.pts or 0) - start + (shown.duration or 0)
    for _ in range(count, max(_nearest(end * time_base * fps), count + 1)):
        yield shown


def plane_pixels(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """The pixels of a plane of a frame, without the padding of its lines; writing changes the frame."""
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def _nearest(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def _fitted(frame: av.VideoFrame, size: tuple[int, int], pixel_aspect: Fraction) -> av.VideoFrame:
    inner = _inner_size(Fraction(frame.width, frame.height) * pixel_aspect, size)
    is_709 = frame.colorspace == BT709 or (
        frame.colorspace in UNTAGGED and untagged_matrix(frame.height) == "ITU709"
    )
    if (frame.width, frame.height) == inner and frame.format.name == "yuv420p" and is_709:
        picture = frame
    else:
        picture = frame.reformat(
            width=inner[0],
            height=inner[1],
            format="yuv420p",
            src_colorspace=untagged_matrix(frame.height) if frame.colorspace in UNTAGGED else None,
            dst_colorspace="ITU709",
            dst_color_range="MPEG",
            interpolation=EXACT,
        )
    return picture if inner == size else _barred(picture, size)


def _inner_size(aspect: Fraction, size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    if aspect > Fraction(width, height):
        height = min(height, 2 * _nearest(width / aspect / 2))
    else:
        width = min(width, 2 * _nearest(height * aspect / 2))
    # A pixel or two of difference is rounding of an even size: stretch, rather than draw a hairline bar.
    inner = (width, height)
    near = all(abs(one - two) <= 2 for one, two in zip(inner, size, strict=True))
    return size if near else (max(2, width), max(2, height))


def _barred(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    frame = av.VideoFrame(*size, "yuv420p")
    for black, whole, part in zip(BLACK, frame.planes, picture.planes, strict=True):
        canvas = plane_pixels(whole)
        canvas[:] = black
        top, left = (whole.height - part.height) // 2, (whole.width - part.width) // 2
        canvas[top : top + part.height, left : left + part.width] = plane_pixels(part)
    return frame
