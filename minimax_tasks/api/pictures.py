"""Judging a picture by its bytes, before anything is paid, and carrying it as a data URL."""

import base64
import binascii
import io
from dataclasses import dataclass

from minimax_tasks.api.catalog.models import (
    IMAGE_ASPECT,
    IMAGE_FORMATS,
    IMAGE_MAX_BYTES,
    IMAGE_MIN_SHORT_SIDE,
)
from minimax_tasks.api.errors import PictureError

_FORMATS = "a JPEG, PNG or WebP picture"


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


def judge_picture(data: bytes, *, field: str, name: str) -> Picture:
    """Check a picture against the limits of the service; `field` and `name` say whose it is in messages.

    The format is read from the bytes, not from the file's name. A picture with a rotation in its EXIF data
    is turned upright and sent as PNG, since the service is not known to respect it. Raises `PictureError`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(data) >= IMAGE_MAX_BYTES:
        raise PictureError(field, name, "under 20 MB", f"{len(data) / 1e6:.1f} MB")
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = image.format or ""
            if kind not in IMAGE_FORMATS:
                raise PictureError(field, name, _FORMATS, f"it is {kind or 'unknown'}")
            if getattr(image, "n_frames", 1) > 1:
                raise PictureError(field, name, "a still picture", "it is animated")
            if image.mode not in ("RGB", "RGBA", "L", "LA", "P", "1"):
                raise PictureError(field, name, "8-bit RGB or grey", f"its pixels are {image.mode}")
            image.load()
            upright = ImageOps.exif_transpose(image)
            turned = upright.size != image.size or image.getexif().get(0x0112, 1) != 1
            width, height = upright.size
            if turned:
                out = io.BytesIO()
                upright.convert("RGB").save(out, "PNG", compress_level=1)
                data, kind = out.getvalue(), "PNG"
    except PictureError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = (
            "it is not a picture" if isinstance(error, UnidentifiedImageError) else f"it is damaged ({error})"
        )
        raise PictureError(field, name, _FORMATS, reason) from None
    _judge_size(width, height, field=field, name=name)
    return Picture(data, Image.MIME[kind], width, height)


def decode_data_url(url: str, *, field: str) -> bytes:
    """The bytes of a data URL. Raises `PictureError` when it holds no base64."""
    head, _, body = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise PictureError(field, url, "data:image/png;base64,…", "not a base64 data URL") from None


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
            field, name, "an aspect ratio from 2:5 to 5:2", f"{width} x {height} px is {width / height:.2f}:1"
        )
