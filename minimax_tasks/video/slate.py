"""A slate: a card with text in place of a missing clip."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageDraw

from minimax_tasks.video.colour import frame_of
from minimax_tasks.video.encode import h264_mp4
from minimax_tasks.video.fonts import drawable, font_for

_GROUND, _INK, _DIM, _STRIPE = (22, 22, 24), (240, 236, 226), (150, 148, 142), (214, 72, 60)
_SMALLEST = 10
"""Pixels of the smallest letters that can be read."""
_OPTIONS = {"preset": "superfast", "crf": "20"}


def draw_slate(size: tuple[int, int], title: str, lines: Sequence[str]) -> Image.Image:
    """The card: a title, and lines of smaller text wrapped to the width. `size` in pixels."""
    width, height = size
    card = Image.new("RGB", size, _GROUND)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, width, height // 40), fill=_STRIPE)
    pen.rectangle((0, height - height // 40, width, height), fill=_STRIPE)
    top = height * 0.22
    for text, share, ink in ((title, 9, _INK), *((line, 24, _DIM) for line in lines)):
        pixels = max(_SMALLEST, height // share)
        font = font_for(text, pixels)
        for row in _wrapped(pen, drawable(text, font), font, width * 0.86):
            pen.text((width * 0.07, top), row, font=font, fill=ink)
            top += pixels * 1.35
        top += pixels * 0.3
    return card


def write_slate(
    path: str | Path, size: tuple[int, int], fps: Fraction, seconds: float, title: str, lines: Sequence[str]
) -> None:
    """Write the card as a clip of `seconds`."""
    card = draw_slate(size, title, lines)
    with h264_mp4(str(path), size, fps, _OPTIONS) as out:
        for _ in range(round(seconds * fps)):
            out.write(frame_of(card))


def _wrapped(pen: ImageDraw.ImageDraw, text: str, font: object, width: float) -> list[str]:
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and pen.textlength(longer, font=font) > width:  # type: ignore[arg-type]
            rows.append(word)
        else:
            rows[-1] = longer
    return rows[:6]
