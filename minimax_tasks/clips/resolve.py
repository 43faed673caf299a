"""A person settles a clip whose submit is in doubt."""

import asyncio
import logging
import re
from dataclasses import dataclass

from minimax_tasks.api.answers import State
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.api.v2.answers import TaskAnswer
from minimax_tasks.clips.callbacks import TASK_ID
from minimax_tasks.clips.folder import ClipFolder, age, is_dead
from minimax_tasks.clips.layout import CLIPS, VIDEO, candidate_name, clip_file
from minimax_tasks.clips.ledger import payments
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.settle import find_candidates
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.errors import InvalidRequest, MiniMaxError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import temporary_folder

log = logging.getLogger(__name__)

_KEY_BEGIN = re.compile(r"[0-9a-f]{4,32}")


def find_clip(root: Storage, key: str) -> ClipFolder:
    """The clip with this key, or the only one whose key starts with it. Raises `InvalidRequest` when there is none."""
    found = (
        [name for name in root.folders(CLIPS) if name.startswith(key)] if _KEY_BEGIN.fullmatch(key) else []
    )
    if len(found) != 1:
        why = f"there is no such clip under {shown(root.url)}"
        if found:
            why = f"{len(found)} clips under {shown(root.url)} have a key that starts with it"
        raise InvalidRequest(
            "key",
            key,
            "the key of a clip, or as much of it as tells it from others",
            why,
            candidates=found,
        )
    return ClipFolder(root, found[0])


async def adopt(folder: ClipFolder, task_id: str, service: Service) -> State:
    """Take over a task id that a person found, once the service confirms it; returns how the task stands.

    Raises `InvalidRequest` for what is no task id, the task of another clip or no clip in doubt, and
    `ApiError` when the service does not know the task.
    """
    if not TASK_ID.fullmatch(task_id):
        raise InvalidRequest("task_id", task_id, "the id of a task as the service gives it")
    number = await _open_claim(folder)
    for payment in await folder.root.run(payments, folder.root):
        if payment.task_id == task_id:
            raise InvalidRequest(
                "task_id",
                task_id,
                "the id of a task that no clip has yet",
                f"it is the task of clip {payment.key} ({payment.what})",
            )
    asked = await folder.asked()
    mode = Mode(asked.get("mode", Mode.TEXT))
    endpoint = endpoint_of(asked)
    answer = await service.client.query(task_id, endpoint)
    if answer.task_id not in ("", task_id) or not (answer.task_id or answer.status):
        raise InvalidRequest("task_id", task_id, "the id of a task that the service knows", "it does not")
    await folder.adopted(number, task_id, mode, service.client.host, endpoint=endpoint)
    return answer.state


@dataclass(frozen=True)
class Candidate:
    """A task that may be that of a clip in doubt. `preview` is a still of its video, "" when there is none yet."""

    task: TaskAnswer
    preview: str = ""


async def candidates_of(folder: ClipFolder, service: Service) -> list[Candidate]:
    """The tasks in the account's list that may be that of a clip in doubt, with stills of those that are done.

    Raises `InvalidRequest` for a clip that is not in doubt, and `MiniMaxError` when the list does not answer.
    """
    number = await _open_claim(folder)
    found = await find_candidates(folder, service, number)
    return [Candidate(task, await _preview(folder, task, service)) for task in found.candidates]


async def _preview(folder: ClipFolder, task: TaskAnswer, service: Service) -> str:
    if task.state is not State.SUCCESS or not task.video_url:
        return ""
    from minimax_tasks.video.frames import first_frame

    name = clip_file(folder.key, candidate_name(task.task_id))
    with temporary_folder() as scratch:
        video, still = scratch / VIDEO, scratch / "still.jpg"
        try:
            await service.client.fetch(task.video_url, video)
            (await asyncio.to_thread(first_frame, video)).convert("RGB").save(still, quality=85)
        except (MiniMaxError, OSError, ValueError) as error:
            log.info("task %s has no preview: %s", task.task_id, error)
            return ""
        await asyncio.to_thread(folder.root.put, str(still), name)
    return folder.root.join(name)


async def allow_resubmit(folder: ClipFolder, timing: Timing = USUAL) -> None:
    """Void a claim because a person is certain that nothing was created: the next run submits again.

    Raises `InvalidRequest` when no clip is in doubt, and `MiniMaxError` while the worker that holds the
    claim may still be submitting.
    """
    number = await _open_claim(folder)
    claim, doubt = await folder.claimed(number), await folder.doubted(number)
    if claim and not (doubt or is_dead(claim) or age(claim) > timing.claim_patience):
        raise MiniMaxError(
            f"clip {folder.key}: a worker on {claim.get('machine', 'another machine')} began to submit it "
            f"{age(claim):.0f} s ago and may still be at it; try in {timing.claim_patience - age(claim):.0f} s"
        )
    await folder.release(number, "a person said that nothing was created", settled=True)


async def _open_claim(folder: ClipFolder) -> int:
    submits = await folder.submit_state()
    if submits.open_claim and await folder.recover(submits.open_claim):
        submits = await folder.submit_state()
    if not submits.open_claim:
        state = "already submitted" if submits.submitted else "not in doubt, and the next run may submit it"
        raise InvalidRequest(
            "key", folder.key, "the key of a clip whose submit is in doubt", f"this clip is {state}"
        )
    return submits.open_claim
