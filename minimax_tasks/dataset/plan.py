"""A table as clips to make: every picture judged, every clip known by its key, all mistakes at once."""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.clips.judging import judge_clips, try_each
from minimax_tasks.clips.layout import CLIPS
from minimax_tasks.clips.pictures import Reading, Seen, Sent, has_bytes, known_clip, look_at, prepare_picture
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.spellings import is_begun
from minimax_tasks.dataset.reading import read_bytes
from minimax_tasks.dataset.table import Row, Table, parse_table
from minimax_tasks.errors import MiniMaxCatalogWarning, PictureError, TableError
from minimax_tasks.problems import Problem, Problems
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import version_of
from minimax_tasks.storage.versions import Versions

log = logging.getLogger(__name__)

MOST_NUMBERS = 10
"""Rows that a warning names; it counts the others."""


@dataclass(frozen=True)
class PlannedRow:
    """A row and the clip that it asks for. Rows that ask for the same share the key."""

    row: Row
    clip: ClipRequest
    key: str


@dataclass(frozen=True)
class DatasetPlan:
    """All rows of a table as clips; `digest` is made from everything that the dataset will hold."""

    table: str
    name: str
    rows: tuple[PlannedRow, ...]
    digest: str
    versions: Versions | None = field(default=None, compare=False)
    """Of the files that it was made from."""

    @cached_property
    def clips(self) -> dict[str, ClipRequest]:
        """Key -> clip, each clip once, in the order of the rows."""
        return {planned.key: planned.clip for planned in self.rows}

    def shards(self, size: int) -> list["Shard"]:
        """The clips in shards of about equal size, at most `size` each."""
        keys = list(self.clips)
        of = -(-len(keys) // size)
        cuts = [number * len(keys) // of for number in range(of + 1)]
        return [Shard(number, of, tuple(keys[cuts[number] : cuts[number + 1]])) for number in range(of)]


@dataclass(frozen=True)
class Shard:
    """Some clips of a plan: the `number`-th part (from 0) of `of`."""

    number: int
    of: int
    keys: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """32 hex digits made from the keys."""
        return hashlib.sha256("\n".join(self.keys).encode()).hexdigest()[:32]


def make_plan(table: str, root: Storage) -> DatasetPlan:
    """Read a table and judge all that it asks for. Raises `TableError` with every bad row at once."""
    version = version_of(table)  # told before it is read: what changes meanwhile has another
    read = parse_table(table, read_bytes(table))
    asks_much = any(row.request.pictures() or row.request.mode is Mode.TEMPLATE for row in read.rows)
    begun = frozenset(root.folders(CLIPS)) if asks_much else None
    problems = read.mistakes(read.problems)
    pictures = try_each(_look_at, {reference for row in read.rows for reference in _own_pictures(row)})
    planned = _with_keys(read, root, pictures, begun, problems)
    judged = judge_clips(root, [(one.row.number, one.clip) for one in planned], begun or ())
    problems.extend(Problem(number, text) for number, text in judged.problems)
    if problems:
        raise TableError(problems.lines())
    for reason in (*read.warnings, *_doubts(read)):
        warnings.warn(f"{table}: {reason}", MiniMaxCatalogWarning, stacklevel=2)
    for reason, numbers in judged.doubts.items():
        warnings.warn(f"{table}, {read.unit} {_some(numbers)}: {reason}", UserWarning, stacklevel=2)
    seen = {reference: found.version for reference, found in pictures.items() if isinstance(found, Reading)}
    versions = Versions(table, version, seen)
    return DatasetPlan(table, read.name, tuple(planned), _digest(planned), versions)


def _digest(planned: list[PlannedRow]) -> str:
    told = hashlib.sha256()
    for one in planned:
        content = [one.row.number, one.key, one.row.given, one.row.carried]
        told.update(json.dumps(content, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return told.hexdigest()[:32]


def _with_keys(
    table: Table,
    root: Storage,
    pictures: Mapping[str, Reading | PictureError],
    begun: frozenset[str] | None,
    problems: Problems,
) -> list[PlannedRow]:
    """The rows that can be asked for, each with its clip."""
    changed = {
        (reference, read.seen, row.request.fit)
        for row in table.rows
        for reference in _own_pictures(row)
        if isinstance(read := pictures[reference], Reading)
        and not read.seen.is_sent_whole(fit=row.request.fit)
    }
    try_each(_prepare, changed)  # several at a time; it is remembered

    def look(reference: str, field: str) -> Seen:
        found = pictures[reference]
        if isinstance(found, PictureError):
            raise PictureError(field, found.value, found.allowed, found.why)
        return found.seen

    planned = []
    for row in table.rows:
        try:
            clip = known_clip(root, row.request, row.take, written=row.written, look=look, begun=begun)
        except PictureError as error:
            problems.add(row.number, str(error))
        else:
            if row.wrong and not is_begun(root, clip.key):
                problems.extend(Problem(row.number, f"prompt: {text}") for text in row.wrong)
            planned.append(PlannedRow(row, clip, clip.key))
    return planned


def _doubts(table: Table) -> list[str]:
    """What is doubtful about camera commands, each kind once with the rows that have it."""
    rows: dict[str, list[int]] = {}
    for row in table.rows:
        for text in (*row.wrong, *row.doubts):
            rows.setdefault(text, []).append(row.number)
    return [
        f"{table.unit} {numbers[0]}{f' and {len(numbers) - 1} more' if numbers[1:] else ''}: prompt: {text}"
        for text, numbers in rows.items()
    ]


def _some(numbers: list[int]) -> str:
    """The first few of many numbers."""
    first = ", ".join(map(str, numbers[:MOST_NUMBERS]))
    return f"{first} and {len(numbers) - MOST_NUMBERS} more" if len(numbers) > MOST_NUMBERS else first


def _own_pictures(row: Row) -> list[str]:
    return [reference for reference in row.request.pictures().values() if has_bytes(reference)]


def _look_at(reference: str) -> Reading:
    read = look_at(reference, "picture")
    return replace(read, data=None)  # a table may have more pictures than the memory holds


def _prepare(picture: tuple[str, Seen, bool]) -> Sent:
    reference, seen, fit = picture
    return prepare_picture(reference, seen, field="picture", fit=fit)
