"""What the rows of a table ask for: request fields by column name, and columns that are carried along."""

import base64
import itertools
import json
import logging
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.catalog.synonyms import synonym
from minimax_tasks.api.requests import REQUESTS, AnyRequest, TemplateRequest, mode_of
from minimax_tasks.api.suggest import suggest
from minimax_tasks.clips.request import ClipRequest, FrameOf
from minimax_tasks.dataset.files import TableFile
from minimax_tasks.dataset.picture_values import PictureValue, PictureValues, picture_value
from minimax_tasks.dataset.reading import MOST_ROWS, TABLE_LIMIT, FileRows, counted_by, open_rows, rows_of
from minimax_tasks.dataset.records import Record, is_empty
from minimax_tasks.errors import InvalidRequest, TableError
from minimax_tasks.problems import Problem, Problems
from minimax_tasks.prompts.bracket_commands import check_prompt, normalise_brackets, spellings_before
from minimax_tasks.redaction import quoted, shortened, shown
from minimax_tasks.storage.references import folder_of, next_to

log = logging.getLogger(__name__)

_FIELDS = {name: field for kind in REQUESTS.values() for name, field in kind.model_fields.items()}
"""Every field of every request."""

PICTURES = tuple(dict.fromkeys(name for kind in REQUESTS.values() for name in kind.picture_fields))
"""Columns that hold pictures."""

FILES = (
    *PICTURES,
    *dict.fromkeys(name for kind in REQUESTS.values() for name in getattr(kind, "recording_fields", ())),
)
"""Columns that name files: pictures, videos, sounds."""

_TEMPLATE_ONLY = tuple(
    name
    for name in TemplateRequest.model_fields
    if name != TemplateRequest.decided_by
    and not any(name in kind.model_fields for kind in REQUESTS.values() if kind is not TemplateRequest)
)
"""Common names (`image`, `text`): they are request fields only where a table has a column `template`."""

_ASKING = frozenset({"prompt", TemplateRequest.decided_by, *PICTURES}) - frozenset(_TEMPLATE_ONLY)
"""Columns of which a table has at least one."""

_NO_COLUMNS: Mapping[str, str] = MappingProxyType({})

_LOOKS_LIKE = 0.85
"""How much a carried column's name must be like a request field's to be worth a warning."""


MOST_TOLD = 1_000
"""Mistakes of one table that are reported; a table of a hundred thousand wrong rows has one mistake, not many."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that can be asked for: what it asks, as it was given, and what it carries along.

    `number` counts the rows of its file, by `unit`; `file` is the name of that file below the table, "" for a table of
    one file. `fields` and `columns` are the names of what is given and carried, which rows share: a hundred thousand rows
    are held.
    """

    number: int
    request: AnyRequest
    take: int
    fields: tuple[str, ...]
    field_values: tuple[Any, ...]
    columns: tuple[str, ...]
    column_values: tuple[Any, ...]
    written: tuple[str, ...] = ()
    """How the prompt may have been spelled when the clip was paid for."""
    wrong: tuple[str, ...] = ()
    """What is wrong with camera commands that stand in the prompt."""
    doubts: tuple[str, ...] = ()
    file: str = ""
    unit: str = "line"

    @property
    def given(self) -> dict[str, Any]:
        """What it asks, with pictures as they stand in the table; `request` has them as paths or URLs of their own."""
        return dict(zip(self.fields, self.field_values, strict=True))

    @property
    def carried(self) -> dict[str, Any]:
        """What it carries along, by column."""
        return dict(zip(self.columns, self.column_values, strict=True))

    @property
    def place(self) -> str:
        """Where the row is, for people: `line 3`, or `date=2026-11-01/prompts.csv, line 3`."""
        return f"{self.file}, {self.unit} {self.number}" if self.file else f"{self.unit} {self.number}"

    def problem(self, wrong: InvalidRequest | str) -> Problem:
        """A mistake of this row."""
        kind = wrong.kind if isinstance(wrong, InvalidRequest) else ""
        return Problem(self.number, str(wrong), file=self.file, unit=self.unit, kind=kind)


@dataclass(frozen=True)
class Table:
    """A table that was read: its good rows, and what is wrong with the others.

    `count` is how many rows were read, good or not, without those in which nothing stands.
    """

    path: str
    unit: str
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()
    count: int = 0

    def mistakes(self, problems: Iterable[Problem] = ()) -> Problems:
        """The collector of this table's mistakes, with these in it."""
        return Problems(self.path, problems, unit=self.unit, most_told=MOST_TOLD, rows=self.count)

    def lines(self, problems: Iterable[Problem]) -> list[str]:
        """Mistakes of this table as they are reported: the file, the row, what is wrong."""
        return self.mistakes(problems).lines()


def parse_table(
    path: str,
    data: bytes,
    *,
    encoding: str = "",
    file: str = "",
    columns_of_place: Mapping[str, str] = _NO_COLUMNS,
    values: PictureValues | None = None,
) -> Table:
    """Read the rows of a file. Files of pictures are not read. Raises `TableError` for an unreadable file.

    As a part of a table of many the file has a name there, and columns by its place.
    """
    return _parsed(path, rows_of(path, data, encoding), file, columns_of_place, values)


def _parsed(
    path: str, found: FileRows, file: str, columns_of_place: Mapping[str, str], values: PictureValues | None
) -> Table:
    unit = counted_by(path)
    more = {name: value for name, value in columns_of_place.items() if name not in found.columns}
    columns = (*found.columns, *more)
    fields, warnings = _request_columns(columns)
    misspelt = _misspelt(columns, fields)
    nothing_asks = bool(found.columns) and _ASKING.isdisjoint(fields)
    if nothing_asks and not misspelt:
        raise TableError([f"{shown(path)}: {_asks_nothing(found.columns)}"])
    reader = _RowReader(folder_of(path), fields, file, unit, values)
    rows: list[Row] = []
    blank: list[int] = []
    count = 0
    problems = [Problem(1, f"column {quoted(name)}: {why}", file=file, unit=unit) for name, why in misspelt]
    for record in found.records:
        if record.is_blank:
            blank.append(record.number)
            continue
        count += 1
        if nothing_asks:  # because of a column's name, which is the one mistake
            continue
        if record.problem:
            problems.append(Problem(record.number, record.problem, file=file, unit=unit))
            continue
        record.cells.update(more)
        row, wrong = reader.read(record)
        problems += wrong
        if row is not None:
            rows.append(row)
    if blank:
        where = f"{file}, {unit}" if file else unit
        warnings.append(f"{where} {_listed(blank)}: nothing stands there, so it is left out")
    return Table(path, unit, tuple(rows), tuple(problems), tuple(warnings), count)


def read_table(
    path: str, files: Sequence[TableFile], encoding: str = "", values: PictureValues | None = None
) -> Table:
    """Read a table of one file or of many, one after the other. Raises `TableError`.

    `values` gets the pictures that stand in it; without, they are mistakes.
    """
    tables: list[Table] = []
    size = count = 0
    for one in files:
        with open_rows(one.path, encoding, PICTURES) as found:
            tables.append(_parsed(one.path, found, one.name, one.columns, values))
            size += found.size()
        count += tables[-1].count
        if size > TABLE_LIMIT:
            raise TableError([f"{shown(path)}: its files have more than {TABLE_LIMIT / 1e6:g} MB"])
        if count > MOST_ROWS:
            raise TableError(
                [f"{shown(path)}: it has more than {MOST_ROWS:,} rows; cut it into several tables"]
            )
    if not count:
        raise TableError([f"{shown(path)}: there are no rows"])
    if len(tables) == 1:
        return replace(tables[0], path=path)
    return Table(
        path,
        tables[0].unit,
        tuple(itertools.chain.from_iterable(one.rows for one in tables)),
        tuple(itertools.chain.from_iterable(one.problems for one in tables)),
        tuple(dict.fromkeys(text for one in tables for text in one.warnings)),
        count,
    )


def _asks_nothing(columns: Sequence[str]) -> str:
    """What is wrong with a table of which no row can ask for a clip."""
    asking = sorted(_ASKING)
    found = ((column, look(column, asking)) for look in (synonym, suggest) for column in columns)
    meant = next(((column, name) for column, name in found if name), None)
    hint = f"; perhaps {quoted(meant[0])} is meant to be called {meant[1]!r}" if meant else ""
    has = shortened(", ".join(map(quoted, columns)), 300)
    return (
        f"no column of it asks for a clip: it has {has}, and needed is prompt, first_frame_image, subject_image or "
        f"template{hint}"
    )


class _RowReader:
    def __init__(
        self, folder: str, fields: tuple[str, ...], file: str, unit: str, values: PictureValues | None
    ) -> None:
        self._values = values
        self._folder = folder
        self._fields = fields
        self._file = file
        self._unit = unit
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, record: Record) -> tuple[Row | None, list[Problem]]:
        """The row, or what is wrong with it."""
        given: dict[str, Any] = {}
        asked: dict[str, Any] = {}
        wrong: list[Problem] = []
        for name in self._fields:
            value = record.cells.get(name)
            if is_empty(value):
                continue
            try:
                found = _CONVERT[name](name, value)
                if is_empty(found):
                    continue
                given[name] = _as_given(found)
                asked[name] = self._own(name, found) if name in FILES else found
            except InvalidRequest as error:
                wrong.append(self._problem(record, error))
        if wrong:
            return None, wrong
        carried = {name: _as_json(value) for name, value in record.cells.items() if name not in self._fields}
        try:
            request, take = _request(asked)
            if self._values is not None:
                self._values.judge(request)
        except InvalidRequest as error:
            return None, [self._problem(record, error)]
        row = Row(
            record.number,
            request,
            take,
            *self._held(given),
            *self._held(carried),
            file=self._file,
            unit=self._unit,
        )
        written = request.prompt_text or ""
        if "[" not in unicodedata.normalize("NFKC", written) and not set("【〔") & set(written):
            return row, []
        mistakes, doubts = check_prompt(written, model=getattr(request, "model", None))
        sent = request.model_copy(
            update={"prompt": normalise_brackets(written, getattr(request, "model", None))}
        )
        before = spellings_before(written)
        return replace(row, request=sent, written=before, wrong=mistakes, doubts=doubts), []

    def _held(self, cells: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """The names of cells, the same ones for all rows that have them, and the values."""
        names = tuple(cells)
        return self._names.setdefault(names, names), tuple(cells.values())

    def _problem(self, record: Record, error: InvalidRequest) -> Problem:
        return Problem(record.number, str(error), file=self._file, unit=self._unit, kind=error.kind)

    def _own(self, name: str, picture: Any) -> Any:
        """A picture as the table means it: a relative path is next to it, one that is in the table is under the root."""
        if isinstance(picture, tuple):
            return tuple(self._own(name, one) for one in picture)
        if isinstance(picture, PictureValue):
            if self._values is None:
                raise InvalidRequest(name, picture.label, "a path or a URL of a picture")
            return self._values.reference(picture)
        return picture if FrameOf.parse(picture) else next_to(self._folder, picture)


def _request(asked: dict[str, Any]) -> tuple[AnyRequest, int]:
    fields = dict(asked)
    mode = Mode(fields.pop("mode", None) or mode_of(fields))
    take = fields.pop("take", 1)
    request = REQUESTS[mode](**fields)
    return request, ClipRequest(request, take=take).take


def _as_given(value: Any) -> Any:
    """A value of a request field as the table has it: pictures that stand in it by their names."""
    if isinstance(value, tuple):
        return tuple(_as_given(one) for one in value)
    return value.label if isinstance(value, PictureValue) else value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(name, value, "text")
    return value if name in ("prompt", "text") else value.strip()


def _whole(name: str, value: Any) -> int:
    match value:
        case bool():
            pass
        case int() | float() if abs(value) < _TOO_MANY and value == int(value):
            return int(value)
        case str() if _WHOLE.fullmatch(value.strip()):
            return int(value.strip().partition(".")[0])
    raise InvalidRequest(name, value, "a whole number")


_TOO_MANY = 1_000_000_000
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}(\.0{1,9})?")
"""A whole number as people and spreadsheets write it: `6`, `6.0`."""


def _switch(name: str, value: Any) -> bool:
    found = _SWITCH.get(str(value).strip().casefold())
    if found is None:
        raise InvalidRequest(name, value, "true or false")
    return found


_SWITCH = {"true": True, "yes": True, "1": True, "1.0": True} | {
    "false": False,
    "no": False,
    "0": False,
    "0.0": False,
}
"""How people and programs write true and false."""


def _mode(name: str, value: Any) -> str:
    modes = [str(mode) for mode in Mode]
    if str(value).strip() not in modes:
        raise InvalidRequest(name, value, modes)
    return str(value).strip()


def _files(name: str, value: Any) -> str | tuple[str, ...]:
    """One file, or several (in a text cell a JSON list)."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidRequest(name, value, "a path or URL, or a JSON list of them") from None
    if isinstance(value, list):
        return tuple(_text(name, one) for one in value)
    one = _text(name, value)
    return one if str in _members(_FIELDS[name].annotation) else (one,)


def _with_pictures(read: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """How a cell of pictures is read that may hold them themselves, too."""

    def convert(name: str, value: Any) -> Any:
        if isinstance(value, bytes | dict):
            return picture_value(name, value)
        if isinstance(value, list) and any(isinstance(one, bytes | dict) for one in value):
            found = (picture_value(name, one) if isinstance(one, bytes | dict) else one for one in value)
            return tuple(one for one in found if not is_empty(one))
        return read(name, value)

    return convert


def _converter(field: FieldInfo) -> Callable[[str, Any], Any]:
    """How a cell of a field's column is read: by the type of the field."""
    kinds = {get_origin(kind) or kind for kind in _members(field.annotation)}
    return next((read for kind, read in _BY_TYPE.items() if kind in kinds), _text)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(kind for member in get_args(annotation) for kind in _members(member))
    return (annotation,)


_BY_TYPE: dict[Any, Callable[[str, Any], Any]] = {tuple: _files, bool: _switch, int: _whole}

_CONVERT: dict[str, Callable[[str, Any], Any]] = {
    "mode": _mode,
    "take": _whole,
    **{name: _converter(field) for name, field in _FIELDS.items()},
}
_CONVERT |= {name: _with_pictures(_CONVERT[name]) for name in PICTURES}
"""Request field -> how a cell of its column is read."""


def fields_of_requests() -> frozenset[str]:
    """The names of columns that ask for something."""
    return frozenset(_CONVERT)


def _request_columns(columns: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """The columns that are request fields, and warnings about others that look like one."""
    known = [name for name in _CONVERT if "template" in columns or name not in _TEMPLATE_ONLY]
    fields = tuple(name for name in known if name in columns)
    warnings = []
    for column in columns:
        if column in known:
            continue
        meant = synonym(column, known) or next((name for name in known if _is_like(column, name)), None)
        if meant and meant not in columns:
            warnings.append(
                f"column {quoted(column)} is carried along; the request field is called {meant!r}"
            )
    return fields, warnings


def _is_like(column: str, name: str) -> bool:
    alike = SequenceMatcher(None, column, name)
    return alike.real_quick_ratio() >= _LOOKS_LIKE and alike.ratio() >= _LOOKS_LIKE


def _misspelt(columns: tuple[str, ...], fields: tuple[str, ...]) -> list[tuple[str, str]]:
    """Columns that are a request field but for case, blanks and hyphens: nobody means to carry those."""
    known = {_folded(name): name for name in _CONVERT if name not in _TEMPLATE_ONLY}
    found = [(column, known.get(_folded(column), "")) for column in columns if column not in _CONVERT]
    return [(column, f"the request field is called {name!r}") for column, name in found if name]


def _listed(numbers: list[int]) -> str:
    shown_ones = ", ".join(map(str, numbers[:10]))
    return f"{shown_ones} and {len(numbers) - 10:,} more" if len(numbers) > 10 else shown_ones


def _as_json(value: Any) -> Any:
    """What is carried along, as JSON has it: no number without bounds, and bytes as text."""
    match value:
        case float() if math.isinf(value):
            return None
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _as_json(item) for name, item in value.items()}
        case list():
            return [_as_json(item) for item in value]
    return value


def _folded(name: str) -> str:
    return name.casefold().replace(" ", "").replace("-", "").replace("_", "")
