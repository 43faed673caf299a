"""What was spent under a root, inferred from the claims of its clips, which are written before each payment.

An attempt counts from its claim on, unless it was released because certainly nothing was created. Attempts
whose outcome is not known count, and so do clips that failed later (the service is said not to bill those;
what it does is known only from its invoice).
"""

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from minimax_tasks.clips.layout import submission_number
from minimax_tasks.clips.state import (
    AttemptOutcome,
    Names,
    all_names,
    bill,
    look,
    paid_attempts,
    paid_numbers,
)
from minimax_tasks.storage.files import Storage

_READERS = 16


@dataclass(frozen=True)
class Payment:
    """One paid attempt at a clip. `usd` is None without a published price."""

    key: str
    attempt: int
    at: str
    usd: float | None
    state: AttemptOutcome
    task_id: str
    what: str
    purpose: str = ""
    """What the clip was made for: film, shot and take, or table and row. "" when nobody said."""
    billed: float | None = None
    """What the service said that it bills; `usd` is what was expected. None where it says nothing."""


class Spending:
    """Adds up what was spent under one root. Claims never change, so each is read once."""

    def __init__(self, root: Storage) -> None:
        self._root = root
        self._prices: dict[tuple[str, int], float | None] = {}

    def total(self) -> float:
        """USD of all attempts that were not released, those without a published price left out."""
        files = all_names(self._root)
        attempts = [
            (key, number)
            for key, names in files.items()
            for number in look(self._root, key, paid_numbers(names))
        ]
        for key, number in attempts:
            if (key, number) not in self._prices:
                found = look(self._root, key, bill(files[key], number))
                if found:
                    self._prices[key, number] = found.get("usd")
        return sum(self._prices.get(place) or 0.0 for place in attempts)


def payments(root: Storage) -> list[Payment]:
    """Every paid attempt under a root, oldest first."""
    return _payments(root, all_names(root))


def late_payments(root: Storage) -> list[Payment]:
    """Paid attempts whose task has no place, since another attempt took it: see `AttemptOutcome.LATE`."""
    files = {
        key: names for key, names in all_names(root).items() if any(submission_number(name) for name in names)
    }
    return [payment for payment in _payments(root, files) if payment.state is AttemptOutcome.LATE]


def _payments(root: Storage, files: Mapping[str, Names]) -> list[Payment]:
    def of_clip(key: str) -> list[Payment]:
        return [
            Payment(
                key, one.number, one.at, one.usd, one.outcome, one.task_id, one.what, one.purpose, one.billed
            )
            for one in look(root, key, paid_attempts(files[key]))
        ]

    with ThreadPoolExecutor(_READERS) as readers:
        found = itertools.chain(*readers.map(of_clip, files))
        return sorted(found, key=lambda payment: payment.at)
