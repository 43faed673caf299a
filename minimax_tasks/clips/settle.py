"""Settling a doubt by the list of the account's tasks, without a person and without a second payment.

A task is adopted only when it alone may be the one: new since the claim, of the same shape, of no other clip, created
within the window, in two whole readings of the list. Everything else leaves the clip in doubt.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.api.v2.answers import TaskAnswer
from minimax_tasks.clips.account import TRIES, Reading, Shape, candidates, read_tasks
from minimax_tasks.clips.callbacks import heard_task_id
from minimax_tasks.clips.events import Happened, announce, clip_event
from minimax_tasks.clips.folder import ClipFolder, age
from minimax_tasks.clips.ledger import payments
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.state import look_async, outcome_is_known
from minimax_tasks.clips.task_owner import owner_of_task, take_task
from minimax_tasks.errors import MiniMaxError
from minimax_tasks.storage.files import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settled:
    """What a look for the task of a doubtful POST came to: the task, or those that may be it."""

    task_id: str = ""
    candidates: tuple[TaskAnswer, ...] = ()
    closed: bool = False
    """Somebody else settled it meanwhile: another worker, or a person."""

    def __bool__(self) -> bool:
        return self.closed or bool(self.task_id)

    @property
    def words(self) -> str:
        """What the list has, for a person; "" when it has nothing that fits."""
        if not self.candidates:
            return ""
        shown = "; ".join(describe(task) for task in self.candidates[:5])
        several = f"{len(self.candidates)} tasks" if len(self.candidates) > 1 else "a task"
        return f"The list of the account has {several} that may be it: {shown}"


def describe(task: TaskAnswer) -> str:
    """A task for a person: its id, when it was created, and how it stands."""
    at = (
        datetime.fromtimestamp(task.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if task.created_at
        else "?"
    )
    return f"{task.task_id} (created {at}, {task.status or 'no status'})"


async def settle(folder: ClipFolder, service: Service, number: int) -> Settled:
    """Look for the task of the N-th POST until it is found or the window is over, and take it over.

    Waits no longer than a run waits for a clip. A callback to the address of the POST settles it as well.
    """
    search = await _Search.of(folder, service, number)
    if search is None:
        return Settled()
    timing = service.timing
    pause, alone, failures = timing.settle_look, "", 0
    found = Settled()
    while True:
        if not await search.is_open():
            return Settled(closed=True)
        if task_id := await search.heard():
            return Settled(task_id)
        try:
            reading, fitting = await search.look()
        except MiniMaxError as error:
            log.info("clip %s: the list of tasks does not answer: %s", folder.key, error)
            reading, fitting, alone, failures = None, [], "", failures + 1
        else:
            failures = 0
            found = Settled(candidates=tuple(fitting))
        only = fitting[0].task_id if len(fitting) == 1 and reading is not None and reading.complete else ""
        if only and only == alone and search.may_adopt and await search.adopt(only):
            return Settled(only)
        last = not only and search.is_over and not 0 < failures < TRIES
        alone = only
        if last or (only and not search.may_adopt):
            return found if await search.is_open() else Settled(closed=True)
        await asyncio.sleep(pause)
        pause = min(pause * (1.0 if only else 1.5), timing.settle_pause)


async def confirmed_callback(
    folder: ClipFolder, service: Service, claim: dict[str, Any], endpoint: Endpoint
) -> str:
    """The task that a callback to the address of a POST named, kept for its clip: once the service confirms it and
    if no other clip has it. "" when there is none.
    """
    root = folder.root
    task_id = await root.run(heard_task_id, root, folder.key, str(claim.get("nonce", "")))
    if not task_id:
        return ""
    try:
        answer = await service.client.query(task_id, endpoint)
    except MiniMaxError as error:
        why = f"is not confirmed: {error}"
    else:
        why = "" if answer.task_id or answer.status else "is not confirmed: the service says nothing of it"
        if not why and not await root.run(_take_new, root, task_id, folder.key):
            why = "is that of another clip"
    if why:
        log.warning("clip %s: a callback named task %s, which %s", folder.key, task_id, why)
    return "" if why else task_id


def _take_new(root: Storage, task_id: str, key: str) -> bool:
    """`take_task` for a task that no submission names."""
    return all(payment.task_id != task_id for payment in payments(root)) and take_task(root, task_id, key)


async def find_candidates(folder: ClipFolder, service: Service, number: int) -> Settled:
    """The tasks that may be the one of the N-th POST, by one reading. Raises `MiniMaxError`."""
    search = await _Search.of(folder, service, number)
    if search is None:
        return Settled()
    _, fitting = await search.look()
    return Settled(candidates=tuple(fitting))


@dataclass
class _Search:
    """A search for the task of one POST."""

    folder: ClipFolder
    service: Service
    number: int
    shape: Shape
    endpoint: Endpoint
    mode: Mode
    claim: dict[str, Any]
    window: float
    began: float

    @classmethod
    async def of(cls, folder: ClipFolder, service: Service, number: int) -> "_Search | None":
        """None for a clip whose tasks are not listed."""
        asked = await folder.asked()
        shape = Shape.of_asked(asked)
        if shape is None:
            return None
        claim = await folder.claimed(number)
        window = service.timing.settle_window
        mode = Mode(asked.get("mode", Mode.TEXT))
        return cls(folder, service, number, shape, endpoint_of(asked), mode, claim, window, time.monotonic())

    @property
    def noted(self) -> dict[str, Any]:
        found = self.claim.get("account")
        return found if isinstance(found, dict) else {}

    @property
    def may_adopt(self) -> bool:
        """Whether the claim says what there was before it: else nobody knows what is new."""
        return self.noted.get("complete") is True

    @property
    def is_over(self) -> bool:
        waited = time.monotonic() - self.began
        patience = min(self.window, self.service.settings.generation_timeout)
        return age(self.claim) > self.window or waited > patience

    async def is_open(self) -> bool:
        """Whether no outcome of the POST is written yet."""
        names = await self.folder.names()
        return not await look_async(self.folder.root, self.folder.key, outcome_is_known(names, self.number))

    async def look(self) -> tuple[Reading, list[TaskAnswer]]:
        reading = await read_tasks(self.service.client, self.endpoint, self.shape.model)
        claimed = await self.folder.root.run(_claimed, self.folder.root, self.folder.key, reading)
        noted = self.noted if "read_at" in self.noted else {"read_at": time.time() - age(self.claim)}
        return reading, candidates(reading, self.shape, noted, claimed, window=self.window)

    async def heard(self) -> str:
        """The task that a callback to the address of the POST named, once it is taken over."""
        task_id = await confirmed_callback(self.folder, self.service, self.claim, self.endpoint)
        return task_id if task_id and await self.adopt(task_id) else ""

    async def adopt(self, task_id: str) -> bool:
        """Take a task over, unless another clip has it."""
        key = self.folder.key
        if not await self.folder.root.run(take_task, self.folder.root, task_id, key):
            return False
        host = self.service.client.host
        await self.folder.adopted(self.number, task_id, self.mode, host, endpoint=self.endpoint)
        announce(await clip_event(Happened.PAID, self.folder))
        log.warning("clip %s: task %s is the one whose submit was in doubt; it is taken over", key, task_id)
        return True


def _claimed(root: Storage, key: str, reading: Reading) -> frozenset[str]:
    """The tasks of a reading that are of other clips, or of other attempts of this one."""
    ours = {payment.task_id for payment in payments(root) if payment.task_id}
    for task in reading.tasks:
        if task.task_id not in ours and owner_of_task(root, task.task_id) not in ("", key):
            ours.add(task.task_id)
    return frozenset(ours)
