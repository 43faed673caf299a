"""What a fresh interpreter of ours needs from this one, to import the same and to know no key."""

import os
import sys

_WANTED = (
    "PATH",
    "SYSTEMROOT",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "PYTHONUTF8",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TMPDIR",
    "TEMP",
)


def plain_environment() -> dict[str, str]:
    """What an interpreter needs to start, without settings and keys."""
    return {name: os.environ[name] for name in _WANTED if name in os.environ}


def import_paths() -> list[str]:
    """`sys.path`, without the entry that means the current folder, whichever that is by then."""
    return [path or os.getcwd() for path in sys.path]
