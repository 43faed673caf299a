"""One accepted task: what it was accepted as, its outcome, and the clock that its status follows.

A task goes Preparing, Queueing, Processing, then Success or Fail. Queueing is left out for templates, as in
the API reference. The clock is the time since the task was accepted, so the status needs no timers and is
the same after a restart.
"""

from dataclasses import dataclass, field
from typing import Any

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.v1.endpoints import TEMPLATE_GENERATION
from minimax_tasks.sandbox.http.validation import AcceptedRequest
from minimax_tasks.sandbox.http.wire import BaseResp, CallbackSent, LedgerEntry, Status

STAGES: tuple[tuple[Status, float], ...] = (("Preparing", 0.0), ("Queueing", 0.15), ("Processing", 0.4))
"""Status -> the share of the latency after which a task has it."""


@dataclass(frozen=True)
class TaskRecord:
    """What a task was accepted as; never changes. `latency` is in seconds, `created_at` Unix seconds.

    `fail` is the code that the task will fail with, `stuck` the status that it never leaves.
    """

    task_id: str
    file_id: str
    accepted: AcceptedRequest
    variant: int
    created_at: float
    latency: float
    width: int
    height: int
    fail: int = 0
    stuck: Status | None = None
    expires: bool = False

    @property
    def clip_key(self) -> str:
        """The same for the same request and variant."""
        return f"{self.accepted.fingerprint[:40]}-{self.variant}"

    @property
    def gets_clip(self) -> bool:
        """Whether the task ever gets as far as a clip."""
        return not self.fail and not self.expires and self.stuck is None and not self.accepted.text_result

    def to_json(self) -> dict[str, Any]:
        """The record for the journal, with the field names that older folders have."""
        kept = dict(vars(self))
        order = vars(kept.pop("accepted"))
        return {**kept, "order": order}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "TaskRecord":
        """The inverse of `to_json`."""
        kept = dict(value)
        order = kept.pop("order")
        return cls(**kept, accepted=AcceptedRequest(**{**order, "mode": Mode(order["mode"])}))


@dataclass
class SandboxTask:
    """A task and its outcome. Changed by the event loop alone."""

    record: TaskRecord
    drawn: bool = False
    broken: bool = False
    downloads: int = 0
    leaked_key: bool = False
    cancelled_at: float = 0.0
    deleted: bool = False
    base: str = ""
    """The address by which the client knows the sandbox, for callbacks."""
    callbacks: list[CallbackSent] = field(default_factory=list)

    def status(self, now: float) -> Status:
        """The status at a time (Unix seconds). Success is only reported once the clip has been drawn."""
        if self.cancelled_at:
            return "Cancelled"
        stage = self._stage(now)
        if self.record.stuck is not None or now < self.ready_at:
            return stage
        if self.record.fail or self.record.expires or self.broken:
            return "Fail"
        return "Success" if self.drawn or self.record.accepted.text_result else stage

    def changed_at(self, now: float) -> float:
        """When the status last changed (Unix seconds)."""
        if self.cancelled_at:
            return self.cancelled_at
        if self.status(now) in ("Success", "Fail"):
            return self.ready_at
        reached = [self.record.created_at + self.record.latency * begins for _, begins in STAGES]
        return max(moment for moment in reached if moment <= max(now, self.record.created_at))

    @property
    def ready_at(self) -> float:
        """When the clock has run out (Unix seconds)."""
        return self.record.created_at + self.record.latency

    @property
    def processing_at(self) -> float:
        """When Processing begins (Unix seconds)."""
        return self.record.created_at + self.record.latency * STAGES[-1][1]

    def base_resp(self, status: Status) -> BaseResp:
        """The reason of a failed task, else success (source: the codes in the query's reference)."""
        if status == "Fail" and self.record.expires:
            return BaseResp.of(1001)
        return BaseResp.of((self.record.fail or 1000) if status == "Fail" else 0)

    def entry(self, now: float) -> LedgerEntry:
        """The task as the ledger shows it."""
        record = self.record
        return LedgerEntry(
            task_id=record.task_id,
            kind=record.accepted.mode.value,
            request=dict(record.accepted.request),
            status=self.status(now),
            created_at=record.created_at,
            downloads=self.downloads,
            leaked_key=self.leaked_key,
            variant=record.variant,
            file_id=record.file_id,
            callbacks=tuple(self.callbacks),
        )

    def _stage(self, now: float) -> Status:
        share = (now - self.record.created_at) / self.record.latency if self.record.latency > 0 else 1.0
        reached = [status for status, begins in STAGES if share >= begins] or [STAGES[0][0]]
        stage = reached[-1]
        if self.record.stuck in reached:
            stage = self.record.stuck
        if stage == "Queueing" and self.record.accepted.endpoint == TEMPLATE_GENERATION:
            return "Preparing"
        return stage
