"""A file system that this machine does not have, below one folder: it folds case, has no hard links, flushes only
what is open for writing, opens no folders, and neither replaces nor removes a file that is open. So do Windows'
and much of what is mounted elsewhere. Simulated: the real one below it is this machine's.
"""

import builtins
import errno
import fcntl
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
                    same = [item.name for item in listed if item.name.casefold() == part.casefold()]
            except OSError:
                same = []
            found = os.path.join(found, same[0] if same else part)
        return found

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
        if inside(path) and os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return int(real["open"](folded(path), flags, *rest, **options))

    real_file = io.open

    def file(path: Any, *rest: Any, **options: Any) -> Any:
        return real_file(folded(path), *rest, **options)

    def fsync(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real["fsync"](number)

    def moved(name: str) -> Callable[..., None]:
        def move(source: Any, target: Any, **options: Any) -> None:
            refuse_open(source)
            refuse_open(target)
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

    for name in ("stat", "lstat", "mkdir", "scandir", "access"):
        patch.setattr(os, name, one(name))
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


def _below_a_descriptor(options: dict[str, Any]) -> bool:
    """Whether a path is one of an open folder, as `shutil.rmtree` gives them; the current folder is not meant."""
    return options.get("dir_fd") is not None
