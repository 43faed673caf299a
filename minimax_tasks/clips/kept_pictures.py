"""Pictures that are given as what they are, not where: bytes, a data URL, an image of Pillow.

Each is kept once under the root, named by its content. From then on it is a file like any other, which another
process or machine finds by that name.
"""

import hashlib
import io
import re
import sys
from typing import Any

from minimax_tasks.api.data_urls import decode_data_url
from minimax_tasks.clips.layout import kept_picture
from minimax_tasks.errors import InvalidRequest
from minimax_tasks.storage.files import Storage

_NAME = re.compile(r"(sha256|pixels):[0-9a-f]{64}")


class KeptPicture(str):
    """A picture by its content: the text is its name, `data` its bytes where they are at hand.

    `sha256:…` is named by its bytes. `pixels:…` is named by its pixels, since one image can be written in other bytes
    tomorrow, and would be another clip then: what was kept first stays.
    """

    data: bytes | None

    def __new__(cls, name: str, data: bytes | None = None) -> "KeptPicture":
        """A picture of this name."""
        made = super().__new__(cls, name)
        made.data = data
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return KeptPicture, (str(self), self.data)

    def reference(self, root: Storage) -> str:
        """Where it is, or will be, under a root."""
        return root.join(self._place)

    def keep(self, root: Storage) -> None:
        """Write it, unless it is there. Raises `InvalidRequest` when it is not and its bytes are not at hand."""
        if root.exists(self._place):
            return
        if self.data is None:
            raise InvalidRequest("picture", str(self), "its bytes", f"it is not kept under {root.url}")
        root.create(self._place, self.data)

    @property
    def _place(self) -> str:
        kind, _, digest = self.partition(":")
        return kept_picture(digest, pixels=kind == "pixels")


def given_picture(value: Any) -> Any:
    """A picture that somebody gives, as a reference or a `KeptPicture`; what is no picture comes back as it is.

    Taken are bytes, an image of Pillow, a data URL, the name of a kept picture, a path object or a target, and what
    `datasets` has for an image: a dict of `bytes` and `path`.
    """
    if isinstance(value, KeptPicture):
        return value
    if isinstance(value, dict) and value and set(value) <= {"bytes", "path"}:
        value = value["path"] if value.get("bytes") is None else value["bytes"]
    if isinstance(value, bytes | bytearray | memoryview):
        return _of_bytes(bytes(value))
    if _is_image(value):
        return _of_image(value)
    if isinstance(value, str):
        if _NAME.fullmatch(value):
            return KeptPicture(value)
        if value[:11].casefold() == "data:image/":
            try:
                return _of_bytes(decode_data_url(value, field="picture"))
            except InvalidRequest:
                return value  # its reader says what is wrong, and where
    return value


def _of_bytes(data: bytes) -> KeptPicture:
    return KeptPicture(f"sha256:{hashlib.sha256(data).hexdigest()}", data)


def _is_image(value: Any) -> bool:
    """Whether it is an image of Pillow, which is not loaded for the question."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)


def _of_image(image: Any) -> KeptPicture:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    whole = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
    content = f"{whole.mode} {whole.width} {whole.height} ".encode() + whole.tobytes()
    out = io.BytesIO()
    whole.save(out, "PNG")
    return KeptPicture(f"pixels:{hashlib.sha256(content).hexdigest()}", out.getvalue())
