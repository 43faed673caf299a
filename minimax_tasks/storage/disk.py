"""What a local disk has to be told so that a file is whole, has its name once, and outlives a power cut.

A file that is flushed and has a name may still be lost: the name is an entry of its folder, and the folder
is flushed on its own. Without hard links, without flushable folders, on Windows: the nearest thing is done.
"""

import contextlib
import errno
import itertools
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

_Result = TypeVar("_Result")

_NO_FOLDER_FLUSH = frozenset(
    {
        errno.EINVAL,
        errno.EBADF,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOSYS,
    }
)
"""How file systems and other users' folders say that a folder cannot be flushed. Nothing more can be done then."""

_IN_USE_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between the tries to replace a file that Windows says is in use: by a player, a scanner or a reader."""

_KEPT = 20_000
"""Folders whose own entries are remembered to be on disk."""

_on_disk: set[int] = set()


def flush(file: IO[bytes]) -> None:
    """Have everything that was written to an open file on disk. It has to be open for writing: Windows asks so."""
    file.flush()
    _flush_descriptor(file.fileno())


def flush_path(path: str | Path) -> None:
    """`flush` for a file that somebody else wrote."""
    with open(path, "r+b") as file:
        flush(file)


def _flush_descriptor(descriptor: int) -> None:
    if sys.platform == "darwin":  # there fsync leaves the bytes in the drive's own memory
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def make_folder(folder: Path, base: Path) -> None:
    """Make a folder below `base` and what is missing above it; a new `base` is on disk at once."""
    if os.path.isdir(folder):
        return
    if not base.is_dir():
        missing = _missing(base)
        base.mkdir(parents=True, exist_ok=True)
        if os.name != "nt":
            for one in missing:
                _flush_folder(one.parent)
    missing = _missing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # A new folder often gets the number of one that was removed, whose name was on disk.
    _on_disk.difference_update(_mark(one) for one in missing)


def _missing(folder: Path) -> list[Path]:
    """A folder and those above it, as far as they are not there."""
    return list(itertools.takewhile(lambda one: not one.exists(), (folder, *folder.parents)))


def flush_entries(folder: Path, base: Path) -> None:
    """Have the names in a folder on disk, and its own, up to that of `base`.

    The names above are flushed once by a process: the process that made those folders may have died before.
    """
    if os.name == "nt":
        return  # NTFS keeps its own journal of names, and has no call for it
    _flush_folder(folder)
    while folder != base.parent and folder != folder.parent:
        mark = _mark(folder)
        if mark in _on_disk:
            return
        _flush_folder(folder.parent)
        if len(_on_disk) >= _KEPT:
            _on_disk.clear()
        if mark:
            _on_disk.add(mark)
        folder = folder.parent


def _mark(folder: Path) -> int:
    """What a folder is known by. 0 when it cannot be seen."""
    try:
        found = folder.stat()
    except OSError:
        return 0
    return hash((str(folder), found.st_dev, found.st_ino))


def _flush_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError as error:
        if error.errno in _NO_FOLDER_FLUSH:
            return
        raise
    try:
        _flush_descriptor(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FLUSH:
            raise
    finally:
        os.close(descriptor)


def replace(draft: Path, final: Path) -> None:
    """Give a whole file its name, in place of what has it."""
    _when_not_in_use(lambda: os.replace(draft, final), final)


def remove(path: Path) -> None:
    """Remove a file. Raises FileNotFoundError."""
    _when_not_in_use(lambda: os.unlink(path), path)


def _when_not_in_use(work: Callable[[], _Result], path: Path) -> _Result:
    for pause in (*_IN_USE_PAUSES, 0.0):
        try:
            return work()
        except PermissionError as error:
            if not _may_be_in_use(path):
                raise
            if not pause:
                raise PermissionError(
                    error.errno,
                    "it is open in another program; close that and run again, nothing is lost",
                    str(path),
                ) from error
        time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _may_be_in_use(path: Path) -> bool:
    """Whether a refusal may be about the file: its folder may be written to, and it is no folder itself."""
    try:
        return os.access(path.parent, os.W_OK) and stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def link(draft: Path, final: Path) -> None:
    """Give a whole file its name unless the name is taken (FileExistsError)."""
    if try_link(draft, final):
        return
    if os.name == "nt":
        os.rename(draft, final)  # refuses a name that is taken, there
        return
    # Still exclusive; the bytes come a moment later.
    with open(final, "xb") as out:
        try:
            out.write(draft.read_bytes())
            flush(out)
        except OSError:
            final.unlink()
            raise


def try_link(source: str | Path, final: Path) -> bool:
    """Make a hard link; False where there are none. Raises FileExistsError and FileNotFoundError."""
    try:
        os.link(source, final)
    except (FileExistsError, FileNotFoundError):
        raise
    # Android and WASI have no such function, and file systems refuse in many ways.
    except (OSError, NotImplementedError, AttributeError):
        return False
    return True
