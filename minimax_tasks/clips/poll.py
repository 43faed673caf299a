"""Waiting for a submitted clip. A poll that fails is a missed poll, never a failed clip."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.api.catalog.errors import Verdict, find_error
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.errors import AnswerLost, ApiError, GenerationFailed, GenerationTimeout, NotConnected
from minimax_tasks.clips.callbacks import Listener
from minimax_tasks.clips.folder import ClipFolder, age
from minimax_tasks.clips.pictures import FrameReader
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.retry import may_retry
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import ensure_submitted, submit

log = logging.getLogger(__name__)


async def poll(
    folder: ClipFolder, service: Service, *, on_status: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Wait until the clip is generated; returns the content of `result.json`.

    Needs the clip folder alone. Raises `GenerationFailed` with the service's code and text,
    `GenerationTimeout` after `generation_timeout` seconds of waiting (the next run goes on waiting), and
    `ApiError` when the key is refused.
    """
    submission = await ensure_submitted(folder)
    done = await folder.result()
    if done is not None and done.get("task_id") == submission["task_id"]:
        raise_if_failed(done, folder)
        return done
    answer = await _wait(submission, folder, service, on_status or (lambda status: None))
    await folder.finish(answer)
    result = await folder.result() or {}
    raise_if_failed(result, folder)
    return result


def raise_if_failed(result: dict[str, Any], folder: ClipFolder) -> None:
    """Raise `GenerationFailed` when a final answer is not a success."""
    answer = QueryAnswer.model_validate(result)
    if answer.state is State.SUCCESS:
        return
    code = answer.base_resp.status_code
    row = find_error(code)
    reason = f"{code} ({row.meaning}): {answer.base_resp.status_msg}" if code else "no reason given"
    advice = (
        row.advice if code and row.verdict is Verdict.REFUSED else "--retry-failed pays for another attempt"
    )
    raise GenerationFailed(
        f"clip {folder.key}, task {answer.task_id}: the service answered {answer.status}, {reason}. "
        f"It is not submitted again by itself; {advice}"
    )


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
            if not await may_retry(folder, service):
                raise
            await submit(clip(), folder, service, frames=frames)


async def _wait(
    submission: dict[str, Any], folder: ClipFolder, service: Service, on_status: Callable[[str], None]
) -> QueryAnswer:
    with service.watch.listen(folder.root, str(submission["task_id"])) as callbacks:
        return await _ask_until_done(submission, folder, service, callbacks, on_status)


async def _ask_until_done(
    submission: dict[str, Any],
    folder: ClipFolder,
    service: Service,
    callbacks: Listener,
    on_status: Callable[[str], None],
) -> QueryAnswer:
    task_id = str(submission["task_id"])
    mode = Mode(submission.get("mode", Mode.TEXT))
    deadline = time.monotonic() + service.generation_timeout
    interval, waited = service.poll_interval, age(submission, "submitted_at")
    first = service.expectation.first_look(interval)
    running = max(0.0, first - interval) if waited < first else 0.0
    await callbacks.sleep(max(0.0, first * random.uniform(0.9, 1.0) - waited))
    status = ""
    while True:
        try:
            answer = await service.client.query(task_id, mode)
        except (NotConnected, AnswerLost) as error:
            log.info("missed a poll of task %s: %s", task_id, error)
        except ApiError as error:
            if error.verdict is Verdict.REFUSED:
                raise
            log.info("missed a poll of task %s: %s", task_id, error)
        else:
            if answer.state is State.SUCCESS and running:
                service.expectation.lasted(min(running, age(submission, "submitted_at")))
            if answer.state is not State.RUNNING:
                return answer.model_copy(update={"task_id": task_id})
            running = age(submission, "submitted_at")
            if answer.status != status:
                status = answer.status
                on_status(status)
        if time.monotonic() > deadline:
            raise GenerationTimeout(
                f"clip {folder.key}, task {task_id}: not ready after {service.generation_timeout:.0f} s "
                f"(last status: {status or 'none'}). It is paid for and still known; the next run "
                "goes on waiting"
            )
        await callbacks.sleep(interval * random.uniform(0.9, 1.1))
