"""Reading a table file into records, whatever its format. Nothing here knows what the columns mean."""

import codecs
import contextlib
import io
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from fsspec.compression import compr
from fsspec.utils import infer_compression

from minimax_tasks.dataset.delimited import csv_records, tsv_records
from minimax_tasks.dataset.json_rows import json_records, jsonl_records
from minimax_tasks.dataset.parquet import ParquetRows
from minimax_tasks.dataset.records import Record
from minimax_tasks.errors import ConfigurationError, TableError, UnreadableReference
from minimax_tasks.redaction import clean, shown
from minimax_tasks.storage.naming import file_name
from minimax_tasks.storage.references import opened, read_file

TABLE_LIMIT = 200_000_000
"""Bytes of a table, packed or not. Pictures belong in files next to it."""

PARQUET_LIMIT = 5_000_000_000
"""Bytes of a Parquet file, which is read part by part and may hold pictures."""

MOST_ROWS = 200_000
"""Rows of one table; each is planned, known by its key and written about on its own."""

MOST_COLUMNS = 2_000

_BEGINNING = 200
"""Bytes of a text from which its encoding is guessed."""

_PACKED = (".gz", ".bz2", ".xz", ".zst")

_SHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")

_PARQUET = "parquet"
_TEXTS: dict[str, Callable[[str], Iterator[Record]]] = {
    "csv": csv_records,
    "tsv": tsv_records,
    "jsonl": jsonl_records,
    "ndjson": jsonl_records,
    "json": json_records,
}
"""Ending of a file of text -> what reads its rows."""

ENDINGS = (*_TEXTS, _PARQUET)


@dataclass(frozen=True)
class FileRows:
    """The rows of one file: the names of its columns in their order, and the records, which are read once."""

    columns: tuple[str, ...]
    records: Iterable[Record]
    size: Callable[[], int]
    """Bytes of what was read, without pictures."""


def read_bytes(path: str) -> bytes:
    """The bytes, unpacked, of a file that is local, on the web or on a storage. Raises `TableError`."""
    try:
        return _unpacked(path, read_file(path, TABLE_LIMIT, "the table file"))
    except UnreadableReference as error:
        raise TableError([f"{shown(path)}: {error}"]) from None


def _unpacked(path: str, data: bytes) -> bytes:
    """The bytes of a file whose name may say that it is packed."""
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


@contextlib.contextmanager
def open_rows(path: str, encoding: str = "", pictures: Collection[str] = ()) -> Iterator[FileRows]:
    """The rows of a file that is local, on the web or on a storage, for as long as the block lasts.

    `pictures` are the columns that may hold pictures themselves; they are not all in the memory at once. Raises
    `TableError`.
    """
    with contextlib.ExitStack() as stack:
        if ending_of(path) != _PARQUET or split_name(path)[0] != file_name(path):
            yield rows_of(path, read_bytes(path), encoding)
            return
        try:
            file = stack.enter_context(opened(path, PARQUET_LIMIT))
        except UnreadableReference as error:
            raise TableError([f"{shown(path)}: {error}"]) from None
        with _naming(path):
            rows = _parquet_rows(path, file, pictures)
        yield rows


def rows_of(path: str, data: bytes, encoding: str = "") -> FileRows:
    """The rows of a file, its format by the end of its name. Raises `TableError`, also while they are read."""
    ending = ending_of(path)
    if not ending:
        hint = "; save the sheet as CSV" if file_name(path).lower().endswith(_SHEETS) else ""
        raise TableError([f"{shown(path)}: allowed: a table whose name ends in .{', .'.join(ENDINGS)}{hint}"])
    with _naming(path):
        if ending == _PARQUET:
            return _parquet_rows(path, io.BytesIO(data))
        records = list(_limited(_TEXTS[ending](_text(data, encoding))))
        columns = tuple(dict.fromkeys(name for record in records for name in record.cells))
        _check_columns(columns)
    return FileRows(columns, iter(records), lambda: len(data))


def _parquet_rows(path: str, file: BinaryIO, pictures: Collection[str] = ()) -> FileRows:
    rows = ParquetRows(file, TABLE_LIMIT, pictures)
    _check_columns(rows.columns)
    records = _named_while_read(path, _limited(iter(rows)))
    return FileRows(rows.columns, records, lambda: rows.unpacked)


def _check_columns(columns: Collection[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise TableError([f"it has more than {MOST_COLUMNS:,} columns"])


def ending_of(path: str) -> str:
    """The ending that says what a table file is, "" when it has none that does."""
    _, dot, ending = split_name(path)[0].lower().rpartition(".")
    return ending if dot and ending in ENDINGS else ""


def counted_by(path: str) -> str:
    """What the rows of a file are counted by: the lines of a text, the rows of Parquet."""
    return "row" if ending_of(path) == _PARQUET else "line"


def split_name(path: str) -> tuple[str, str]:
    """The name of a table's file without the ending of its compression, and without both endings."""
    name = file_name(path)
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return name, name.rpartition(".")[0] or name


def check_encoding(encoding: str) -> None:
    """Raise `ConfigurationError` for what is no encoding of texts."""
    try:
        codecs.lookup(encoding)
        "".encode(encoding)  # LookupError for what encodes bytes, such as base64
    except (LookupError, ValueError):
        raise ConfigurationError(
            f"encoding = {shown(encoding)!r}: allowed: an encoding that Python knows, such as utf-8, cp1252, gb18030"
        ) from None


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    """Let the mistakes that are found in the block begin with the file's name."""
    try:
        yield
    except TableError as error:
        raise TableError([f"{shown(path)}: {problem}" for problem in error.problems]) from None


def _named_while_read(path: str, records: Iterator[Record]) -> Iterator[Record]:
    with _naming(path):
        yield from records


def _limited(records: Iterator[Record]) -> Iterator[Record]:
    for count, record in enumerate(records):
        if count == MOST_ROWS:
            raise TableError([f"it has more than {MOST_ROWS:,} rows; cut it into several tables"])
        yield record


def _unsaid_utf16(data: bytes) -> str:
    """The UTF-16 that a text begins in without saying so, "" when it does not: most second bytes are zero."""
    for encoding, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if zeros and 2 * zeros.count(0) > len(zeros):
            return encoding
    return ""


def _text(data: bytes, encoding: str) -> str:
    """The text of a file: UTF-8 unless it says, or somebody says, that it is another."""
    if not encoding and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if not encoding and (unsaid := _unsaid_utf16(data[:_BEGINNING])):
        raise TableError([f"line 1: not UTF-8 text; give the encoding {unsaid}"])
    try:
        return data.decode(encoding or "utf-8-sig").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    except ValueError:  # of encodings that are for other things than texts, such as idna
        line = 1
    if encoding:
        raise TableError([f"line {line}: not text in {encoding}"])
    raise TableError(
        [f"line {line}: not UTF-8 text; give the encoding that it has, such as `encoding` cp1252"]
    )
