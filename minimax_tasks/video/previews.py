"""Small versions of pictures and clips, for web pages."""

import io
import tempfile
from pathlib import Path

from PIL import Image

from minimax_tasks.video.conform import conformed
from minimax_tasks.video.encode import h264_mp4
from minimax_tasks.video.rates import DEFAULT_FPS, nearest_usual
from minimax_tasks.video.source import Source, opened, picture_stream
from minimax_tasks.video.turn import read_turn

PREVIEW_OPTIONS = {"preset": "veryfast", "crf": "32"}


def jpeg(image: Image.Image, width: int, quality: int = 78) -> bytes:
    """The picture as JPEG, at most `width` pixels wide."""
    small = image.convert("RGB").resize(_scaled(image.size, width), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def webp(image: Image.Image, width: int, quality: int = 78) -> bytes:
    """The picture as WebP, at most `width` pixels wide: for a few pixels, half the bytes of a JPEG."""
    small = image.convert("RGB").resize(_scaled(image.size, width), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=quality, method=6)
    return file.getvalue()


def preview_mp4(source: Source, width: int = 426) -> bytes:
    """The clip as a small MP4 that a browser plays, at most `width` pixels wide. Raises `VideoError`."""
    with opened(source) as container:
        stream = picture_stream(container)
        fps = nearest_usual(stream.average_rate or DEFAULT_FPS)
        shown = round(stream.width * (stream.sample_aspect_ratio or 1)), stream.height
    size = _even(_scaled(read_turn(source).size(*shown), width))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "preview.mp4")
        with h264_mp4(str(path), size, fps, PREVIEW_OPTIONS) as writer:
            for frame in conformed(source, size, fps):
                writer.write(frame)
        return path.read_bytes()


def _scaled(size: tuple[int, int], most: int) -> tuple[int, int]:
    width = min(most, size[0])
    return width, max(1, round(width * size[1] / size[0]))


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return max(2, size[0] // 2 * 2), max(2, round(size[1] / 2) * 2)
