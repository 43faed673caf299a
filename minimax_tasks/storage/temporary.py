"""Temporary folders that do not outlive their process for long: the next one clears up after who was killed."""

import contextlib
import functools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storage import owner

_PREFIX = "minimax-"
_OURS = re.compile(rf"{_PREFIX}(film-|sandbox-)?(?P<token>[0-9a-f]+-\d+-[0-9a-f]+-)?[a-z0-9_]{{8}}")
"""Also the names of earlier versions, which tell no process. A sandbox that is kept has 16 letters at the end."""

ABANDONED_SECONDS = 2 * 86_400.0
"""Age at which a temporary file is nobody's any more, when it cannot be known whether its process lives."""


def temporary_place() -> str:
    """Where temporary files are made. Raises `ConfigurationError` when there is no such place."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        raise ConfigurationError(
            "there is no writable folder for temporary files; set TMPDIR to one"
        ) from None


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder on this machine, for this user alone; it is gone when the block ends."""
    folder = new_temporary_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_temporary_folder() -> Path:
    """A new folder of `temporary_folder` that the caller removes."""
    _sweep_once(temporary_place())
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{owner.me().token}-"))


@functools.cache
def _sweep_once(parent: str) -> None:
    sweep(parent)


def sweep(parent: str) -> None:
    """Remove the folders of processes that are certainly gone, and those that nobody touched for days."""
    with contextlib.suppress(OSError), os.scandir(parent) as found:
        for item in found:
            name = _OURS.fullmatch(item.name)
            with contextlib.suppress(OSError):
                if name and item.is_dir(follow_symlinks=False) and _is_abandoned(item, name["token"] or ""):
                    shutil.rmtree(item.path, ignore_errors=True)


def _is_abandoned(item: os.DirEntry[str], token: str) -> bool:
    facts = item.stat(follow_symlinks=False)
    if hasattr(os, "getuid") and facts.st_uid != os.getuid():
        return False
    gone = owner.is_token_gone(token.removesuffix("-"))
    return gone if gone is not None else time.time() - facts.st_mtime > ABANDONED_SECONDS
