"""Submitting a clip: the one step that costs money and must never happen twice.

The order decides: the pictures are judged, the claim is created (of many workers one wins), the POST is
sent once, the task id is written. A POST that certainly created nothing releases the claim. A POST whose
outcome is not known leaves it, and nobody submits that clip again without a person.

Where the account's tasks are listed, the claim also notes what there is already, and clips of one shape are submitted
one after the other: so the list can say later what a lost answer would have said (`settle`).
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.account import Shape
from minimax_tasks.clips.callbacks import callback_address
from minimax_tasks.clips.events import ClipEvent, Happened, announce
from minimax_tasks.clips.folder import ClipFolder, age, is_dead
from minimax_tasks.clips.layout import SUBMISSION
from minimax_tasks.clips.ledger import Spending
from minimax_tasks.clips.pictures import FrameReader, remember_pictures, sendable
from minimax_tasks.clips.rate_limit import RateLimiter
from minimax_tasks.clips.rate_margin import Counted
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.retry import may_retry, may_retry_refused
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.settle import Settled, confirmed_callback, settle
from minimax_tasks.clips.state import HOW_TO_SETTLE, NEVER_BEGUN, SubmitState
from minimax_tasks.clips.turns import is_settled, is_under_way, was_sent
from minimax_tasks.errors import (
    AnswerLost,
    ApiError,
    BudgetReached,
    ControlFlow,
    HeldBack,
    MiniMaxError,
    NotConnected,
    SubmitRefused,
    UncertainSubmit,
    Verdict,
)

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


async def submit(
    clip: ClipRequest,
    folder: ClipFolder,
    service: Service,
    *,
    frames: FrameReader | None = None,
    on_status: Callable[[str], None] | None = None,
    submits: SubmitState | None = None,
) -> dict[str, Any]:
    """Make sure that the clip was submitted exactly once; returns its submission (`task_id`, …).

    `submits` is where its submits stood when the caller looked, a moment ago. It stands for the first look here where
    nobody had begun the clip: then the claim has the number 1, and is created exclusively, so that it fails when somebody
    has begun it since. No claim is ever removed. Anything else is looked at again.

    Raises `PictureError`, and `ConfigurationError` for a root on which nothing must be paid, before anything is
    claimed, `SubmitRefused` when the service created nothing and
    would not, `BudgetReached` before the POST that would pass the budget, `UncertainSubmit` when nobody
    knows whether the clip was accepted, and `ApiError` or `NotConnected` when nothing was created and the
    next run may try.
    """
    request: AnyRequest | None = None
    unconnected = limited = 0
    waited, timing = 0.0, service.timing
    first = submits if submits == NEVER_BEGUN else None
    while True:
        submits, first = first or await folder.submit_state(), None
        retry = await may_retry(folder, service) if submits.submitted else None
        if submits.submitted and retry is None:
            return await folder.submission() or {}
        if submits.open_claim:
            await _settle_claim(clip, folder, service, submits.open_claim, waited, on_status)
            waited += timing.claim_look
            continue
        if submits.released:
            _raise_final(await folder.released(submits.claims), folder, service)
        if request is None:
            _ = service.client  # without a key nothing is claimed
            await service.check_root(folder.root)
            takes_uploads = clip.request.endpoint.takes_uploads
            request = await sendable(clip, frames, service.client.upload if takes_uploads else None)
            if clip.digests:
                await folder.root.run(remember_pictures, folder.root, clip)
        claim = _Claim(submits.claims + 1, retry.word if retry else "")
        shape, limiter = Shape.of(clip.request), service.limiter(clip.request.endpoint)
        try:
            if shape is not None:
                return await _pay_in_turn(request, clip, claim, shape, folder, service, on_status)
            return await _claim_and_pay(request, clip, claim, folder, service, limiter)
        except _NotMine:
            continue
        except NotConnected:
            unconnected += 1
            if unconnected >= timing.connect_tries:
                raise
            await asyncio.sleep(min(2.0**unconnected, 15.0))
        except ApiError as error:
            limited += 1
            if error.verdict is not Verdict.RETRY_LATER or limited >= timing.rate_tries:
                raise
            wait = limiter.slow_down()
            log.warning("%s; clip %s continues in %.0f s", error, folder.key, wait)
            if on_status is not None:
                on_status(
                    f"the service asks for fewer submits ({error.code or error.http_status}), on in {wait:.0f} s"
                )


class _NotMine(ControlFlow):
    """Another worker has the claim, or this one slept on its own and released it."""


class _Claim:
    """A claim of this worker: its number, its secret, the person's word that it answers, and when it was made."""

    def __init__(self, number: int, word: str = "") -> None:
        self.number = number
        self.nonce = secrets.token_hex(16)
        self.word = word
        self.made_at = time.time()
        self.account: dict[str, Any] | None = None
        """What the account has already, and the shape of the clip, where the list can settle a doubt."""
        self.counted: Counted | None = None
        """As what it counts in the pace of the account."""
        self.turn = 0
        """The number of its turn among the clips of its shape, which is taken right before the POST."""

    def is_stale(self, life: float) -> bool:
        return abs(time.time() - self.made_at) > life


_unsent: set[str] = set()
"""Secrets of claims of this process that the storage may or may not have; nothing was sent for them."""


async def _pay_in_turn(
    request: AnyRequest,
    clip: ClipRequest,
    claim: _Claim,
    shape: Shape,
    folder: ClipFolder,
    service: Service,
    on_status: Callable[[str], None] | None,
) -> dict[str, Any]:
    """Claim and pay once no other clip of the shape is in doubt; a doubt is settled by the list, if it can be.

    Raises `HeldBack` when another clip stays in doubt.
    """
    endpoint = clip.request.endpoint
    async with service.turns.lock(folder.root, shape.key):
        claim.turn = await _next_turn(shape, folder, service, on_status)
        await service.account.place(service.client, endpoint)
        try:
            claim.counted = await service.limiter(endpoint).acquire()
            noted = await service.account.note(service.client, endpoint, shape.model)
            claim.account = {"shape": shape.key, **(noted or {})}
            submission = await _claim_and_pay(request, clip, claim, folder, service)
            service.account.give_back(sent=True)
            return submission
        except UncertainSubmit as doubt:
            service.account.give_back(sent=True)
            if doubt.task_id:
                raise
            settled = await _look_for_it(folder, service, claim.number, on_status)
            if not settled:
                raise _uncertain(clip, folder, doubt.why, doubt.since, settled.words) from doubt
            submits = await folder.submit_state()
            if not submits.submitted:  # a person was faster, and allowed another submit
                raise _NotMine from doubt
            return await folder.submission() or {}
        except BaseException:
            service.account.give_back(sent=False)
            raise


async def _next_turn(
    shape: Shape, folder: ClipFolder, service: Service, on_status: Callable[[str], None] | None
) -> int:
    """The number of the next turn, once the outcome of the one before is known. Raises `HeldBack`."""
    root, timing = folder.root, service.timing
    while True:
        last = await service.turns.last(root, shape.key)
        if last is None or await is_settled(root, last):
            return last.number + 1 if last else 1
        if await is_under_way(root, last, timing):
            await asyncio.sleep(timing.claim_look)
            continue
        if not await _look_for_it(service.folder(root, last.key), service, last.attempt, on_status):
            raise HeldBack(
                f"clip {folder.key} was not submitted: clip {last.key} has the same model, size and length, and it is "
                "not known whether that one was accepted. While both were in doubt, nobody could tell whose task is "
                "whose",
                advice=f"Settle clip {last.key} first",
                keys=[folder.key, last.key],
                root=root.url,
            )


async def _look_for_it(
    folder: ClipFolder, service: Service, number: int, on_status: Callable[[str], None] | None
) -> Settled:
    if on_status is not None:
        on_status("the answer to its submit was lost; looking for its task in the list of the account")
    return await settle(folder, service, number)


async def _claim_and_pay(
    request: AnyRequest,
    clip: ClipRequest,
    claim: _Claim,
    folder: ClipFolder,
    service: Service,
    limiter: RateLimiter | None = None,
) -> dict[str, Any]:
    """Limits concurrency so that each POST follows its claim at once, and the claim the word of the `limiter`.

    A worker that died between claim and POST would leave the clip in doubt.
    """
    async with service.submits_to(clip.request.endpoint):
        if limiter is not None:
            claim.counted = await limiter.acquire()
        claim.made_at = time.time()
        async with contextlib.nullcontext() if service.settings.budget is None else service.counting:
            await _claim(clip, claim, folder, service)
        return await _see_through(_pay(request, clip, claim, folder, service), service)


async def _claim(clip: ClipRequest, claim: _Claim, folder: ClipFolder, service: Service) -> None:
    """Claim the clip within the budget; a worker that is stopped meanwhile leaves no claim in doubt behind."""
    number = claim.number

    async def claiming() -> None:
        try:
            mine = await folder.claim(number, clip, claim.nonce, claim.word, claim.account)
        except Exception:
            _unsent.add(claim.nonce)
            raise
        if not mine:
            raise _NotMine
        try:
            await _keep_budget(clip, number, folder, service)
        except BudgetReached:
            raise
        except Exception:
            await folder.release(number, "the budget could not be summed; nothing was sent")
            raise

    async def take_back() -> None:
        with contextlib.suppress(Exception):
            await claimed
            await folder.release(number, "the worker was told to stop; nothing was sent")

    claimed = _begin(claiming(), service.claims)
    try:
        await asyncio.shield(claimed)
    except asyncio.CancelledError:
        # A disk may take long to say that the claim is there: who closes the service waits once more.
        await asyncio.wait({_begin(take_back(), service.claims)}, timeout=service.timing.stop_patience)
        raise


async def _see_through(paying: Coroutine[Any, Any, _Result], service: Service) -> _Result:
    """Let a POST that is under way come to its end, although its caller is being stopped."""
    under_way = _begin(paying, service.posts)
    try:
        return await asyncio.shield(under_way)
    except asyncio.CancelledError:
        await asyncio.wait({under_way}, timeout=service.timing.stop_patience)
        raise


def _begin(work: Coroutine[Any, Any, _Result], among: set[asyncio.Task[Any]]) -> "asyncio.Task[_Result]":
    """Begin what a stop does not interrupt at once."""
    task = asyncio.get_running_loop().create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
    return task


async def _pay(
    request: AnyRequest, clip: ClipRequest, claim: _Claim, folder: ClipFolder, service: Service
) -> dict[str, Any]:
    number = claim.number
    if service.settings.receiver_url and not request.callback_url:
        address = callback_address(service.settings.receiver_url, folder.key, claim.nonce)
        request = request.model_copy(update={"callback_url": address})
    if claim.is_stale(service.timing.claim_life):
        await folder.release(number, "the worker slept between its claim and the POST; nothing was sent")
        raise _NotMine
    if claim.account is not None and not await _take_turn(claim, folder, service):
        raise _NotMine
    try:
        began = time.monotonic()
        task_id = await _post(request, claim, service)
    except NotConnected as error:
        await folder.release(number, str(error))
        raise
    except ApiError as error:
        if error.verdict is Verdict.UNCERTAIN:
            raise await _doubt(clip, folder, number, str(error)) from error
        await folder.release(number, str(error), code=error.code, final=error.is_about_the_request)
        if error.is_about_the_request:
            announce(_event(Happened.FAILED, clip, folder, usd=0.0, why=str(error)))
        raise
    except AnswerLost as error:
        raise await _doubt(clip, folder, number, str(error)) from error
    except BaseException:
        await _doubt(clip, folder, number, "the submit was interrupted")
        raise
    try:
        submission = await folder.submitted(number, clip, task_id, service.client.host)
    except Exception as error:
        await _doubt(
            clip, folder, number, f"it was accepted as task {task_id}, which could not be written down"
        )
        raise UncertainSubmit(
            f"clip {folder.key} was accepted and paid for as task {task_id}, but "
            f"{folder.path(SUBMISSION)} cannot be written ({error}). Keep that task id.",
            advice="Settle the clip with it once the storage works",
            keys=[folder.key],
            root=folder.root.url,
            task_id=task_id,
            usd=clip.request.usd,
        ) from error
    took = time.monotonic() - began
    announce(_event(Happened.PAID, clip, folder, usd=submission.get("usd"), task_id=task_id, seconds=took))
    return submission


async def _post(request: AnyRequest, claim: _Claim, service: Service) -> str:
    try:
        return await service.client.submit(request)
    finally:
        if claim.counted is not None:
            service.limiter(request.endpoint).answered(claim.counted)


def _event(
    happened: Happened, clip: ClipRequest, folder: ClipFolder, *, usd: float | None, **facts: Any
) -> ClipEvent:
    return ClipEvent(
        happened, folder.key, folder.root.url, usd=usd, purpose=clip.purpose or clip.what, **facts
    )


async def _take_turn(claim: _Claim, folder: ClipFolder, service: Service) -> bool:
    """Take the turn right before the POST, or release the claim: nothing was sent."""
    shape = str((claim.account or {}).get("shape"))
    try:
        taken = await service.turns.take(
            folder.root, shape, claim.turn, folder.key, claim.number, claim.nonce
        )
    except BaseException:
        await folder.release(claim.number, "its turn could not be written down; nothing was sent")
        raise
    if not taken:
        await folder.release(claim.number, "another clip of its shape was submitted first; nothing was sent")
    return taken


async def _keep_budget(clip: ClipRequest, number: int, folder: ClipFolder, service: Service) -> None:
    """Release the claim rather than pass the budget.

    The claim is on storage before the sum is made, so of two workers that claim at once at least one sees
    the other's.
    """
    budget, usd, spent = service.settings.budget, clip.request.usd, None
    if budget is None:
        return
    if usd is None:
        why = f"there is a budget, and no published price for {clip.what}; submit it without a budget"
    else:
        spent = await folder.root.run(Spending(folder.root).total) - usd
        if spent + usd <= budget + 1e-9:
            return
        why = (
            f"it costs USD {usd:.2f}, USD {spent:.2f} of the budget of USD {budget:g} is spent under "
            f"{folder.root.url}"
        )
    await folder.release(number, why)
    raise BudgetReached(
        f"not submitted: {why}",
        keys=[folder.key],
        root=folder.root.url,
        usd=usd,
        spent=spent,
        budget=budget,
    )


async def _settle_claim(
    clip: ClipRequest,
    folder: ClipFolder,
    service: Service,
    number: int,
    waited: float,
    on_status: Callable[[str], None] | None,
) -> None:
    """Wait a moment for the worker that holds the claim; raise `UncertainSubmit` when nobody does any more."""
    claim = await folder.claimed(number)
    if claim.get("nonce") in _unsent:
        await folder.release(number, "the storage reported an error for the claim; nothing was sent")
        return
    doubt = await folder.doubted(number)
    if not (doubt or is_dead(claim) or max(age(claim), waited) > service.timing.claim_patience):
        await asyncio.sleep(service.timing.claim_look)
        return
    if (await folder.submit_state()).open_claim != number:
        return
    if await folder.recover(number):
        return
    if await _adopt_heard(clip, folder, service, number, claim):
        return
    shape = (claim.get("account") or {}).get("shape")
    nonce = str(claim.get("nonce", ""))
    if shape and nonce and not doubt and not await folder.root.run(was_sent, folder.root, str(shape), nonce):
        await folder.release(number, "the worker ended before its turn to submit came; nothing was sent")
        return
    settled = (
        await _look_for_it(folder, service, number, on_status) if clip.request.endpoint.list_path else None
    )
    if settled:
        return
    why = str(
        doubt.get("why") or "the worker that was submitting it died, or could not write down the outcome"
    )
    since = str(claim.get("at", "at an unknown time"))
    raise _uncertain(clip, folder, why, since, settled.words if settled is not None else "")


async def _adopt_heard(
    clip: ClipRequest, folder: ClipFolder, service: Service, number: int, claim: dict[str, Any]
) -> bool:
    """Take over the task id that a callback to this claim's own address named, if the service knows it."""
    task_id = await confirmed_callback(folder, service, claim, clip.request.endpoint)
    if not task_id:
        return False
    submission = await folder.submitted(number, clip, task_id, service.client.host)
    announce(_event(Happened.PAID, clip, folder, usd=submission.get("usd"), task_id=task_id))
    return True


async def _doubt(clip: ClipRequest, folder: ClipFolder, number: int, why: str) -> UncertainSubmit:
    try:
        await folder.doubt(number, why)
    except Exception as error:
        log.error("the doubt about clip %s cannot be written: %s", folder.key, error)
    return _uncertain(clip, folder, why)


def _uncertain(
    clip: ClipRequest, folder: ClipFolder, why: str, since: str = "", listed: str = ""
) -> UncertainSubmit:
    announce(_event(Happened.IN_DOUBT, clip, folder, usd=clip.request.usd, why=why))
    price = (
        f"USD {clip.request.usd:.2f}" if clip.request.usd is not None else "a clip without a published price"
    )
    return UncertainSubmit(
        f"clip {folder.key}: it is not known whether the service accepted it ({since or 'just now'}: {why}). It may "
        f"have been paid ({price}), so it is not submitted again automatically."
        + (f" {listed}." if listed else ""),
        advice=HOW_TO_SETTLE,
        keys=[folder.key],
        root=folder.root.url,
        since=since,
        usd=clip.request.usd,
        why=why,
    )


def _raise_final(released: dict[str, Any], folder: ClipFolder, service: Service) -> None:
    if released.get("final") and not may_retry_refused(released, service):
        raise SubmitRefused(
            f"clip {folder.key} was refused before: {released.get('why')}. Nothing was paid.",
            advice="It is not sent again until the request changes or a retry is asked for",
            keys=[folder.key],
            root=folder.root.url,
        )


async def ensure_submitted(folder: ClipFolder) -> dict[str, Any]:
    """The submission of a clip that must already be submitted. Raises `MiniMaxError` when it is not."""
    found = await folder.known(SUBMISSION)
    if found is None or not found.get("task_id"):
        raise MiniMaxError(f"clip {folder.key} was not submitted: {folder.path(SUBMISSION)} is missing")
    return found
