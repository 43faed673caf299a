"""A person settles a clip whose submit is in doubt."""

from minimax_tasks.api.answers import State
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.errors import InvalidRequest, MiniMaxError
from minimax_tasks.clips.callbacks import TASK_ID
from minimax_tasks.clips.folder import ClipFolder, age, is_dead
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import CLAIM_PATIENCE


async def adopt(folder: ClipFolder, task_id: str, service: Service) -> State:
    """Take over a task id that a person found, once the service confirms it; returns how the task stands.

    Raises `InvalidRequest` for what is no task id or no clip in doubt, and `ApiError` when the service
    does not know the task.
    """
    if not TASK_ID.fullmatch(task_id):
        raise InvalidRequest("task_id", task_id, "the id of a task as the service gives it")
    number = await _open_claim(folder)
    asked = await folder.asked()
    mode = Mode(asked.get("mode", Mode.TEXT))
    answer = await service.client.query(task_id, mode)
    await folder.adopted(number, task_id, mode, service.client.host)
    return answer.state


async def give_up(folder: ClipFolder) -> None:
    """Void a claim because a person is certain that nothing was created: the next run submits again.

    Raises `InvalidRequest` when no clip is in doubt, and `MiniMaxError` while the worker that holds the
    claim may still be submitting.
    """
    number = await _open_claim(folder)
    claim, doubt = await folder.claimed(number), await folder.doubted(number)
    if not (doubt or is_dead(claim) or age(claim) > CLAIM_PATIENCE):
        raise MiniMaxError(
            f"clip {folder.key}: a worker on {claim.get('machine', 'another machine')} began to submit it "
            f"{age(claim):.0f} s ago and may still be at it; try in {CLAIM_PATIENCE - age(claim):.0f} s"
        )
    await folder.release(number, "a person said that nothing was created (--resubmit)")


async def _open_claim(folder: ClipFolder) -> int:
    standing = await folder.standing()
    if not standing.open_claim:
        state = "already submitted" if standing.submitted else "not in doubt"
        raise InvalidRequest(
            "key", folder.key, "the key of a clip whose submit is in doubt", f"this clip is {state}"
        )
    return standing.open_claim
