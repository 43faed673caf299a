"""Submitting a clip: the one step that costs money and must never happen twice.

The order decides: the pictures are judged, the claim is created (of many workers one wins), the POST is
sent once, the task id is written. A POST that certainly created nothing releases the claim. A POST whose
outcome is not known leaves it, and nobody submits that clip again without a person.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from minimax_tasks.api.catalog.errors import Verdict
from minimax_tasks.api.errors import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    MiniMaxError,
    NotConnected,
    QuotaExhausted,
    SubmitRefused,
    UncertainSubmit,
)
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.folder import ClipFolder, age, is_dead
from minimax_tasks.clips.pictures import FrameReader, remember_pictures, sendable
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service

log = logging.getLogger(__name__)

CLAIM_PATIENCE = 150.0
"""Seconds that another worker is given to write the task id after its claim: a submit's time-out and more."""

CLAIM_LOOK = 0.5
"""Seconds between two looks at another worker's claim."""

STOP_PATIENCE = 8.0
"""Seconds that a stopping worker gives a POST under way, so that its task id is not lost."""

CONNECT_TRIES = 5
"""Connections that are tried before a clip fails; nothing was sent, so each is safe."""

WRITE_TRIES = 30
"""Times that a paid task id is written before it is given to a person in the message."""


async def submit(
    clip: ClipRequest, folder: ClipFolder, service: Service, *, frames: FrameReader | None = None
) -> dict[str, Any]:
    """Make sure that the clip was submitted exactly once; returns its submission (`task_id`, …).

    Raises `PictureError` before anything is claimed, `SubmitRefused` when the service created nothing and
    would not, `UncertainSubmit` when nobody knows, and `ApiError` or `NotConnected` when nothing was
    created and the next run may try.
    """
    request: AnyRequest | None = None
    refused = 0
    waited = 0.0
    while True:
        standing = await folder.standing()
        if standing.submitted:
            return await folder.submission() or {}
        if standing.claims and not standing.released:
            await _wait_for_claim(folder, standing.claims, waited)
            waited += CLAIM_LOOK
            continue
        if standing.claims:
            _raise_final(await folder.released(standing.claims), folder.key)
        if request is None:
            request = await sendable(clip, frames)
            await folder.describe(clip)
            await folder.root.call(remember_pictures, folder.root, clip)
        await service.pace.turn()
        number = standing.claims + 1
        if not await folder.claim(number, clip):
            continue
        try:
            return await _see_through(_pay(request, clip, number, folder, service))
        except NotConnected:
            refused += 1
            if refused >= CONNECT_TRIES:
                raise
            await asyncio.sleep(min(2.0**refused, 15.0))
        except ApiError as error:
            if error.verdict is not Verdict.LATER:
                raise
            wait = service.pace.slow_down()
            log.warning("%s; the clip %s goes on in %.0f s", error, folder.key, wait)


async def _see_through(paying: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Let a POST that is under way come to its end, although whoever waits for it is told to stop."""
    payment = asyncio.ensure_future(paying)
    try:
        return await asyncio.shield(payment)
    except asyncio.CancelledError:
        await asyncio.wait({payment}, timeout=STOP_PATIENCE)
        raise


async def _pay(
    request: AnyRequest, clip: ClipRequest, number: int, folder: ClipFolder, service: Service
) -> dict[str, Any]:
    try:
        task_id = await service.client.submit(request)
    except NotConnected as error:
        await folder.release(number, str(error))
        raise
    except ApiError as error:
        if error.verdict is Verdict.UNCERTAIN:
            raise await _doubt(folder, number, str(error)) from error
        final = error.verdict is Verdict.REFUSED and not isinstance(
            error, AuthenticationFailed | QuotaExhausted
        )
        await folder.release(number, str(error), code=error.code, final=final)
        raise
    except AnswerLost as error:
        raise await _doubt(folder, number, str(error)) from error
    except BaseException:
        await _doubt(folder, number, "the submit was interrupted")
        raise
    await _remember(number, clip, task_id, folder, service)
    return await folder.submission() or {"task_id": task_id}


async def _remember(
    number: int, clip: ClipRequest, task_id: str, folder: ClipFolder, service: Service
) -> None:
    for attempt in range(1, WRITE_TRIES + 1):
        try:
            await folder.submitted(number, clip, task_id, service.client.host)
        except OSError as error:
            log.error("task %s was paid, but cannot be written to %s: %s", task_id, folder.path(""), error)
            if attempt == WRITE_TRIES:
                raise UncertainSubmit(
                    f"clip {folder.key} was accepted as task {task_id}, but {folder.path('submission.json')} "
                    f"cannot be written ({error}); keep the task id, it was paid for"
                ) from error
            await asyncio.sleep(min(attempt, 10))
        else:
            return


async def _doubt(folder: ClipFolder, number: int, why: str) -> UncertainSubmit:
    try:
        await folder.doubt(number, why)
    except OSError as error:
        log.error("the doubt about %s cannot be written: %s", folder.key, error)
    return UncertainSubmit(_uncertain(folder, why, "just now"))


async def _wait_for_claim(folder: ClipFolder, number: int, waited: float) -> None:
    claim = await folder.claimed(number)
    doubt = await folder.doubted(number)
    if doubt or is_dead(claim) or max(age(claim), waited) > CLAIM_PATIENCE:
        standing = await folder.standing()
        if standing.submitted or standing.released or standing.claims != number:
            return
        why = doubt.get("why") or "the worker that was submitting it died, or could not write what came of it"
        raise UncertainSubmit(_uncertain(folder, str(why), str(claim.get("at", "at an unknown time"))))
    await asyncio.sleep(CLAIM_LOOK)


def _uncertain(folder: ClipFolder, why: str, when: str) -> str:
    return (
        f"clip {folder.key}: it is not known whether the service accepted it ({when}: {why}). It may have "
        f"been paid for, so it is not submitted again by itself. Look for it on the platform's console; "
        f"what is known stands in {folder.path('')}"
    )


def _raise_final(released: dict[str, Any], key: str) -> None:
    if released.get("final"):
        raise SubmitRefused(
            f"clip {key} was refused before and would be again: {released.get('why')}. Nothing was paid"
        )


async def ensure_submitted(folder: ClipFolder) -> dict[str, Any]:
    """The submission of a clip that must already be submitted. Raises `MiniMaxError` when it is not."""
    found = await folder.submission()
    if found is None or not found.get("task_id"):
        raise MiniMaxError(
            f"clip {folder.key} was not submitted: {folder.path('submission.json')} is missing"
        )
    return found
