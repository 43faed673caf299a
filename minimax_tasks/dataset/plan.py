"""A table as clips to make: every picture judged, every clip known by its key, all mistakes at once."""

import functools
import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from minimax_tasks.api.errors import MiniMaxCatalogWarning, PictureError, TableError
from minimax_tasks.clips.pictures import digest_picture, has_bytes, known_clip, read_picture
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.spellings import as_paid, is_begun
from minimax_tasks.dataset.reading import read_bytes
from minimax_tasks.dataset.table import Problem, Row, Table, parse_table
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage

log = logging.getLogger(__name__)

READERS = 8
"""Pictures that are read at the same time."""


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
    read = parse_table(table, read_bytes(table))
    planned, problems = _with_keys(read, root)
    problems += _judge_new(planned, root)
    if read.problems or problems:
        raise TableError(read.lines([*read.problems, *problems]))
    for reason in (*read.warnings, *_doubts(read)):
        warnings.warn(f"{table}: {reason}", MiniMaxCatalogWarning, stacklevel=2)
    return DatasetPlan(table, read.name, tuple(planned), _digest(planned))


def _digest(planned: list[PlannedRow]) -> str:
    told = hashlib.sha256()
    for one in planned:
        content = [one.row.number, one.key, one.row.given, one.row.carried]
        told.update(json.dumps(content, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return told.hexdigest()[:32]


def _with_keys(table: Table, root: Storage) -> tuple[list[PlannedRow], list[Problem]]:
    digests = _try_each(_digest_of, {reference for row in table.rows for reference in _own_pictures(row)})
    planned, problems = [], []
    for row in table.rows:
        try:
            clip = _clip(row, digests, root)
        except PictureError as error:
            problems.append(Problem(row.number, str(error)))
        else:
            if row.wrong and not is_begun(root, clip.key):
                problems += [Problem(row.number, f"prompt: {text}") for text in row.wrong]
            planned.append(PlannedRow(row, clip, clip.key))
    return planned, problems


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


def _clip(row: Row, digests: dict[str, "str | PictureError"], root: Storage) -> ClipRequest:
    """The clip of a row; one that was submitted while its pictures were there is still known."""
    pictures = {name: ref for name, ref in row.request.pictures().items() if has_bytes(ref)}
    found = {name: digests[reference] for name, reference in pictures.items()}
    readable = {name: digest for name, digest in found.items() if isinstance(digest, str)}
    if len(readable) < len(found):
        return known_clip(root, row.request, row.take, written=row.written)
    return as_paid(root, ClipRequest(row.request, readable, row.take), row.written)


def _own_pictures(row: Row) -> list[str]:
    return [reference for reference in row.request.pictures().values() if has_bytes(reference)]


def _judge_new(planned: list[PlannedRow], root: Storage) -> list[Problem]:
    """What is wrong with the pictures of clips that were never begun: those of the others were judged."""
    if not any(one.clip.digests for one in planned):
        return []
    begun = set(root.folders("clips"))
    new = [one for one in planned if one.clip.digests and one.key not in begun]
    pictures = {(ref, digest, one.row.request.fit) for one in new for ref, digest in _references(one)}
    verdicts = _try_each(_judge, pictures)
    problems = []
    for one in new:
        for name, digest in one.clip.digests.items():
            reference = one.clip.request.pictures()[name]
            error = verdicts[reference, digest, one.row.request.fit]
            if isinstance(error, PictureError):
                own = PictureError(name, error.value, error.allowed, error.why)
                problems.append(Problem(one.row.number, str(own)))
    return problems


def _references(planned: PlannedRow) -> list[tuple[str, str]]:
    pictures = planned.clip.request.pictures()
    return [(pictures[name], digest) for name, digest in planned.clip.digests.items()]


def _digest_of(reference: str) -> str:
    return digest_picture(reference, field="picture")


@functools.lru_cache(maxsize=65536)
def _judge_version(reference: str, digest: str, fit: bool) -> bool:
    from minimax_tasks.api.pictures import judge_picture

    judge_picture(read_picture(reference, field="picture"), field="picture", name=shown(reference), fit=fit)
    return True


def _judge(picture: tuple[str, str, bool]) -> bool:
    return _judge_version(*picture)


def _try_each(look: Callable[[Any], Any], items: Iterable[Any]) -> dict[Any, Any]:
    """What a look at each item gives, or the `PictureError` that it raises; several at a time."""

    def attempt(item: Any) -> Any:
        try:
            return look(item)
        except PictureError as error:
            return error

    ordered = list(items)
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(ordered, readers.map(attempt, ordered), strict=True))
