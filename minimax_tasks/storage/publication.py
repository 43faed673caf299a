"""Files that belong together, published so that a manifest never vouches for others than its own.

No storage replaces several files at once. So the manifest names the size and digest of each; it goes before
the first of them is replaced and is written after the last. A kill leaves what was there, what is new, or no
manifest. Of two writers at once each looks afterwards whether what stands is its own, and writes again when
the other came between: the last one leaves a whole.
"""

import functools
import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from minimax_tasks.storage.drafts import draft_name, is_draft
from minimax_tasks.storage.files import Listed, Storage

FILES = "files"
"""The field of a manifest that says what each file is."""

END = 65_536
"""Bytes at either end of a file that tell it from another of the same size: an MP4 that starts fast has its
index there, a page its title and its date."""

AFFORDABLE = 512 * 1024**2
"""Bytes of a local file that are read whole to see whether it is what its manifest says."""

_PIECE = 2**18
"""Bytes of a file that are read at once."""

SETTLED = 3.0
"""Seconds after its last change from which on a file is known by its time, size and number."""

TRIES = 8
PAUSE = 0.5
"""Seconds, at most and times the number of the try, before what another writer mixed up is written again."""


def describe(path: str | Path) -> dict[str, Any]:
    """What a manifest says of a local file: size, SHA-256, and SHA-256 of its two ends."""
    return _describe(str(path))


def described(data: bytes) -> dict[str, Any]:
    """`describe` for bytes, with what a listing of S3 says of them."""
    description = Description()
    description.having(data)
    return description.as_document()


class Description:
    """`described` for bytes that come one piece after the other."""

    def __init__(self) -> None:
        self._size = 0
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._first, self._last = bytearray(), bytearray()

    def having(self, piece: bytes) -> bytes:
        """Add a piece; returns it."""
        self._size += len(piece)
        self._sha256.update(piece)
        self._md5.update(piece)
        if (missing := END - len(self._first)) > 0:
            self._first += piece[:missing]
        self._last += piece[-END:]
        if len(self._last) > 4 * END:
            del self._last[:-END]
        return piece

    def as_document(self) -> dict[str, Any]:
        """What a manifest says of them all."""
        return {
            "size": self._size,
            "sha256": self._sha256.hexdigest(),
            "ends": _of_ends(bytes(self._first), bytes(self._last[-END:])),
            "md5": self._md5.hexdigest(),
        }


def stands(
    root: Storage, folder: str, files: Mapping[str, Any], there: Mapping[str, Listed] | None = None
) -> bool:
    """Whether the files of a folder are what a manifest says.

    One listing gives the sizes; `there` is one that the caller has. A local file is read whole as far as that is
    `AFFORDABLE`, once for each version of it; of any other its ends are, unless the listing tells what is in it.
    """
    found = {name: Listed(size) for name, size in root.names(folder).items()} if there is None else there
    if any(name not in found or found[name].size != said.get("size") for name, said in files.items()):
        return False
    unread = {
        name: said
        for name, said in files.items()
        if not found[name].mark or found[name].mark != said.get("md5")
    }
    try:
        return all(_is_as_described(root, f"{folder}/{name}", said) for name, said in unread.items())
    except FileNotFoundError:
        return False


def publish(
    root: Storage, folder: str, sources: Mapping[str, str | Path], name: str, manifest: Mapping[str, Any]
) -> None:
    """Publish local files under their names, and a manifest, called `name`, with what they are.

    Raises OSError when other writers came between each time.
    """
    files = {file: describe(path) for file, path in sources.items()}
    document = json.loads(json.dumps(dict(manifest) | {FILES: files}))

    def write() -> None:
        staged = {file: draft_name(file) for file in sources}
        try:
            for file, path in sources.items():
                root.put(path, f"{folder}/{staged[file]}")
            root.remove(f"{folder}/{name}")
            for file in sources:
                root.copy(f"{folder}/{staged[file]}", f"{folder}/{file}")
            root.write_json(f"{folder}/{name}", document)
        finally:
            for draft in staged.values():
                root.remove(f"{folder}/{draft}")

    until_it_stands(
        write, lambda: root.read_json(f"{folder}/{name}") == document and stands(root, folder, files)
    )


def until_it_stands(write: Callable[[], None], looks_right: Callable[[], bool]) -> None:
    """Write, and write again as long as another writer came between. Raises OSError after `TRIES`."""
    for attempt in range(1, TRIES + 1):
        try:
            write()
            if looks_right():
                return
        except FileNotFoundError:  # another writer removed what this one had just written
            if attempt == TRIES:
                raise
        time.sleep(random.uniform(0, PAUSE * attempt))
    raise OSError("other runs are writing the same files; run it again when they are done")


def sweep_below(root: Storage, folder: str, found: Iterable[str] | None = None) -> None:
    """Remove the drafts of writers that are gone, in a folder and in those below it.

    `found` are the files there, for callers that have listed them.
    """
    drafts = [path for path in (root.sizes(folder) if found is None else found) if is_draft(path)]
    for below in {path.rpartition("/")[0] for path in drafts}:
        root.sweep(f"{folder}/{below}" if below else folder)


def _is_as_described(root: Storage, name: str, said: Mapping[str, Any]) -> bool:
    size = int(said["size"])
    if root.local and size <= AFFORDABLE:
        return bool(_describe(root.path(name))["sha256"] == said.get("sha256"))
    first = root.read_part(name, 0, END) if size else b""
    last = first if size <= END else root.read_part(name, size - END, END)
    return _of_ends(first, last) == said.get("ends")


def _describe(path: str) -> dict[str, Any]:
    state = os.stat(path)
    # Clocks of file systems tick slowly, and a number of a file that is gone is given again: what changed a
    # moment ago cannot be told from what was there before, so it is read.
    settled = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > SETTLED * 1e9
    reading = _describe_version if settled else _describe_version.__wrapped__
    return reading(path, state.st_size, state.st_mtime_ns, state.st_ino)


@functools.lru_cache(maxsize=256)
def _describe_version(path: str, size: int, changed_at: int, inode: int) -> dict[str, Any]:
    whole = hashlib.sha256()
    with open(path, "rb") as file:
        first = file.read(END)
        whole.update(first)
        while chunk := file.read(_PIECE):
            whole.update(chunk)
        file.seek(max(0, size - END))
        last = file.read(END)
    return {"size": size, "sha256": whole.hexdigest(), "ends": _of_ends(first, last)}


def _of_ends(first: bytes, last: bytes) -> str:
    return hashlib.sha256(first + last).hexdigest()
