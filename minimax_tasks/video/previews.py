"""Small versions of pictures and clips, for pages and chats."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from minimax_tasks.video.conform import conformed
from minimax_tasks.video.encode import h264_mp4
from minimax_tasks.video.fonts import drawable, font_for
from minimax_tasks.video.rates import DEFAULT_FPS, nearest_usual
from minimax_tasks.video.source import Source, opened, picture_stream
from minimax_tasks.video.turn import read_turn

PREVIEW_OPTIONS = {"preset": "veryfast", "crf": "32"}

THUMBNAIL_WIDTH = 320
GAP = 14
CAPTION_PIXELS = 15
PAPER, INK = (24, 24, 27), (228, 228, 231)


def jpeg(image: Image.Image, width: int, quality: int = 78) -> bytes:
    """The picture as JPEG, at most `width` pixels wide."""
    small = image.convert("RGB").resize(_scaled(image.size, width), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=quality, optimize=True)
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


def contact_sheet(images_with_captions: Sequence[tuple[Image.Image, str]], columns: int = 4) -> Image.Image:
    """All pictures on one sheet, each over its caption, `columns` to a row.

    Raises `ValueError` when there are no pictures.
    """
    if not images_with_captions:
        raise ValueError("a contact sheet needs at least one picture")
    columns = min(columns, len(images_with_captions))
    small = [
        (
            image.convert("RGB").resize(_scaled_to(image.size, THUMBNAIL_WIDTH), Image.Resampling.LANCZOS),
            caption,
        )
        for image, caption in images_with_captions
    ]
    cell_width = THUMBNAIL_WIDTH + GAP
    cell_height = max(image.height for image, _ in small) + CAPTION_PIXELS + 2 * GAP
    rows = -(-len(small) // columns)
    sheet = Image.new("RGB", (columns * cell_width + GAP, rows * cell_height + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (image, caption) in enumerate(small):
        left = GAP + number % columns * cell_width
        top = GAP + number // columns * cell_height
        sheet.paste(image, (left, top))
        _write(draw, caption, left, top + image.height + GAP // 2)
    return sheet


def _write(draw: ImageDraw.ImageDraw, caption: str, left: int, top: int) -> None:
    font = font_for(caption, CAPTION_PIXELS)
    text = drawable(caption, font)
    if draw.textlength(text, font=font) > THUMBNAIL_WIDTH:
        while text and draw.textlength(text + "...", font=font) > THUMBNAIL_WIDTH:
            text = text[:-1]
        text = text.rstrip() + "..."
    draw.text((left, top), text, font=font, fill=INK)


def _scaled(size: tuple[int, int], most: int) -> tuple[int, int]:
    return _scaled_to(size, min(most, size[0]))


def _scaled_to(size: tuple[int, int], width: int) -> tuple[int, int]:
    return width, max(1, round(width * size[1] / size[0]))


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return max(2, size[0] // 2 * 2), max(2, round(size[1] / 2) * 2)
