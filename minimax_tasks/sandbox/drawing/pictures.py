"""The pictures of requests: judged as the service would, kept on disk by digest, and opened to be drawn.

Inside the sandbox a picture is a short reference: `sha256:<hex>` for bytes that were sent, or an http(s)
URL. A URL is never fetched: a card in colours derived from its hash is shown instead.
"""

import base64
import binascii
import functools
import hashlib
import io
import os
import uuid
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from minimax_tasks.api.catalog.models import V1_PICTURES, V2_PICTURES, PictureLimits
from minimax_tasks.sandbox.http.wire import Refused

_DIGEST = "sha256:"
_CARD_SIZE = (1280, 720)
_MOST_PIXELS = 80_000_000
"""A small file can hold a huge flat picture; decoding it would take the memory of the machine."""


_FEWER_BYTES = {V1_PICTURES: "less than 20MB", V2_PICTURES: "at most 30MB"}


class Pictures:
    """The pictures of one sandbox, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._size_of_kept = functools.lru_cache(maxsize=4096)(self._read_size)

    def take(self, value: str, field: str, limits: PictureLimits = V1_PICTURES) -> str:
        """Judge a picture of a request and keep it; returns its reference.

        Slow for large pictures: call it in a thread. Raises `Refused` (2013) for what the service does not
        take (source: the image rules of the API reference; the texts are not recorded).
        """
        if value.startswith(("http://", "https://")):
            return value
        return self.keep(decoded(value, field), field, limits)

    def keep(self, data: bytes, field: str, limits: PictureLimits = V1_PICTURES) -> str:
        """Judge the bytes of a picture and keep them; as `take`."""
        path = self._folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            _judge(data, field, limits)
        return self.keep_unread(data)

    def keep_unread(self, data: bytes) -> str:
        """Keep the bytes of what somebody else has judged; returns their reference."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._folder / digest
        if not path.exists():
            part = self._folder / f"{digest}.{uuid.uuid4().hex}"
            part.write_bytes(data)
            os.replace(part, path)
        return _DIGEST + digest

    def open(self, reference: str) -> Image.Image:
        """The upright RGB picture behind a reference."""
        path = self._folder / reference.removeprefix(_DIGEST)
        if not reference.startswith(_DIGEST) or _is_heif(path):
            return _card(reference)
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")

    def aspect(self, reference: str) -> float:
        """Width / height of the upright picture."""
        width, height = self._size_of_kept(reference)
        return width / height

    def _read_size(self, reference: str) -> tuple[int, int]:
        path = self._folder / reference.removeprefix(_DIGEST)
        if not reference.startswith(_DIGEST) or _is_heif(path):
            return _CARD_SIZE
        with Image.open(path) as image:
            return _upright_size(image)


def decoded(value: str, field: str) -> bytes:
    """The bytes of a data URL. Raises `Refused` (2013)."""
    head, _, body = value.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")):
        raise Refused(2013, f"invalid params, param '{field}' must be a URL or a base64 data URL")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (ValueError, binascii.Error):
        raise Refused(2013, f"invalid params, param '{field}' is not valid base64") from None


def _is_heif(path: Path) -> bool:
    """Whether it is a kind of picture that the second generation takes and nothing here can read."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return _names_heif(head)


def _names_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1")


def _judge(data: bytes, field: str, limits: PictureLimits) -> None:
    if len(data) > limits.most_bytes:
        raise Refused(2013, f"invalid params, param '{field}' must be {_FEWER_BYTES[limits]}")
    if limits is not V1_PICTURES and _names_heif(data[:12]):
        return
    try:
        with Image.open(io.BytesIO(data)) as image:
            # A camera's MPO is a JPEG with a preview behind it; only Pillow tells them apart.
            if image.format not in (*limits.formats, "MPO"):
                raise Refused(2013, f"invalid params, param '{field}' only support JPG, JPEG, PNG and WebP")
            width, height = _upright_size(image)
            if width * height > _MOST_PIXELS:
                raise Refused(2013, f"invalid params, param '{field}' has too many pixels")
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Refused(2013, f"invalid params, param '{field}' is not a readable image") from None
    if min(width, height) < limits.shortest:
        raise Refused(
            2013, f"invalid params, param '{field}' short side must be greater than {limits.shortest - 1}px"
        )
    if limits.longest is not None and max(width, height) > limits.longest:
        raise Refused(
            2013, f"invalid params, param '{field}' long side must not be greater than {limits.longest}px"
        )
    low, high = limits.aspect
    if not low <= width / height <= high:
        raise Refused(2013, f"invalid params, param '{field}' aspect ratio must be between 2:5 and 5:2")


def _upright_size(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (image.height, image.width) if turned else image.size


def _card(url: str) -> Image.Image:
    digest = hashlib.sha256(url.encode()).digest()
    width, height = _CARD_SIZE
    card = Image.linear_gradient("L").rotate(90 * (digest[0] % 4)).resize(_CARD_SIZE)
    dark, light = (tuple(byte // 2 for byte in digest[1:4]), tuple(128 + byte // 2 for byte in digest[4:7]))
    image = ImageOps.colorize(card, dark, light)
    draw = ImageDraw.Draw(image)
    for number in range(7, 28, 3):
        x, y, size = (digest[number + i] / 255 for i in range(3))
        left, top, radius = x * width, y * height, 40 + size * 160
        box = (left - radius, top - radius, left + radius, top + radius)
        draw.ellipse(box, fill=(digest[number], digest[number + 1], digest[number + 2]))
    return image
