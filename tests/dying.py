"""Dying, or being overtaken, at any chosen file operation below a folder, or on any chosen storage call."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "shutil.copyfile")


class Killed(BaseException):
    """What ends a process here. It does nothing more: what it still tries is refused as well."""


class Operations:
    """Counts the changes below a folder and calls `on_each` with their number, from 1, before each."""

    def __init__(self, folder: str, on_each: Callable[[int], None]) -> None:
        self.folder, self.on_each = folder, on_each
        self.count = 0

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & _WRITING:
                return
            paths: tuple[Any, ...] = (path,)
        elif event in _CHANGES:
            paths = arguments[:2]
        else:
            return
        if any(str(path).startswith(self.folder) for path in paths if isinstance(path, str | os.PathLike)):
            self.tell()

    def tell(self) -> None:
        self.count += 1
        self.on_each(self.count)


_watching: list[Operations] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for operations in list(_watching):
        operations.see(event, arguments)


sys.addaudithook(_hook)


def killed_at(number: int) -> Callable[[int], None]:
    def die(count: int) -> None:
        if count >= number:
            raise Killed

    return die


@contextlib.contextmanager
def operations_below(
    folder: object, on_each: Callable[[int], None] = lambda count: None
) -> Iterator[Operations]:
    """Watch every change of files on this machine below a folder."""
    operations = Operations(str(folder), on_each)
    _watching.append(operations)
    try:
        yield operations
    finally:
        _watching.remove(operations)


@contextlib.contextmanager
def operations_in_memory(
    monkeypatch: pytest.MonkeyPatch, on_each: Callable[[int], None] = lambda count: None
) -> Iterator[Operations]:
    """Watch every change of fsspec's memory, which publishes whole objects as an object storage does."""
    operations = Operations("", on_each)

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            operations.tell()
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        for name in ("pipe_file", "put_file", "cp_file", "rm_file"):
            patched.setattr(MemoryFileSystem, name, wrapped(getattr(MemoryFileSystem, name)))
        yield operations
