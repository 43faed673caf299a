"""The frames of any clip, brought to one size, one rate and one kind of colour."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from minimax_tasks.errors import VideoError
from minimax_tasks.video.colour import BT709, UNTAGGED, plane_pixels, reformatted, untagged_matrix
from minimax_tasks.video.rates import nearest
from minimax_tasks.video.source import Source, name_of, opened, picture_stream
from minimax_tasks.video.stream_layout import StreamLayout
from minimax_tasks.video.turn import Turn, turn_of

BLACK = (16, 128, 128)
"""Y, U and V of black in limited range."""


def conformed(
    source: Source, size: tuple[int, int], fps: Fraction, speed: Fraction = Fraction(1)
) -> Iterator[av.VideoFrame]:
    """The clip as yuv420p BT.709 frames of `size` (width, height; even) at a constant `fps`.

    It is shown `speed` times as fast as it was made: frames are left out, or shown more than once.

    A clip that asks to be turned is turned; a picture of another shape keeps its shape and gets black bars.
    Raises `VideoError`.
    """
    with opened(source) as container:
        stream = picture_stream(container)
        stream.thread_type = "AUTO"
        if stream.time_base is None:
            raise VideoError(f"{name_of(source)}: its frames carry no times")
        turn: Turn | None = None
        for frame in at_rate(container.decode(stream), stream.time_base / speed, fps):
            turn = turn_of(frame) if turn is None else turn
            yield _fitted(frame, size, stream.sample_aspect_ratio or Fraction(1), turn)


def conformed_from(clip: StreamLayout, size: tuple[int, int], begin: int) -> Iterator[av.VideoFrame]:
    """The frames of an even clip at its own rate, as `conformed` gives them, from number `begin` on.

    Decoded from the packet before it that begins anew. Where there are fewer, the last one. Raises `VideoError`.
    """
    with opened(clip.path) as container:
        stream = picture_stream(container)
        stream.thread_type = "AUTO"
        # A file is searched by the time of decoding, which is up to so much earlier.
        before = clip.first + max(0, begin - clip.delay - 1) * clip.tick
        container.seek(before, stream=stream)
        shown: av.VideoFrame | None = None
        given = False
        for frame in container.decode(stream):
            shown = frame
            if (frame.pts or 0) >= clip.first + begin * clip.tick:
                given = True
                yield _fitted(frame, size, stream.sample_aspect_ratio or Fraction(1), clip.turn)
        if shown is not None and not given:
            yield _fitted(shown, size, stream.sample_aspect_ratio or Fraction(1), clip.turn)


def at_rate(frames: Iterator[av.VideoFrame], time_base: Fraction, fps: Fraction) -> Iterator[av.VideoFrame]:
    """Repeat or drop frames so that they come at a constant rate; a clip that has that rate is not changed.

    The length is kept to the nearest frame, and the last frame stays last: the next shot may continue from it.
    """
    shown: av.VideoFrame | None = None
    due_next: av.VideoFrame | None = None  # held back, since the last place belongs to the last frame
    start = before = 0
    count = 0
    for frame in frames:
        pts = frame.pts or 0
        if shown is None:
            start = pts
        else:
            before = shown.pts or 0
            due = nearest((pts - start) * time_base * fps)
            while count < due:
                if due_next is not None:
                    yield due_next
                due_next = shown
                count += 1
        shown = frame
    if shown is None:
        return
    # Not every container says how long the last frame stays.
    stays = shown.duration or (shown.pts or 0) - before
    places = max(1, nearest(((shown.pts or 0) - start + stays) * time_base * fps))
    if due_next is not None and count < places:
        yield due_next
    for _ in range(min(count, places - 1), places):
        yield shown


def _fitted(frame: av.VideoFrame, size: tuple[int, int], pixel_aspect: Fraction, turn: Turn) -> av.VideoFrame:
    aspect = Fraction(frame.width, frame.height) * pixel_aspect
    inner = _inner_size(1 / aspect if turn.degrees % 180 else aspect, size)
    before = turn.size(*inner)
    is_709 = frame.colorspace == BT709 or (
        frame.colorspace in UNTAGGED and untagged_matrix(frame.height) == "ITU709"
    )
    if (frame.width, frame.height) == before and frame.format.name == "yuv420p" and is_709:
        picture = frame
    else:
        picture = reformatted(
            frame,
            format="yuv420p",
            size=before,
            from_matrix=untagged_matrix(frame.height) if frame.colorspace in UNTAGGED else None,
            to_matrix="ITU709",
            limited=True,
        )
    if turn:
        picture = _turned(picture, turn)
    return picture if inner == size else _barred(picture, size)


def _turned(picture: av.VideoFrame, turn: Turn) -> av.VideoFrame:
    frame = av.VideoFrame(*turn.size(picture.width, picture.height), "yuv420p")
    for whole, part in zip(frame.planes, picture.planes, strict=True):
        plane_pixels(whole)[:] = np.asarray(turn.image(Image.fromarray(plane_pixels(part))))
    return frame


def _inner_size(aspect: Fraction, size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    if aspect > Fraction(width, height):
        height = min(height, 2 * nearest(width / aspect / 2))
    else:
        width = min(width, 2 * nearest(height * aspect / 2))
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
