"""A transparent picture as large as the film on which words are drawn, with what keeps them readable."""

import math
from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter

from minimax_tasks.video.shape import Size

Ink = tuple[int, int, int]

WHITE: Ink = (255, 255, 255)
SAFE = 0.05
"""How much of the picture's width and height stays free at each edge (source: EBU R 95, title safe)."""
PORTRAIT_FOOT = 0.17
"""How much stays free below captions of a film that is higher than wide: there the buttons of players are."""

DrawText = Callable[[Image.Image], None]
"""Draws white on a black picture of one channel."""


def safe_edges(size: Size) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the part of the picture in which words stand."""
    width, height = size
    foot = PORTRAIT_FOOT if height > width else SAFE
    return width * SAFE, height * SAFE, width * (1 - SAFE), height * (1 - foot)


def unit(size: Size) -> float:
    """Pixels by which type is measured: the short side, or less where the long one is not much longer.

    Words are as large for the eye in a wide film, a square one and a portrait.
    """
    width, height = size
    return min(height, width, math.sqrt(width * height) * 0.75)


def with_shadow(
    size: Size, draw: DrawText, ink: Ink, pixels: float, ground: "Ground | None" = None
) -> Image.Image:
    """What is drawn, in its ink, over a soft shadow that follows its shape; `pixels` is the size of its type.

    `ground` darkens the picture behind it: enough for thin letters on a white picture.
    """
    words = Image.new("L", size, 0)
    draw(words)
    box = words.getbbox()
    near, far = _blurred(words, box, max(0.9, pixels * 0.05)), _blurred(words, box, max(2.0, pixels * 0.3))
    shadow = ImageChops.lighter(near.point(_times(2.2, 205)), far.point(_times(1.5, 130)))
    if ground and box is not None:
        shadow = ImageChops.add(shadow, ground(size, box))
    dark = Image.new("RGBA", size, (*_SHADE, 0))
    dark.putalpha(shadow)
    dark.alpha_composite(_inked(words, ink))
    return dark


def _blurred(words: Image.Image, box: "Box | None", radius: float) -> Image.Image:
    """A picture of one channel out of focus; only around the `box` that holds all of it is there anything to blur."""
    blurred = Image.new("L", words.size, 0)
    if box is not None:
        reach = math.ceil(4 * radius) + 4  # three boxes, one after the other, of about the radius each
        left, top = max(0, box[0] - reach), max(0, box[1] - reach)
        right, bottom = min(words.width, box[2] + reach), min(words.height, box[3] + reach)
        around = words.crop((left, top, right, bottom))
        blurred.paste(around.filter(ImageFilter.GaussianBlur(radius)), (left, top))
    return blurred


Box = tuple[int, int, int, int]
Ground = Callable[[Size, Box], Image.Image]
"""How dark, of 255, the picture becomes behind words that lie within a box."""

_SHADE: Ink = (10, 10, 13)
_COARSE = 8
"""What is so soft is drawn this many times smaller."""


def patch(dark: int, size: Size, box: Box) -> Image.Image:
    """Darkness behind the words alone, without an edge that could be seen."""
    soft = unit(size) * 0.11
    small = tuple(max(1, side // _COARSE) for side in size)
    picture = Image.new("L", (small[0], small[1]), 0)
    grown = (box[0] - soft, box[1] - soft * 0.6, box[2] + soft, box[3] + soft * 0.6)
    left, top, right, bottom = (round(edge / _COARSE) for edge in grown)
    picture.paste(dark, (left, top, max(left + 1, right), max(top + 1, bottom)))
    blurred = picture.filter(ImageFilter.GaussianBlur(soft / _COARSE))
    return blurred.resize(size, Image.Resampling.BICUBIC)


def all_over(dark: int, size: Size, box: Box) -> Image.Image:
    """The whole picture steps back, and a little more behind the words."""
    return ImageChops.add(Image.new("L", size, dark), patch(dark // 3, size, box))


def foot(dark: int, size: Size, box: Box) -> Image.Image:
    """Darkness that rises from the lower edge to above the words."""
    height = size[1]
    top = max(0.0, box[1] - unit(size) * 0.22)
    rise = ((row - top) / max(1.0, box[1] + (box[3] - box[1]) * 0.4 - top) for row in range(height))
    shares = (min(1.0, max(0.0, share)) for share in rise)
    column = Image.new("L", (1, height))
    column.putdata([round(dark * share * share * (3 - 2 * share)) for share in shares])
    return column.resize(size)


def _inked(words: Image.Image, ink: Ink) -> Image.Image:
    layer = Image.new("RGBA", words.size, (*ink, 0))
    layer.putalpha(words)
    return layer


def _times(factor: float, most: int) -> list[int]:
    return [min(most, round(value * factor)) for value in range(256)]
