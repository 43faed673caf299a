"""The clips of a root that are paid for and not yet there, or not what they were, and those that may be paid."""

import asyncio
import math

from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.clips.folder import ClipFolder, age, is_dead
from minimax_tasks.clips.layout import (
    VIDEO,
    claim_name,
    clip_file,
    doubt_name,
    may_hold_submission,
)
from minimax_tasks.clips.state import (
    Paid,
    all_names,
    look,
    paid_by_names,
    read_document,
    submit_state,
    unnamed_submission,
)
from minimax_tasks.clips.timing import USUAL
from minimax_tasks.storage.files import Storage


async def unfinished(root: Storage) -> list[str]:
    """Keys of clips with a submission and without a video, found by one listing; first those that are soonest out of
    reach.

    A task id that a dead worker wrote and could not name counts, and gets its name.
    """
    found = []
    for key, names in (await asyncio.to_thread(all_names, root)).items():
        if VIDEO in names:
            continue
        submitted = paid_by_names(names) is Paid.CERTAINLY
        if any(may_hold_submission(name) for name in names):
            folder = ClipFolder(root, key)
            open_claim = (await folder.submit_state()).open_claim
            submitted |= bool(open_claim) and await folder.recover(open_claim)
        if submitted:
            found.append(key)
    ends = {key: await _out_of_reach_at(ClipFolder(root, key)) for key in found}
    return sorted(found, key=lambda key: (ends[key], key))


async def _out_of_reach_at(folder: ClipFolder) -> float:
    """When the service answers no more about the task of a clip, in seconds from now."""
    submission = await folder.submission() or {}
    kept = endpoint_of(submission).kept_days
    return math.inf if kept is None else kept * 86_400 - age(submission, "submitted_at")


async def damaged(root: Storage) -> dict[str, str]:
    """Decode every picture of every clip; key -> what is wrong, of those that are not good from end to end.

    Such a clip is kept next to its place, unchecked, and counts as not fetched from then on.
    """
    found = {}
    for key, names in sorted((await asyncio.to_thread(all_names, root)).items()):
        if VIDEO in names and (why := await asyncio.to_thread(_look, root, key)):
            with root.as_local(clip_file(key, VIDEO)) as video:
                await ClipFolder(root, key).keep(str(video), "mp4", why, again=True)
            await root.run(root.remove, clip_file(key, VIDEO))
            found[key] = why
    return found


def _look(root: Storage, key: str) -> str:
    from minimax_tasks.video.probe import probe

    with root.as_local(clip_file(key, VIDEO)) as video:
        return "; ".join(probe(video, "decode").problems)


def in_doubt(root: Storage) -> list[str]:
    """Keys of clips that may have been paid, so that a person must settle them. Not those that a worker may
    be submitting right now.
    """
    found = []
    for key, names in all_names(root).items():
        if VIDEO in names or not (number := look(root, key, submit_state(names)).open_claim):
            continue
        if look(root, key, unnamed_submission(names, number)):
            continue
        claim = read_document(root, key, claim_name(number))
        if doubt_name(number) in names or is_dead(claim) or age(claim) > USUAL.claim_patience:
            found.append(key)
    return sorted(found)
