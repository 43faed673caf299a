"""What a local disk has to be told so that a file is whole, has its name once, and outlives a power cut.

A file that is flushed and has a name may still be lost: the name is an entry of its folder, and the folder
is flushed on its own. Without hard links, without flushable folders, on Windows: the nearest thing is done.
"""

import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storage.flushing import Unflushed, flush_file, flush_folder
from minimax_tasks.storage.steps import TAKES_LONG, Steps

_Result = TypeVar("_Result")

_IN_USE_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between the tries to replace a file that Windows says is in use: by a player, a scanner or a reader."""

_PIECE = 2**20
"""Bytes that are copied at once."""

_KEPT = 20_000
"""Folders whose own entries are remembered to be on disk."""

_on_disk: set[int] = set()


def write_new(path: str, data: bytes, *, durable: bool) -> Steps[None]:
    """Write a file that is not there yet; on disk, but for its name, if it is to be `durable`."""
    with open(path, "xb", buffering=0) as out:
        rest = memoryview(data)
        while rest:
            rest = rest[out.write(rest) :]
        if durable:
            yield [out.fileno()]


def copy_new(source: str | Path, path: str) -> Steps[None]:
    """Copy a file to one that is not there yet; on disk, but for its name."""
    yield TAKES_LONG
    with open(source, "rb") as read, open(path, "xb") as out:
        shutil.copyfileobj(read, out, _PIECE)
        out.flush()
        yield [out.fileno()]


def flush_path(path: str) -> Steps[None]:
    """Have a file on disk that somebody else wrote."""
    with open(path, "r+b", buffering=0) as file:
        yield [file.fileno()]


def make_folder(folder: str, base: str) -> None:
    """Make a folder below `base` and what is missing above it; a new `base` is on disk at once.

    Raises `ConfigurationError` for a name that cannot be written here.
    """
    if os.path.isdir(folder):
        return
    _check_letters(folder)
    if not os.path.isdir(base):
        missing = _missing(base)
        os.makedirs(base, exist_ok=True)
        if os.name != "nt":
            for one in missing:
                flush_folder(os.path.dirname(one))
    missing = _missing(folder)
    os.makedirs(folder, exist_ok=True)
    # A new folder often gets the number of one that was removed, whose name was on disk.
    _on_disk.difference_update(_mark(one) for one in missing)


def _check_letters(path: str) -> None:
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"names of files are written in {error.encoding} here, which lacks letters of {path!r}; "
            "set PYTHONUTF8=1, or a locale with UTF-8 such as LC_ALL=C.UTF-8"
        ) from None


def _missing(folder: str) -> list[str]:
    """A folder and those above it, as far as they are not there."""
    found = []
    while not os.path.exists(folder) and folder != os.path.dirname(folder):
        found.append(folder)
        folder = os.path.dirname(folder)
    return found


def flush_entries(folder: str, base: str) -> Steps[None]:
    """Have the names in a folder on disk, and its own, up to that of `base`.

    The names above are flushed once by a process: the process that made those folders may have died before.
    """
    if os.name == "nt":
        return  # NTFS keeps its own journal of names, and has no call for it
    unflushed: list[Unflushed] = [folder]
    marks = []
    above_all = os.path.dirname(base)
    while folder != above_all and folder != os.path.dirname(folder):
        mark = _mark(folder)
        if mark in _on_disk:
            break
        folder = os.path.dirname(folder)
        unflushed.append(folder)
        marks.append(mark)
    yield unflushed
    if len(_on_disk) >= _KEPT:
        _on_disk.clear()
    _on_disk.update(filter(None, marks))


def _mark(folder: str) -> int:
    """What a folder is known by. 0 when it cannot be seen."""
    try:
        found = os.stat(folder)
    except OSError:
        return 0
    return hash((folder, found.st_dev, found.st_ino))


def replace(draft: str, final: str) -> None:
    """Give a whole file its name, in place of what has it."""
    _when_not_in_use(lambda: os.replace(draft, final), final)


def remove(path: str) -> None:
    """Remove a file. Raises FileNotFoundError."""
    _when_not_in_use(lambda: os.unlink(path), path)


def _when_not_in_use(work: Callable[[], _Result], path: str) -> _Result:
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
                    path,
                ) from error
        time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _may_be_in_use(path: str) -> bool:
    """Whether a refusal may be about the file: its folder may be written to, and it is no folder itself."""
    try:
        return os.access(os.path.dirname(path), os.W_OK) and stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def link(draft: str, final: str) -> None:
    """Give a whole file its name unless the name is taken (FileExistsError)."""
    if try_link(draft, final):
        return
    if os.name == "nt":
        os.rename(draft, final)  # refuses a name that is taken, there
        return
    # Still exclusive; the bytes come a moment later.
    with open(final, "xb") as out:
        try:
            with open(draft, "rb") as written:
                out.write(written.read())
            out.flush()
            flush_file(out.fileno())
        except OSError:
            os.unlink(final)
            raise


def try_link(source: str, final: str) -> bool:
    """Make a hard link; False where there are none. Raises FileExistsError and FileNotFoundError."""
    try:
        os.link(source, final)
    except (FileExistsError, FileNotFoundError):
        raise
    # Android and WASI have no such function, and file systems refuse in many ways.
    except (OSError, NotImplementedError, AttributeError):
        return False
    return True
