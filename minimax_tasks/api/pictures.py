"""Judging a picture by its bytes, before anything is paid, and carrying it as a data URL.

Imported where a picture is at hand: Pillow and NumPy take longer to load than the rest of the package.
"""

import base64
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from minimax_tasks.api.catalog.models import V1_PICTURES, PictureLimits
from minimax_tasks.api.picture_files import head_size, profile_space, what_it_is, without_ballast
from minimax_tasks.api.picture_shapes import judge_crop, size_fault
from minimax_tasks.errors import PictureError

BACKGROUND = (255, 255, 255)
"""What a transparent picture is laid on: white, as paper is. Drawings, logos and cut-outs are made for it, and
black lines would be gone on black. What the service lays them on is not published."""

MAX_PIXELS = 178_956_970
"""The most pixels that are opened, over half a gigabyte in memory; Pillow refuses more as well."""

_FORMATS = "a JPEG, PNG or WebP picture"
_OR_FIT = ", or `fit`, which crops and scales what does not fit"
_KINDS = {kind: kind for kind in V1_PICTURES.formats} | {"MPO": "JPEG"}
"""What Pillow calls a format -> what it is sent as. Cameras add previews to a JPEG, which makes it an MPO."""

_MODES = ("RGB", "RGBA", "L", "LA", "P", "PA", "1")
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """A picture that the service takes: its bytes as they are sent, and its upright size in pixels.

    `notes` tell people what was left out of it or laid under it.
    """

    data: bytes
    mime: str
    width: int
    height: int
    notes: tuple[str, ...] = ()

    @property
    def data_url(self) -> str:
        """`data:image/…;base64,…` without line breaks."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"


def judge_picture(
    data: bytes, *, field: str, name: str, fit: bool = False, limits: PictureLimits = V1_PICTURES
) -> Picture:
    """Check a picture against the limits of the model that it is for; `field` and `name` identify it in messages.

    The format is read from the bytes, not from the file's name. A picture that needs no change is sent byte
    for byte. Texts and colour profiles that are in the way are left out of the file, a transparent picture is
    laid on white (`BACKGROUND`) and sent without transparency, and one with a rotation in its EXIF data is
    turned upright and sent as PNG, since the service is not known to respect it. With `fit` a picture
    that has too many bytes, other pixels than 8-bit RGB or grey, or too long a shape is made to fit, always
    the same way: cropped around its middle, and scaled down as far as needed. Raises `PictureError`.
    """
    data, notes = without_ballast(data)
    if len(data) > limits.most_bytes and not fit:
        raise PictureError(field, name, f"{limits.says_bytes}{_OR_FIT}", f"{len(data) / 1e6:.1f} MB")
    with _opened(data, limits.formats, field=field, name=name) as image:
        kind = _KINDS[str(image.format)]
        upright, turned = _upright(image)
        deep = _is_deep_png(data)
        if (image.mode not in _MODES or deep) and not fit:
            pixels = "16-bit" if deep or image.mode.startswith("I") else image.mode
            raise PictureError(field, name, f"8-bit RGB or grey{_OR_FIT}", f"its pixels are {pixels}")
        if _has_alpha(upright):
            upright, seen_through = _laid_on_background(upright)
            turned = True
            if seen_through:
                notes += ("its transparent parts are laid on white, and it is sent without transparency",)
        if upright.mode not in _MODES or deep:
            upright, turned = _eight_bit(upright), True
        shape = _nearest_shape(*upright.size, limits) if fit else upright.size
        if shape != upright.size:
            upright, turned = _cropped(upright, shape), True
        if fit and limits.longest is not None and max(upright.size) > limits.longest:
            upright, turned = _scaled_down(upright, limits.longest), True
        _judge_size(*upright.size, limits, field=field, name=name)
        if turned:
            data, kind = _encode(upright), "PNG"
        while len(data) > limits.most_bytes:
            data, kind = _encode(upright, "JPEG"), "JPEG"
            upright = upright.reduce(2) if len(data) > limits.most_bytes else upright
        return Picture(data, Image.MIME[kind], *upright.size, notes)


@dataclass(frozen=True)
class Glance:
    """What the header of a picture file says, without decoding the pixels: the upright size, and what has to be done.

    `as_it_is`: there is nothing to turn, to leave out or to lay under it. `fits`: nor is there with `fit`.
    """

    width: int
    height: int
    as_it_is: bool
    fits: bool


def glance(data: bytes, limits: PictureLimits = V1_PICTURES) -> Glance | None:
    """What is known about a picture without decoding it; None for a file that cannot be sent as a picture.

    `judge_picture` sends it byte for byte, if at all, when it is `as_it_is` and, with `fit`, also `fits`.
    """
    lean, notes = without_ballast(data)
    try:
        with Image.open(io.BytesIO(lean), formats=limits.formats) as image:
            # Looking for a rotation reads all of a PNG, unless the bytes show that there is none.
            may_turn = image.format != "PNG" or any(mark in lean for mark in _ROTATION_MARKS)
            turned = _orientation(image) if may_turn else 1
            size = (image.height, image.width) if turned >= 5 else image.size
            whole = image.mode in _MODES and not _is_deep_png(lean) and len(lean) <= limits.most_bytes
            as_it_is = not notes and turned == 1 and not _has_alpha(image)
            return Glance(*size, as_it_is, whole and _nearest_shape(*size, limits) == size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


_ROTATION_MARKS = (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")


def crop_to(
    picture: Picture,
    shape: tuple[int, int],
    *,
    field: str,
    name: str,
    limits: PictureLimits = V1_PICTURES,
) -> Picture:
    """The picture, cropped around its middle to a shape (width, height) from which its own differs by more
    than 2 %. Raises `PictureError` when too little would be left.
    """
    size = judge_crop((picture.width, picture.height), shape, field=field, name=name, limits=limits)
    if size == (picture.width, picture.height):
        return picture
    with Image.open(io.BytesIO(picture.data)) as image:
        cropped = _encode(_cropped(image, size))
    judged = judge_picture(cropped, field=field, name=name, fit=True, limits=limits)
    return replace(judged, notes=picture.notes)


def crop_alike(
    picture: Picture, shape: Picture, *, field: str, name: str, limits: PictureLimits = V1_PICTURES
) -> Picture:
    """`crop_to` the shape of another picture."""
    return crop_to(picture, (shape.width, shape.height), field=field, name=name, limits=limits)


@contextmanager
def _opened(data: bytes, formats: tuple[str, ...], *, field: str, name: str) -> Iterator[Image.Image]:
    """A still picture of a format that the service takes, with its pixels read."""
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                raise PictureError(field, name, "a still picture", "it is animated")
            image.load()
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(field, name, _FORMATS, what_it_is(data)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = f"at most {MAX_PIXELS / 1e6:.0f} megapixels ({MAX_PIXELS:,} pixels)"
        width, height = head_size(data) or (0, 0)
        why = f"it has too many pixels, {width} x {height} ({width * height / 1e6:.1f} megapixels)"
        raise PictureError(field, name, limit, why if width else "it has too many pixels") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(field, name, _FORMATS, f"it is damaged ({error})") from None


def _orientation(image: Image.Image) -> int:
    """How a picture is turned, 1 to 8 as in EXIF data: 1 is upright; from 5 on, width and height are swapped."""
    try:
        found = int(image.getexif().get(_ORIENTATION, 1))
    # Any error that broken EXIF data may cause; the pixels are intact.
    except Exception:
        return 1
    return found if 2 <= found <= 8 else 1


def _upright(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture as it is meant to be seen, and whether it had to be turned."""
    turn = _TURNS.get(_orientation(image))
    return (image.transpose(turn), True) if turn is not None else (image.copy(), False)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Orientation of EXIF data -> what makes it upright (as `PIL.ImageOps.exif_transpose` has it)."""


def _is_deep_png(data: bytes) -> bool:
    """Pillow opens 16-bit colour as if it had 8; the header of the file says."""
    return data.startswith(b"\x89PNG") and data[24:25] == b"\x10"


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _laid_on_background(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture without transparency, and whether anything of it was transparent."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16-bit grey, with one value that counts as transparent
        clear = np.asarray(image) == image.info.pop("transparency")
        image = _eight_bit(image).convert("RGBA")
        image.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
    rgba = image.convert("RGBA")
    canvas = Image.new("RGBA", rgba.size, (*BACKGROUND, 255))
    canvas.alpha_composite(rgba)
    flat = canvas.convert("RGB")
    if profile_space(profile) == b"RGB ":
        flat.info["icc_profile"] = profile
    return flat, rgba.getchannel("A").getextrema()[0] != 255


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    return _rgb(image)


def _rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB, through its own colour profile where that is one of print or of grey."""
    profile = image.info.get("icc_profile")
    space = profile_space(profile)
    if profile and (image.mode, space) in (("CMYK", b"CMYK"), ("L", b"GRAY")):
        try:
            own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
        except (OSError, ValueError, ImageCms.PyCMSError):
            converted = None  # a profile that says no more than its head
        if converted is not None:
            converted.info.pop(
                "icc_profile", None
            )  # that of its former space, or of sRGB, which goes without
            return converted
    rgb = image.convert("RGB")
    if space != b"RGB ":
        rgb.info.pop("icc_profile", None)
    return rgb


def _nearest_shape(width: int, height: int, limits: PictureLimits) -> tuple[int, int]:
    low, high = limits.aspect
    return min(width, math.floor(height * high)), min(height, math.floor(width / low))


def _cropped(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def _scaled_down(image: Image.Image, longest: int) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return smaller


def _encode(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    options = {"compress_level": 1} if kind == "PNG" else {"quality": 95, "subsampling": 0}
    rgb = _rgb(image)
    rgb.save(out, kind, icc_profile=rgb.info.get("icc_profile"), **options)
    return out.getvalue()


def _judge_size(width: int, height: int, limits: PictureLimits, *, field: str, name: str) -> None:
    fault = size_fault(width, height, limits)
    if fault:
        allowed, why, mendable = fault
        raise PictureError(field, name, allowed + _OR_FIT * mendable, why)
