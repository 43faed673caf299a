"""What a dataset is called: by its table, by the partition that the table is, or as somebody says."""

import os
import re
from collections.abc import Iterator
from datetime import date

from minimax_tasks.api.suggest import did_you_mean, suggest
from minimax_tasks.clips.belonging import place_of
from minimax_tasks.dataset.files import columns_of
from minimax_tasks.dataset.reading import ending_of, split_name
from minimax_tasks.errors import TableError
from minimax_tasks.redaction import quoted, shown
from minimax_tasks.storage.references import is_pattern

_PLACEHOLDER = re.compile(r"\{(?P<name>[A-Za-z_]\w*)\}")
_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<mark>[-_/]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d)"
)


def table_name(table: str) -> str:
    """What a table is called: its file without ending, or the last folder that is no partition of it."""
    segments = (*_split(place_of(table)), *_split(table))  # of a pattern alone, the folder that it is in
    called = (one for one in reversed(segments) if one.strip(".") and "=" not in one and not is_pattern(one))
    return split_name(next(called, table))[1]


def own_name(table: str) -> str:
    """What its dataset is called when nobody says so: `prompts`, or of a partition `prompts-date=2026-11-01`."""
    columns = _columns(table)
    return "-".join((table_name(table), *(f"{name}={value}" for name, value in columns.items())))


def given_name(name: str, table: str) -> str:
    """A name that somebody gave, with what it asks of the table's path filled in: `{date}`, `{table}`.

    Raises `TableError` for what the path does not say.
    """
    known = {"table": table_name(table)} | _dates(table) | _columns(table)

    def fill(found: re.Match[str]) -> str:
        if found["name"] not in known:
            raise TableError([f"name = {quoted(name)}: {_unknown(found['name'], known, table)}"])
        return known[found["name"]]

    return _PLACEHOLDER.sub(fill, name)


def offered_names(table: str, other: str) -> Iterator[str]:
    """Names for the dataset of a table whose own is that of another table, the best first."""
    name, of_other = table_name(table), set(_split(other))
    for folder in reversed(_split(place_of(table))[:-1]):
        if folder and folder not in of_other:
            yield f"{name}-{folder}"
    yield from (f"{name}-{number}" for number in range(2, 1000))


def _unknown(name: str, known: dict[str, str], table: str) -> str:
    has = f"it says {', '.join(f'{{{one}}}' for one in known)}"
    why = "has no single value in" if is_pattern(table) and f"{name}=" in table else "is not said by"
    return (
        f"{{{name}}} {why} the path of the table, {shown(table)}; {has}{did_you_mean(suggest(name, known))}"
    )


def _columns(table: str) -> dict[str, str]:
    """The partition that a table is, by the folders of its path."""
    place = "/".join(_split(place_of(table)))
    return columns_of(place if ending_of(place) else f"{place}/")


def _dates(table: str) -> dict[str, str]:
    """The date of a table that its path says in another way than by a column: `2026/11/01`, `prompts-20261101.csv`."""
    columns = _columns(table)
    if {"year", "month", "day"} <= columns.keys():
        return {"date": f"{columns['year']}-{columns['month']:0>2}-{columns['day']:0>2}"}
    for found in reversed(list(_DATE.finditer("/".join(_split(place_of(table)))))):
        try:
            return {"date": date(int(found["year"]), int(found["month"]), int(found["day"])).isoformat()}
        except ValueError:
            continue
    return {}


def _split(path: str) -> list[str]:
    rest = path.partition("://")[2] if "://" in path else path.replace(os.sep, "/")
    return rest.rstrip("/").split("/")
