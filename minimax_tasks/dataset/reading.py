"""Reading a table file into records, whatever its format. Nothing here knows what the columns mean."""

import base64
import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import fsspec

from minimax_tasks.api.errors import TableError


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file: its number as a person counts, and its cells.

    The number is that of the line in a text file (the header of a CSV file is line 1), and of the row,
    from 1, in a Parquet file. `problem` says why there are no cells.
    """

    number: int
    cells: dict[str, Any]
    problem: str = ""


def read_bytes(path: str) -> bytes:
    """The bytes of a table on any fsspec path or URL, unpacked. Raises `TableError`."""
    try:
        with fsspec.open(path, "rb", compression="infer", use_listings_cache=False) as file:
            return bytes(file.read())
    except FileNotFoundError:
        why = "there is no such file"
    except IsADirectoryError:
        why = "this is a folder; give the table file in it"
    except (OSError, ValueError, ImportError, EOFError) as error:
        why = f"it cannot be read ({error})"
    raise TableError([f"{path}: {why}"])


def parse_records(path: str, data: bytes) -> list[Record]:
    """The rows of a table, its format told by the end of its name. Raises `TableError`."""
    name, _ = split_name(path)
    _, dot, ending = name.lower().rpartition(".")
    read = _FORMATS.get(ending) if dot else None
    if read is None:
        raise TableError([f"{path}: allowed: a table whose name ends in .{', .'.join(_FORMATS)}"])
    try:
        records = list(read(data))
    except TableError as error:
        raise TableError([f"{path}: {problem}" for problem in error.problems]) from None
    if not records:
        raise TableError([f"{path}: there are no rows"])
    return records


def split_name(path: str) -> tuple[str, str]:
    """The name of a table's file without the ending of its compression, and without both endings."""
    name = path.rstrip("/").rpartition("/")[2].partition("?")[0]
    for packed in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(packed)
    return name, name.rpartition(".")[0] or name


def _csv(data: bytes) -> Iterator[Record]:
    return _delimited(data, ",")


def _tsv(data: bytes) -> Iterator[Record]:
    return _delimited(data, "\t")


def _delimited(data: bytes, delimiter: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(_text(data), newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_header(header)
            elif len(cells) != len(header):
                yield Record(number, {}, f"{len(cells)} cells under a header of {len(header)} columns")
            else:
                yield Record(number, {name: cell or None for name, cell in zip(header, cells, strict=True)})
    except csv.Error as error:
        raise TableError([f"line {before + 1}: {error}"]) from None


def _check_header(header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if "" in header:
        raise TableError(["line 1: a column has no name"])
    if twice:
        raise TableError([f"line 1: columns that are there twice: {', '.join(twice)}"])


def _jsonl(data: bytes) -> Iterator[Record]:
    for number, line in enumerate(_text(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except ValueError as error:
            yield Record(number, {}, f"not JSON ({error})")
            continue
        if isinstance(cells, dict):
            yield Record(number, {name.strip(): _plain(value) for name, value in cells.items()})
        else:
            yield Record(number, {}, "allowed: a JSON object")


def _parquet(data: bytes) -> Iterator[Record]:
    try:
        from pyarrow import ArrowException, BufferReader, parquet
    except ImportError:
        raise TableError(
            ["reading Parquet needs pyarrow: pip install 'minimax-tasks[dataset]', or give CSV or JSONL"]
        ) from None
    try:
        rows = parquet.read_table(BufferReader(data)).to_pylist()
    except (ArrowException, OSError) as error:
        raise TableError([f"this is not Parquet ({error})"]) from None
    for number, cells in enumerate(rows, 1):
        yield Record(number, {str(name): _plain(value) for name, value in cells.items()})


_FORMATS: dict[str, Callable[[bytes], Iterator[Record]]] = {
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "parquet": _parquet,
}
"""Ending -> reader."""


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError([f"line {line}: not UTF-8 text"]) from None


def _plain(value: Any) -> Any:
    """A value as JSON has it: no NaN, no times, no bytes."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return float(value)
        case bytes():
            return base64.b64encode(value).decode()
    return value
