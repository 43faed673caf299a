"""The splits of a dataset, from a column `split`: those that Hugging Face `datasets` finds in the names of folders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minimax_tasks.dataset.records import is_empty
from minimax_tasks.dataset.table import Row
from minimax_tasks.errors import InvalidRequest
from minimax_tasks.problems import MOST_PLACES, Problem

COLUMN = "split"

SPLITS: Mapping[str, tuple[str, ...]] = {
    "train": ("training",),
    "validation": ("valid", "val", "dev"),
    "test": ("testing", "eval", "evaluation"),
}
"""Name of a split -> what else it is called (`datasets.data_files.SPLIT_KEYWORDS`)."""

_NAMES = {word: name for name, others in SPLITS.items() for word in (name, *others)}
_DEFAULT = "train"
_ALLOWED = "train, validation or test (also val, dev, eval); give the column another name to carry it along"


@dataclass(frozen=True)
class Splits:
    """The split of each row, in their order; empty when the table has none. What is wrong, and what is doubtful."""

    of_rows: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def splits_of(rows: Iterable[Row]) -> Splits:
    """The splits of a table. A column of other words than splits is carried along like any other."""
    given = list(rows)
    words = [row.carried.get(COLUMN) for row in given]
    names = [None if is_empty(word) else _NAMES.get(str(word).strip().casefold(), "") for word in words]
    if not any(names):
        if any(name is not None for name in names):
            return Splits(
                warnings=(
                    f"column {COLUMN!r} is carried along: no value of it is {_ALLOWED.partition(';')[0]}",
                )
            )
        return Splits()
    wrong = [
        row.problem(InvalidRequest(COLUMN, word, _ALLOWED))
        for row, word, name in zip(given, words, names, strict=True)
        if name == ""
    ]
    empty = [row.place for row, name in zip(given, names, strict=True) if name is None]
    more = f" and {len(empty) - MOST_PLACES:,} more" if len(empty) > MOST_PLACES else ""
    doubts = (
        [f"{', '.join(empty[:MOST_PLACES])}{more}: {COLUMN} is empty, so it is {_DEFAULT}"] if empty else []
    )
    return Splits(tuple(name or _DEFAULT for name in names), tuple(wrong), tuple(doubts))
