"""Reading a table file into records, whatever its format. Nothing here knows what the columns mean."""

import base64
import csv
import io
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from fsspec.compression import compr
from fsspec.utils import infer_compression

from minimax_tasks.errors import TableError, UnreadableReference
from minimax_tasks.redaction import clean, shown, whole
from minimax_tasks.storage.naming import file_name
from minimax_tasks.storage.references import read_file

TABLE_LIMIT = 200_000_000
"""Bytes of a table, packed or not. Pictures belong in files next to it."""

MOST_ROWS = 200_000
"""Rows of one table; each is planned, known by its key and written about on its own."""

MOST_COLUMNS = 2_000

_DEEPEST = 30
"""Lists and objects in each other in one cell."""

_MOST_DIGITS = 400
"""Of a whole number in a cell."""

_PARQUET_BATCH = 256
"""Rows that are unpacked at once: a few bytes of Parquet can stand for very many rows."""


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


def is_empty(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def read_bytes(path: str) -> bytes:
    """The bytes, unpacked, of a table that is local, on the web or on a storage. Raises `TableError`."""
    try:
        return _unpacked(path, read_file(path, TABLE_LIMIT, "the table file"))
    except UnreadableReference as error:
        raise TableError([f"{shown(path)}: {error}"]) from None


def _unpacked(path: str, data: bytes) -> bytes:
    """The bytes of a file whose name may end in .gz, .bz2, .xz or .zst."""
    packing = infer_compression(file_name(path))
    if packing is None or packing == "zip":
        return data
    if packing not in compr:
        raise UnreadableReference(f"unpacking it needs a package for {packing} that is not installed")
    try:
        with compr[packing](io.BytesIO(data), mode="rb") as file:
            unpacked = bytes(file.read(TABLE_LIMIT + 1))
    except Exception as error:  # each packing has errors of its own
        raise UnreadableReference(f"it cannot be unpacked ({clean(error, 200)})") from None
    if len(unpacked) > TABLE_LIMIT:
        raise UnreadableReference(f"it has more than {TABLE_LIMIT / 1e6:g} MB when it is unpacked")
    return unpacked


def parse_records(path: str, data: bytes) -> list[Record]:
    """The rows of a table, its format inferred from the end of its name. Raises `TableError`."""
    name, _ = split_name(path)
    _, dot, ending = name.lower().rpartition(".")
    read = _FORMATS.get(ending) if dot else None
    if read is None:
        raise TableError([f"{shown(path)}: allowed: a table whose name ends in .{', .'.join(_FORMATS)}"])
    try:
        records = list(itertools.islice(read(data), MOST_ROWS + 1))
    except TableError as error:
        raise TableError([f"{shown(path)}: {problem}" for problem in error.problems]) from None
    if len(records) > MOST_ROWS:
        raise TableError([f"{shown(path)}: it has more than {MOST_ROWS:,} rows; cut it into several tables"])
    if len({name for record in records for name in record.cells}) > MOST_COLUMNS:
        raise TableError([f"{shown(path)}: it has more than {MOST_COLUMNS:,} columns"])
    if all(record.is_blank for record in records):
        raise TableError([f"{shown(path)}: there are no rows"])
    return records


def split_name(path: str) -> tuple[str, str]:
    """The name of a table's file without the ending of its compression, and without both endings."""
    name = file_name(path)
    for packed in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(packed)
    return name, name.rpartition(".")[0] or name


_EXCEL_SAYS = re.compile(r'"?sep=([,;|\t])"?[,;|\t ]*\r?\n', re.IGNORECASE)
"""The first line by which a spreadsheet tells what separates the columns."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def _csv(data: bytes) -> Iterator[Record]:
    """Columns separated by commas, or as spreadsheets of half of the world write them: by semicolons."""
    text = _text(data)
    if said := _EXCEL_SAYS.match(text):
        return _delimited(text[said.end() :], said[1], above=1)
    header = _QUOTED.sub("", next((line for line in text.splitlines() if line.strip()), ""))
    found = next((mark for mark in (",", ";", "\t") if mark in header), ",")
    return _delimited(text, found)


def _tsv(data: bytes) -> Iterator[Record]:
    return _delimited(_text(data), "\t")


def _delimited(text: str, delimiter: str, above: int = 0) -> Iterator[Record]:
    """`above` is how many lines of the file come before this text."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    before = above
    try:
        for cells in reader:
            number, before = before + 1, above + reader.line_num
            if not cells or (header is None and not any(cell.strip() for cell in cells)):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_header(header, f"line {number}: ")
            elif len(cells) != len(header):
                yield Record(number, {}, f"{len(cells)} cells under a header of {len(header)} columns")
            else:
                yield Record(number, {name: cell or None for name, cell in zip(header, cells, strict=True)})
    except csv.Error as error:
        raise TableError([f"line {before + 1}: {error}"]) from None


def _check_header(header: list[str], where: str) -> None:
    twice = sorted(name for name, times in Counter(header).items() if times > 1)
    if "" in header:
        raise TableError([f"{where}a column has no name"])
    if twice:
        raise TableError([f"{where}columns that are there twice: {clean(', '.join(twice), 300)}"])


def _jsonl(data: bytes) -> Iterator[Record]:
    for number, line in enumerate(_text(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = _JSON.decode(line.strip())
            if not isinstance(cells, _Pairs):
                raise ValueError("allowed: a JSON object")
            yield Record(number, _named(cells))
        except json.JSONDecodeError as error:
            yield Record(number, {}, f"not JSON ({error})")
        except RecursionError:
            yield Record(number, {}, _TOO_DEEP)
        except ValueError as error:
            yield Record(number, {}, str(error))


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object as they are written, repeated ones too."""


def _bounded_whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits; at most {_MOST_DIGITS}")
    return int(digits)


_JSON = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=_bounded_whole)
_TOO_DEEP = f"lists and objects stand in each other more than {_DEEPEST} deep"


def _named(pairs: Iterable[tuple[str, Any]], depth: int = 0) -> dict[str, Any]:
    """The cells of an object. Raises ValueError for a name that is there twice."""
    found: dict[str, Any] = {}
    for written, value in pairs:
        name = whole(written).strip() if not depth else whole(written)
        if name in found:
            raise ValueError(f"{clean(name, 60)!r} stands there twice; keep one of them")
        found[name] = _plain(value, depth + 1)
    return found


def _parquet(data: bytes) -> Iterator[Record]:
    try:
        from pyarrow import ArrowException, BufferReader, parquet
    except ImportError:
        raise TableError(
            ["reading Parquet needs pyarrow: pip install pyarrow, or give CSV or JSONL"]
        ) from None
    number = 0
    try:
        file = parquet.ParquetFile(BufferReader(data))
        _check_header([whole(name) for name in file.schema_arrow.names], "")
        unpacked = 0
        for batch in file.iter_batches(batch_size=_PARQUET_BATCH):
            unpacked += batch.nbytes
            if unpacked > TABLE_LIMIT:
                raise TableError([f"it has more than {TABLE_LIMIT / 1e6:g} MB when it is unpacked"])
            for cells in batch.to_pylist():
                number += 1
                try:
                    yield Record(number, _named(cells.items()))
                except ValueError as error:
                    yield Record(number, {}, str(error))
    except (ArrowException, OSError, ValueError, RecursionError) as error:
        if isinstance(error, TableError):
            raise
        where = f"row {number + 1}: " if number else ""
        raise TableError([f"{where}this is not Parquet ({clean(error, 200)})"]) from None


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


def _plain(value: Any, depth: int) -> Any:
    """A value as JSON has it: no NaN, which stands for nothing, no times, no bytes, no half characters.

    A number without bounds (1e400) is left for the column to refuse. Raises ValueError for what is nested too deep.
    """
    if depth > _DEEPEST:
        raise ValueError(_TOO_DEEP)
    match value:
        case str():
            return whole(value)
        case float():
            return None if math.isnan(value) or (depth > 1 and math.isinf(value)) else value
        case _Pairs():
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
            return None if value.is_nan() else float(value)
        case bytes():
            return base64.b64encode(value).decode()
    return value
