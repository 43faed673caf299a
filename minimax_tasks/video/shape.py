"""The shape of a film, and what is done to clips of another: plain numbers, nothing is opened here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from minimax_tasks.shapes import SHAPE_TOLERANCE
from minimax_tasks.video.rates import nearest

Size = tuple[int, int]
"""Width and height in pixels."""

Fill = Literal["crop", "blur", "bars"]
"""How a picture of another shape fills that of the film: cut to it, or whole on a blurred copy of itself or on black."""

_NAMED = ("16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "1:1", "21:9", "5:4", "4:5", "2:1", "1:2")


def called(aspect: Fraction) -> str:
    """A shape as people call it: `16:9`, or `2.39:1`."""
    for name in _NAMED:
        wide, high = map(int, name.split(":"))
        if is_alike(aspect, Fraction(wide, high)):
            return name
    return f"{float(aspect):.2f}:1"


def with_lines(shape: Size, lines: int) -> Size:
    """The size of a shape whose short side has so many pixels; even."""
    wide, high = shape
    if wide >= high:
        return 2 * round(lines * wide / high / 2), lines
    return lines, 2 * round(lines * high / wide / 2)


def is_alike(one: Fraction, other: Fraction) -> bool:
    """Whether two ratios of width to height are one shape."""
    return abs(one / other - 1) <= SHAPE_TOLERANCE


_ALL = (Fraction(0), Fraction(0), Fraction(1), Fraction(1))


@dataclass(frozen=True)
class Crop:
    """What of a picture is kept where all of it is too much.

    First the `region`, as left, top, width and height in parts of the picture; of that as much as the wanted shape
    allows, `at` its left or top end (0), at its right or lower end (1), or in between.
    """

    at: tuple[Fraction, Fraction] = (Fraction(1, 2), Fraction(1, 2))
    region: tuple[Fraction, Fraction, Fraction, Fraction] = _ALL

    @property
    def is_whole(self) -> bool:
        """Whether a picture that has the wanted shape already stays as it is."""
        return self.region == _ALL

    def box(self, size: Size, aspect: Fraction | None) -> tuple[int, int, int, int]:
        """What is kept of a picture of a size: left, top, width and height in whole pixels, one at least.

        `aspect` is the wanted ratio of width to height, in pixels of the picture; None for that of the region.
        """
        left, top, wide, high = (part * side for part, side in zip(self.region, (*size, *size), strict=True))
        width, height = wide, high
        if aspect is not None and not is_alike(wide / high, aspect):
            width, height = min(wide, high * aspect), min(high, wide / aspect)
        left += (wide - width) * self.at[0]
        top += (high - height) * self.at[1]
        kept = max(1, nearest(width)), max(1, nearest(height))
        places = (
            min(nearest(at), whole - side) for at, whole, side in zip((left, top), size, kept, strict=True)
        )
        return (*places, *kept)  # type: ignore[return-value]


CENTRE = Crop()

Box = tuple[int, int, int, int]
"""A part of a picture: left, top, width and height in pixels."""


def on_colours(box: Box) -> Box:
    """A part of a picture whose colours have half its pixels, moved to even places."""
    left, top, width, height = box
    return 2 * (left // 2), 2 * (top // 2), max(2, 2 * (width // 2)), max(2, 2 * (height // 2))


@dataclass(frozen=True)
class Fitting:
    """How a picture lies in a frame: what of it is shown (`box`), and in which size (`inner`), in the middle."""

    whole: Size
    box: Box
    inner: Size

    @property
    def is_whole(self) -> bool:
        """Whether all of it is shown."""
        return self.box == (0, 0, *self.whole)


def fitted(whole: Size, pixel_aspect: Fraction, size: Size, fill: Fill, crop: Crop) -> Fitting:
    """How a picture of the size `whole` lies in a frame of another; `pixel_aspect` is that of its pixels."""
    inner = _inner_size(Fraction(*whole) * pixel_aspect, size)
    if crop.is_whole and (inner == size or fill != "crop"):
        return Fitting(whole, (0, 0, *whole), inner)
    if fill == "crop":
        return Fitting(whole, on_colours(crop.box(whole, Fraction(*size) / pixel_aspect)), size)
    box = on_colours(crop.box(whole, None))
    return Fitting(whole, box, _inner_size(Fraction(box[2], box[3]) * pixel_aspect, size))


def _inner_size(aspect: Fraction, size: Size) -> Size:
    """The size of a whole picture within a frame. One of nearly its shape is stretched: a hairline bar is a fault."""
    width, height = size
    if is_alike(aspect, Fraction(width, height)):
        return size
    if aspect > Fraction(width, height):
        height = min(height, 2 * nearest(width / aspect / 2))
    else:
        width = min(width, 2 * nearest(height * aspect / 2))
    # In a small frame a pixel or two of difference is rounding of an even size.
    near = all(abs(one - two) <= 2 for one, two in zip((width, height), size, strict=True))
    return size if near else (max(2, width), max(2, height))


@dataclass(frozen=True)
class Shape:
    """The shape that a film is asked to have. Where nothing is asked, it has that of most of its clips.

    `aspect` is width over height, `size` both in even pixels.
    """

    aspect: Fraction | None = None
    size: Size | None = None
    fill: Fill = "bars"

    @property
    def is_asked(self) -> bool:
        """Whether it is more than what the clips have."""
        return self.aspect is not None or self.size is not None

    def size_for(self, clips: Sequence[Size]) -> Size:
        """The size of a film of clips of these sizes, in even pixels.

        Without a size of its own it has that of most clips which have its shape, so that they need not be encoded
        again; where none has, its shorter side is that of most clips.
        """
        if self.size is not None:
            return self.size
        aspect = self.aspect
        fitting = [size for size in clips if aspect is None or is_alike(Fraction(*size), aspect)]
        width, height = Counter(fitting or clips).most_common(1)[0][0]
        if aspect is not None and not fitting:
            shorter = min(width, height)
            width, height = (
                (nearest(shorter * aspect), shorter) if aspect >= 1 else (shorter, nearest(shorter / aspect))
            )
        return width + width % 2, height + height % 2


AS_CLIPS = Shape()
