"""What the rows of a table ask for: request fields by column name, and columns that are carried along."""

import functools
import json
import logging
import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.catalog.synonyms import synonym
from minimax_tasks.api.requests import REQUESTS, AnyRequest, TemplateRequest, mode_of
from minimax_tasks.clips.request import ClipRequest, FrameOf
from minimax_tasks.dataset.reading import Record, is_empty, parse_records, split_name
from minimax_tasks.errors import InvalidRequest
from minimax_tasks.problems import Problem, Problems
from minimax_tasks.prompts.bracket_commands import check_prompt, normalise_brackets, spellings_before
from minimax_tasks.redaction import quoted
from minimax_tasks.storage.references import beside, folder_of

log = logging.getLogger(__name__)

_FIELDS = {name: field for kind in REQUESTS.values() for name, field in kind.model_fields.items()}
"""Every field of every request."""

PICTURES = tuple(dict.fromkeys(name for kind in REQUESTS.values() for name in kind.picture_fields))
"""Columns that hold pictures."""

_TEMPLATE_ONLY = tuple(
    name
    for name in TemplateRequest.model_fields
    if name != TemplateRequest.decided_by
    and not any(name in kind.model_fields for kind in REQUESTS.values() if kind is not TemplateRequest)
)
"""Common names (`image`, `text`): they are request fields only where a table has a column `template`."""

_LOOKS_LIKE = 0.85
"""How much a carried column's name must be like a request field's to be worth a warning."""


MOST_TOLD = 1_000
"""Mistakes of one table that are reported; a table of a hundred thousand wrong rows has one mistake, not many."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that can be asked for: what it asks, as it was given, and what it carries along.

    `given` has pictures as they stand in the table, `request` as paths or URLs of their own.
    """

    number: int
    request: AnyRequest
    take: int
    given: dict[str, Any]
    carried: dict[str, Any]
    written: tuple[str, ...] = ()
    """How the prompt may have been spelled when the clip was paid for."""
    wrong: tuple[str, ...] = ()
    """What is wrong with camera commands that stand in the prompt."""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table that was read: its good rows, and what is wrong with the others."""

    path: str
    name: str
    unit: str
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = field(default=())

    def mistakes(self, problems: Iterable[Problem] = ()) -> Problems:
        """The collector of this table's mistakes, with these in it."""
        return Problems(self.path, problems, unit=self.unit, most_told=MOST_TOLD)

    def lines(self, problems: Iterable[Problem]) -> list[str]:
        """Mistakes of this table as they are reported: the file, the row, what is wrong."""
        return self.mistakes(problems).lines()


@functools.lru_cache(maxsize=4)
def parse_table(path: str, data: bytes) -> Table:
    """Read the rows of a table. Pictures are not read. Raises `TableError` for an unreadable file."""
    records = parse_records(path, data)
    columns = tuple(dict.fromkeys(name for record in records for name in record.cells))
    fields, warnings = _request_columns(columns)
    reader = _RowReader(folder_of(path), fields)
    rows: list[Row] = []
    blank: list[int] = []
    problems = [Problem(1, f"column {quoted(name)}: {why}") for name, why in _misspelt(columns, fields)]
    for record in records:
        if record.problem:
            problems.append(Problem(record.number, record.problem))
            continue
        if record.is_blank:
            blank.append(record.number)
            continue
        row, wrong = reader.read(record)
        problems += [Problem(record.number, text) for text in wrong]
        if row is not None:
            rows.append(row)
    name, stem = split_name(path)
    unit = "row" if name.lower().endswith(".parquet") else "line"
    if blank:
        warnings.append(f"{unit} {_listed(blank)}: nothing stands there, so it is left out")
    return Table(path, stem, unit, tuple(rows), tuple(problems), tuple(warnings))


class _RowReader:
    def __init__(self, folder: str, fields: tuple[str, ...]) -> None:
        self._folder = folder
        self._fields = fields

    def read(self, record: Record) -> tuple[Row | None, list[str]]:
        """The row, or what is wrong with it."""
        given: dict[str, Any] = {}
        wrong: list[str] = []
        for name in self._fields:
            value = record.cells.get(name)
            if is_empty(value):
                continue
            try:
                given[name] = _CONVERT[name](name, value)
            except InvalidRequest as error:
                wrong.append(str(error))
        if wrong:
            return None, wrong
        carried = {name: _bounded(value) for name, value in record.cells.items() if name not in self._fields}
        try:
            request, take = self._request(given)
        except InvalidRequest as error:
            return None, [str(error)]
        written = request.prompt_text or ""
        if "[" not in unicodedata.normalize("NFKC", written) and not set("【〔") & set(written):
            return Row(record.number, request, take, given, carried), []
        mistakes, doubts = check_prompt(written, model=getattr(request, "model", None))
        sent = request.model_copy(update={"prompt": normalise_brackets(written)})
        before = spellings_before(written)
        return Row(record.number, sent, take, given, carried, before, mistakes, doubts), []

    def _request(self, given: dict[str, Any]) -> tuple[AnyRequest, int]:
        fields = {name: self._own(value) if name in PICTURES else value for name, value in given.items()}
        mode = Mode(fields.pop("mode", None) or mode_of(fields))
        take = fields.pop("take", 1)
        request = REQUESTS[mode](**fields)
        return request, ClipRequest(request, take=take).take

    def _own(self, reference: Any) -> Any:
        """A picture as it is meant by the table: a relative path is next to it."""
        if isinstance(reference, tuple):
            return tuple(self._own(one) for one in reference)
        return reference if FrameOf.parse(reference) else beside(self._folder, reference)


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


def _pictures(name: str, value: Any) -> str | tuple[str, ...]:
    """One picture, or several of the same subject (in a text cell a JSON list)."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidRequest(name, value, "a picture, or a JSON list of pictures") from None
    if isinstance(value, list):
        return tuple(_text(name, one) for one in value)
    return _text(name, value)


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


_BY_TYPE: dict[Any, Callable[[str, Any], Any]] = {tuple: _pictures, bool: _switch, int: _whole}

_CONVERT: dict[str, Callable[[str, Any], Any]] = {
    "mode": _mode,
    "take": _whole,
    **{name: _converter(field) for name, field in _FIELDS.items()},
}
"""Request field -> how a cell of its column is read."""


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


def _bounded(value: Any) -> Any:
    """What is carried along; JSON has no number without bounds."""
    return None if isinstance(value, float) and math.isinf(value) else value


def _folded(name: str) -> str:
    return name.casefold().replace(" ", "").replace("-", "").replace("_", "")
