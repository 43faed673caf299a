"""The keys of a board that say what shape the film has, and what is kept of pictures that have another."""

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from minimax_tasks.storyboard.board_part import BoardPart
from minimax_tasks.video.shape import CENTRE, Crop, Fill, Shape, Size, is_alike

_ASPECT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?):([0-9]{1,4}(?:\.[0-9]{1,4})?)")
_SIZE = re.compile(r"([0-9]{1,5}) ?[x×] ?([0-9]{1,5})")

WIDEST = 4
"""The ratio of the longer side to the shorter that a film may have."""

SHORTEST_SIDE, LONGEST_SIDE = 128, 4096
"""Pixels of a side of a film. What plays H.264 everywhere ends at 4096 (source: level 5.1)."""

EXPECTED_PICTURE = {
    "picture": 'the shape of the film, such as {aspect: "9:16", size: 1080x1920, fill: crop}, in which `aspect` and '
    "`size` are one shape",
    "aspect": f'a shape in quotes, such as "16:9" or "2.39:1", from "1:{WIDEST}" to "{WIDEST}:1"',
    "size": f"width and height in even pixels from {SHORTEST_SIDE} to {LONGEST_SIDE}, such as 1080x1920",
    "fill": "crop, blur or bars",
    "crop": "top, bottom, left, right, center, a number from 0 (its left or top end is kept) to 1 (its right or lower "
    "end), or [x, y, width, height] in parts of the picture, such as [0, 0.1, 1, 0.5]",
}
"""Key -> what it may be."""


def read_aspect(written: str) -> Fraction:
    """Width over height. Raises `ValueError`."""
    found = _ASPECT.fullmatch(written.strip())
    wide, high = map(Fraction, found.groups()) if found else (Fraction(0), Fraction(0))
    if not wide or not high or not Fraction(1, WIDEST) <= wide / high <= WIDEST:
        raise ValueError(EXPECTED_PICTURE["aspect"])
    return wide / high


def read_size(written: str) -> Size:
    """Width and height in pixels. Raises `ValueError`."""
    found = _SIZE.fullmatch(written.strip())
    width, height = map(int, found.groups()) if found else (0, 0)
    sides = (width, height)
    if any(side % 2 or not SHORTEST_SIDE <= side <= LONGEST_SIDE for side in sides):
        raise ValueError(EXPECTED_PICTURE["size"])
    if max(sides) > WIDEST * min(sides):
        raise ValueError(EXPECTED_PICTURE["aspect"])
    return sides


def _an_aspect(value: str) -> str:
    read_aspect(value)
    return value


def _a_size(value: str) -> str:
    read_size(value)
    return value


def _of_aspect(value: Any) -> Any:
    return {"aspect": value} if isinstance(value, str) else value


class Picture(BoardPart):
    """The shape of the film, its size, and how clips of another shape fill it."""

    aspect: Annotated[StrictStr, AfterValidator(_an_aspect)] | None = None
    size: Annotated[StrictStr, AfterValidator(_a_size)] | None = None
    fill: Fill | None = None

    @model_validator(mode="after")
    def _is_one_shape(self) -> "Picture":
        if (
            self.aspect
            and self.size
            and not is_alike(Fraction(*read_size(self.size)), read_aspect(self.aspect))
        ):
            raise ValueError(EXPECTED_PICTURE["picture"])
        return self

    @property
    def shape(self) -> Shape:
        """The same as numbers."""
        size = read_size(self.size) if self.size else None
        aspect = read_aspect(self.aspect) if self.aspect else Fraction(*size) if size else None
        return Shape(aspect, size, self.fill or "bars")


PictureKey = Annotated[Picture, BeforeValidator(_of_aspect)]

_HALF = Fraction(1, 2)
_ENDS = {
    "top": (_HALF, Fraction(0)),
    "bottom": (_HALF, Fraction(1)),
    "left": (Fraction(0), _HALF),
    "right": (Fraction(1), _HALF),
    "center": (_HALF, _HALF),
    "centre": (_HALF, _HALF),
}

CropValue = StrictStr | StrictInt | StrictFloat | list[StrictInt | StrictFloat]


def read_crop(value: CropValue | None) -> Crop:
    """What of a picture is kept; its middle when nothing is said. Raises `ValueError`."""
    if value is None:
        return CENTRE
    if isinstance(value, str):
        if value not in _ENDS:
            raise ValueError(EXPECTED_PICTURE["crop"])
        return Crop(_ENDS[value])
    if isinstance(value, list):
        parts = [Fraction(str(part)) for part in value if 0 <= part <= 1]
        if len(parts) != 4 or len(value) != 4:
            raise ValueError(EXPECTED_PICTURE["crop"])
        left, top, width, height = parts
        if not width or not height or left + width > 1 or top + height > 1:
            raise ValueError(EXPECTED_PICTURE["crop"])
        return Crop(region=(left, top, width, height))
    if not 0 <= value <= 1:
        raise ValueError(EXPECTED_PICTURE["crop"])
    at = Fraction(str(value))
    return Crop((at, at))


def _a_crop(value: CropValue) -> CropValue:
    read_crop(value)
    return value


CropKey = Annotated[CropValue, Field(union_mode="left_to_right"), AfterValidator(_a_crop)]


class Frame(BoardPart):
    """A still by its path or URL, and what is kept of it where a shape is wanted that it does not have."""

    file: StrictStr
    crop: CropKey | None = None


def _as_file(value: Any) -> Any:
    return value if isinstance(value, dict) else {"file": value}


FrameKey = Annotated[Frame, BeforeValidator(_as_file)]
