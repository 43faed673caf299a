"""Frames of clips that are made: exact, with true colours, as PNG."""

import asyncio
import hashlib
import io
import math
from typing import TYPE_CHECKING

from minimax_tasks.api.catalog.models import IMAGE_MIN_SHORT_SIDE
from minimax_tasks.api.errors import MiniMaxError, PictureError
from minimax_tasks.clips.folder import VIDEO
from minimax_tasks.clips.pictures import FrameReader, has_bytes, read_picture
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.storage.files import Storage

if TYPE_CHECKING:
    from PIL import Image

    from minimax_tasks.video.colour import Matrix


def frame_reader(root: Storage) -> FrameReader:
    """Reads frames of the clips under a root; raises `MiniMaxError` for a clip that is not made."""

    async def read(frame: FrameOf) -> bytes:
        return await asyncio.to_thread(extract_frame, root, frame)

    return read


def extract_frame(root: Storage, frame: FrameOf) -> bytes:
    """One frame of a clip as PNG bytes."""
    from minimax_tasks.video.frames import first_frame, frame_at, last_frame, png

    try:
        with root.as_local(f"clips/{frame.key}/{VIDEO}") as path:
            matrix = _matrix(root, frame.key, str(path))
            if frame.place == "last":
                image = last_frame(path, matrix)
            elif frame.place == "first":
                image = first_frame(path, matrix)
            else:
                image = frame_at(path, float(frame.place), matrix)
    except FileNotFoundError:
        raise MiniMaxError(
            f"the {frame.place} frame of clip {frame.key} is wanted, but the clip is not made"
        ) from None
    return png(_large_enough(root, frame.key, image))


def _large_enough(root: Storage, key: str, image: "Image.Image") -> "Image.Image":
    """A frame that the service takes: one of a clip that was drawn small gets the size that it stands for."""
    from PIL import Image

    if min(image.size) >= IMAGE_MIN_SHORT_SIDE:
        return image
    result = root.read_json(f"clips/{key}/result.json") or {}
    width, height = int(result.get("video_width") or 0), int(result.get("video_height") or 0)
    if min(width, height) < IMAGE_MIN_SHORT_SIDE:
        scale = IMAGE_MIN_SHORT_SIDE / min(image.size)
        width, height = math.ceil(image.width * scale), math.ceil(image.height * scale)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _matrix(root: Storage, key: str, path: str) -> "Matrix | None":
    """Which colour matrix an untagged clip was made with, told by the still that it started from."""
    from PIL import Image

    from minimax_tasks.api.pictures import judge_picture
    from minimax_tasks.video.frames import guess_matrix

    asked = root.read_json(f"clips/{key}/request.json") or {}
    picture = asked.get("pictures", {}).get("first_frame_image", {})
    source = str(picture.get("from", ""))
    if not source or not has_bytes(source) or source == "data URL":
        return None
    try:
        data = read_picture(source, field="first_frame_image")
    except PictureError:
        return None
    if picture.get("is") != f"sha256:{hashlib.sha256(data).hexdigest()}":
        return None
    try:
        sent = judge_picture(data, field="first_frame_image", name=source, fit=bool(asked.get("fit")))
    except PictureError:
        return None
    with Image.open(io.BytesIO(sent.data)) as still:
        return guess_matrix(path, still.convert("RGB"))
