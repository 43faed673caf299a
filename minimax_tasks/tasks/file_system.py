"""Luigi's file system over fsspec: any path or URL, local or on a storage."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luigi.target import FileAlreadyExists, FileSystem, MissingParentDirectory, NotADirectory

from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.paths import split_path


class FsspecFileSystem(FileSystem):
    """What `FsspecTarget.fs` is: it takes whole paths and URLs, of whatever storage."""

    def exists(self, path: Any) -> bool:
        """Whether there is such a file or folder, as of now."""
        return Storage(str(path)).exists()

    def isdir(self, path: Any) -> bool:
        """Whether there is such a folder."""
        there = Storage(str(path))
        return bool(there.fs.isdir(there.base))

    def listdir(self, path: Any) -> Iterator[str]:
        """The whole paths of all files in a folder, at any depth."""
        there = Storage(str(path))
        yield from (there.join(name) for name in sorted(there.sizes("")))

    def mkdir(self, path: Any, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Make a folder; on a storage where folders are names and no more, nothing happens.

        Raises luigi.target.FileAlreadyExists, MissingParentDirectory and NotADirectory.
        """
        there = Storage(str(path))
        if there.exists():
            if raise_if_exists:
                raise FileAlreadyExists(f"{path} exists")
            if not self.isdir(path):
                raise NotADirectory(f"{path} is a file")
            return
        if not there.local and not there.in_memory and there.has_exclusive_create:
            return  # fsspec would make a bucket
        if not parents and not self.exists(split_path(there.url)[0]):
            raise MissingParentDirectory(f"the folder of {path} does not exist")
        there.fs.makedirs(there.base, exist_ok=True)

    def remove(self, path: Any, recursive: bool = True, skip_trash: bool = True) -> None:
        """Remove a file, or a folder with what is in it. Raises FileNotFoundError."""
        there, folder = Storage(str(path)), self.isdir(path)
        if not folder and not there.exists():
            raise FileNotFoundError(there.url)
        if folder and not recursive:
            raise IsADirectoryError(f"{path} is a folder")
        if there.local:
            there.fs.rm(there.base, recursive=folder)
            return
        # Not `rm`, to which stars and brackets in a name are a pattern.
        for file in there.fs.find(there.base) if folder else [there.base]:
            there.fs.rm_file(file)
        if folder and there.in_memory:
            for below in (*sorted(there.fs.find(there.base, withdirs=True), reverse=True), there.base):
                with contextlib.suppress(FileNotFoundError):  # what is no more than the beginning of names
                    there.fs.rmdir(below)

    def copy(self, path: Any, dest: Any, raise_if_exists: bool = False) -> None:
        """Copy a file or a folder, from any storage to any; a file is there whole or not at all.

        Raises luigi.target.FileAlreadyExists.
        """
        self._refuse_existing(dest, raise_if_exists)
        if self.isdir(path):
            for name in Storage(str(path)).sizes(""):
                self.copy(f"{str(path).rstrip('/')}/{name}", f"{str(dest).rstrip('/')}/{name}")
            return
        (source, name), (target, new_name) = place_of(path), place_of(dest)
        if source.fs == target.fs and not source.local:
            target.fs.cp_file(source.path(name), target.path(new_name))
            return
        with source.as_local(name) as file:
            target.put(file, new_name)

    def move(self, path: Any, dest: Any, raise_if_exists: bool = False) -> None:
        """Move a file or a folder, from any storage to any. Raises luigi.target.FileAlreadyExists."""
        self._refuse_existing(dest, raise_if_exists)
        (source, name), (target, new_name) = place_of(path), place_of(dest)
        if source.local and target.local:
            new_path = Path(target.path(new_name))
            new_path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # two disks: copied, then removed
                os.replace(source.path(name), new_path)
                return
            shutil.move(source.path(name), new_path)
            return
        self.copy(path, dest)
        self.remove(path)

    def rename_dont_move(self, path: Any, dest: Any) -> None:
        """Move to a name that is not taken, never into a folder. Raises luigi.target.FileAlreadyExists."""
        self.move(path, dest, raise_if_exists=True)

    def _refuse_existing(self, path: Any, refuse: bool) -> None:
        if refuse and self.exists(path):
            raise FileAlreadyExists(f"{path} exists")


def place_of(path: Any) -> tuple[Storage, str]:
    """The folder of a file on its storage, and the file's name in it."""
    folder, name = split_path(str(path).rstrip("/"))
    return Storage(folder), name
