"""What was spent under a root, told by the claims of its clips: they are written before the money goes.

An attempt counts from its claim on, unless it was released because certainly nothing was created. Attempts
whose outcome is not known count, and so do clips that failed later (the service is said not to bill those;
what it does is known only from its invoice).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.storage.files import Storage

_READERS = 16


@dataclass(frozen=True)
class Payment:
    """One paid attempt at a clip. `usd` is None without a published price."""

    key: str
    attempt: int
    at: str
    usd: float | None
    state: str
    """ "accepted", "in doubt", "failed" or "delivered"."""
    task_id: str
    what: str


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
                claim = _read(self._root, place, "claim")
                if claim:
                    self._prices[place] = claim.get("usd")
        return sum(self._prices.get(place) or 0.0 for place in attempts)


def payments(root: Storage) -> list[Payment]:
    """Every paid attempt under a root, oldest first."""
    files = _files(root)
    attempts = _attempts(root, files)
    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(lambda place: _payment(root, place, files[place[0]]), attempts))
    return sorted(found, key=lambda payment: payment.at)


def _payment(root: Storage, place: tuple[str, int], names: frozenset[str]) -> Payment:
    key, number = place
    claim = _read(root, place, "claim")
    submission = root.read_json(f"clips/{key}/submission.json") or {}
    task_id, state = "", "in doubt"
    if submission.get("attempt") == number:
        task_id = str(submission.get("task_id", ""))
        result = QueryAnswer.model_validate(root.read_json(f"clips/{key}/result.json") or {})
        failed = result.task_id == task_id and result.state is State.FAILED
        state = "delivered" if "video.mp4" in names else "failed" if failed else "accepted"
    else:
        later = _read(root, (key, number + 1), "claim").get("previous") or {}
        if later:
            task_id, state = str((later.get("submission") or {}).get("task_id", "")), "failed"
    return Payment(
        key, number, str(claim.get("at", "")), claim.get("usd"), state, task_id, str(claim.get("what", ""))
    )


def _files(root: Storage) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for path in root.find("clips"):
        key, _, name = path.rpartition("/")
        found.setdefault(key, set()).add(name)
    return {key: frozenset(names) for key, names in found.items()}


def _attempts(root: Storage, files: dict[str, frozenset[str]] | None = None) -> list[tuple[str, int]]:
    return [
        (key, int(number))
        for key, names in (files if files is not None else _files(root)).items()
        for name in names
        if name.startswith("claim.")
        and (number := name.removeprefix("claim.").removesuffix(".json")).isdigit()
        and f"released.{number}.json" not in names
    ]


def _read(root: Storage, place: tuple[str, int], kind: str) -> dict[str, Any]:
    return root.read_json(f"clips/{place[0]}/{kind}.{place[1]}.json") or {}
