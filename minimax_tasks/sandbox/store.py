"""The tasks of a sandbox, in memory and in a journal from which a restarted sandbox knows them again.

The journal is one JSON object a line, only ever appended to, and what is in memory is what its lines say:
another sandbox on the same folder is heard as well. A line cut off by a crash is skipped, since its task was
never answered.
"""

import json
import random
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v1.endpoints import TEMPLATE_GENERATION
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.sandbox.task import SandboxTask, TaskRecord

KEPT_TASKS = 20_000
"""The oldest tasks beyond this number are forgotten, so that a sandbox can run for months."""


class Store:
    """Tasks by task id and by file id. For the event loop alone.

    Raises `OSError` when the journal cannot be used, `ConfigurationError` when it is something else.
    """

    def __init__(self, journal: Path, *, kept: int = KEPT_TASKS) -> None:
        self._tasks: OrderedDict[str, SandboxTask] = OrderedDict()
        self._by_file: dict[str, SandboxTask] = {}
        self._variants: dict[str, int] = {}
        self._kept = kept
        self._last_id = 0
        journal.parent.mkdir(parents=True, exist_ok=True)
        self._writer = journal.open("ab", buffering=0)
        self._reader = journal.open("rb")
        self._read_to = 0
        self._refresh()
        if self._read_to < self._writer.tell():
            self._writer.write(b"\n")

    def close(self) -> None:
        """Close the journal."""
        self._writer.close()
        self._reader.close()

    def new_ids(self, endpoint: Endpoint) -> tuple[str, str]:
        """A task id and a file id: 15 digits, or 18 for a template's task, as recorded."""
        task, file = self._next_id(), self._next_id()
        return f"{task}{random.randrange(1000):03}" if endpoint == TEMPLATE_GENERATION else str(task), str(
            file
        )

    def next_variant(self, fingerprint: str) -> int:
        """How often this request will have been accepted, counting the next time."""
        return self._variants.get(fingerprint, 0) + 1

    def add(self, record: TaskRecord) -> SandboxTask:
        """Accept a task; it is in the journal before this returns."""
        self._write({"event": "accepted", "ticket": record.to_json()})
        return self._tasks[record.task_id]

    def task(self, task_id: str) -> SandboxTask | None:
        """The task with this id."""
        if task_id not in self._tasks:
            self._refresh()
        return self._tasks.get(task_id)

    def file(self, file_id: str) -> SandboxTask | None:
        """The task that makes this file."""
        if file_id not in self._by_file:
            self._refresh()
        return self._by_file.get(file_id)

    def all(self) -> list[SandboxTask]:
        """Every task that is remembered, oldest first."""
        self._refresh()
        return list(self._tasks.values())

    def drawn(self, task: SandboxTask) -> None:
        """Note that the clip of a task was drawn once: from now on its status stays Success."""
        if not task.drawn:
            self._write({"event": "drawn", "task_id": task.record.task_id})

    def downloaded(self, task: SandboxTask) -> None:
        """Note that the file of a task was asked for."""
        self._write({"event": "downloaded", "task_id": task.record.task_id})

    def key_leaked(self, task: SandboxTask) -> None:
        """Note that the file of a task was asked for with a key, which nobody but the API should see."""
        if not task.leaked_key:
            self._write({"event": "key_leaked", "task_id": task.record.task_id})

    def cancelled(self, task: SandboxTask) -> None:
        """Note that a task was taken back while it was queued."""
        self._write({"event": "cancelled", "task_id": task.record.task_id, "at": time.time()})

    def deleted(self, task: SandboxTask) -> None:
        """Note that the record of a task was deleted."""
        self._write({"event": "deleted", "task_id": task.record.task_id})

    def _write(self, event: dict[str, Any]) -> None:
        self._writer.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self._refresh()

    def _refresh(self) -> None:
        self._reader.seek(self._read_to)
        for line in self._reader:
            if not line.endswith(b"\n"):
                return
            self._read_to += len(line)
            self._apply(_record(line))

    def _apply(self, event: dict[str, Any]) -> None:
        if event.get("event") == "accepted":
            self._remember(self._record_of(event))
        elif (task := self._tasks.get(event.get("task_id", ""))) is not None:
            task.drawn |= event.get("event") == "drawn"
            task.downloads += event.get("event") == "downloaded"
            task.leaked_key |= event.get("event") == "key_leaked"
            task.deleted |= event.get("event") == "deleted"
            if event.get("event") == "cancelled":
                task.cancelled_at = float(event.get("at", 0.0))

    def _record_of(self, event: dict[str, Any]) -> TaskRecord:
        try:
            return TaskRecord.from_json(event["ticket"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{self._reader.name} is not the journal of a sandbox of this version: {error!r}"
            ) from None

    def _remember(self, record: TaskRecord) -> None:
        task = SandboxTask(record)
        self._tasks[record.task_id] = self._by_file[record.file_id] = task
        fingerprint = record.accepted.fingerprint
        self._variants[fingerprint] = max(record.variant, self._variants.get(fingerprint, 0))
        if len(self._tasks) > self._kept:
            _, oldest = self._tasks.popitem(last=False)
            del self._by_file[oldest.record.file_id]
            if self._variants.get(oldest.record.accepted.fingerprint) == oldest.record.variant:
                del self._variants[oldest.record.accepted.fingerprint]

    def _next_id(self) -> int:
        self._last_id = max(self._last_id + 1, int(time.time() * 1000) * 100 + random.randrange(100))
        return self._last_id


def _record(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
