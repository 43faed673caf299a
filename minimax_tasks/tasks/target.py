"""A Luigi target on any fsspec storage."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import luigi

from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.paths import split_path
from minimax_tasks.storage.temporary import temporary_folder


class FsspecTarget(luigi.Target):
    """A file on any fsspec storage; when it exists it is whole.

    >>> with FsspecTarget("s3://bucket/out.txt").open("w") as out:
    ...     out.write("published when the block ends well, and not at all otherwise")
    """

    def __init__(self, path: str) -> None:
        self.path = str(path)
        self._folder, self._name = split_path(self.path)

    @property
    def _storage(self) -> Storage:
        return Storage(self._folder)

    def __repr__(self) -> str:
        return f"FsspecTarget({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FsspecTarget) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def exists(self) -> bool:
        """Whether the file is there."""
        return self._storage.exists(self._name)

    def remove(self) -> None:
        """Remove the file; nothing happens when there is none."""
        self._storage.remove(self._name)

    @contextlib.contextmanager
    def open(self, mode: str = "r") -> Iterator[IO[Any]]:
        """Open for reading ("r", "rb") or writing ("w", "wb"). Raises ValueError for other modes."""
        if mode in ("r", "rb"):
            with self._storage.fs.open(self._storage.path(self._name), "rb") as raw:
                yield raw if mode == "rb" else io.TextIOWrapper(raw, encoding="utf-8")
        elif mode in ("w", "wb"):
            with (
                self.temporary_path() as draft,
                draft.open(mode, encoding=None if "b" in mode else "utf-8") as out,
            ):
                yield out
        else:
            raise ValueError(f"mode = {mode!r}: allowed: r, rb, w, wb")

    @contextlib.contextmanager
    def temporary_path(self) -> Iterator[Path]:
        """A local path to write to; what is there is published when the block ends well."""
        with temporary_folder() as folder:
            draft = folder / self._name
            yield draft
            self._storage.put(draft, self._name)

    @contextlib.contextmanager
    def as_local(self) -> Iterator[Path]:
        """A local path with the bytes of the file: itself, or a copy that goes afterwards."""
        with self._storage.as_local(self._name) as path:
            yield path
