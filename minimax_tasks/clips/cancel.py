"""Taking back what is still queued: free of charge, written down, and never done to a task that already runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from minimax_tasks.api.answers import State
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.service import Service
from minimax_tasks.errors import MiniMaxError

QUEUED = ("queued", "queueing", "preparing")
"""Status words of tasks that have not begun, in lower case."""


@dataclass(frozen=True)
class CancelOutcome:
    """Whether a clip was taken back, and if not, why."""

    key: str
    task_id: str
    cancelled: bool
    why: str = ""


async def cancel_all(folders: Iterable[ClipFolder], service: Service) -> list[CancelOutcome]:
    """Take back each clip whose task is queued, one after the other."""
    return [await cancel(folder, service) for folder in folders]


async def cancel(folder: ClipFolder, service: Service) -> CancelOutcome:
    """Take back a clip that was submitted and is queued; the next run may submit it again.

    The task is asked for first: taking back one that is over would delete its record, and with it the way to a video
    that is paid for.
    """
    submission = await folder.submission() or {}
    task_id, attempt = str(submission.get("task_id", "")), submission.get("attempt", 1)
    if not task_id:
        return CancelOutcome(folder.key, "", False, "it was not submitted")
    number = attempt if isinstance(attempt, int) else 1
    if await folder.cancellation(number):
        return CancelOutcome(folder.key, task_id, True)
    endpoint = endpoint_of(submission)
    if not endpoint.cancel_path:
        return CancelOutcome(folder.key, task_id, False, "its service cannot take a task back")
    try:
        answer = await service.client.query(task_id, endpoint)
        if not answer.is_cancelled and answer.status.casefold() not in QUEUED:
            return CancelOutcome(folder.key, task_id, False, _why_not(answer.state, answer.status))
        if not answer.is_cancelled:
            stopped = await service.client.cancel(task_id, endpoint)
            if not stopped.is_cancelled:
                return CancelOutcome(
                    folder.key,
                    task_id,
                    False,
                    f"the service answered {stopped.action or 'nothing'}: it was over already",
                )
    except MiniMaxError as error:
        # The answer may be lost after the task was taken back.
        if not await _is_cancelled(task_id, folder, service):
            return CancelOutcome(folder.key, task_id, False, str(error))
    await folder.cancelled(number, task_id, "a person took it back while it was queued")
    return CancelOutcome(folder.key, task_id, True)


async def _is_cancelled(task_id: str, folder: ClipFolder, service: Service) -> bool:
    submission = await folder.submission() or {}
    try:
        return (await service.client.query(task_id, endpoint_of(submission))).is_cancelled
    except MiniMaxError:
        return False


def _why_not(state: State, word: str) -> str:
    if state is State.RUNNING:
        return f"it is {word or 'under way'} already, and paid for"
    return f"it is over ({word})"
