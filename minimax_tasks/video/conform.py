"""The frames of any clip, brought to one size, one rate and one kind of colour."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from PIL import Image, ImageFilter

from minimax_tasks.errors import VideoError
from minimax_tasks.video.colour import BT709, UNTAGGED, plane_pixels, reformatted, untagged_matrix
from minimax_tasks.video.rates import nearest
from minimax_tasks.video.shape import CENTRE, Crop, Fill, Size, fitted, on_colours
from minimax_tasks.video.source import Source, name_of, opened, picture_stream
from minimax_tasks.video.stream_layout import StreamLayout
from minimax_tasks.video.turn import Turn, turn_of

BLACK = (16, 128, 128)
"""Y, U and V of black in limited range."""

GROUND = 96
"""Pixels of the shorter side of a blurred ground before it is enlarged."""

DIMMED = (0.6, 0.85, 0.85)
"""How much of its light, and of its colour, a blurred ground keeps, so that it stands back."""


def conformed(
    source: Source,
    size: Size,
    fps: Fraction,
    speed: Fraction = Fraction(1),
    fill: Fill = "bars",
    crop: Crop = CENTRE,
) -> Iterator[av.VideoFrame]:
    """The clip as yuv420p BT.709 frames of `size` (width, height; even) at a constant `fps`.

    It is shown `speed` times as fast as it was made: frames are left out, or shown more than once.

    A clip that asks to be turned is turned; a picture of another shape fills the frame as `fill` says: what is kept of
    one that is cut is said by `crop`.
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
            yield _fitted(frame, size, stream.sample_aspect_ratio or Fraction(1), turn, fill, crop)


def conformed_from(
    clip: StreamLayout, size: Size, begin: int, fill: Fill = "bars", crop: Crop = CENTRE
) -> Iterator[av.VideoFrame]:
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
                yield _fitted(frame, size, stream.sample_aspect_ratio or Fraction(1), clip.turn, fill, crop)
        if shown is not None and not given:
            yield _fitted(shown, size, stream.sample_aspect_ratio or Fraction(1), clip.turn, fill, crop)


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


def _fitted(
    frame: av.VideoFrame, size: Size, pixel_aspect: Fraction, turn: Turn, fill: Fill, crop: Crop
) -> av.VideoFrame:
    if turn.degrees % 180:
        pixel_aspect = 1 / pixel_aspect
    whole = turn.size(frame.width, frame.height)
    fitting = fitted(whole, pixel_aspect, size, fill, crop)
    if fitting.is_whole and (fitting.inner == size or fill != "blur"):
        picture = _upright(frame, turn, fitting.inner)
        return picture if fitting.inner == size else _on(_black(size), picture)
    kept = _cut(_upright(frame, turn, whole), fitting.box)
    picture = _resized(kept, fitting.inner)
    if fitting.inner == size:
        return picture
    if fill == "bars":
        return _on(_black(size), picture)
    ground = CENTRE.box((kept.width, kept.height), Fraction(*size) / pixel_aspect)
    return _on(_blurred(_cut(kept, ground), size), picture)


def _upright(frame: av.VideoFrame, turn: Turn, size: Size) -> av.VideoFrame:
    """The frame as yuv420p in BT.709, turned as its clip asks, in a `size` as shown."""
    before = turn.size(*size)
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
    return _turned(picture, turn) if turn else picture


def _turned(picture: av.VideoFrame, turn: Turn) -> av.VideoFrame:
    frame = av.VideoFrame(*turn.size(picture.width, picture.height), "yuv420p")
    for whole, part in zip(frame.planes, picture.planes, strict=True):
        plane_pixels(whole)[:] = np.asarray(turn.image(Image.fromarray(plane_pixels(part))))
    return frame


def _resized(picture: av.VideoFrame, size: Size) -> av.VideoFrame:
    """A yuv420p frame in another size; its colours stay what they are."""
    if (picture.width, picture.height) == size:
        return picture
    return reformatted(
        picture, format="yuv420p", size=size, from_matrix="ITU709", to_matrix="ITU709", limited=True
    )


def _cut(picture: av.VideoFrame, box: tuple[int, int, int, int]) -> av.VideoFrame:
    """A part of a yuv420p frame, moved to whole pixels of its colours."""
    left, top, width, height = on_colours(box)
    if (width, height) == (picture.width, picture.height):
        return picture
    frame = av.VideoFrame(width, height, "yuv420p")
    for fine, part, whole in zip((1, 2, 2), frame.planes, picture.planes, strict=True):
        rows = slice(top // fine, top // fine + part.height)
        columns = slice(left // fine, left // fine + part.width)
        plane_pixels(part)[:] = plane_pixels(whole)[rows, columns]
    return frame


def _black(size: Size) -> av.VideoFrame:
    frame = av.VideoFrame(*size, "yuv420p")
    for black, plane in zip(BLACK, frame.planes, strict=True):
        plane_pixels(plane)[:] = black
    return frame


def _blurred(picture: av.VideoFrame, size: Size) -> av.VideoFrame:
    """A yuv420p frame as a ground for itself: out of focus and darker. Small and enlarged, which costs little."""
    scale = GROUND / min(size)
    small = _resized(
        picture, (2 * max(1, round(size[0] * scale / 2)), 2 * max(1, round(size[1] * scale / 2)))
    )
    frame = av.VideoFrame(small.width, small.height, "yuv420p")
    for number, (soft, sharp) in enumerate(zip(frame.planes, small.planes, strict=True)):
        blur = ImageFilter.GaussianBlur(GROUND / (32 if number else 16))
        pixels = np.asarray(Image.fromarray(plane_pixels(sharp)).filter(blur))
        black = BLACK[number]
        plane_pixels(soft)[:] = black + (pixels - float(black)) * DIMMED[number]
    return _resized(frame, size)


def _on(ground: av.VideoFrame, picture: av.VideoFrame) -> av.VideoFrame:
    """A frame with a smaller one in its middle."""
    for whole, part in zip(ground.planes, picture.planes, strict=True):
        top, left = (whole.height - part.height) // 2, (whole.width - part.width) // 2
        plane_pixels(whole)[top : top + part.height, left : left + part.width] = plane_pixels(part)
    return ground
