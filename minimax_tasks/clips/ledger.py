"""What was spent under a root, told by the claims of its clips: they are written before the money goes.

An attempt counts from its claim on, unless it was released because certainly nothing was created. Attempts
whose outcome is not known count, and so do clips that failed later (the service is said not to bill those;
what it does is known only from its invoice).
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.clips.folder import read_claim, unnamed_submission
from minimax_tasks.clips.layout import (
    CLIPS,
    RESULT,
    SUBMISSION,
    VIDEO,
    claim_name,
    claim_number,
    clip_file,
    released_name,
    submission_name,
    submission_number,
)
from minimax_tasks.storage.files import Storage

_READERS = 16

DOUBT = "in doubt"
"""It may have been paid: a person must settle it."""

LATE = "accepted late"
"""A worker slept while a person gave its attempt up: it was accepted all the same, and another is in its place."""


@dataclass(frozen=True)
class Payment:
    """One paid attempt at a clip. `usd` is None without a published price."""

    key: str
    attempt: int
    at: str
    usd: float | None
    state: str
    """ "accepted", "in doubt", "failed" or "delivered"; `LATE` when another attempt has its place."""
    task_id: str
    what: str
    purpose: str = ""
    """What the clip was made for: film, shot and take, or table and row. "" when nobody said."""


class Spending:
    """Adds up what was spent under one root. Claims never change, so each is read once."""

    def __init__(self, root: Storage) -> None:
        self._root = root
        self._prices: dict[tuple[str, int], float | None] = {}

    def total(self) -> float:
        """USD of all attempts that were not released, those without a published price left out."""
        attempts = _attempts(self._root)
        for place in attempts:
            if place not in self._prices:
                claim = read_claim(self._root, *place)
                if claim:
                    self._prices[place] = claim.get("usd")
        return sum(self._prices.get(place) or 0.0 for place in attempts)


def payments(root: Storage) -> list[Payment]:
    """Every paid attempt under a root, oldest first."""
    files = _files(root)
    attempts = _attempts(root, files)
    with ThreadPoolExecutor(_READERS) as readers:
        found = readers.map(lambda place: _payments(root, place, files[place[0]]), attempts)
        return sorted(itertools.chain(*found), key=lambda payment: payment.at)


def late_payments(root: Storage) -> list[Payment]:
    """Paid attempts whose task has no place, since another attempt took it: see `Payment.state`."""
    files = {
        key: names for key, names in _files(root).items() if any(submission_number(name) for name in names)
    }
    return [
        payment
        for place in _attempts(root, files)
        for payment in _payments(root, place, files[place[0]])
        if payment.state == LATE
    ]


def doubtful(root: Storage) -> list[tuple[str, int]]:
    """Key and attempt of every claim of which nothing says what came of it."""
    files = {key: names for key, names in _files(root).items() if VIDEO not in names}
    return [
        place
        for place in _attempts(root, files)
        if any(payment.state == DOUBT for payment in _payments(root, place, files[place[0]]))
    ]


def _payments(root: Storage, place: tuple[str, int], names: frozenset[str]) -> list[Payment]:
    """One attempt; two when two task ids were accepted for it, one from a person and one from a worker."""
    key, number = place
    claim = read_claim(root, *place)
    written = unnamed_submission(root, key, number, names)
    submission = (root.read_json(clip_file(key, SUBMISSION)) if SUBMISSION in names else None) or written
    later = read_claim(root, key, number + 1) if claim_name(number + 1) in names else {}
    former = later.get("previous") or {}
    told: dict[str, str] = {}
    if submission.get("attempt") == number:
        task_id = str(submission.get("task_id", ""))
        result = QueryAnswer.model_validate(root.read_json(clip_file(key, RESULT)) or {})
        failed = result.task_id == task_id and result.state is State.FAILED
        told[task_id] = "delivered" if VIDEO in names else "failed" if failed else "accepted"
    elif (former.get("submission") or {}).get("attempt", number) == number and former:
        told[str((former.get("submission") or {}).get("task_id", ""))] = "failed"
    if written:
        newest = not told and not any(claim_number(name) > number for name in names)
        told.setdefault(str(written["task_id"]), "accepted" if newest else LATE)
    at, usd, what = str(claim.get("at", "")), claim.get("usd"), str(claim.get("what", ""))
    purpose = str(claim.get("for") or "")
    return [
        Payment(key, number, at, usd, state, task_id, what, purpose)
        for task_id, state in (told or {"": DOUBT}).items()
    ]


def _files(root: Storage) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for path in root.find(CLIPS):
        key, _, name = path.rpartition("/")
        found.setdefault(key, set()).add(name)
    return {key: frozenset(names) for key, names in found.items()}


def _attempts(root: Storage, files: dict[str, frozenset[str]] | None = None) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for key, names in (files if files is not None else _files(root)).items():
        for number in sorted({claim_number(name) for name in names} - {0}):
            if released_name(number) not in names or _is_paid_all_the_same(root, key, number, names):
                found.append((key, number))
    return found


def _is_paid_all_the_same(root: Storage, key: str, number: int, names: frozenset[str]) -> bool:
    """Whether a released claim was accepted after all: a person gave it up while its worker slept."""
    if submission_name(number) in names:
        return True
    newest = number == max(claim_number(name) for name in names)
    if SUBMISSION not in names or not newest:
        return False
    return (root.read_json(clip_file(key, SUBMISSION)) or {}).get("attempt") == number
