"""One JSON type for each column, so that readers which infer a schema from the first rows are right."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Kind:
    """The JSON type of a column: "null" (nothing yet), "bool", "int", "float", "text", "list", "object".

    `item` is that of a list's items, `fields` those of an object. "mixed" is written as JSON text.
    """

    name: str
    item: "Kind | None" = None
    fields: dict[str, "Kind"] = field(default_factory=dict)


NULL, TEXT, MIXED = Kind("null"), Kind("text"), Kind("mixed")
_BOOL, _INT, _FLOAT = Kind("bool"), Kind("int"), Kind("float")


def kinds_of(rows: Iterable[Mapping[str, Any]], first: Iterable[str]) -> dict[str, Kind]:
    """The columns of rows, some `first` and the others as they turn up, and the one kind that all their values can be
    written as.
    """
    kinds = dict.fromkeys(first, NULL)
    for row in rows:
        for name, value in row.items():
            kinds[name] = _merge(kinds.get(name, NULL), _kind(value))
    return kinds


def kind_of(values: Iterable[Any]) -> Kind:
    """The one kind that all values can be written as."""
    kind = NULL
    for value in values:
        kind = _merge(kind, _kind(value))
    return kind


def write_as(value: Any, kind: Kind) -> Any:
    """A value as its column's kind has it."""
    if value is None or kind.name == "null":
        return None
    if kind.name == "float":
        return float(value)
    if kind.name == "list" and kind.item is not None:
        return [write_as(item, kind.item) for item in value]
    if kind.name == "object":
        return {name: write_as(value.get(name), inner) for name, inner in kind.fields.items()}
    if kind.name == "mixed":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value


def _kind(value: Any) -> Kind:
    match value:
        case None:
            return NULL
        case bool():
            return _BOOL
        case int():
            return _INT if value in _INT64 else MIXED
        case float():
            return _FLOAT
        case str():
            return TEXT
        case list():
            return Kind("list", kind_of(value))
        case {}:
            return Kind("object", fields={name: _kind(item) for name, item in value.items()})
    return MIXED


def _merge(one: Kind, other: Kind) -> Kind:
    if one.name == "null":
        return other
    if other.name == "null":
        return one
    if {one.name, other.name} == {"int", "float"}:
        return _FLOAT
    if one.name != other.name:
        return MIXED
    if one.item is not None and other.item is not None:
        return Kind("list", _merge(one.item, other.item))
    if one.name == "object":
        names = {**one.fields, **other.fields}
        both = {name: _merge(one.fields.get(name, NULL), other.fields.get(name, NULL)) for name in names}
        return Kind("object", fields=both)
    return one
