"""Reading and writing whole files on any fsspec file system.

A writer that dies leaves nothing under the final name, and `create` lets exactly one of many writers win.
Both are checked for every kind of storage, since a `with fs.open(path, "wb")` that is left by an exception
publishes half a file, and a listing that was cached hides what another worker wrote.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from pydantic_core import PydanticSerializationError, to_json

from minimax_tasks.storage import disk, local_files, owner, s3
from minimax_tasks.storage.disk_work import at_the_disk, has_process, when_the_disk_rests
from minimax_tasks.storage.drafts import draft_name, is_draft
from minimax_tasks.storage.local_files import Durable
from minimax_tasks.storage.paths import is_top
from minimax_tasks.storage.references import judge_root, patience
from minimax_tasks.storage.s3_here import in_this_loop
from minimax_tasks.storage.steps import alone
from minimax_tasks.storage.temporary import ABANDONED_SECONDS, temporary_folder

_Result = TypeVar("_Result")

_WHOLE_PUTS = frozenset({"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})
"""Protocols whose `pipe` and `put` publish a file at once; elsewhere a rename does it."""

_COPIED_AT_ONCE = 8
"""Files that are copied at the same time on a network."""

Document = tuple[str, dict[str, Any], Durable]
"""A JSON object that is written with another file: its name, its content, how durable it is (`Storage.write`)."""


class Listed(NamedTuple):
    """What a listing says of a file: its size in bytes, and S3's mark of its content, "" where there is none.

    Of a file that was written by one request, without a key of the user's, the mark is the MD5 of its bytes.
    """

    size: int
    mark: str = ""


class Storage:
    """A folder on some storage. Names below it are relative and use `/`.

    `url` is what the user wrote: a local path or any fsspec URL. Options such as endpoints and
    credentials come from fsspec's own configuration.
    """

    def __init__(self, url: str) -> None:
        """Raises `UnreadableReference` for a URL that no files can be kept at, or that holds a secret."""
        judge_root(url)
        self.url = url if is_top(url) else url.rstrip("/")
        self.fs, self.base = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        self.local = isinstance(self.fs, LocalFileSystem)
        protocols = (self.fs.protocol,) if isinstance(self.fs.protocol, str) else self.fs.protocol
        self._whole_puts = not _WHOLE_PUTS.isdisjoint(protocols)
        self.writes_drafts = not self._whole_puts
        """Whether a writer that is killed may leave a draft next to its file."""
        self._s3 = s3.is_s3(self.fs)
        self.lists_in_pages = self._s3
        """Whether a listing that is to end early (`folders`) takes fewer requests for it. So far on S3 alone."""
        self.has_exclusive_create = self.local or self._whole_puts
        """Whether `create` is atomic between machines: by a hard link, `If-None-Match` or a generation match.
        Elsewhere fsspec only looks before it writes."""
        self.in_memory = "memory" in protocols
        """Whether it is gone with the process."""
        self.nonblocking = self.local or self.in_memory
        """Whether calls that flush nothing return at once, so that they need no thread."""

    def path(self, name: str = "") -> str:
        """The path inside the file system."""
        return f"{self.base}/{name}" if name else self.base

    def join(self, name: str) -> str:
        """The same as a path or URL that a person can use."""
        return f"{self.url.rstrip('/')}/{name}"

    async def run(self, function: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
        """Call one of the methods below from a coroutine: in a thread where it would block."""
        if self.nonblocking:
            return function(*arguments, **options)
        return await asyncio.to_thread(function, *arguments, **options)

    async def write_json_async(
        self, name: str, data: dict[str, Any], *, durable: Durable = True, new_folder: bool = True
    ) -> None:
        """`write_json` from a coroutine."""
        if self._s3:
            await in_this_loop(self.fs, partial(s3.put, path=self.path(name), data=_json(data)))
        elif self.local and (durable or has_process()):
            final = self.path(name)
            await at_the_disk(
                local_files.write, final, _json(data), self.base, durable=durable, new_folder=new_folder
            )
        else:
            await self.run(self.write_json, name, data, durable=durable, new_folder=new_folder)

    async def create_json_async(
        self, name: str, data: dict[str, Any], *, durable: bool = True, before: Sequence[Document] = ()
    ) -> bool:
        """`create_json` from a coroutine. `before`: JSON objects that are written first, in one go on a local disk."""
        if self.local and (durable or has_process()):
            path, beside = self.path(name), self._beside(before)
            created = await at_the_disk(
                local_files.create, path, _json(data), self.base, durable=durable, before=beside
            )
            return created > 0
        for other, document, lasting in before:
            await self.write_json_async(other, document, durable=lasting)
        if not self._s3:
            return await self.run(self.create_json, name, data, durable=durable)
        try:
            await in_this_loop(
                self.fs, partial(s3.put, path=self.path(name), data=_json(data), exclusive=True)
            )
        except FileExistsError:
            return False
        return True

    async def create_both_async(
        self, name: str, data: dict[str, Any], other: str, beside: dict[str, Any]
    ) -> tuple[bool, bool]:
        """`create_json`, and where that wrote the file, another one in the same go. Returns which of them were written.

        Nothing that happens to the other one is raised, and a power failure may lose it. It is written on a local disk
        alone, where it costs next to nothing.
        """
        if not self.local:
            return await self.create_json_async(name, data), False
        after = self.path(other), _json(beside)
        made = await at_the_disk(local_files.create, self.path(name), _json(data), self.base, after=after)
        return made > 0, made > 1

    async def put_async(self, source: str | Path, name: str, *, new_folder: bool = True) -> None:
        """`put` from a coroutine."""
        if self.local:
            final = self.path(name)
            await at_the_disk(local_files.put, source, final, self.base, new_folder=new_folder)
        elif self._s3 and s3.is_small(source):
            await in_this_loop(self.fs, partial(s3.put_file, source=source, path=self.path(name)))
        else:
            await self.run(self.put, source, name, new_folder=new_folder)

    async def deliver_async(self, source: str | Path, name: str, beside: Sequence[Document] = ()) -> None:
        """Write JSON objects, then put a local file here, in this order.

        Nobody writes to that file any more, so a copy can be saved. Raises FileNotFoundError for a folder of a local disk
        that is gone.
        """
        if self.local:
            final, written = self.path(name), self._beside(beside)
            await when_the_disk_rests(local_files.deliver, str(source), final, self.base, written)
            return
        for path, data, durable in beside:
            await self.write_json_async(path, data, durable=durable, new_folder=False)
        await self.put_async(source, name, new_folder=False)

    def _beside(self, documents: Iterable[Document]) -> list[local_files.Beside]:
        return [(self.path(name), _json(data), durable) for name, data, durable in documents]

    def exists(self, name: str = "") -> bool:
        """Whether there is such a file or folder, as of now."""
        if self.local:
            return os.path.exists(self.path(name))
        return bool(self.fs.exists(self.path(name)))

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises FileNotFoundError."""
        if self.local:
            with open(self.path(name), "rb", buffering=0) as file:
                return file.read()
        return bytes(self.fs.cat_file(self.path(name), **(s3.ONE_READER if self._s3 else {})))

    def ask(self, name: str) -> None:
        """Look at a file, so that a storage that cannot be used says so; TimeoutError when it says nothing."""
        with contextlib.suppress(FileNotFoundError):
            if self.nonblocking:
                self.read(name)
            else:
                self.fs.cat_file(self.path(name), **patience(self.fs))

    def read_json(self, name: str) -> dict[str, Any] | None:
        """A JSON object, or None when there is no such file or it holds no object."""
        try:
            found = json.loads(self.read(name))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def names(self, folder: str = "") -> dict[str, int]:
        """Name -> size in bytes of the files right in a folder; empty when there is no such folder."""
        if self.local:
            try:
                items = list(os.scandir(self.path(folder)))
            except (FileNotFoundError, NotADirectoryError):
                return {}
            found = {}
            for item in items:
                with contextlib.suppress(FileNotFoundError):  # a draft of another writer, gone meanwhile
                    if item.is_file():
                        found[item.name] = item.stat().st_size
            return found
        try:
            listed = self._listed(folder)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {
            item["name"].rstrip("/").rsplit("/", 1)[-1]: item.get("size") or 0
            for item in listed
            if item["type"] == "file"
        }

    def _listed(self, folder: str, most: int | None = None) -> list[dict[str, Any]]:
        """What is right in a folder, as of now. Raises FileNotFoundError, where the storage knows folders."""
        if self._s3:
            return s3.listed(self.fs, self.path(folder), most)
        listed: list[dict[str, Any]] = self.fs.ls(self.path(folder), detail=True, refresh=True)
        return listed[:most]

    def versions(self, folder: str) -> dict[str, str]:
        """Name -> something that changes when the file does, of the files right in a folder."""
        if self.local:
            try:
                return {item.name: str(item.stat().st_mtime_ns) for item in os.scandir(self.path(folder))}
            except FileNotFoundError:
                return {}
        try:
            listed = self._listed(folder)
        except FileNotFoundError:
            return {}
        stamps = ("ETag", "etag", "LastModified", "created", "mtime", "size")
        return {
            item["name"].rsplit("/", 1)[-1]: str([item.get(stamp) for stamp in stamps]) for item in listed
        }

    def oldest_first(self, folder: str) -> list[str]:
        """The names of the files right in a folder, those that were written longest ago first.

        Where the storage does not say when that was, the order is that of the names.
        """
        if self.local:
            try:
                times = {item.name: item.stat().st_mtime_ns for item in os.scandir(self.path(folder))}
            except FileNotFoundError:
                return []
            return sorted(times, key=lambda name: (times[name], name))
        try:
            listed = self._listed(folder)
        except FileNotFoundError:
            return []
        written = {item["name"].rsplit("/", 1)[-1]: _written_at(item) for item in listed}
        return sorted(written, key=lambda name: (written[name], name))

    def find(self, folder: str) -> list[str]:
        """The paths, below a folder, of all files in it at any depth, by as few listings as possible."""
        base = self.path(folder).rstrip("/") + "/"
        return [path.removeprefix(base) for path in self.fs.find(base.rstrip("/")) if path.startswith(base)]

    def sizes(self, folder: str) -> dict[str, int]:
        """Path below a folder -> size in bytes of all files in it at any depth, as of now."""
        return {name: item.size for name, item in self.all_below(folder).items()}

    def all_below(self, folder: str) -> dict[str, Listed]:
        """Path below a folder -> what a listing says of all files in it at any depth, as of now."""
        base = self.path(folder).rstrip("/") + "/"
        if self.local:
            found = {}
            for place, _, names in os.walk(base):
                below = "" if place == base else os.path.relpath(place, base).replace(os.sep, "/") + "/"
                for name in names:
                    with contextlib.suppress(FileNotFoundError):  # a draft of another writer, gone meanwhile
                        found[below + name] = Listed(os.path.getsize(os.path.join(place, name)))
            return found
        find = s3.files_below if self._s3 else _found_below
        return {
            item["name"].removeprefix(base): Listed(
                item.get("size") or 0, str(item.get("ETag") or "").strip('"')
            )
            for item in find(self.fs, base)
            if item["name"].startswith(base)
        }

    def read_part(self, name: str, start: int, length: int) -> bytes:
        """Some bytes of a file, as many as there are. Raises FileNotFoundError."""
        if self.local:
            with open(self.path(name), "rb") as file:
                file.seek(start)
                return file.read(length)
        return bytes(self.fs.cat_file(self.path(name), start=start, end=start + length))

    def folders(self, folder: str = "", *, most: int | None = None) -> list[str]:
        """The names of the folders right in a folder, but of no more than the first `most` entries."""
        try:
            listed = self._listed(folder, most)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(
            item["name"].rstrip("/").rsplit("/", 1)[-1] for item in listed if item["type"] == "directory"
        )

    def write(self, name: str, data: bytes, *, durable: Durable = True, new_folder: bool = True) -> None:
        """Write a whole file, replacing what is there.

        Not `durable`: a power failure may lose it, which a local disk writes much faster. "bytes": it may find
        the old file, but never half of one. Without
        `new_folder` a folder that is gone is not made again on a local disk: FileNotFoundError.
        """
        if self.local:
            local_files.write(self.path(name), data, self.base, durable=durable, new_folder=new_folder)
        elif self._whole_puts:
            self.fs.pipe_file(self.path(name), data)
        else:
            with self._renamed(name) as draft_path:
                self.fs.pipe_file(draft_path, data)

    def write_json(
        self, name: str, data: dict[str, Any], *, durable: Durable = True, new_folder: bool = True
    ) -> None:
        """Write a JSON object, readable by people."""
        self.write(name, _json(data), durable=durable, new_folder=new_folder)

    def write_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """`write` for lines that would be large in memory together, which they only are for a storage elsewhere."""
        if self.local:
            local_files.write_lines(self.path(name), lines, self.base)
        else:
            self.write(name, b"".join(lines))

    def put(self, source: str | Path, name: str, *, new_folder: bool = True) -> None:
        """Copy a local file here, whole, replacing what is there."""
        if self.local:
            local_files.put(source, self.path(name), self.base, new_folder=new_folder)
        elif self._whole_puts:
            self.fs.put_file(str(source), self.path(name))
        else:
            with self._renamed(name) as draft_path:
                self.fs.put_file(str(source), draft_path)

    def copy(self, source: str, name: str) -> None:
        """Copy a file of this folder, whole, replacing what is there: a hard link or a copy on the server.

        The bytes go through this machine only where the storage cannot copy. Raises FileNotFoundError.
        """
        self._copy(source, name)

    def _copy(self, source: str, name: str, *, durable: bool = True) -> None:
        if self.local:
            local_files.copy(self.path(source), self.path(name), self.base, durable=durable)
        elif self._s3:
            fsspec.asyn.sync(self.fs.loop, s3.copy, self.fs, self.path(source), self.path(name))
        elif self._whole_puts:
            self.fs.cp_file(self.path(source), self.path(name))
        else:
            with self._renamed(name) as draft_path:
                self.fs.cp_file(self.path(source), draft_path)

    def copy_each(
        self, pairs: Iterable[tuple[str, str]], before_each: Callable[[], None] = lambda: None
    ) -> list[str]:
        """`copy` for many, some at the same time on a network. Returns the sources that are not there.

        `before_each` is called before each copy; what it raises ends this.
        """
        if self._s3:
            paths = [(self.path(source), self.path(name)) for source, name in pairs]
            gone = fsspec.asyn.sync(self.fs.loop, s3.copy_each, self.fs, paths, _COPIED_AT_ONCE, before_each)
            return [path.removeprefix(f"{self.base}/") for path in gone]

        folders: set[str] = set()

        def one(pair: tuple[str, str]) -> str:
            before_each()
            folders.add(pair[1].rpartition("/")[0])
            try:
                self._copy(*pair, durable=False)
            except FileNotFoundError:
                return pair[0]
            return ""

        if self.nonblocking:
            gone = list(filter(None, map(one, pairs)))
        else:
            with ThreadPoolExecutor(_COPIED_AT_ONCE) as copiers:
                gone = list(filter(None, copiers.map(one, pairs)))
        if self.local:
            for folder in folders:
                alone(disk.flush_entries(self.path(folder), self.base))
        return gone

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:
        """Write a file that must not be there yet; False when it is. Of many writers one gets True.

        Not `durable`: as in `write`.
        """
        if self.local:
            return local_files.create(self.path(name), data, self.base, durable=durable) > 0
        try:
            self.fs.pipe_file(self.path(name), data, mode="create")
        except FileExistsError:
            return False
        return True

    def create_json(self, name: str, data: dict[str, Any], *, durable: bool = True) -> bool:
        """`create` for a JSON object."""
        return self.create(name, _json(data), durable=durable)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens when there is none."""
        with contextlib.suppress(FileNotFoundError):
            if self.local:
                disk.remove(self.path(name))
            else:
                self.fs.rm_file(self.path(name))

    def sweep(self, folder: str) -> None:
        """Remove the drafts in a folder whose writers are certainly gone, or gave no word for days."""
        for draft in self.names(folder):
            if not is_draft(draft):
                continue
            path = f"{folder}/{draft}" if folder else draft
            with contextlib.suppress(OSError):
                gone = owner.is_token_gone(owner.token_in(draft))
                if gone or (gone is None and self._is_old(path)):
                    self.remove(path)

    def _is_old(self, name: str) -> bool:
        return self.local and time.time() - os.stat(self.path(name)).st_mtime > ABANDONED_SECONDS

    @contextlib.contextmanager
    def as_local(self, name: str) -> Iterator[Path]:
        """A local path with the bytes of a file: the file itself, or a copy that goes afterwards."""
        if self.local:
            if not os.path.exists(self.path(name)):
                raise FileNotFoundError(self.join(name))
            yield Path(self.path(name))
            return
        with temporary_folder() as folder:
            copy = folder / name.rsplit("/", 1)[-1]
            self.fs.get_file(self.path(name), str(copy))
            yield copy

    @contextlib.contextmanager
    def _renamed(self, name: str) -> Iterator[str]:
        final = self.path(name)
        folder, _, last = final.rpartition("/")
        draft = f"{folder}/{draft_name(last)}"
        self.fs.makedirs(folder, exist_ok=True)
        try:
            yield draft
            self.fs.mv(draft, final)
        except BaseException:
            with contextlib.suppress(OSError):
                self.fs.rm_file(draft)
            raise


def _found_below(fs: Any, folder: str) -> list[dict[str, Any]]:
    return list(fs.find(folder.rstrip("/"), detail=True).values())


def _json(data: dict[str, Any]) -> bytes:
    try:
        return to_json(data, indent=2) + b"\n"
    except PydanticSerializationError:
        # The name of a file that is no UTF-8, which Python writes as halves of pairs.
        return json.dumps(data, indent=2).encode() + b"\n"


def _written_at(item: dict[str, Any]) -> str:
    """When a file was written, as a listing says, in a form that sorts by time."""
    for name in ("LastModified", "last_modified", "updated", "mtime", "created"):
        written = item.get(name)
        if written:
            return written.isoformat() if isinstance(written, datetime) else str(written)
    return ""
