"""Having files and folders on disk: each for itself, or all of a file system at once.

A flush of one file has a journal written, and the next file waits for the next one. Where a hundred of them wait, the
file system is told once to write all that it has.
"""

import contextlib
import ctypes
import errno
import functools
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

Unflushed = int | str
"""What has to be on disk: a file as a descriptor that is open for writing, or a folder as its path."""

FLUSHES_AT_ONCE = 4
"""Threads that wait for the disk: the file system writes for several of them at once."""

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

_AT_ONCE = frozenset({"ext4", "xfs"})
"""File systems whose `syncfs` does for all files what `fsync` does for one, the drive's own memory included. Others
may not: FUSE passes it on to few of its servers (Linux, `fs/ext4/super.c`, `fs/xfs/xfs_super.c`, `fs/fuse/inode.c`).
"""

_TELLS_ERRORS = (5, 8)
"""The version of Linux whose `syncfs` says when something could not be written (syncfs(2), "Bugs")."""

_SLOW, _REST = 1.0, 60.0
"""Seconds in which everything should be written, and for which nothing is flushed together when it took longer: then
somebody else is writing a lot to the same file system.
"""


def flush_each(things: Iterable[Unflushed]) -> None:
    """Have files and folders on disk, one after the other."""
    for thing in things:
        if isinstance(thing, int):
            flush_file(thing)
        else:
            flush_folder(thing)


def flush_file(descriptor: int) -> None:
    """Have everything that was written to a file on disk. It has to be open for writing: Windows asks so."""
    if sys.platform == "darwin":  # there fsync leaves the bytes in the drive's own memory
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def flush_folder(folder: str) -> None:
    """Have the names in a folder on disk, where that can be done."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError as error:
        if error.errno in _NO_FOLDER_FLUSH:
            return
        raise
    try:
        flush_file(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FLUSH:
            raise
    finally:
        os.close(descriptor)


class FileSystems:
    """The file systems that one process flushes as wholes."""

    def __init__(self) -> None:
        self._syncfs = _syncfs()
        self._descriptors: dict[int, int] = {}
        """By device; -1 where it cannot be done. Kept open: an error is told to each that was open when it happened."""
        self._alone_until = 0.0

    def can_flush(self, thing: Unflushed) -> bool:
        """Whether this is on a file system that can be flushed as a whole, and that is quick about it."""
        if self._syncfs is None or time.monotonic() < self._alone_until:
            return False
        try:
            return self._descriptor(thing) >= 0
        except OSError:
            return False

    def flush(self, things: list[Unflushed]) -> None:
        """Have things on disk for which `can_flush` was true."""
        if self._syncfs is None or len(things) == 1:
            flush_each(things)
            return
        began = time.monotonic()
        for descriptor in {self._descriptor(thing) for thing in things}:
            self._syncfs(descriptor)
        now = time.monotonic()
        if now - began > _SLOW:
            self._alone_until = now + _REST

    def _descriptor(self, thing: Unflushed) -> int:
        device = os.stat(thing).st_dev
        found = self._descriptors.get(device)
        if found is None:
            found = -1
            if _type_of(device) in _AT_ONCE:
                found = os.dup(thing) if isinstance(thing, int) else os.open(thing, os.O_RDONLY)
            self._descriptors[device] = found
        return found


def _syncfs() -> Callable[[int], None] | None:
    """The system's call of this name; None where it is missing, or keeps errors to itself."""
    version = re.match(r"(\d+)\.(\d+)", os.uname().release) if sys.platform == "linux" else None
    if version is None or tuple(map(int, version.groups())) < _TELLS_ERRORS:
        return None
    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None

    def syncfs(descriptor: int) -> None:
        if call(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return syncfs


@functools.cache
def _type_of(device: int) -> str:
    """The kind of file system that a device number belongs to, "" when the system does not say."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        mount, _, system = line.partition(" - ")
        if mount.split()[2] == wanted:
            return system.split()[0]
    return ""
