"""Waiting for a submitted clip. A poll that fails is a missed poll, never a failed clip."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.clips.events import Happened, announce, clip_event
from minimax_tasks.clips.folder import ClipFolder, age
from minimax_tasks.clips.layout import RESULT, SUBMISSION, task_file
from minimax_tasks.clips.pictures import FrameReader
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.retry import may_retry
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.state import failure, out_of_reach
from minimax_tasks.clips.submit import ensure_submitted, submit
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
from minimax_tasks.storage.files import Storage

log = logging.getLogger(__name__)


async def poll(
    folder: ClipFolder,
    service: Service,
    *,
    on_status: Callable[[str], None] | None = None,
    fetched_next: bool = False,
) -> dict[str, Any]:
    """Wait until the clip is generated; returns the content of `result.json`. `fetched_next` as in `finish`.

    Needs the clip folder alone. Raises `GenerationFailed` with the service's code and text,
    `GenerationTimeout` after `generation_timeout` seconds of waiting (the next run continues to wait), and
    `ApiError` when the key is refused, or one poll after the other.
    """
    task = _Task.of(await ensure_submitted(folder))
    submitted_here = folder.own(SUBMISSION) is not None
    # Somebody else may have written the result of a task that was submitted here: then it is asked for once more.
    done = folder.own(RESULT) if submitted_here else await folder.result()
    if done is not None and done.get("task_id") == task.id:
        raise_if_failed(done, folder)
        return done
    owner = await task_owner(folder.root, task.id, folder.key)
    if owner != folder.key:
        raise UncertainSubmit(
            f"clip {folder.key}: the service gave it task {task.id}, which it had given to clip {owner} before; "
            "only one of them can be that video, and it is kept as the other's. Nothing more is paid automatically: "
            "the platform's console shows which one it is, and another take makes this clip again",
            keys=[folder.key, owner],
            root=folder.root.url,
            task_id=task.id,
        )
    answer = await _wait(task, folder, service, on_status or (lambda status: None))
    if answer.is_cancelled:
        await folder.cancelled(task.attempt, task.id, "the service says that it was taken back")
    result = await folder.finish(answer, fetched_next=fetched_next)
    if error := failure(folder.root, folder.key, result):
        announce(await clip_event(Happened.FAILED, folder, why=str(error)))
        raise error
    return result


async def task_owner(root: Storage, task_id: str, key: str) -> str:
    """The key of the clip that a task is of: the first one that waits for it.

    After a power cut whoever waits says so again, so nothing is flushed for it.
    """
    name = task_file(task_id)
    if await root.create_json_async(name, {"task_id": task_id, "clip": key}, durable=False):
        return key
    return str((await root.run(root.read_json, name) or {}).get("clip") or key)


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
    fetched_next: bool = False,
) -> dict[str, Any]:
    """`poll`, and another paid attempt where `may_retry` allows one. `clip` is read only for that."""
    while True:
        try:
            return await poll(folder, service, on_status=on_status, fetched_next=fetched_next)
        except GenerationFailed:
            if not await may_retry(folder, service):
                raise
            await submit(clip(), folder, service, frames=frames)


class _Task(NamedTuple):
    """What has to be known of a submission while its task is waited for."""

    id: str
    endpoint: Endpoint
    submitted_at: float
    attempt: int
    kind: str
    """Its model, size and length; "" where that is not known."""
    late: str
    """Why it may be out of reach; "" while its service still answers about it."""

    @classmethod
    def of(cls, submission: dict[str, Any]) -> Self:
        submitted_at = time.time() - age(submission, "submitted_at")
        attempt = submission.get("attempt")
        number = attempt if isinstance(attempt, int) and attempt > 0 else 1
        late = out_of_reach(submission)
        kind = str(submission.get("kind") or "")
        return cls(str(submission["task_id"]), endpoint_of(submission), submitted_at, number, kind, late)

    @property
    def age(self) -> float:
        return max(0.0, time.time() - self.submitted_at)


async def _wait(
    task: _Task, folder: ClipFolder, service: Service, on_status: Callable[[str], None]
) -> QueryAnswer:
    began = time.monotonic()
    deadline = began + service.settings.generation_timeout
    interval, waited = service.settings.poll_interval, task.age
    status, refused, running, pause = "", 0, 0.0, 0.0
    with service.watch.listen(folder.root, task.id) as callbacks:
        while True:
            # What clips of its kind take is learnt while it is waited for, too: many are often submitted together.
            first = service.first_poll.seconds_to_wait(interval, task.kind)
            elapsed = waited + time.monotonic() - began
            if elapsed < first:
                running = max(running, first - interval)
                pause = max(pause, first * random.uniform(0.9, 1.0) - elapsed)
            await callbacks.sleep(min(pause, service.settings.generation_timeout))
            pause = interval * random.uniform(0.9, 1.1)
            await service.pace_read(task.endpoint)
            try:
                answer = await service.client.query(task.id, task.endpoint)
            except (NotConnected, AnswerLost) as error:
                log.info("missed a poll of task %s: %s", task.id, error)
            except ApiError as error:
                refused += error.verdict is Verdict.REFUSED
                if isinstance(error, InvalidParameters) and (
                    task.late or refused >= service.timing.refused_polls
                ):
                    answer = await _elsewhere(task, folder, service, error)
                    if answer.state is not State.RUNNING:
                        return answer.model_copy(update={"task_id": task.id})
                    continue
                if (
                    isinstance(error, AuthenticationFailed | QuotaExhausted)
                    or refused >= service.timing.refused_polls
                ):
                    raise
                log.info("missed a poll of task %s: %s", task.id, error)
            else:
                refused = 0
                elapsed = waited + time.monotonic() - began
                if answer.state is State.SUCCESS and running:
                    service.first_poll.took(min(running, elapsed), task.kind, found=elapsed)
                if answer.state is not State.RUNNING:
                    return answer.model_copy(update={"task_id": task.id})
                running = elapsed
                pause = service.first_poll.seconds_to_next(pause, elapsed, task.kind)
                if answer.status != status:
                    status = answer.status
                    on_status(status)
                del answer  # thousands sleep here
            if time.monotonic() > deadline:
                raise GenerationTimeout(
                    f"clip {folder.key}, task {task.id}: not ready after {service.settings.generation_timeout:.0f} s "
                    f"(last status: {status or 'none'}). It is paid for and still known; the next run "
                    "continues to wait for it",
                    keys=[folder.key],
                    root=folder.root.url,
                    task_id=task.id,
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
