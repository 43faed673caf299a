"""Who owns a folder: a film belongs to the board, a dataset to the table, that made it first.

The first run writes `OWNER` by exclusive create, before anything is paid, so of two boards with one title
one learns that the folder is taken. A board that was moved is known again: it stands where it stood as seen
from the root, or the file that the folder names is gone and this one asks for the same clips.
"""

import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from minimax_tasks.clips.layout import OWNER
from minimax_tasks.redaction import plain, shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import is_pattern, is_web


@dataclass(frozen=True)
class Source:
    """A board or a table that asks for a folder.

    `name` is what it wants the folder to be called where that is part of what it is, else "". `manifest` is
    the file in the folder that said whose it is before `OWNER` did, and `field` where.
    `is_made_there` looks whether the folder holds something that this source asks for, or nothing at all; it
    is asked only when the file that the folder names is gone.
    """

    path: str
    manifest: str
    field: str
    is_made_there: Callable[[], bool]
    name: str = ""
    has_tars: bool = False
    """Whether it also fills a second folder, which loaders want without a file like `OWNER`."""

    @property
    def place(self) -> str:
        """The path or URL, the same however it was written."""
        return place_of(self.path)


def other_owner(root: Storage, folder: str, source: Source) -> str:
    """The board or table that a folder belongs to, "" when that is the source itself or nobody yet."""
    owner = root.read_json(f"{folder}/{OWNER}") or {}
    if not owner.get("source"):
        owner = {"source": str((root.read_json(f"{folder}/{source.manifest}") or {}).get(source.field, ""))}
    named = str(owner["source"])
    if not named:
        return ""
    shown = place_of(named) if "://" in named else named
    if owner.get("name", source.name) != source.name:
        return f"{shown} by the name {owner['name']!r}"
    if _is_same(root, owner, source) or (_is_gone(named) and source.is_made_there()):
        return ""
    return shown


def take(root: Storage, folder: str, source: Source) -> str:
    """Make a folder the source's own; returns the other owner when it has one, else ""."""
    name = f"{folder}/{OWNER}"
    before = root.read_json(name) or {}
    record = {
        "source": source.place,
        "name": source.name,
        "root": place_of(root.url),
        "source_from_root": _from_root(root, source),
        "has_tars": source.has_tars or before.get("has_tars") is True,
    }
    other = other_owner(root, folder, source)
    if other or before == record:
        return other
    if root.create_json(name, record):
        return other_owner(root, folder, source)
    if not (other := other_owner(root, folder, source)):
        root.write_json(name, record)
    return other


def place_of(path: str) -> str:
    """A path or URL in one spelling: absolute, links followed, without what may be a secret."""
    if "://" not in path:
        return os.path.realpath(path)
    parts = urlsplit(path)
    if parts.scheme in ("file", "local"):
        return os.path.realpath(path.partition("://")[2])
    if parts.scheme not in ("http", "https"):  # a key of a storage may have any letter in it, `?` and `#` too
        top, _, below = path.partition("://")[2].partition("/")
        where = posixpath.normpath(f"/{below.strip('/')}") if below.strip("/") else ""
        return f"{parts.scheme.lower()}://{shown(top.rpartition('@')[2])}{plain(where)}"
    where = posixpath.normpath("/" + parts.path.strip("/")) if parts.path.strip("/") else ""
    return shown(urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2], where, "", "")))


def _is_same(root: Storage, owner: dict[str, Any], source: Source) -> bool:
    named = str(owner["source"])
    if "://" not in named and not os.path.isabs(named):  # as manifests were once written
        ending = re.sub(r"^(\.\./)+", "", os.path.normpath(named).replace(os.sep, "/"))
        return source.place.replace(os.sep, "/").endswith(f"/{ending}")
    if source.place == place_of(named) or _is_one_file(named, source.place):
        return True
    from_root = _from_root(root, source)
    moved_together = bool(from_root) and from_root == owner.get("source_from_root")
    return moved_together and owner.get("root") != place_of(root.url)


def _is_one_file(one: str, other: str) -> bool:
    """Whether two spellings are one file: on a file system that folds case, or by a hard link."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _is_gone(place: str) -> bool:
    """Whether there certainly is no such file any more. A web server that does not show it proves nothing, nor does
    a pattern that no file matches today.
    """
    if "://" not in place:
        return not (os.path.exists(place) or is_pattern(place))
    folder, _, name = place.rpartition("/")
    if is_web(place) or is_pattern(place):
        return False
    try:
        return not Storage(folder).exists(name)
    except Exception:  # the file systems of fsspec have no exception in common
        return False


def _from_root(root: Storage, source: Source) -> str:
    """Where the source is as seen from the root; "" when they are not on one disk."""
    if not root.local or "://" in source.place:
        return ""
    try:
        return os.path.relpath(source.place, os.path.realpath(root.path())).replace(os.sep, "/")
    except ValueError:  # two drives of Windows
        return ""
