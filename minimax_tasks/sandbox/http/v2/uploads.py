"""Files that were uploaded as inputs: judged when they come, kept for a week, known by `mm_file://` and their id."""

import email
import email.policy
import time
from dataclasses import dataclass
from pathlib import Path

from minimax_tasks.sandbox.http.wire import Refused

PURPOSES = (
    "voice_clone", "prompt_audio", "t2a_async_input", "video_understanding", "video_generation_input",
)  # fmt: skip
KEPT_SECONDS = 7 * 86_400
ADDRESS = "mm_file://"


@dataclass(frozen=True)
class UploadedFile:
    """The part of a form that holds a file, and what it is for."""

    purpose: str
    filename: str
    data: bytes


class Uploads:
    """The uploads of one sandbox, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes) -> int:
        """Keep a file; returns its id."""
        file_id = time.time_ns() // 10_000
        while (path := self._folder / str(file_id)).exists():
            file_id += 1
        path.write_bytes(data)
        return file_id

    def open(self, address: str) -> bytes:
        """The bytes behind an address. Raises `LookupError` for an unknown one, `TimeoutError` for an expired one."""
        file_id = address.removeprefix(ADDRESS)
        path = self._folder / file_id
        if not file_id.isdecimal() or not path.exists():
            raise LookupError(address)
        if time.time() - path.stat().st_mtime > KEPT_SECONDS:
            raise TimeoutError(address)
        return path.read_bytes()


def read_form(content_type: str, body: bytes) -> UploadedFile:
    """The file and the purpose of a multipart form. Raises `Refused` (2013)."""
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    purpose = filename = ""
    data: bytes | None = None
    for part in form.iter_parts() if form.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        if name == "purpose":
            purpose = content.decode("utf-8", "replace").strip()
        elif name == "file":
            filename, data = part.get_filename() or "file", content
    if purpose not in PURPOSES:
        raise Refused(2013, f"invalid params, purpose must be one of {', '.join(PURPOSES)}")
    if not data:
        raise Refused(2013, "invalid params, file is required")
    return UploadedFile(purpose, filename, data)
