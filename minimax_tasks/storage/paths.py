"""Where a path ends: one rule for local paths of any system and for URLs."""

import os
import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::|://)")
"""A protocol has two letters or more: one letter and a colon is a drive."""

_DRIVE = re.compile(r"[A-Za-z]:")


def is_windows_path(path: str) -> bool:
    r"""Whether a path can only be one of Windows: `C:\film`, `C:/film`, `\\server\share`."""
    return bool(_DRIVE.match(path)) or path.startswith("\\\\")


def is_top(path: str) -> bool:
    """Whether nothing is above a path, so that the separator at its end belongs to it: `/`, `C:/`, `memory://`."""
    return not path.rstrip("/\\") or bool(_DRIVE.fullmatch(path.rstrip("/\\")) or _URL.fullmatch(path))


def split_path(path: str) -> tuple[str, str]:
    r"""The folder of a path or URL, and the last name in it.

    >>> split_path("s3://bucket/films/out.txt"), split_path("out.txt"), split_path("/out.txt")
    (('s3://bucket/films', 'out.txt'), ('.', 'out.txt'), ('/', 'out.txt'))
    >>> split_path(r"C:\film\out.txt"), split_path("C:/out.txt"), split_path("C:out.txt")
    (('C:\\film', 'out.txt'), ('C:/', 'out.txt'), ('C:.', 'out.txt'))
    """
    separators = "/" if _URL.match(path) or not (os.name == "nt" or is_windows_path(path)) else "/\\"
    at = max(path.rfind(separator) for separator in separators) + 1
    folder, name = path[:at], path[at:]
    if not folder and separators != "/" and _DRIVE.match(name):
        folder, name = name[:2] + ".", name[2:]
    if not folder:
        return ".", name
    return (folder if is_top(folder) else folder.rstrip(separators)), name
