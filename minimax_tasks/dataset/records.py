"""A row as it is in a table file, its cells as JSON has them, whatever the format of the file."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from minimax_tasks.redaction import clean, whole

DEEPEST = 30
"""Lists and objects in each other in one cell."""

TOO_DEEP = f"lists and objects stand in each other more than {DEEPEST} deep"


@dataclass(frozen=True)
class Record:
    """One row as it is in the file: its number as a person counts, and its cells.

    The number is that of the line in a text file (the header of a CSV file is line 1), and of the row,
    from 1, in a Parquet file. `problem` says why there are no cells.
    """

    number: int
    cells: dict[str, Any]
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether it is a row in which nothing stands."""
        return not self.problem and all(is_empty(value) for value in self.cells.values())


class Members(list[tuple[str, Any]]):
    """The members of an object as they are written, repeated ones too."""


def is_empty(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def cells_of(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The cells of a row. Raises ValueError for a name that is there twice, and for what is nested too deep."""
    return _named(members, 0)


def _named(members: Iterable[tuple[str, Any]], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for written, value in members:
        name = whole(str(written))
        if not depth:
            name = name.strip()
        if name in found:
            raise ValueError(f"{clean(name, 60)!r} stands there twice; keep one of them")
        found[name] = _plain(value, depth + 1)
    return found


def _plain(value: Any, depth: int) -> Any:
    """A value as JSON has it: no NaN, which stands for nothing, no times, no half characters. Bytes stay what they are.

    A number without bounds (1e400) is left for the column to refuse. A decimal number keeps its digits, as text:
    JSON has none.
    """
    if depth > DEEPEST:
        raise ValueError(TOO_DEEP)
    match value:
        case str():
            return whole(value)
        case float():
            return None if math.isnan(value) or (depth > 1 and math.isinf(value)) else value
        case Members():
            return _named(value, depth)
        case dict():
            return _named(value.items(), depth)
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return format(value, "f") if value.is_finite() else None
        case UUID():
            return str(value)
    return value
