"""Exact frames of a clip as pictures, in true colours and the right way up."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import nlargest
from itertools import islice

import av
import av.container
import av.error
import av.video.stream
import numpy as np
from PIL import Image, ImageFilter

from minimax_tasks.errors import VideoError
from minimax_tasks.video.colour import Matrix, picture_of
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.shape import Fitting, Size
from minimax_tasks.video.source import Source, name_of, opened, picture_stream

MATRICES: tuple[Matrix, ...] = ("ITU709", "ITU601")

_TOLERANCE = Fraction(1, 1_000_000)
"""Seconds; times such as 1/24 s are not exact as floats."""

_DIMMED = 0.6
"""How much of its light a blurred ground keeps, as in a film."""

_ATTEMPTS = 3
"""Decoding is tried from this many keyframes before it starts at the beginning of the file."""


def first_frame(source: Source, matrix: Matrix | None = None) -> Image.Image:
    """The frame that is shown first. Raises `VideoError`."""
    return first_frames(source, 1, matrix)[0]


def first_frames(source: Source, count: int, matrix: Matrix | None = None) -> list[Image.Image]:
    """The frames that are shown first, fewer in a shorter clip. Raises `VideoError`."""
    with opened(source) as container:
        stream = picture_stream(container)
        # Frame threads would decode several pictures before giving the first.
        stream.thread_type = "SLICE"
        found = [picture_of(frame, matrix) for frame in islice(container.decode(stream), count)]
    if not found:
        raise VideoError(f"{name_of(source)}: there is no picture in it")
    return found


def last_frame(source: Source, matrix: Matrix | None = None) -> Image.Image:
    """The frame that is shown last. Raises `VideoError`."""
    return last_frames(source, 1, matrix)[-1]


def last_frames(source: Source, count: int, matrix: Matrix | None = None) -> list[Image.Image]:
    """The frames that are shown last, in their order; fewer where less follows the last keyframe. Raises `VideoError`.

    Only the tail from there on is decoded; a file without a usable index is decoded whole.
    """
    with opened(source) as container:
        frames = _shown_last(_tail(container, picture_stream(container)), count)
    if not frames:
        with opened(source) as container:
            frames = _shown_last(_whole(container), count)
    if not frames:
        raise VideoError(f"{name_of(source)}: there is no picture in it")
    return [picture_of(frame, matrix) for frame in frames]


def frame_at(source: Source, seconds: float, matrix: Matrix | None = None) -> Image.Image:
    """The frame on screen `seconds` after the first one appears; the exact end gives the last one.

    Raises `VideoError` for a time outside the clip.
    """
    with opened(source) as container:
        stream = picture_stream(container)
        times = _times(container, stream)
        if not times or stream.time_base is None:
            raise VideoError(f"{name_of(source)}: its frames carry no times")
        start = min(time.pts for time in times)
        length = (max(time.pts + time.duration for time in times) - start) * stream.time_base
        if not 0 <= seconds <= length + _TOLERANCE:
            raise VideoError(f"{name_of(source)}: there is no {seconds:g} s in a clip of {float(length):g} s")
        wanted = start + (Fraction(seconds) + _TOLERANCE) / stream.time_base
        pts = max(time.pts for time in times if time.pts <= wanted)
        frame = _sought(container, stream, times, pts)
    if frame is None:
        with opened(source) as container:
            frame = _newest(_until(_whole(container), pts))
    if frame is None:
        raise VideoError(f"{name_of(source)}: there is no picture at {seconds:g} s")
    return picture_of(frame, matrix)


def guess_matrix(source: Source, still: Image.Image) -> Matrix:
    """Which matrix the clip was encoded with, found by comparing its first frame with the still it was made from.

    For files that carry no colour tags. Raises `VideoError`.
    """

    def error(matrix: Matrix) -> float:
        shown = first_frame(source, matrix)
        sent = cover(still, shown.size)
        return float(np.abs(_thumbnail(shown) - _thumbnail(sent)).mean())

    return min(MATRICES, key=error)


def cover(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture filling `size` (width, height): cropped around its centre to the aspect, then scaled."""
    width, height = size
    scale = max(width / image.width, height / image.height)
    # Rounding can carry the box a hair over the edge.
    crop_width, crop_height = min(image.width, width / scale), min(image.height, height / scale)
    left, top = (image.width - crop_width) / 2, (image.height - crop_height) / 2
    box = (left, top, left + crop_width, top + crop_height)
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)


def in_frame(picture: Image.Image, fitting: Fitting, size: Size, *, blurred: bool) -> Image.Image:
    """A picture as it lies in the frame of a film of a size: on black, or on a `blurred` copy of itself."""
    left, top, width, height = fitting.box
    kept = picture.convert("RGB").crop((left, top, left + width, top + height))
    inner = kept.resize(fitting.inner, Image.Resampling.LANCZOS)
    if fitting.inner == size:
        return inner
    ground = Image.new("RGB", size)
    if blurred:
        soft = cover(kept, size).filter(ImageFilter.GaussianBlur(min(size) / 16))
        ground = Image.blend(ground, soft, _DIMMED)
    ground.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return ground


def png(image: Image.Image) -> bytes:
    """The picture as PNG: lossless, and quick to write rather than small."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG", compress_level=1)
    return file.getvalue()


@dataclass(frozen=True)
class _Time:
    """When a frame is shown, for how long, and when it is decoded; in ticks."""

    pts: int
    duration: int
    dts: int
    keyframe: bool


def _times(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> list[_Time]:
    """Every frame that is shown, in the order of the file. Frames without a time are left out."""
    usual = round(1 / ((stream.average_rate or DEFAULT_FPS) * (stream.time_base or 1)))
    return [
        _Time(
            packet.pts,
            packet.duration or usual,
            packet.pts if packet.dts is None else packet.dts,
            packet.is_keyframe,
        )
        for packet in container.demux(stream)
        if packet.size and packet.pts is not None and not packet.is_discard
    ]


def _sought(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    times: list[_Time],
    pts: int,
) -> av.VideoFrame | None:
    """The frame with this time, decoded from a keyframe close to it; None when decoding does not reach it.

    A decoder can start at any keyframe but misses frames shown before it, and in a file without decoding
    times a seek can land anywhere: then decoding starts earlier.
    """
    stream.thread_type = "AUTO"
    keyframes = sorted(time.dts for time in times if time.keyframe and time.pts <= pts)
    for begin in keyframes[: -_ATTEMPTS - 1 : -1]:
        try:
            container.seek(begin, stream=stream, backward=True)
        except av.error.FFmpegError:
            return None
        frame = _newest(_until(container.decode(stream), pts))
        if frame is not None and frame.pts == pts:
            return frame
    return None


def _until(frames: Iterator[av.VideoFrame], pts: int) -> Iterator[av.VideoFrame]:
    """The frames that are shown up to this time; nothing after it is decoded."""
    for frame in frames:
        if frame.pts is None or frame.pts > pts:
            return
        yield frame
        if frame.pts == pts:
            return


def _tail(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> Iterator[av.VideoFrame]:
    end = (stream.start_time or 0) + (stream.duration or 0)
    stream.thread_type = "AUTO"
    try:
        container.seek(end, stream=stream, backward=True)
    except av.error.FFmpegError:
        return
    yield from container.decode(stream)


def _whole(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    stream = picture_stream(container)
    stream.thread_type = "AUTO"
    return container.decode(stream)


def _newest(frames: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
    return next(iter(_shown_last(frames, 1)), None)


def _shown_last(frames: Iterator[av.VideoFrame], count: int) -> list[av.VideoFrame]:
    return nlargest(count, frames, key=lambda frame: frame.pts or 0)[::-1]


def _thumbnail(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(image.resize((160, 90), Image.Resampling.BOX), np.float32)
