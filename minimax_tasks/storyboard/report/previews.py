"""What the report shows of one clip: made as soon as the clip exists, while others are still being generated."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from minimax_tasks.clips.layout import PREVIEWS, VIDEO, clip_file
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.frames import first_frames, frame_at, last_frames
from minimax_tasks.video.previews import preview_mp4, webp
from minimax_tasks.video.probe import probe

POSTER_WIDTH = 640
STILL_WIDTH = 480
TAKE_WIDTH = 240
SEAM_WIDTH = 256
"""Pixels: of stills on the page, of takes, and of the frames that joins are measured on."""

_VERSION = 3


@dataclass(frozen=True)
class ClipPreviews:
    """One clip as the report shows it: WebP pictures, an MP4, frames for measuring its joins, and what it is.

    Those frames are its first two and its last two; where there is but one, it is both.
    """

    first: bytes
    last: bytes
    take: bytes
    preview: bytes
    seam_first: bytes
    seam_second: bytes
    seam_before: bytes
    seam_last: bytes
    width: int
    height: int
    frames: int
    seconds: float
    fps: float


def previews_of(root: Storage, name: str, path: str | Path) -> ClipPreviews:
    """The previews of a clip at a local path, kept under this name once they are made."""
    kept = root.read_json(name)
    if kept is not None and kept.get("version") == _VERSION:
        return ClipPreviews(**{field: _decoded(value) for field, value in kept.items() if field != "version"})
    made = _make(path)
    encoded = {field: _encoded(value) for field, value in vars(made).items()}
    root.write_json(name, encoded | {"version": _VERSION}, durable=False)
    return made


def prepare(root: Storage, key: str) -> None:
    """Make the previews of a clip ahead of the report."""
    with root.as_local(clip_file(key, VIDEO)) as path:
        previews_of(root, clip_file(key, PREVIEWS), path)


def seam_picture(image: Image.Image) -> bytes:
    """A lossless reduction, so that measuring a join measures the clips."""
    height = max(2, round(image.height * SEAM_WIDTH / image.width))
    out = io.BytesIO()
    image.resize((SEAM_WIDTH, height), Image.Resampling.BOX).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _make(path: str | Path) -> ClipPreviews:
    begins, ends, facts = first_frames(path, 2), last_frames(path, 2), probe(path, "header")
    first, last = begins[0], ends[-1]
    if len(ends) == 1 and facts.frames > 1 and facts.fps:
        # Its last frame is a keyframe, as all are in some files.
        ends.insert(0, frame_at(path, facts.seconds - 1.5 / float(facts.fps)))
    return ClipPreviews(
        first=webp(first, STILL_WIDTH),
        last=webp(last, STILL_WIDTH),
        take=webp(last, TAKE_WIDTH),
        preview=preview_mp4(path),
        seam_first=seam_picture(first),
        seam_second=seam_picture(begins[-1]),
        seam_before=seam_picture(ends[0]),
        seam_last=seam_picture(last),
        width=first.width,
        height=first.height,
        frames=facts.frames,
        seconds=facts.seconds,
        fps=float(facts.fps or 0),
    )


def _encoded(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _decoded(value: Any) -> Any:
    return base64.b64decode(value) if isinstance(value, str) else value
