"""A table as clips to make: every picture judged, every clip known by its key, all mistakes at once."""

import contextlib
import functools
import hashlib
import itertools
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.clips.judging import judge_clips, try_each
from minimax_tasks.clips.layout import CLIPS
from minimax_tasks.clips.pictures import Reading, Seen, Sent, has_bytes, known_clip, look_at, prepare_picture
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.spellings import is_begun
from minimax_tasks.dataset.files import files_of, version_of_table
from minimax_tasks.dataset.names import table_name
from minimax_tasks.dataset.picture_values import PictureValues, keep_pictures
from minimax_tasks.dataset.reading import check_encoding
from minimax_tasks.dataset.splits import SPLITS, Splits, splits_of
from minimax_tasks.dataset.table import PICTURES, Row, Table, read_table
from minimax_tasks.errors import MiniMaxCatalogWarning, PictureError, TableError, UnreadableReference
from minimax_tasks.problems import MOST_PLACES, Problems
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.versions import Versions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row and the clip that it asks for. Rows that ask for the same share the key."""

    row: Row
    clip: ClipRequest
    key: str
    split: str = ""
    """The part of the dataset that it belongs to; "" when the table names none."""


@dataclass(frozen=True)
class DatasetPlan:
    """All rows of a table as clips; `digest` is made from everything that the dataset will hold."""

    table: str
    name: str
    rows: tuple[PlannedRow, ...]
    digest: str
    versions: Versions | None = field(default=None, compare=False)
    """Of the files that it was made from."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """What is doubtful about it, each kind once with the rows that have it."""
    values: frozenset[str] = field(default=frozenset(), compare=False)
    """Where pictures that stand in the table will be, which were not kept yet when it was planned."""

    @cached_property
    def clips(self) -> dict[str, ClipRequest]:
        """Key -> clip, each clip once, in the order of the rows, and as the first of them asks for it."""
        found: dict[str, ClipRequest] = {}
        for planned in self.rows:
            found.setdefault(planned.key, planned.clip)
        return found

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The splits that rows belong to, as `datasets` orders them; none when the table names none."""
        found = {planned.split for planned in self.rows}
        return tuple(name for name in SPLITS if name in found)

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


def make_plan(table: str, root: Storage, *, encoding: str = "") -> DatasetPlan:
    """Read a table and judge all that it asks for. Raises `TableError` with every bad row at once."""
    if encoding:
        check_encoding(encoding)
    with _asked(table):
        files = files_of(table, root)  # with their versions: what changes while it is read has another
    values = PictureValues(root)
    read = read_table(table, files.files, encoding, values)
    asks_much = any(row.request.pictures() or row.request.mode is Mode.TEMPLATE for row in read.rows)
    begun = frozenset(root.folders(CLIPS)) if asks_much else None
    problems = read.mistakes(read.problems)
    splits = splits_of(read.rows)
    problems.extend(splits.problems)
    references = {reference for row in read.rows for reference in _own_pictures(row)}
    pictures = try_each(_look_at, references - values.seen.keys()) | values.seen
    name = table_name(table)
    planned = _with_keys(name, read, splits, root, pictures, begun, problems)
    judged = judge_clips(root, ((number, one.clip) for number, one in enumerate(planned)), begun or ())
    problems.extend(planned[number].row.problem(wrong) for number, wrong in judged.problems)
    if problems:
        raise TableError(problems.lines())
    doubts = [*read.warnings, *splits.warnings, *_doubts(read)]
    for reason in doubts:
        warnings.warn(f"{table}: {reason}", MiniMaxCatalogWarning, stacklevel=2)
    notes = [
        f"{_places([planned[number].row for number in numbers])}: {reason}"
        for reason, numbers in judged.doubts.items()
    ]
    for note in notes:
        warnings.warn(f"{table}, {note}", UserWarning, stacklevel=2)
    seen = {
        reference: found.version
        for reference, found in pictures.items()
        if isinstance(found, Reading) and reference not in values.seen
    }
    versions = Versions(table, files.version, seen, functools.partial(version_of_table, root=root))
    told = (*doubts, *notes, *_doubts_of_requests(read))
    return DatasetPlan(table, name, tuple(planned), _digest(planned), versions, told, frozenset(values.seen))


def keep_pictures_of(plan: DatasetPlan, root: Storage) -> None:
    """Keep under the root the pictures that stand in the table itself, where every process finds them."""
    if plan.values:
        keep_pictures(root, files_of(plan.table, root).files, PICTURES, plan.values)


@contextlib.contextmanager
def _asked(table: str) -> Iterator[None]:
    """Say of what is not allowed as a table that it is this one."""
    try:
        yield
    except UnreadableReference as error:
        raise TableError([f"{shown(table)}: {error}"]) from None


def _digest(planned: list[PlannedRow]) -> str:
    digest = hashlib.sha256()
    for one in planned:
        content = [one.row.number, one.key, one.row.given, one.row.carried]
        content += [one.row.file] if one.row.file else []
        content += [{"split": one.split}] if one.split else []
        digest.update(json.dumps(content, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()[:32]


def _with_keys(
    name: str,
    table: Table,
    splits: Splits,
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
    for row, split in zip(table.rows, splits.of_rows or itertools.repeat(""), strict=False):
        try:
            clip = known_clip(root, row.request, row.take, written=row.written, look=look, begun=begun)
        except PictureError as error:
            problems.extend([row.problem(error)])
        else:
            key = clip.key
            if row.wrong and not is_begun(root, key):
                problems.extend(row.problem(f"prompt: {text}") for text in row.wrong)
            clip = replace(clip, purpose=f"{name}, row {row.number}")
            planned.append(PlannedRow(row, clip, key, split))
    return planned


def _doubts(table: Table) -> list[str]:
    """What is doubtful about camera commands, each kind once with the rows that have it."""
    rows: dict[str, list[Row]] = {}
    for row in table.rows:
        for text in (*row.wrong, *row.doubts):
            rows.setdefault(text, []).append(row)
    return [
        f"{having[0].place}{f' and {len(having) - 1} more' if having[1:] else ''}: prompt: {text}"
        for text, having in rows.items()
    ]


def _doubts_of_requests(table: Table) -> list[str]:
    """What the requests have warned of when they were made, each kind once with the rows that have it."""
    rows: dict[str, list[Row]] = {}
    for row in table.rows:
        for text in row.request.warnings:
            rows.setdefault(text, []).append(row)
    return [f"{_places(having)}: {text}" for text, having in rows.items()]


def _places(rows: list[Row]) -> str:
    """The first few of many rows: `line 2, 3 and 7 more`."""
    first = [row.place for row in rows[:MOST_PLACES]]
    if len({row.file for row in rows}) == 1:
        first[1:] = [str(row.number) for row in rows[1:MOST_PLACES]]
    more = len(rows) - MOST_PLACES
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def _own_pictures(row: Row) -> list[str]:
    return [reference for reference in row.request.pictures().values() if has_bytes(reference)]


def _look_at(reference: str) -> Reading:
    read = look_at(reference, "picture")
    return replace(read, data=None)  # a table may have more pictures than the memory holds


def _prepare(picture: tuple[str, Seen, bool]) -> Sent:
    reference, seen, fit = picture
    return prepare_picture(reference, seen, field="picture", fit=fit)
