"""What happens to a clip that somebody outside should know: it was paid for, delivered, failed for good, or is in doubt.

Each is one line in the log, and reaches all listeners: the tasks of Luigi pass it on as events of theirs.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from minimax_tasks.clips.folder import ClipFolder, age
from minimax_tasks.clips.layout import REQUEST, SUBMISSION
from minimax_tasks.clips.request import in_one_line
from minimax_tasks.redaction import shown

log = logging.getLogger(__name__)


class Happened(StrEnum):
    """What became of a clip."""

    PAID = "paid"
    """The service accepted it, which is what it asks money for."""
    DELIVERED = "delivered"
    """The video is on storage, checked."""
    FAILED = "failed"
    """It is over without a video: refused, or its generation failed."""
    IN_DOUBT = "in doubt"
    """It is not known whether it was accepted and paid for; a person must settle it."""


@dataclass(frozen=True)
class ClipEvent:
    """Something that happened to a clip."""

    happened: Happened
    key: str
    root: str
    task_id: str = ""
    """The service's id of the task; "" before there is one."""
    usd: float | None = None
    """The price by the price table; None without a published one."""
    seconds: float | None = None
    """*Paid*: how long the submit took. *Delivered* and *failed*: how long ago the clip was submitted."""
    why: str = ""
    """Why it failed or is in doubt."""
    purpose: str = ""
    """What it is for: film, shot and take, or table and row; the request in one line when nobody said."""

    def __str__(self) -> str:
        price = "no published price" if self.usd is None else f"USD {self.usd:.2f}"
        facts = [f"{self.happened}: clip {self.key}", f"task {self.task_id}" if self.task_id else "", price]
        facts.append("" if self.seconds is None else f"{self.seconds:.1f} s")
        ends = [shown(text) for text in (self.why, self.purpose) if text]
        return "; ".join([", ".join(filter(None, facts)), *ends])


async def clip_event(happened: Happened, folder: ClipFolder, *, why: str = "") -> ClipEvent:
    """What happened to a clip that was submitted, with what its folder knows."""
    submission, asked = {}, {}
    with contextlib.suppress(Exception):  # what happened is not undone by a storage that cannot be read now
        submission, asked = await folder.known(SUBMISSION) or {}, await folder.known(REQUEST) or {}
    return event_of(happened, folder, submission, asked, why=why)


def event_of(
    happened: Happened,
    folder: ClipFolder,
    submission: dict[str, Any],
    asked: dict[str, Any],
    *,
    why: str = "",
) -> ClipEvent:
    """What happened to a clip, by its submission and its request."""
    return ClipEvent(
        happened,
        folder.key,
        folder.root.url,
        task_id=str(submission.get("task_id") or ""),
        usd=submission.get("usd"),
        seconds=age(submission, "submitted_at") if submission else None,
        why=why,
        purpose=in_one_line(str(asked.get("prompt") or asked.get("text") or ""), 80),
    )


Listener = Callable[[ClipEvent], None]

_listener: ContextVar[Listener | None] = ContextVar("minimax_clip_listener", default=None)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let this hear what happens to the clips that are worked on in the block, and in coroutines begun in it."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def is_heard() -> bool:
    """Whether anybody would learn of an event, so that it is worth reading what it says."""
    return _listener.get() is not None or log.isEnabledFor(logging.INFO)


def announce(event: ClipEvent) -> None:
    """Log what happened and tell who listens, whose mistakes are logged and stop nothing."""
    log.info("%s", event)
    listener = _listener.get()
    if listener is not None:
        try:
            listener(event)
        except Exception:
            log.exception("who listens to clips failed at: %s", event)
