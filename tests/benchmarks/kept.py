"""Where runs leave their files until the last one is over."""

import functools
import tempfile
from pathlib import Path


def new_folder() -> Path:
    """A folder that stays until this process ends.

    ext4 makes new files slowly for minutes after thousands were removed, since it does not use their inodes again so soon and
    looks at each of them: a run that removed its files would make the next one take three times the CPU for each.
    """
    return Path(tempfile.mkdtemp(dir=_all().name))


@functools.cache
def _all() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()
