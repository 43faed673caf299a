"""Parquet tables: the columns by the schema, the rows batch by batch."""

from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from minimax_tasks.dataset.delimited import check_header
from minimax_tasks.dataset.records import Record, cells_of
from minimax_tasks.errors import TableError
from minimax_tasks.redaction import clean, whole

_MAGIC = (b"PAR1", b"PARE")
"""How a file of Parquet begins, one whose end is enciphered too."""

_BATCH, _BATCH_WITH_PICTURES = 256, 8
"""Rows that are unpacked at once: a few bytes of Parquet can stand for very many rows."""


class ParquetRows:
    """The rows of a Parquet file. Raises `TableError` for what is none."""

    def __init__(self, file: BinaryIO, limit: int, pictures: Collection[str] = ()) -> None:
        """`limit` is how many bytes its rows may be when they are unpacked, without what is in columns of pictures."""
        try:
            from pyarrow import ArrowException, parquet
        except ImportError:
            if file.read(4) not in _MAGIC:  # pyarrow would be installed in vain
                raise TableError(["this is not Parquet (it does not begin with PAR1)"]) from None
            raise TableError(
                ["reading Parquet needs pyarrow: pip install pyarrow, or give CSV or JSONL"]
            ) from None
        self._limit = limit
        self.unpacked = 0
        """Bytes of the rows that were read, without their pictures."""
        self._not_parquet = (ArrowException, OSError, ValueError, RecursionError)
        try:
            self._file = parquet.ParquetFile(file, pre_buffer=False)
            self.columns = tuple(whole(name) for name in self._file.schema_arrow.names)
        except self._not_parquet as error:
            raise _no_parquet(0, error) from None
        check_header(self.columns)
        self._pictures = [name for name in self.columns if name in pictures]

    def __iter__(self) -> Iterator[Record]:
        number = 0
        size = _BATCH_WITH_PICTURES if self._pictures else _BATCH
        try:
            for batch in self._file.iter_batches(batch_size=size):
                self.unpacked += batch.nbytes - sum(batch.column(name).nbytes for name in self._pictures)
                if self.unpacked > self._limit:
                    raise TableError([f"it has more than {self._limit / 1e6:g} MB when it is unpacked"])
                for record in _records(number, batch):
                    number += 1
                    yield record
        except TableError:
            raise
        except self._not_parquet as error:
            raise _no_parquet(number, error) from None


def _records(before: int, batch: Any) -> Iterator[Record]:
    """The rows of a batch. `before` is how many rows came before them."""
    try:
        rows = batch.to_pylist(maps_as_pydicts="strict")
    except KeyError:
        rows = [None] * batch.num_rows  # one of them cannot be had, so each is asked for alone
    for place, cells in enumerate(rows):
        number = before + place + 1
        try:
            if cells is None:
                (cells,) = batch.slice(place, 1).to_pylist(maps_as_pydicts="strict")
            yield Record(number, cells_of(cells.items()))
        except KeyError:
            yield Record(number, {}, "a map has a key twice")
        except ValueError as error:
            yield Record(number, {}, str(error))


def _no_parquet(number: int, error: Exception) -> TableError:
    where = f"row {number + 1}: " if number else ""
    return TableError([f"{where}this is not Parquet ({clean(error, 200)})"])
