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

from minimax_tasks.api.catalog.models import V1_PICTURES
from minimax_tasks.sandbox.http.wire import Refused

_DIGEST = "sha256:"
_CARD_SIZE = (1280, 720)
_MOST_PIXELS = 80_000_000
"""A small file can hold a huge flat picture; decoding it would take the memory of the machine."""


class Pictures:
    """The pictures of one sandbox, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._size_of_kept = functools.lru_cache(maxsize=4096)(self._read_size)

    def take(self, value: str, field: str) -> str:
        """Judge a picture of a request and keep it; returns its reference.

        Slow for large pictures: call it in a thread. Raises `Refused` (2013) for what the service does not
        take: other formats than JPG, PNG and WebP, 20 MB or more, a short side of 300 px or less, an aspect
        ratio outside 2:5 to 5:2 (source: the image rules of the API reference; the texts are not recorded).
        """
        if value.startswith(("http://", "https://")):
            return value
        data = _decode(value, field)
        digest = hashlib.sha256(data).hexdigest()
        path = self._folder / digest
        if not path.exists():
            _judge(data, field)
            part = self._folder / f"{digest}.{uuid.uuid4().hex}"
            part.write_bytes(data)
            os.replace(part, path)
        return _DIGEST + digest

    def open(self, reference: str) -> Image.Image:
        """The upright RGB picture behind a reference."""
        if not reference.startswith(_DIGEST):
            return _card(reference)
        with Image.open(self._folder / reference.removeprefix(_DIGEST)) as image:
            return ImageOps.exif_transpose(image).convert("RGB")

    def aspect(self, reference: str) -> float:
        """Width / height of the upright picture."""
        width, height = self._size_of_kept(reference)
        return width / height

    def _read_size(self, reference: str) -> tuple[int, int]:
        if not reference.startswith(_DIGEST):
            return _CARD_SIZE
        with Image.open(self._folder / reference.removeprefix(_DIGEST)) as image:
            return _upright_size(image)


def _decode(value: str, field: str) -> bytes:
    head, _, body = value.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")):
        raise Refused(2013, f"invalid params, param '{field}' must be a URL or a base64 data URL")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (ValueError, binascii.Error):
        raise Refused(2013, f"invalid params, param '{field}' is not valid base64") from None


def _judge(data: bytes, field: str) -> None:
    if len(data) > V1_PICTURES.most_bytes:
        raise Refused(2013, f"invalid params, param '{field}' must be less than 20MB")
    try:
        with Image.open(io.BytesIO(data)) as image:
            # A camera's MPO is a JPEG with a preview behind it; only Pillow tells them apart.
            if image.format not in (*V1_PICTURES.formats, "MPO"):
                raise Refused(2013, f"invalid params, param '{field}' only support JPG, JPEG, PNG and WebP")
            width, height = _upright_size(image)
            if width * height > _MOST_PIXELS:
                raise Refused(2013, f"invalid params, param '{field}' has too many pixels")
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Refused(2013, f"invalid params, param '{field}' is not a readable image") from None
    if min(width, height) < V1_PICTURES.shortest:
        raise Refused(2013, f"invalid params, param '{field}' short side must be greater than 300px")
    low, high = V1_PICTURES.aspect
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
