"""A file system that this machine does not have, below one folder: it folds case, takes names apart into letters and
marks, refuses names of devices, signs and lengths that some system refuses, has no hard links, flushes only what is
open for writing, opens no folders, and neither replaces nor removes a file that is open. So do Windows', macOS's and
much of what is mounted elsewhere. Simulated: the real one below it is this machine's.
"""

import builtins
import errno
import fcntl
import io
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_REFUSED = re.compile(
    r"""[<>:"\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)""",
    re.IGNORECASE,
)
"""What Windows takes for no name of a file."""

_LONGEST = 143
"""Bytes of a name where names are encrypted (eCryptfs, Synology)."""

DISKS = ("of this machine", "odd")
"""What a test of kills is tried on."""


def choose(patch: pytest.MonkeyPatch, base: Path, disk: str) -> None:
    """Simulate an odd disk below `base` when one of `DISKS` says so."""
    if disk == "odd":
        simulate(patch, base)


def simulate(patch: pytest.MonkeyPatch, base: Path, links: str = "refused") -> None:
    """Make everything below `base` such a file system. `links`: how it says that it has none."""
    top = os.path.realpath(base)
    real: dict[str, Callable[..., Any]] = {
        name: getattr(os, name)
        for name in (
            "open",
            "stat",
            "lstat",
            "replace",
            "rename",
            "unlink",
            "mkdir",
            "scandir",
            "access",
            "fsync",
        )
    }

    def inside(path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return (os.path.abspath(os.fsdecode(path)) + os.sep).startswith(top + os.sep)

    def folded(path: Any) -> Any:
        """The path with the letters that are on disk already."""
        if not inside(path):
            return path
        found = top
        for part in Path(os.path.abspath(os.fsdecode(path))).relative_to(top).parts:
            try:
                with real["scandir"](found) as listed:
                    same = [item.name for item in listed if _folded(item.name) == _folded(part)]
            except OSError:
                same = []
            found = os.path.join(found, same[0] if same else unicodedata.normalize("NFD", part))
        return found

    def refuse_name(path: Any) -> None:
        if not inside(path):
            return
        for part in Path(os.path.abspath(os.fsdecode(path))).relative_to(top).parts:
            if _REFUSED.search(part):
                raise OSError(
                    errno.EINVAL, "The filename, directory name, or volume label syntax is incorrect", path
                )
            if len(unicodedata.normalize("NFD", part).encode()) > _LONGEST:
                raise OSError(errno.ENAMETOOLONG, "File name too long", path)

    def is_open(path: str) -> bool:
        for number in os.listdir("/proc/self/fd"):
            try:
                if os.readlink(f"/proc/self/fd/{number}") == path:
                    return True
            except OSError:
                continue
        return False

    def refuse_open(path: Any) -> None:
        if inside(path) and is_open(folded(path)):
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))

    def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if _below_a_descriptor(options):
            return int(real["open"](path, flags, *rest, **options))
        if flags & os.O_CREAT:
            refuse_name(path)
        if inside(path) and os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return int(real["open"](folded(path), flags, *rest, **options))

    real_file = io.open

    def file(path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if not mode.startswith("r"):
            refuse_name(path)
        return real_file(folded(path), mode, *rest, **options)

    def fsync(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real["fsync"](number)

    def moved(name: str) -> Callable[..., None]:
        def move(source: Any, target: Any, **options: Any) -> None:
            refuse_open(source)
            refuse_open(target)
            refuse_name(target)
            real[name](folded(source), folded(target), **options)

        return move

    def removed(path: Any, **options: Any) -> None:
        if not _below_a_descriptor(options):
            refuse_open(path)
            path = folded(path)
        real["unlink"](path, **options)

    def one(name: str) -> Callable[..., Any]:
        return lambda path=".", *rest, **options: real[name](
            path if _below_a_descriptor(options) else folded(path), *rest, **options
        )

    def mkdir(path: Any, *rest: Any, **options: Any) -> None:
        refuse_name(path)
        one("mkdir")(path, *rest, **options)

    def scandir(path: Any = ".") -> Any:
        if not inside(path):
            return real["scandir"](path)
        return _Listed(path, real["scandir"](folded(path)))

    for name in ("stat", "lstat", "access"):
        patch.setattr(os, name, one(name))
    patch.setattr(os, "mkdir", mkdir)
    patch.setattr(os, "scandir", scandir)
    for name in ("replace", "rename"):
        patch.setattr(os, name, moved(name))
    for name in ("unlink", "remove"):
        patch.setattr(os, name, removed)
    patch.setattr(os, "open", opened)
    patch.setattr(os, "fsync", fsync)
    patch.setattr(builtins, "open", file)
    patch.setattr(io, "open", file)
    if links == "missing":
        patch.delattr(os, "link")
        return
    refusals = {
        "refused": PermissionError(errno.EPERM, "Operation not permitted"),
        "unknown": NotImplementedError("os.link"),
        "unsupported": OSError(errno.ENOTSUP, "Operation not supported"),
    }

    def link(*arguments: Any, **options: Any) -> None:
        raise refusals[links]

    patch.setattr(os, "link", link)


class _Entry:
    """What stands in a folder, below the path that the folder was asked for by."""

    def __init__(self, folder: Any, entry: Any) -> None:
        self._entry = entry
        self.path = os.path.join(folder, entry.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    def __fspath__(self) -> str:
        return self.path


class _Listed:
    """What `os.scandir` gives."""

    def __init__(self, folder: Any, entries: Any) -> None:
        self._folder, self._entries = folder, entries

    def __iter__(self) -> "_Listed":
        return self

    def __next__(self) -> _Entry:
        return _Entry(self._folder, next(self._entries))

    def __enter__(self) -> "_Listed":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries.close()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _below_a_descriptor(options: dict[str, Any]) -> bool:
    """Whether a path is one of an open folder, as `shutil.rmtree` gives them; the current folder is not meant."""
    return options.get("dir_fd") is not None
