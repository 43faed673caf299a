"""The files of a table: one, all that are in a folder, or all that match a pattern, with the columns of their places.

`s3://lake/date=*/prompts.parquet` is one table of many files. What stands in the names of folders as `date=2026-11-01`
is a column of the rows below, as Hive, Spark and pyarrow have it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from minimax_tasks.clips.belonging import place_of
from minimax_tasks.clips.layout import OWN_FOLDERS
from minimax_tasks.dataset.reading import ENDINGS, ending_of
from minimax_tasks.errors import TableError, UnreadableReference
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import Entry, entry, files_below, is_pattern, is_web, matches

MOST_FILES = 10_000
"""Files of one table."""

_MOST_LISTED = 100_000
"""Files of a folder that are looked at, to see which of them are tables."""

_COLUMN = re.compile(r"(?P<name>[^=/]+)=(?P<value>[^/]*)")
_NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""What stands for a cell without a value in the name of a folder."""


@dataclass(frozen=True)
class TableFile:
    """A file of a table: where it is, its name below the table ("" for the only one), the columns of its place."""

    path: str
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableFiles:
    """The files of a table in the order of their names, and a text that changes when one comes, goes or changes."""

    files: tuple[TableFile, ...]
    version: str | None


def files_of(table: str, root: Storage | None = None) -> TableFiles:
    """The files that a path, a URL or a pattern names. Nothing is read. Raises `TableError` when there is none.

    What lies under the `root` is no part of a table, where that root is in the table's folder.
    """
    if is_web(table):
        return TableFiles((TableFile(table),), None)
    found = entry(table)
    if found is not None and not found.is_folder:
        return TableFiles((TableFile(table),), found.version)
    if found is None and not is_pattern(table):
        return TableFiles((TableFile(table),), None)  # reading says what is wrong with it
    try:
        named = _below(table.rstrip("/")) if found else _matching(table)
    except UnreadableReference as error:
        raise TableError([f"{shown(table)}: {error}"]) from None
    made = _made_here(table, root) if root is not None else ()
    tables = {
        name: one
        for name, one in sorted(named.items())
        if _is_table(name) and not (made and place_of(one[0]).startswith(made))
    }
    if not tables:
        endings = f".{', .'.join(ENDINGS)}"
        why = f"this is a folder, and no file in it ends in {endings}" if found else "no file matches this"
        if named and not found:
            why = f"no file that matches this ends in {endings}"
        raise TableError([f"{shown(table)}: {why}"])
    if len(tables) > MOST_FILES:
        raise TableError([f"{shown(table)}: these are {len(tables):,} files; at most {MOST_FILES:,}"])
    files = tuple(TableFile(path, name, columns_of(name)) for name, (path, _) in tables.items())
    return TableFiles(files, "\n".join(f"{name} {one.version}" for name, (_, one) in tables.items()))


def version_of_table(table: str, root: Storage | None = None) -> str | None:
    """A text that changes when a file of a table comes, goes or changes; None when that cannot be told."""
    try:
        return files_of(table, root).version
    except TableError:
        return None


def columns_of(path: str) -> dict[str, str]:
    """The columns that stand in the names of folders of a path: {"date": "2026-11-01"}; the file's name has none."""
    folders = path.rpartition("/")[0].split("/")
    found = [each for folder in folders if (each := _COLUMN.fullmatch(folder)) and not is_pattern(folder)]
    values = {unquote(each["name"]): unquote(each["value"]) for each in found}
    return {name: "" if value == _NOTHING else value for name, value in values.items()}


def _made_here(table: str, root: Storage) -> tuple[str, ...]:
    """What the places of files begin with that we made ourselves."""
    begins = table
    if is_pattern(table):
        begins = re.split(r"[*?\[]", table, maxsplit=1)[0].rpartition("/")[0] or "."
    begins, place = place_of(begins).rstrip("/"), place_of(root.url).rstrip("/")
    if place == begins:
        return tuple(f"{place}/{folder}/" for folder in OWN_FOLDERS)
    return (f"{place}/",) if place.startswith(f"{begins}/") else ()


def _below(folder: str) -> dict[str, tuple[str, Entry]]:
    """Name below a folder -> path and entry of each file in it."""
    return {name: (f"{folder}/{name}", one) for name, one in files_below(folder, _MOST_LISTED).items()}


def _matching(pattern: str) -> dict[str, tuple[str, Entry]]:
    """The same of each file that a pattern names, and of all files in a folder that it names."""
    found: dict[str, tuple[str, Entry]] = {}
    for name, (path, one) in matches(pattern).items():
        if one.is_folder:
            found |= {f"{name}/{below}": told for below, told in _below(path).items()}
        else:
            found[name] = (path, one)
    return found


def _is_table(name: str) -> bool:
    """Whether a file is part of a table: not the notes that Spark and others leave beside it (`_SUCCESS`, `.crc`)."""
    return bool(ending_of(name)) and not any(part.startswith(("_", ".")) for part in name.split("/"))
