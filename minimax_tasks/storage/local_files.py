"""Whole files on a local disk: a writer that dies leaves nothing under the final name.

Every function takes paths and bytes alone, so that another process can do it (`disk_process`). `base` is the folder of
the root: its own name, and those of the folders below it, are on disk with the file.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from minimax_tasks.storage import disk
from minimax_tasks.storage.drafts import draft_name
from minimax_tasks.storage.steps import InSteps, Steps

Durable = bool | Literal["bytes"]
"""What a power failure leaves of a write that was done: see `write`."""

Beside = tuple[str, bytes, Durable]
"""A small file that is written with another one in one go: its path, its content, how durable it is."""


@InSteps
def write(
    final: str, data: bytes, base: str, *, durable: Durable = True, new_folder: bool = True
) -> Steps[None]:
    """Write a whole file, replacing what is there.

    Not `durable`: a power failure may lose it, which is much faster. "bytes": it may find the old file, but never half
    of one. Without `new_folder` a folder that is gone is not made again: FileNotFoundError.
    """
    with _draft(final, base, new_folder=new_folder) as draft:
        yield from disk.write_new(draft.path, data, durable=bool(durable))
        draft.replace(final)
    if durable is True:
        yield from disk.flush_entries(os.path.dirname(final), base)


_writing = write.steps  # as a part of other work


@InSteps
def write_lines(final: str, lines: Iterable[bytes], base: str) -> Steps[None]:
    """`write` for a file that would be large in memory."""
    with _draft(final, base) as draft:
        with open(draft.path, "xb") as out:
            out.writelines(lines)
            out.flush()
            yield [out.fileno()]
        draft.replace(final)
    yield from disk.flush_entries(os.path.dirname(final), base)


@InSteps
def put(source: str | Path, final: str, base: str, *, new_folder: bool = True) -> Steps[None]:
    """Copy another local file here, whole, replacing what is there."""
    with _draft(final, base, new_folder=new_folder) as draft:
        yield from disk.copy_new(source, draft.path)
        draft.replace(final)
    yield from disk.flush_entries(os.path.dirname(final), base)


@InSteps
def deliver(source: str, final: str, base: str, beside: Sequence[Beside] = ()) -> Steps[None]:
    """Write files `beside` it, then put another local file here.

    Nobody writes to the source any more, so that on the same file system it is that file itself. A folder that is gone is
    not made again: FileNotFoundError.
    """
    for path, data, durable in beside:
        yield from _writing(path, data, base, durable=durable, new_folder=False)
    with _draft(final, base, new_folder=False) as draft:
        if disk.try_link(source, draft.path):
            yield from disk.flush_path(draft.path)
        else:
            yield from disk.copy_new(source, draft.path)
        draft.replace(final)
    yield from disk.flush_entries(os.path.dirname(final), base)


@InSteps
def copy(source: str, final: str, base: str, *, durable: bool = True) -> Steps[None]:
    """Have a file under another name too, by a hard link where there are some. Raises FileNotFoundError.

    Not `durable`: a power failure may lose the new name until its folder is flushed.
    """
    if not _link_new(source, final, base):
        with _draft(final, base) as draft:
            if not disk.try_link(source, draft.path):
                yield from disk.copy_new(source, draft.path)
            draft.replace(final)
        with contextlib.suppress(OSError):
            os.unlink(draft.path)  # a rename between two names of one file leaves both
    if durable:
        yield from disk.flush_entries(os.path.dirname(final), base)


def _link_new(source: str, final: str, base: str) -> bool:
    """Give a file a name that is free. False when it is not, and where there are no links."""
    disk.make_folder(os.path.dirname(final), base)
    try:
        return disk.try_link(source, final)
    except FileExistsError:
        return False


@InSteps
def create(
    final: str,
    data: bytes,
    base: str,
    *,
    durable: bool = True,
    before: Sequence[Beside] = (),
    after: tuple[str, bytes] | None = None,
) -> Steps[int]:
    """Write a file that must not be there yet; 0 when it is. Of many writers one gets more.

    `before`: files that are written first, whatever is there. `after`: a file that must not be there yet either, created
    once this one is on disk. 2 when that was made as well, and 1 when it was not, whatever the reason: nothing that
    happens to it undoes or hides what was done. A power failure may lose it.
    """
    for path, other, lasting in before:
        yield from _writing(path, other, base, durable=lasting)
    if not (yield from _creating(final, data, base, durable=durable)):
        return 0
    if after is not None:
        with contextlib.suppress(OSError):
            return 1 + (yield from _creating(*after, base, durable=False))
    return 1


def _creating(final: str, data: bytes, base: str, *, durable: bool) -> Steps[bool]:
    try:
        with _draft(final, base) as draft:
            yield from disk.write_new(draft.path, data, durable=durable)
            disk.link(draft.path, final)
    except FileExistsError:
        return False
    if durable:
        yield from disk.flush_entries(os.path.dirname(final), base)
    return True


class _Draft:
    """A file that has another name until it is whole."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_gone = False

    def replace(self, final: str) -> None:
        """Give it its name, in place of what has it."""
        disk.replace(self.path, final)
        self.is_gone = True


@contextlib.contextmanager
def _draft(final: str, base: str, *, new_folder: bool = True) -> Iterator[_Draft]:
    """A draft of a file; one that does not become the file is removed."""
    folder, last = os.path.split(final)
    if new_folder:
        disk.make_folder(folder, base)
    draft = _Draft(os.path.join(folder, draft_name(last)))
    try:
        yield draft
    finally:
        if not draft.is_gone:
            with contextlib.suppress(OSError):
                os.unlink(draft.path)
