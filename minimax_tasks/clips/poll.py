"""Waiting for a submitted clip. A poll that fails is a missed poll, never a failed clip."""

import asyncio
import logging
import random
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.clips.events import Happened, announce, clip_event
from minimax_tasks.clips.folder import ClipFolder, age
from minimax_tasks.clips.layout import RESULT, SUBMISSION
from minimax_tasks.clips.pictures import FrameReader
from minimax_tasks.clips.poll_start import part_of_wait
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.retry import may_retry
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.state import failure, out_of_reach
from minimax_tasks.clips.submit import ensure_submitted, submit
from minimax_tasks.clips.task_owner import owner_or_take
from minimax_tasks.errors import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    GenerationFailed,
    GenerationTimeout,
    InvalidParameters,
    MiniMaxError,
    NotConnected,
    OutOfReach,
    QuotaExhausted,
    UncertainSubmit,
    Verdict,
)

log = logging.getLogger(__name__)

_TICK = 0.01
"""Seconds that a timer may come early."""


async def poll(
    folder: ClipFolder, service: Service, *, on_status: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Wait until the clip is generated; returns the content of `result.json`.

    Needs the clip folder alone. Raises `GenerationFailed` with the service's code and text,
    `GenerationTimeout` after `generation_timeout` seconds of waiting (the next run continues to wait), and
    `ApiError` when the key is refused, or one poll after the other.
    """
    wait = await wait_for(folder, service, on_status=on_status)
    try:
        await wait.until_over()
    finally:
        wait.end()
    return await wait.result()


async def wait_for(
    folder: ClipFolder, service: Service, *, on_status: Callable[[str], None] | None = None
) -> "Wait":
    """The wait for a clip that is submitted, which is over where its result is there. Raises `GenerationFailed`.

    `poll` is all there is to do with it. Who makes thousands lets each `rest`, with no coroutine: one with its task is a
    kilobyte.
    """
    task = _Task.of(await ensure_submitted(folder))
    submitted_here = folder.own(SUBMISSION) is not None or folder.owned_task == task.id
    # Somebody else may have written the result of a task that was submitted here: then it is asked for once more.
    done = folder.own(RESULT) if submitted_here else await folder.result()
    if done is not None and done.get("task_id") == task.id:
        raise_if_failed(done, folder)
    else:
        done = None
        await _check_owner(folder, task.id)
    return Wait(task, folder, service, on_status, done)


async def _check_owner(folder: ClipFolder, task_id: str) -> None:
    """Raise `UncertainSubmit` when a task is known as that of another clip."""
    if folder.owned_task == task_id:
        return
    owner = await owner_or_take(folder.root, task_id, folder.key)
    if owner != folder.key:
        raise UncertainSubmit(
            f"clip {folder.key}: the service gave it task {task_id}, which it had given to clip {owner} before; "
            "only one of them can be that video, and it is kept as the other's. Nothing more is paid automatically: "
            "the platform's console shows which one it is, and another take makes this clip again",
            keys=[folder.key, owner],
            root=folder.root.url,
            task_id=task_id,
        )


def raise_if_failed(result: dict[str, Any], folder: ClipFolder) -> None:
    """Raise `GenerationFailed` when a final answer is not a success."""
    if error := failure(folder.root, folder.key, result):
        raise error


async def poll_through(
    clip: Callable[[], ClipRequest],
    folder: ClipFolder,
    service: Service,
    *,
    frames: FrameReader | None = None,
    on_status: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """`poll`, and another paid attempt where `may_retry` allows one. `clip` is read only for that."""
    while True:
        try:
            return await poll(folder, service, on_status=on_status)
        except GenerationFailed:
            if not await submit_again(clip, folder, service, frames=frames):
                raise


async def submit_again(
    clip: Callable[[], ClipRequest],
    folder: ClipFolder,
    service: Service,
    *,
    frames: FrameReader | None = None,
) -> bool:
    """Submit a clip that failed once more, if `may_retry` allows it; false, and nothing is done, if not."""
    if not await may_retry(folder, service):
        return False
    await submit(clip(), folder, service, frames=frames)
    return True


class _Task(NamedTuple):
    """What has to be known of a submission while its task is waited for."""

    id: str
    endpoint: Endpoint
    submitted_at: float
    """By this process's own clock, `time.monotonic`."""
    attempt: int
    kind: str
    """Its model, size and length; "" where that is not known."""
    late: str
    """Why it may be out of reach; "" while its service still answers about it."""

    @classmethod
    def of(cls, submission: dict[str, Any]) -> Self:
        attempt = submission.get("attempt")
        number = attempt if isinstance(attempt, int) and attempt > 0 else 1
        late = out_of_reach(submission)
        kind = sys.intern(str(submission.get("kind") or ""))  # thousands have the same one
        submitted_at = time.monotonic() - age(submission, "submitted_at")
        return cls(str(submission["task_id"]), endpoint_of(submission), submitted_at, number, kind, late)


class Wait:
    """The wait for one task: a rest, a look, and so on until it is over, and then its end.

    Thousands rest at once, and then this is all that is held of them.
    """

    __slots__ = (
        "_began",
        "_callbacks",
        "_folder",
        "_found",
        "_has_place",
        "_on_status",
        "_part",
        "_pause",
        "_polled",
        "_refused",
        "_running",
        "_service",
        "_status",
        "_task",
        "_then",
    )

    def __init__(
        self,
        task: _Task,
        folder: ClipFolder,
        service: Service,
        on_status: Callable[[str], None] | None,
        result: dict[str, Any] | None,
    ) -> None:
        """`result` is what is known of the task already."""
        self._found: QueryAnswer | dict[str, Any] | None = result
        self._has_place = False
        self._then: Callable[[], object] | None = None
        self._task, self._folder, self._service, self._on_status = task, folder, service, on_status
        self._began = time.monotonic()
        self._status, self._refused = "", 0
        self._running = self._polled = self._pause = 0.0
        self._part = part_of_wait()
        self._callbacks = service.watch.listen(folder.root, task.id) if result is None else None

    def end(self) -> None:
        """Hear of no callbacks any more, and let others have an answer: this one is done with."""
        if self._callbacks is not None:
            self._callbacks.close()
        self._then = None
        self._leave_place()

    def _leave_place(self) -> None:
        if self._has_place:
            self._has_place = False
            self._service.line(self._task.endpoint).leave()

    @property
    def is_over(self) -> bool:
        """Whether there is a final answer."""
        return self._found is not None

    async def result(self, *, fetched_next: bool = False) -> dict[str, Any]:
        """Write the final answer; returns the content of `result.json`. `fetched_next` as in `ClipFolder.finish`.

        Raises `GenerationFailed`.
        """
        answer, folder = self._found, self._folder
        assert answer is not None
        if isinstance(answer, dict):
            return answer
        if answer.is_cancelled:
            await folder.cancelled(
                self._task.attempt, self._task.id, "the service says that it was taken back"
            )
        result = await folder.finish(answer, fetched_next=fetched_next)
        if error := failure(folder.root, folder.key, result):
            announce(await clip_event(Happened.FAILED, folder, why=str(error)))
            raise error
        return result

    async def until_over(self) -> None:
        """Rest and look until it is over."""
        while not self.is_over:
            rested = asyncio.Event()
            self.rest(rested.set)
            await rested.wait()
            await self.look()

    def rest(self, then: Callable[[], object]) -> None:
        """Call a function when a look is worth while, or the service has called, and there is a place for it.

        Not before this call has returned.
        """
        self._then = then
        self._pause_once()

    def __call__(self, is_called: bool) -> None:
        """A pause has ended: that is what the listener calls."""
        if is_called or self._is_due:
            self._service.line(self._task.endpoint).enter(self._take_place)
        else:
            self._pause_once()

    def _take_place(self) -> bool:
        then, self._then = self._then, None
        self._has_place = then is not None
        if then is not None:
            then()
        return self._has_place

    def _pause_once(self) -> None:
        settings = self._service.settings
        interval, pause = settings.poll_interval, self._pause
        first, elapsed = self._first, self._elapsed
        if elapsed < first:
            self._running = max(self._running, first - interval)
            knows = self._service.first_poll.knows(self._task.kind)
            pause = max(0.0 if knows else interval / 2, first - elapsed)
        self._pause = interval * random.uniform(0.9, 1.1)
        assert self._callbacks is not None
        self._callbacks.sleep(min(pause, settings.generation_timeout), self)

    @property
    def _is_due(self) -> bool:
        """Whether a look is worth while. What clips of its kind take is learnt while it is waited for, too."""
        return self._elapsed > self._first - _TICK or self._is_late

    @property
    def _first(self) -> float:
        estimate, interval = self._service.first_poll, self._service.settings.poll_interval
        part = 1.0 if self._polled else self._part
        return estimate.seconds_to_wait(interval, self._task.kind, polled=self._polled, part=part)

    async def look(self) -> None:
        """Ask how the task stands, after a rest.

        Raises `ApiError` when the key is refused, or one look after the other, `OutOfReach`, and `GenerationTimeout`
        when it takes too long.
        """
        try:
            await self._service.pace_read(self._task.endpoint)
            self._found = await self._ask()
        finally:
            if self._found is None:
                self._leave_place()

    async def _ask(self) -> QueryAnswer | None:
        """The final answer; None when there is none yet."""
        task, service = self._task, self._service
        try:
            answer = await service.client.query(task.id, task.endpoint)
        except (NotConnected, AnswerLost) as error:
            log.info("missed a poll of task %s: %s", task.id, error)
        except ApiError as error:
            self._refused += error.verdict is Verdict.REFUSED
            is_believed = self._refused >= service.timing.refused_polls
            if isinstance(error, InvalidParameters) and (task.late or is_believed):
                answer = await _elsewhere(task, self._folder, service, error)
                return self._final(answer) if answer.state is not State.RUNNING else None
            if isinstance(error, AuthenticationFailed | QuotaExhausted) or is_believed:
                raise
            log.info("missed a poll of task %s: %s", task.id, error)
        else:
            self._refused = 0
            elapsed = self._elapsed
            if answer.state is State.SUCCESS and (self._running or self._is_from_start):
                service.first_poll.took(min(self._running, elapsed), task.kind, found=elapsed)
            if answer.state is not State.RUNNING:
                return self._final(answer)
            if self._is_from_start:
                service.first_poll.runs(elapsed, task.kind, before=self._running)
            self._running = self._polled = elapsed
            self._pause = service.first_poll.seconds_to_next(self._pause, elapsed, task.kind)
            self._tell(answer.status)
        self._judge_time()
        return None

    @property
    def _is_from_start(self) -> bool:
        """Whether it was waited for since its submit: what was found later on says little of when it was ready."""
        return self._began - self._task.submitted_at < self._service.settings.poll_interval

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._task.submitted_at

    def _final(self, answer: QueryAnswer) -> QueryAnswer:
        if answer.task_id == self._task.id:
            return answer
        return answer.model_copy(update={"task_id": self._task.id})

    def _tell(self, status: str) -> None:
        if status != self._status:
            self._status = sys.intern(status)
            if self._on_status is not None:
                self._on_status(status)

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._began + self._service.settings.generation_timeout

    def _judge_time(self) -> None:
        patience = self._service.settings.generation_timeout
        if self._is_late:
            raise GenerationTimeout(
                f"clip {self._folder.key}, task {self._task.id}: not ready after {patience:.0f} s "
                f"(last status: {self._status or 'none'}). It is paid for and still known; the next run "
                "continues to wait for it",
                keys=[self._folder.key],
                root=self._folder.root.url,
                task_id=self._task.id,
            )


async def _elsewhere(task: _Task, folder: ClipFolder, service: Service, error: ApiError) -> QueryAnswer:
    """The answer about a task that its own query knows no more, from where it has been known as well.

    Raises `OutOfReach` for one that is out of reach, and the error for one that should not be.
    """
    if task.endpoint.former is not None:
        try:
            return await service.client.query(task.id, task.endpoint.former)
        except AuthenticationFailed:
            raise
        except MiniMaxError as other:
            log.info("task %s is not known elsewhere either: %s", task.id, other)
    if not task.late:
        raise error
    raise OutOfReach(
        f"clip {folder.key}, task {task.id}: {task.late}. It was paid for, so it is not submitted again automatically",
        advice="If its video is nowhere else, another take makes the clip again, for its price",
        keys=[folder.key],
        root=folder.root.url,
        task_id=task.id,
    ) from error
