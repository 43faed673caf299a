"""What the list of an account's tasks says, where a generation of the API has one.

Before a POST it says what there is already; after a POST whose answer was lost, what may be its task; and how many
tasks are under way. It may not answer, be late, short, unsorted or paged: it is evidence, and a second payment never
follows from it.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Self

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.client import MiniMaxClient
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.api.requests import AnyRequest, VideoRequest
from minimax_tasks.api.v2.answers import TaskAnswer
from minimax_tasks.errors import AuthenticationFailed, MiniMaxError, NotConnected

log = logging.getLogger(__name__)

PAGE = 100
MOST_PAGES = 200
"""Pages that are read at most: a list that never ends says nothing."""

TRIES = 4
"""Readings that are tried before a POST goes without."""

_KEPT_BACK = 900.0
"""Seconds before the newest task whose ids a claim notes: older ones are told apart by their time."""

_SKEW = 5.0
"""Seconds by which the service's own times may differ from each other."""
_LOCAL_SKEW = 150.0
"""Seconds by which its clock may differ from ours, where it does not say what time it is."""

_UNDER_WAY = ("queued", "running")


@dataclass(frozen=True)
class Shape:
    """What a task in the list has in common with the request that made it."""

    endpoint: str
    model: str
    resolution: str
    seconds: int
    ratio: str = ""
    """Empty where the list may say another one than was sent: that of the pictures."""
    pictures: int = 0

    @classmethod
    def of(cls, request: AnyRequest) -> Self | None:
        """The shape of a request whose tasks are listed; None for any other."""
        if not request.endpoint.list_path or not isinstance(request, VideoRequest):
            return None
        resolution, seconds = request.size
        ratio = request.sent_ratio or "" if request.mode is Mode.TEXT else ""
        pictures = len(request.pictures())
        return cls(request.endpoint.name, request.model, resolution, seconds, ratio, pictures)

    @classmethod
    def of_asked(cls, asked: Mapping[str, Any]) -> Self | None:
        """The same from `request.json`."""
        endpoint = endpoint_of(asked)
        seconds, pictures = asked.get("duration"), asked.get("pictures")
        if not endpoint.list_path or not isinstance(seconds, int):
            return None
        ratio = str(asked.get("ratio") or "") if asked.get("mode") == Mode.TEXT else ""
        count = len(pictures) if isinstance(pictures, dict) else 0
        return cls(
            endpoint.name, str(asked.get("model")), str(asked.get("resolution")), seconds, ratio, count
        )

    @property
    def key(self) -> str:
        """The same for all shapes whose tasks could be taken for each other."""
        parts = (self.endpoint, self.model, self.resolution, self.seconds)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]

    def fits(self, task: TaskAnswer) -> bool:
        """Whether a task may be that of a request of this shape. What the list does not say counts as unknown."""
        said = (
            (task.model, self.model),
            (task.resolution, self.resolution),
            (task.duration, self.seconds),
            (task.task_type, "generation"),
            (task.ratio if self.ratio else "", self.ratio),
            (_pictures(task), self.pictures),
        )
        return all(not theirs or theirs == ours for theirs, ours in said)


def _pictures(task: TaskAnswer) -> int:
    for name in ("input_image_count", "image_count"):
        value = task.usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0


@dataclass(frozen=True)
class Reading:
    """What the list said: its tasks, whether those are all, and the service's clock where it says it."""

    tasks: tuple[TaskAnswer, ...]
    complete: bool
    clock: float | None
    read_at: float

    def noted(self) -> dict[str, Any]:
        """What a claim keeps of it."""
        newest = max((task.created_at for task in self.tasks), default=0)
        recent = [
            task.task_id
            for task in self.tasks
            if not task.created_at or task.created_at >= newest - _KEPT_BACK
        ]
        return {"tasks": recent, "complete": self.complete, "clock": self.clock, "read_at": self.read_at}


async def read_tasks(client: MiniMaxClient, endpoint: Endpoint, model: str) -> Reading:
    """All tasks of a model in an account. Raises `MiniMaxError` when the list does not answer."""
    read_at = time.time()
    found: dict[str, TaskAnswer] = {}
    total: int | None = None
    new: list[TaskAnswer] = []
    clock: float | None = None
    for number in range(1, MOST_PAGES + 1):
        page, moment = await client.tasks(endpoint, page=number, size=PAGE, model=model)
        clock = moment if clock is None else clock
        total = page.total
        new = [task for task in page.items if task.task_id and task.task_id not in found]
        found |= {task.task_id: task for task in new}
        if not new or (total is not None and len(found) >= total):
            break
    complete = not new if total is None else len(found) >= total
    return Reading(tuple(found.values()), complete, clock, read_at)


def candidates(
    reading: Reading, shape: Shape, noted: dict[str, Any], claimed: Container[str], *, window: float
) -> list[TaskAnswer]:
    """The tasks that may be the one of a POST: of its shape, new since its claim, and of no other clip."""
    before = noted.get("tasks")
    known = {str(one) for one in before} if isinstance(before, list) else set()
    began, skew = noted.get("clock"), _SKEW
    if not isinstance(began, int | float) or isinstance(began, bool):
        began, skew = noted.get("read_at"), _LOCAL_SKEW
    began = float(began) if isinstance(began, int | float) else 0.0
    return [
        task
        for task in reading.tasks
        if shape.fits(task)
        and not task.is_cancelled  # nothing is charged for it, and it gives no clip
        and task.task_id not in known
        and task.task_id not in claimed
        and (not task.created_at or began - skew <= task.created_at <= began + window + skew)
    ]


class Account:
    """The account of a service as its list shows it: one for all clips of an event loop."""

    def __init__(self, *, in_flight: int, pause: float, fresh: float = 2.0) -> None:
        self._most = in_flight
        self._pause = pause
        self._fresh = fresh
        self._reading = asyncio.Lock()
        self._counting = asyncio.Lock()
        self._newest: dict[str, Reading] = {}
        self._counted = 0
        self._taken = 0
        self._sent = 0
        self._counted_at = float("-inf")

    async def note(self, client: MiniMaxClient, endpoint: Endpoint, model: str) -> dict[str, Any] | None:
        """What there is before a POST, for its claim; None when the list does not answer.

        One reading serves all who ask within a moment. Raises `AuthenticationFailed` and `NotConnected`.
        """
        asked = time.time()
        async with self._reading:
            newest = self._newest.get(model)
            if newest is None or not asked - self._fresh <= newest.read_at <= time.time():
                newest = await self._read_whole(client, endpoint, model)
                if newest is None:
                    return None
                self._newest[model] = newest
        return newest.noted()

    async def _read_whole(self, client: MiniMaxClient, endpoint: Endpoint, model: str) -> Reading | None:
        """A whole reading if it can be had in some tries: tasks may come between two pages."""
        found: Reading | None = None
        for number in range(TRIES):
            if number:
                await asyncio.sleep(min(self._pause, float(number)))
            try:
                found = await read_tasks(client, endpoint, model)
            except (AuthenticationFailed, NotConnected):
                raise  # the POST would fare no better, and nothing is claimed yet
            except MiniMaxError as error:
                log.warning("the list of tasks does not answer, and cannot settle a doubt: %s", error)
            else:
                if found.complete:
                    break
        return found

    async def place(self, client: MiniMaxClient, endpoint: Endpoint) -> None:
        """Wait until one more task may be under way, and take the place. Nothing is asked while there are few."""
        if endpoint.in_flight is None or not self._most:
            return
        while True:
            async with self._counting:
                if self._under_way >= self._most and self._is_old:
                    await self._count(client, endpoint)
                if self._under_way < self._most:
                    self._taken += 1
                    return
            await asyncio.sleep(self._pause)

    def give_back(self, *, sent: bool) -> None:
        """End the time in which a place is taken: a task was `sent`, or nothing was created."""
        self._taken = max(0, self._taken - 1)
        self._sent += sent

    @property
    def _under_way(self) -> int:
        return self._counted + self._taken + self._sent

    @property
    def _is_old(self) -> bool:
        return time.monotonic() - self._counted_at >= self._pause

    async def _count(self, client: MiniMaxClient, endpoint: Endpoint) -> None:
        """Ask how many tasks are under way. Those that are created meanwhile count twice until the next time."""
        began = self._sent
        try:
            pages = [(await client.tasks(endpoint, size=1, status=word))[0] for word in _UNDER_WAY]
        except MiniMaxError as error:
            log.info("how many tasks are under way is not known: %s", error)
            return
        finally:
            self._counted_at = time.monotonic()
        if any(page.total is None for page in pages):
            self._counted, self._sent = 0, 0  # the service itself will say when there are too many
            return
        self._counted = sum(page.total or 0 for page in pages)
        self._sent -= began
