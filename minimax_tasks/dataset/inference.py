"""Rows for readers that infer the types of columns from the first of them, and that know no null of a type.

Hugging Face `datasets` looks at five samples of a WebDataset, and at the beginning of each split's metadata, and
takes a column in which it saw nothing for one that never holds anything. So the first rows are some that hold,
between them, something for every column. A column for which that cannot be is written as text, empty where nothing is.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

FIRST = 5
"""Samples of a WebDataset from which the types are inferred."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}(:\d{2}(:\d{2})?)?Z?)?")
"""Texts that Arrow's reader of JSON takes for a time."""

_Row = Mapping[str, Any]
_Leaf = tuple[str, ...]


def telling_first(rows: Iterable[_Row], most: int = FIRST) -> list[int]:
    """The numbers of all rows, such that the first few hold something for as many columns as they can.

    The order stays where the first few hold something for all.
    """
    patterns: dict[frozenset[_Leaf], int] = {}
    begin: set[_Leaf] = set()
    count = 0
    for number, row in enumerate(rows):
        leaves = frozenset(_leaves(row))
        patterns.setdefault(leaves, number)
        if number < most:
            begin |= leaves
        count += 1
    if all(leaves <= begin for leaves in patterns):
        return list(range(count))
    first: list[int] = []
    seen: set[_Leaf] = set()
    while len(first) < most and patterns:
        best = max(patterns, key=lambda leaves: (len(leaves - seen), -patterns[leaves]))
        if not best - seen:
            break
        seen |= best
        first.append(patterns.pop(best))
    chosen = set(first)
    return [*first, *(number for number in range(count) if number not in chosen)]


def unclear(groups: Iterable[Sequence[_Row]], most: int | None = None) -> set[str]:
    """The columns of whose types readers of groups of rows would not agree, or not be sure.

    Of each group they see the first `most` rows, or all. A column of one type is clear when each of them shows
    something of everything in it.
    """
    all_leaves: set[_Leaf] = set()
    shown: list[set[_Leaf]] = []
    for rows in groups:
        shown.append({leaf for row in rows[:most] for leaf in _leaves(row)})
        all_leaves.update(leaf for row in rows for leaf in _leaves(row))
    return {leaf[0] for leaf in all_leaves if any(leaf not in group for group in shown)}


def dated(groups: Iterable[Sequence[_Row]]) -> set[str]:
    """The columns of texts that are all dates in some groups of rows and not in others."""
    kinds: dict[str, set[bool]] = {}
    for rows in groups:
        names = dict.fromkeys(name for row in rows for name in row)
        for name in names:
            texts = [row[name] for row in rows if row.get(name) is not None]
            is_dates = bool(texts) and all(isinstance(text, str) and _DATE.fullmatch(text) for text in texts)
            kinds.setdefault(name, set()).add(is_dates)
    return {name for name, found in kinds.items() if len(found) > 1}


def as_text(row: _Row, columns: Collection[str], quoted: Collection[str] = ()) -> dict[str, Any]:
    """A row with some columns as text, empty where nothing is; those in `quoted` as JSON has them."""
    return {
        name: json.dumps(value, ensure_ascii=False)
        if name in quoted
        else _text(value)
        if name in columns
        else value
        for name, value in row.items()
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _leaves(row: _Row) -> Iterator[_Leaf]:
    """The places in a row at which something is: columns, members of objects, items of lists."""
    for name, value in row.items():
        yield from _below((name,), value)


def _below(place: _Leaf, value: Any) -> Iterator[_Leaf]:
    if value is None:
        return
    yield place
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _below((*place, name), member)
    elif isinstance(value, list):
        for item in value:
            yield from _below((*place, "[]"), item)
