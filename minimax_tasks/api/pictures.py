"""Judging a picture by its bytes, before anything is paid, and carrying it as a data URL.

Imported where a picture is at hand: Pillow and NumPy take longer to load than the rest of the package.
"""

import base64
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from minimax_tasks.api.catalog.models import (
    IMAGE_ASPECT,
    IMAGE_FORMATS,
    IMAGE_MAX_BYTES,
    IMAGE_MIN_SHORT_SIDE,
)
from minimax_tasks.api.errors import PictureError

SHAPE_TOLERANCE = 0.02
"""Two pictures whose shapes differ by no more are alike."""

_FORMATS = "a JPEG, PNG or WebP picture"
_OR_FIT = ", or `fit`, which crops and scales what does not fit"
_KINDS = {kind: kind for kind in IMAGE_FORMATS} | {"MPO": "JPEG"}
"""What Pillow calls a format -> what it is sent as. Cameras add previews to a JPEG, which makes it an MPO."""

_MODES = ("RGB", "RGBA", "L", "LA", "P", "1")
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """A picture that the service takes: its bytes as they are sent, and its upright size in pixels."""

    data: bytes
    mime: str
    width: int
    height: int

    @property
    def data_url(self) -> str:
        """`data:image/…;base64,…` without line breaks."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"


def judge_picture(data: bytes, *, field: str, name: str, fit: bool = False) -> Picture:
    """Check a picture against the limits of the service; `field` and `name` say whose it is in messages.

    The format is read from the bytes, not from the file's name. A picture with a rotation in its EXIF data
    is turned upright and sent as PNG, since the service is not known to respect it. With `fit` a picture
    that has too many bytes, other pixels than 8-bit RGB or grey, or too long a shape is made to fit, always
    the same way: cropped around its middle, and scaled down as far as needed. Raises `PictureError`.
    """
    if len(data) >= IMAGE_MAX_BYTES and not fit:
        raise PictureError(field, name, f"under 20 MB{_OR_FIT}", f"{len(data) / 1e6:.1f} MB")
    with _opened(data, field=field, name=name) as image:
        kind, upright = _KINDS[str(image.format)], ImageOps.exif_transpose(image)
        turned = upright.size != image.size or image.getexif().get(_ORIENTATION, 1) != 1
        deep = _is_deep_png(data)
        if image.mode not in _MODES or deep:
            if not fit:
                pixels = "16-bit" if deep else image.mode
                raise PictureError(field, name, f"8-bit RGB or grey{_OR_FIT}", f"its pixels are {pixels}")
            upright, turned = _eight_bit(upright), True
        shape = _nearest_shape(*upright.size) if fit else upright.size
        if shape != upright.size:
            upright, turned = _cropped(upright, shape), True
        _judge_size(*upright.size, field=field, name=name)
        if turned:
            data, kind = _encode(upright), "PNG"
        while len(data) >= IMAGE_MAX_BYTES:
            data, kind = _encode(upright, "JPEG"), "JPEG"
            upright = upright.reduce(2) if len(data) >= IMAGE_MAX_BYTES else upright
        return Picture(data, Image.MIME[kind], *upright.size)


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two pictures, (width, height) each, are so alike in shape that neither is cropped."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= SHAPE_TOLERANCE


def crop_alike(picture: Picture, shape: Picture, *, field: str, name: str) -> Picture:
    """The picture, cropped around its middle to the shape of another if they differ by more than 2 %.

    Raises `PictureError` when too little would be left.
    """
    wanted, own = shape.width / shape.height, picture.width / picture.height
    if same_shape((shape.width, shape.height), (picture.width, picture.height)):
        return picture
    wide, high = (1.0, own / wanted) if own < wanted else (wanted / own, 1.0)
    size = round(picture.width * wide), round(picture.height * high)
    if min(size) < IMAGE_MIN_SHORT_SIDE:
        raise PictureError(
            field,
            name,
            f"the shape of the first frame, {shape.width} x {shape.height} px",
            f"of its {picture.width} x {picture.height} px only {size[0]} x {size[1]} would be left",
        )
    with Image.open(io.BytesIO(picture.data)) as image:
        cropped = Picture(_encode(_cropped(image, size)), "image/png", *size)
    return judge_picture(cropped.data, field=field, name=name, fit=True)


@contextmanager
def _opened(data: bytes, *, field: str, name: str) -> Iterator[Image.Image]:
    """A still picture of a format that the service takes, with its pixels read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format not in _KINDS:
                raise PictureError(field, name, _FORMATS, f"it is {image.format or 'unknown'}")
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                raise PictureError(field, name, "a still picture", "it is animated")
            image.load()
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(field, name, _FORMATS, "it is not a picture") from None
    except Image.DecompressionBombError:
        raise PictureError(
            field, name, "a picture under 20 MB", "it has too many pixels to be opened"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(field, name, _FORMATS, f"it is damaged ({error})") from None


def _is_deep_png(data: bytes) -> bool:
    """Pillow opens 16-bit colour as if it had 8; the head of the file tells."""
    return data.startswith(b"\x89PNG") and data[24:25] == b"\x10"


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _nearest_shape(width: int, height: int) -> tuple[int, int]:
    low, high = IMAGE_ASPECT
    return min(width, math.floor(height * high)), min(height, math.floor(width / low))


def _cropped(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def _encode(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    options = {"compress_level": 1} if kind == "PNG" else {"quality": 95, "subsampling": 0}
    image.convert("RGB").save(out, kind, **options)
    return out.getvalue()


def _judge_size(width: int, height: int, *, field: str, name: str) -> None:
    low, high = IMAGE_ASPECT
    if min(width, height) < IMAGE_MIN_SHORT_SIDE:
        raise PictureError(
            field,
            name,
            f"a short side over {IMAGE_MIN_SHORT_SIDE - 1} px",
            f"it is too small, {width} x {height} px",
        )
    if not low <= width / height <= high:
        raise PictureError(
            field,
            name,
            f"an aspect ratio from 2:5 to 5:2{_OR_FIT}",
            f"{width} x {height} px is {width / height:.2f}:1",
        )
