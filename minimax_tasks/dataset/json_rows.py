"""Tables of JSON objects: one a line, or all of them in one array."""

import json
import re
from collections.abc import Iterator
from typing import Any

from minimax_tasks.dataset.records import TOO_DEEP, Members, Record, cells_of
from minimax_tasks.errors import TableError

_MOST_DIGITS = 400
"""Of a whole number in a cell."""

_BLANK = re.compile(r"[ \t\r\n]*")


def jsonl_records(text: str) -> Iterator[Record]:
    """The rows of a file with a JSON object in each line."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _record(number, line.strip())


def json_records(text: str) -> Iterator[Record]:
    """The rows of a JSON array of objects.

    Many programs also give this name to files with an object in each line. One object over many lines is one row.
    """
    start = _blank_end(text, 0)
    if text[start : start + 1] != "[":
        _refuse_columns(text, start)
        yield from _alone(text, start) or jsonl_records(text)
        return
    place, line, counted = start + 1, 1, 0
    expects_more = False
    while True:
        place = _blank_end(text, place)
        line, counted = line + text.count("\n", counted, place), place
        if text[place : place + 1] == "]" and not expects_more:
            break
        try:
            value, place = _JSON.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise TableError([f"line {error.lineno}: not JSON ({error})"]) from None
        except (RecursionError, ValueError) as error:
            raise TableError(
                [f"line {line}: {TOO_DEEP if isinstance(error, RecursionError) else error}"]
            ) from None
        yield _row(line, value)
        place = _blank_end(text, place)
        mark, place = text[place : place + 1], place + 1
        if mark == "]":
            place -= 1
            break
        if mark != ",":
            at = line + text.count("\n", counted, place)
            raise TableError([f"line {at}: not JSON (a comma or ] is missing between two rows of the array)"])
        expects_more = True
    if text[place + 1 :].strip():
        raise TableError(
            [f"line {line + text.count(chr(10), counted, place)}: something stands behind the array"]
        )


def _refuse_columns(text: str, start: int) -> None:
    """Raise `TableError` for one object that has a list, or an object by row, for each column."""
    try:
        value, end = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return
    if not isinstance(value, Members) or text[end:].strip() or "prompt" not in dict(value):
        return  # other columns may hold a list or an object in one row
    cells = [cell for _, cell in value]
    by_row = all(isinstance(cell, Members) and cell for cell in cells)
    in_lists = all(
        isinstance(cell, list)
        and not isinstance(cell, Members)
        and not any(isinstance(one, Members) for one in cell)
        for cell in cells
    )
    if by_row or in_lists:
        raise TableError(
            [
                "it is a table by columns; allowed: an object for each row (in pandas `to_json(orient='records')`)"
            ]
        )


def _alone(text: str, start: int) -> list[Record]:
    """The one row of a text that is one object over many lines; none of any other."""
    try:
        value, end = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return []
    is_alone = "\n" in text[start:end] and not text[end:].strip()
    return [_row(text.count("\n", 0, start) + 1, value)] if is_alone else []


def _record(number: int, text: str) -> Record:
    try:
        return _row(number, _JSON.decode(text))
    except json.JSONDecodeError as error:
        return Record(number, {}, f"not JSON ({error})")
    except RecursionError:
        return Record(number, {}, TOO_DEEP)
    except ValueError as error:
        return Record(number, {}, str(error))


def _row(number: int, value: Any) -> Record:
    if not isinstance(value, Members):
        return Record(number, {}, "allowed: a JSON object")
    try:
        return Record(number, cells_of(value))
    except ValueError as error:
        return Record(number, {}, str(error))


def _blank_end(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return found.end() if found else start


def _bounded_whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits; at most {_MOST_DIGITS}")
    return int(digits)


_JSON = json.JSONDecoder(object_pairs_hook=Members, parse_int=_bounded_whole)
