"""Tables of cells between marks: CSV as programs write it, and as spreadsheets of half of the world do."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from minimax_tasks.dataset.records import Record
from minimax_tasks.errors import TableError
from minimax_tasks.redaction import clean

MARKS = (",", ";", "\t", "|")
"""What may stand between the cells of a CSV file that does not say so itself."""

_SAYS = re.compile(r'"?sep=([,;|\t])"?[,;|\t ]*\r?\n', re.IGNORECASE)
"""The first line by which a spreadsheet says what separates the columns."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def csv_records(text: str) -> Iterator[Record]:
    """The rows of a CSV file, with commas, semicolons, tabs or upright lines between its cells."""
    if said := _SAYS.match(text):
        return _records(text[said.end() :], said[1], above=1)
    header = _QUOTED.sub("", next((line for line in text.splitlines() if line.strip()), ""))
    return _records(text, next((mark for mark in MARKS if mark in header), ","))


def tsv_records(text: str) -> Iterator[Record]:
    """The rows of a file with tabs between its cells."""
    return _records(text, "\t")


def check_header(header: Iterable[str], where: str = "") -> None:
    """Raise `TableError` for columns that share a name, or have none. `where` begins the sentence."""
    times = Counter(header)
    if "" in times:
        raise TableError([f"{where}a column has no name"])
    if twice := sorted(name for name, count in times.items() if count > 1):
        raise TableError([f"{where}columns that are there twice: {clean(', '.join(twice), 300)}"])


def _records(text: str, delimiter: str, above: int = 0) -> Iterator[Record]:
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
                check_header(header, f"line {number}: ")
            elif len(cells) != len(header):
                yield Record(number, {}, f"{len(cells)} cells under a header of {len(header)} columns")
            else:
                yield Record(number, {name: cell or None for name, cell in zip(header, cells, strict=True)})
    except csv.Error as error:
        raise TableError([f"line {before + 1}: {error}"]) from None
