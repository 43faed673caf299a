"""Files on their way into memory while others are read.

FFmpeg gives the lock of Python away and takes it back for each packet, so several threads that read packets take more
time together than one. A disk may be slow or far away all the same.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

_AHEAD = 4
"""Number of files that are brought in before they are read."""


def fetched(paths: Sequence[str]) -> Iterator[str]:
    """The paths, while the system brings in the next files, where one can ask it to."""
    for path in paths[1:_AHEAD]:
        _fetch(path)
    for number, path in enumerate(paths):
        for later in paths[number + _AHEAD : number + _AHEAD + 1]:
            _fetch(later)
        yield path


def _fetch(path: str) -> None:
    """Ask for a file, and do not wait for it. Whoever reads it says what is wrong with it."""
    if not hasattr(os, "posix_fadvise"):
        return
    with suppress(OSError), open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
