"""Frames of clips that are made: exact, with true colours, as PNG."""

import asyncio
import hashlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minimax_tasks.api.catalog.models import V1_PICTURES
from minimax_tasks.clips.layout import REQUEST, RESULT, VIDEO, clip_file, own_frame
from minimax_tasks.clips.pictures import FrameReader, has_bytes, read_picture
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.clips.state import VideoFacts
from minimax_tasks.errors import MiniMaxError, PictureError
from minimax_tasks.storage.files import Storage

if TYPE_CHECKING:
    from PIL import Image

    from minimax_tasks.video.colour import Matrix


LENGTH_TOLERANCE = 0.5
"""Seconds that a clip may be shorter or longer than was asked (source: H3's clips never have the whole seconds)."""


def frame_reader(root: Storage) -> FrameReader:
    """Reads frames of the clips under a root; raises `MiniMaxError` for a clip that is not made."""

    async def read(frame: FrameOf) -> bytes:
        return await asyncio.to_thread(extract_frame, root, frame)

    return read


@dataclass(frozen=True)
class Measured:
    """What a clip that is made turned out to be: the size of its frames in pixels, and its length."""

    width: int
    height: int
    seconds: float


def measured(root: Storage, key: str) -> Measured | None:
    """The measures of a clip that is made; None for one that is not, or that nobody measured."""
    result = root.read_json(clip_file(key, RESULT)) or {}
    video = VideoFacts.of(result)
    if video.width is None or video.height is None or video.seconds is None:
        return None
    return Measured(*_frame_size(result, (video.width, video.height)), video.seconds)


def moment_in(frame: FrameOf, length: float) -> str:
    """What is doubtful about the moment of a frame in a clip of this many seconds; "" when nothing is.

    Raises `PictureError` for a moment that is not in the clip. One up to half a second behind its end gives the
    last frame: so much shorter may a clip be than was asked.
    """
    seconds = _seconds(frame)
    if seconds is None or seconds <= length:
        return ""
    if seconds <= length + LENGTH_TOLERANCE:
        return f"the clip ends at {length:g} s: its last frame is taken for the one at {seconds:g} s"
    raise PictureError(
        "picture", str(frame), f"0 to {length:g}", f"there is no {seconds:g} s in a clip of {length:g} s"
    )


def extract_frame(root: Storage, frame: FrameOf) -> bytes:
    """One frame of a clip as PNG bytes. Raises `MiniMaxError` for a frame that cannot be had.

    That of a shot which is not generated was kept when its film was begun.
    """
    from minimax_tasks.video.frames import first_frame, frame_at, last_frame, png
    from minimax_tasks.video.probe import probe

    seconds = _seconds(frame)
    try:
        with root.as_local(clip_file(frame.key, VIDEO)) as path:
            matrix = _matrix(root, frame.key, str(path))
            length = probe(path, "header").seconds if seconds is not None else 0.0
            if frame.place == "first":
                image = first_frame(path, matrix)
            elif seconds is None or (length and moment_in(frame, length)):
                image = last_frame(path, matrix)
            else:
                image = frame_at(path, seconds, matrix)
    except FileNotFoundError:
        kept = own_frame(frame.key, frame.place)
        if root.exists(kept):
            return root.read(kept)
        raise MiniMaxError(
            f"the {frame.place} frame of clip {frame.key} is wanted, but the clip is not made"
        ) from None
    return png(_large_enough(root, frame.key, image))


def _seconds(frame: FrameOf) -> float | None:
    return None if frame.place in ("first", "last") else float(frame.place)


def _large_enough(root: Storage, key: str, image: "Image.Image") -> "Image.Image":
    """Scales a frame of a down-scaled sandbox clip up to its nominal size, so that the service accepts it."""
    from PIL import Image

    if min(image.size) >= V1_PICTURES.shortest:
        return image
    result = root.read_json(clip_file(key, RESULT)) or {}
    return image.resize(_frame_size(result, image.size), Image.Resampling.LANCZOS)


def _frame_size(result: dict[str, Any], size: tuple[int, int]) -> tuple[int, int]:
    """The size that frames of a clip get: that of the clip, or the one that the service said if that is too small."""
    if min(size) >= V1_PICTURES.shortest:
        return size
    width, height = int(result.get("video_width") or 0), int(result.get("video_height") or 0)
    if min(width, height) >= V1_PICTURES.shortest:
        return width, height
    scale = V1_PICTURES.shortest / min(size)
    return math.ceil(size[0] * scale), math.ceil(size[1] * scale)


def _matrix(root: Storage, key: str, path: str) -> "Matrix | None":
    """Which colour matrix an untagged clip was made with, inferred from the still that it started from."""
    from PIL import Image

    from minimax_tasks.api.pictures import judge_picture
    from minimax_tasks.video.frames import guess_matrix

    asked = root.read_json(clip_file(key, REQUEST)) or {}
    picture = asked.get("pictures", {}).get("first_frame_image", {})
    source = str(picture.get("from", ""))
    if not source or not has_bytes(source) or source == "data URL":
        return None
    try:
        data = read_picture(source, field="first_frame_image")
    except PictureError:
        return None
    if picture.get("read", picture.get("is")) != f"sha256:{hashlib.sha256(data).hexdigest()}":
        return None
    try:
        sent = judge_picture(data, field="first_frame_image", name=source, fit=bool(asked.get("fit")))
    except PictureError:
        return None
    with Image.open(io.BytesIO(sent.data)) as still:
        return guess_matrix(path, still.convert("RGB"))
