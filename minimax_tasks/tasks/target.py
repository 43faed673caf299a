"""A Luigi target on any fsspec storage."""

import contextlib
import io
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import luigi.format
import luigi.target
from luigi.format import FileWrapper, Format

from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import new_temporary_folder
from minimax_tasks.tasks.file_system import FsspecFileSystem, place_of


class FsspecTarget(luigi.target.FileSystemTarget):
    """A file on any fsspec storage; when it exists it is whole.

    It is used like `luigi.LocalTarget`: `open` gives a file, as itself or for `with`, `fs` moves and copies, and
    `format` is one of `luigi.format`, UTF-8 text when left out.

    >>> with FsspecTarget("s3://bucket/out.txt").open("w") as out:
    ...     out.write("published when the file is closed, and not at all when the block fails")
    """

    fs = FsspecFileSystem()

    def __init__(self, path: Any, format: Format | None = None) -> None:
        super().__init__(path)
        self.format = format

    @property
    def _place(self) -> tuple[Storage, str]:
        return place_of(self.path)

    def __repr__(self) -> str:
        return f"FsspecTarget({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FsspecTarget) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __fspath__(self) -> str:
        """The path; of a file on a storage its URL, which pandas and others read."""
        storage, name = self._place
        return storage.path(name) if storage.local else self.path

    def exists(self) -> bool:
        """Whether the file is there. Stars and brackets in its name are letters."""
        return self.fs.exists(self.path)

    def remove(self) -> None:
        """Remove the file; nothing happens when there is none."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.remove(self.path)

    def open(self, mode: str = "r") -> IO[Any]:
        """A file to read ("r") or to write ("w"), as the target's `format` says.

        Without a format it is text in UTF-8, and bytes with "rb" and "wb". What is written is published when
        the file is closed, and not at all when its `with` block fails. Raises ValueError for other modes.
        """
        way = mode.replace("b", "").replace("t", "")
        if way not in ("r", "w") or ("b" in mode and "t" in mode):
            raise ValueError(f"mode = {mode!r}: allowed: r, w, rb, wb, rt, wt; files are written whole")
        form = self.format or (luigi.format.Nop if "b" in mode else luigi.format.UTF8)
        storage, name = self._place
        opened: IO[Any]
        if way == "w":
            opened = form.pipe_writer(_Draft(storage, name))
        else:
            opened = form.pipe_reader(FileWrapper(_reader(storage, name)))
        if isinstance(opened, io.TextIOWrapper):
            # Luigi's shows the mode of the bytes below it, and pandas before 3.1 goes by that.
            opened.mode = way  # type: ignore[misc]
        return opened

    def makedirs(self) -> None:
        """Make the folder that the file is in."""
        storage, _ = self._place
        self.fs.mkdir(storage.url)

    def move(self, new_path: Any, raise_if_exists: bool = False) -> None:
        """Move the file to another path or URL, on any storage."""
        self.fs.move(self.path, new_path, raise_if_exists)

    def copy(self, new_path: Any, raise_if_exists: bool = False) -> None:
        """Copy the file to another path or URL, on any storage."""
        self.fs.copy(self.path, new_path, raise_if_exists)

    @contextlib.contextmanager
    def temporary_path(self) -> Iterator[str]:
        """A path next to the target to write to, on its storage; when the block ends well, it becomes the target.

        Raises luigi.target.FileAlreadyExists for a target that is there already.
        """
        number, ending = random.randrange(10_000_000_000), self._trailing_slash()
        draft = f"{self.path.rstrip('/')}-luigi-tmp-{number:010}{ending}"
        self.makedirs()
        try:
            yield draft
        except BaseException:
            with contextlib.suppress(OSError):
                self.fs.remove(draft)
            raise
        self.fs.rename_dont_move(draft, self.path)

    @contextlib.contextmanager
    def as_local(self) -> Iterator[Path]:
        """A local path with the bytes of the file: itself, or a copy that goes afterwards."""
        storage, name = self._place
        with storage.as_local(name) as path:
            yield path


class _Draft(io.BufferedWriter):
    """A file on this machine that is published when it is closed, and at no other end."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage, self._name = storage, name
        self._folder = new_temporary_folder()
        self._path = self._folder / "draft"
        super().__init__(io.FileIO(self._path, "w"))

    @property
    def tmp_path(self) -> str:
        """Where the bytes are until then, as Luigi's own targets name it."""
        return str(self._path)

    def close(self) -> None:
        """Publish what was written. Raises what the storage raises; then nothing is published."""
        if self.closed:
            return
        try:
            super().close()
            self._storage.put(self._path, self._name)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self.close()
        else:
            self._discard()

    def __del__(self) -> None:
        self._discard()

    def _discard(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):
                super().close()
            shutil.rmtree(self._folder, ignore_errors=True)


def _reader(storage: Storage, name: str) -> IO[bytes]:
    where = storage.path(name)
    if storage.local:
        return open(where, "rb")
    if storage.in_memory:
        return io.BytesIO(storage.read(name))  # fsspec gives all readers one and the same file
    return io.BufferedReader(storage.fs.open(where, "rb"))
