"""Making clips with every guarantee, and no engine: judged, submitted once, waited for, fetched, checked.

`make` is for one clip, `make_all` for any number of them. `ClipMaker` is what both, the Luigi tasks and the
datasets do a clip's work with.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.camera_commands import as_sent, judge_commands, spellings_of
from minimax_tasks.clips.download import download
from minimax_tasks.clips.first_look import FirstLooks
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.frames import frame_reader
from minimax_tasks.clips.layout import VIDEO
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.clips.poll import Wait, poll_through, submit_again, wait_for
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.root import open_root
from minimax_tasks.clips.service import InFlightLimits, Service, service_or_shared
from minimax_tasks.clips.spellings import as_paid
from minimax_tasks.clips.state import ClipStatus, SubmitState
from minimax_tasks.clips.submit import submit
from minimax_tasks.errors import (
    AuthenticationFailed,
    BudgetReached,
    ConfigurationError,
    GenerationFailed,
    InsufficientBalance,
    InvalidRequest,
    NotTheApi,
    PictureError,
    QuotaExhausted,
)
from minimax_tasks.storage.files import Storage

log = logging.getLogger(__name__)

OF_THE_ACCOUNT = (
    AuthenticationFailed,
    QuotaExhausted,
    InsufficientBalance,
    BudgetReached,
    ConfigurationError,
    NotTheApi,
)
"""Failures that every further submit would meet as well."""

EVERYWHERE = ""

OnStatus = Callable[[str], None]


@dataclass(frozen=True)
class MadeClip:
    """A clip that is on storage, as its folder knows it."""

    path: str
    """The finished MP4: a path, or a URL of the storage."""
    key: str
    task_id: str
    usd: float | None
    """What it cost by the price table; None without a published price."""
    warnings: tuple[str, ...] = ()
    """How the video differs from what was asked."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one request of `make_all`: `clip` or `error`, never both."""

    number: int
    """Which request it was, from 0."""
    request: AnyRequest | ClipRequest
    clip: MadeClip | None = None
    error: Exception | None = None

    @property
    def is_made(self) -> bool:
        """Whether the clip is there."""
        return self.clip is not None


@dataclass(frozen=True)
class Begun:
    """A clip that `begin_all` has seen to: it is made, or it is submitted and has to be waited for, or it failed."""

    key: str = ""
    """The clip's key; "" when it failed before it had one."""
    clip: MadeClip | None = None
    error: Exception | None = None

    @property
    def waits(self) -> bool:
        """Whether it is submitted and not generated yet."""
        return self.clip is None and self.error is None


def resolve_clip(root: Storage, clip: ClipRequest) -> ClipRequest:
    """The clip of a request as it is known under a root: with what its pictures are, under the key that was paid.

    Raises `PictureError` for a picture that cannot be read.
    """
    if clip.stored:
        return clip
    written = spellings_of(clip.request)
    sent = replace(clip, request=as_sent(clip.request))
    if clip.digests and clip.sent is not None:
        return as_paid(root, sent, written)
    try:
        known = known_clip(root, sent.request, clip.take, written=written, shapes=clip.shapes)
    except PictureError:
        if not clip.digests:
            raise
        return as_paid(root, sent, written)
    # One that somebody else made, with digests of its own, says which pictures are meant.
    return known if clip.digests in ({}, known.digests) else as_paid(root, sent, written)


class ClipMaker:
    """Makes clips of one root, many at once. Once the account refuses one, it submits no other.

    `clips` is about how many it will see to: the first look at many is shared (`FirstLooks`).
    """

    def __init__(
        self, root: Storage, service: Service, limits: InFlightLimits | None = None, *, clips: int = 1
    ) -> None:
        self.root = root
        self.service = service
        self._looks = FirstLooks(root, service.timing.look_life, clips)
        self._frames = frame_reader(root)
        self._limits = limits or service.limits()
        self._halted: dict[str, Exception] = {}
        """Endpoint, or `EVERYWHERE` -> what the account said: a plan may lack one model and have the others."""

    async def check_root(self) -> None:
        """Mark a new root; raises `ConfigurationError` for one on which nothing must be paid."""
        await self.service.check_root(self.root)

    async def make(
        self,
        clip: ClipRequest,
        *,
        folder: ClipFolder | None = None,
        on_status: OnStatus | None = None,
        on_submitted: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a clip, whatever of it is done already. `on_submitted`: nothing more of it is submitted, or failed.

        `folder` is that of the clip, for callers that read there afterwards what is known of it by then.
        Raises what `submit`, `poll` and `download` raise.
        """
        folder = folder or self.service.folder(self.root, clip.key)
        if not await self.submit_unless_made(clip, folder, on_status=on_status, on_submitted=on_submitted):
            await self.finish(clip, folder, on_status=on_status)

    async def submit_unless_made(
        self,
        clip: ClipRequest,
        folder: ClipFolder,
        *,
        on_status: OnStatus | None = None,
        on_submitted: Callable[[], None] = lambda: None,
    ) -> bool:
        """The first half of `make`: submit a clip that was not; true when it is made already."""
        try:
            with self._halting(clip):
                return await self._submit_unless_made(clip, folder, on_status)
        finally:
            on_submitted()

    async def finish(
        self, clip: ClipRequest, folder: ClipFolder, *, on_status: OnStatus | None = None
    ) -> None:
        """The second half of `make`: wait for a clip that is submitted, and fetch it."""
        try:
            is_made = False
            while not is_made:
                wait = await self.wait_for(clip, folder, on_status=on_status)
                try:
                    await wait.until_over()
                    is_made = await self.take(clip, folder, wait)
                finally:
                    wait.end()
        except Exception as error:
            self.heed(clip, error)
            raise

    async def wait_for(
        self, clip: ClipRequest, folder: ClipFolder, *, on_status: OnStatus | None = None
    ) -> Wait:
        """The wait for a clip that is submitted; `finish` is all there is to do with it."""
        while True:
            try:
                return await wait_for(folder, self.service, on_status=on_status)
            except GenerationFailed:
                if not await submit_again(lambda: clip, folder, self.service, frames=self._frames):
                    raise

    async def take(self, clip: ClipRequest, folder: ClipFolder, wait: Wait) -> bool:
        """Fetch the clip that was waited for; false where it failed, and was submitted once more."""
        try:
            await wait.result(fetched_next=True)
        except GenerationFailed:
            wait.end()
            if not await submit_again(lambda: clip, folder, self.service, frames=self._frames):
                raise
            return False
        async with self.service.fetching:
            await self.fetch(folder)
        return True

    async def begin(self, clip: ClipRequest, *, on_status: OnStatus | None = None) -> bool:
        """Submit a clip that was not, and fetch it if it is generated; true when its video is there.

        Does not wait for it. Raises what `submit` and `download` raise.
        """
        folder = self.service.folder(self.root, clip.key)
        if await self.submit_unless_made(clip, folder, on_status=on_status):
            return True
        if (await folder.state()).status is ClipStatus.GENERATING:
            return False
        with self._halting(clip):
            await self.fetch(folder)
        return True

    @contextlib.contextmanager
    def _halting(self, clip: ClipRequest) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.heed(clip, error)
            raise

    def heed(self, clip: ClipRequest, error: Exception) -> None:
        """Submit no further clips, where each of them would meet this failure of one as well."""
        if not isinstance(error, OF_THE_ACCOUNT):
            return
        where = clip.request.endpoint.name if isinstance(error, QuotaExhausted) else EVERYWHERE
        if where not in self._halted:
            self._halted[where] = error
            of_it = f" at {where}" if where else ""
            log.error("no further clips are submitted%s in this run: %s", of_it, error)

    async def _submit_unless_made(
        self, clip: ClipRequest, folder: ClipFolder, on_status: OnStatus | None
    ) -> bool:
        """Submit a clip that was not; true when it is made already."""
        submits, looked_at = await self._looks.submit_state(folder), time.monotonic()
        if submits.made:
            return True
        endpoint = clip.request.endpoint
        halt = self._halted.get(EVERYWHERE) or self._halted.get(endpoint.name)
        if halt is not None and not submits.submitted:
            raise halt
        async with self._limits.submits_to(endpoint):
            if time.monotonic() > looked_at + self.service.timing.look_life:
                submits = await self._looks.submit_state(folder)
            await self.submit(clip, folder, on_status=on_status, submits=submits)
        return False

    async def submit(
        self,
        clip: ClipRequest,
        folder: ClipFolder,
        *,
        on_status: OnStatus | None = None,
        submits: SubmitState | None = None,
    ) -> dict[str, Any]:
        """Make sure that the clip was submitted exactly once; returns its submission. `submits` as in `submit`."""
        submission = await submit(
            clip, folder, self.service, frames=self._frames, on_status=on_status, submits=submits
        )
        if on_status is not None:
            on_status(f"task {submission.get('task_id')}")
        return submission

    async def wait(
        self,
        clip: Callable[[], ClipRequest],
        folder: ClipFolder,
        *,
        on_status: OnStatus | None = None,
    ) -> None:
        """Wait until the clip is generated, with another paid attempt only where the settings allow one."""
        await poll_through(clip, folder, self.service, frames=self._frames, on_status=on_status)

    async def fetch(self, folder: ClipFolder) -> None:
        """Download the clip and check it."""
        await download(folder, self.service)


async def make(
    request: AnyRequest | ClipRequest,
    *,
    root: str | None = None,
    take: int = 1,
    on_status: OnStatus | None = None,
    service: Service | None = None,
) -> MadeClip:
    """Make one clip; returns where it is and what its folder knows. What is done already is not done again.

    `request` is a request model, or a `ClipRequest`; pictures may be frames of other clips of the root. `root` is
    any fsspec path or URL (setting `root`), `take` another clip of the same request. `on_status` hears news in
    words. Without a `service`, all calls of an event loop that run at the same time share one.

    A cancellation in the middle of a submit waits for the answer, so that the task id is kept; the next call
    continues from there. Raises `InvalidRequest`, `PictureError` and `ConfigurationError` before anything is
    paid, and what `submit`, `poll` and `download` raise.
    """
    async with service_or_shared(service) as held:
        maker = await _maker(root, held)
        return await _made(maker, _with_take(request, take), on_status)


async def make_all(
    requests: Iterable[AnyRequest | ClipRequest] | AsyncIterable[AnyRequest | ClipRequest],
    *,
    root: str | None = None,
    max_in_flight: int | None = None,
    on_status: Callable[[int, str], None] | None = None,
    service: Service | None = None,
) -> AsyncIterator[Outcome]:
    """Make many clips; yields an outcome for each, in the order in which they end.

    At most `max_in_flight` (setting) are under way or wait to be taken, so that `requests` may be of any length: it
    is read as places come free. A clip that failed is an outcome with its `error`. Once the account refuses (key,
    balance, budget), no further clip is submitted, and those that were continue. `on_status` hears the number of the
    request and news in words.

    Leaving the loop early stops it: nothing further is submitted, and the next run continues what was.
    Raises `ConfigurationError` for a root that cannot be used, and what reading `requests` raises, after the clips
    under way have come to their end.
    """
    async with service_or_shared(service) as held:
        wanted = held.settings.max_in_flight if max_in_flight is None else max_in_flight
        if wanted < 1:
            raise InvalidRequest("max_in_flight", wanted, "1, 2, 3, …")
        maker = await _maker(root, held, clips=wanted)
        line = _Line(maker, wanted, on_status)
        reading = asyncio.ensure_future(line.read(requests))
        try:
            while (outcome := await line.next()) is not None:
                yield outcome
            await reading
        finally:
            await line.stop(reading)


async def begin_all(
    requests: Sequence[AnyRequest | ClipRequest],
    *,
    root: str | None = None,
    on_status: Callable[[int, str], None] | None = None,
    service: Service | None = None,
) -> list[Begun]:
    """Submit clips, fetch those that are generated, and wait for none; returns how each stands, in their order.

    For engines that wait elsewhere: call it again when the others are generated. What is done is not done again, and
    nothing is paid twice. Raises `ConfigurationError` for a root that cannot be used.
    """
    async with service_or_shared(service) as held:
        maker = await _maker(root, held, clips=len(requests))

        async def one(number: int, request: AnyRequest | ClipRequest) -> Begun:
            told, key = on_status, ""
            status = (lambda text: told(number, text)) if told is not None else None
            try:
                clip = await asyncio.to_thread(_judged, maker.root, _clip_of(request))
                key = clip.key
                if not await maker.begin(clip, on_status=status):
                    return Begun(key)
                return Begun(key, await made_clip(held.folder(maker.root, key)))
            except Exception as error:
                return Begun(key, error=error)

        return list(await asyncio.gather(*(one(number, each) for number, each in enumerate(requests))))


class _Line:
    """The clips of one `make_all` between being read and being taken."""

    def __init__(self, maker: ClipMaker, places: int, on_status: Callable[[int, str], None] | None) -> None:
        self._maker = maker
        self._places = asyncio.Semaphore(places)
        self._on_status = on_status
        self._outcomes: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self._running: set[asyncio.Task[None]] = set()

    async def read(
        self, requests: Iterable[AnyRequest | ClipRequest] | AsyncIterable[AnyRequest | ClipRequest]
    ) -> None:
        number = 0
        try:
            async for request in _each(requests, self._places):
                task = asyncio.create_task(self._make(number, request))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                number += 1
        finally:
            # Stopping goes through `stop`, which does not wait for this.
            if self._running:
                await asyncio.wait(set(self._running))
            self._outcomes.put_nowait(None)

    async def next(self) -> Outcome | None:
        """The next outcome; its place is free from now on. None when there is none any more."""
        outcome = await self._outcomes.get()
        self._places.release()
        return outcome

    async def stop(self, reading: "asyncio.Future[None]") -> None:
        under_way = {reading, *self._running}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _make(self, number: int, request: AnyRequest | ClipRequest) -> None:
        heard = self._on_status
        on_status = (lambda status: heard(number, status)) if heard is not None else None
        try:
            clip = await _made(self._maker, request, on_status)
        except Exception as error:
            self._outcomes.put_nowait(Outcome(number, request, error=error))
        else:
            self._outcomes.put_nowait(Outcome(number, request, clip))


async def _each(
    requests: Iterable[AnyRequest | ClipRequest] | AsyncIterable[AnyRequest | ClipRequest],
    places: asyncio.Semaphore,
) -> AsyncIterator[AnyRequest | ClipRequest]:
    """Each request, read when there is a place for it."""
    if isinstance(requests, AsyncIterable):
        others = aiter(requests)
        while True:
            await places.acquire()
            try:
                yield await anext(others)
            except StopAsyncIteration:
                return
    else:
        ours = iter(requests)
        while True:
            await places.acquire()
            try:
                request = next(ours)
            except StopIteration:
                return
            yield request


def _with_take(request: AnyRequest | ClipRequest, take: int) -> ClipRequest:
    if not isinstance(request, ClipRequest):
        return _clip_of(request, take)
    return request if take == 1 else replace(request, take=take, stored="")


def _clip_of(request: Any, take: int = 1) -> ClipRequest:
    if isinstance(request, ClipRequest):
        return request
    if not isinstance(request, AnyRequest):
        raise InvalidRequest("request", request, "a request model, such as TextToVideoRequest(prompt=…)")
    return ClipRequest(request, take=take)


async def _maker(root: str | None, service: Service, *, clips: int = 1) -> ClipMaker:
    storage = await asyncio.to_thread(open_root, str(root or service.settings.root))
    maker = ClipMaker(storage, service, clips=clips)
    await maker.check_root()
    return maker


async def _made(maker: ClipMaker, request: AnyRequest | ClipRequest, on_status: OnStatus | None) -> MadeClip:
    clip = await asyncio.to_thread(_judged, maker.root, _clip_of(request))
    folder = maker.service.folder(maker.root, clip.key)
    await maker.make(clip, folder=folder, on_status=on_status)
    return await made_clip(folder)


def _judged(root: Storage, clip: ClipRequest) -> ClipRequest:
    judge_commands(root, clip.request, clip.take)
    return resolve_clip(root, clip)


async def made_clip(folder: ClipFolder) -> MadeClip:
    """What the folder of a clip that is made knows of it."""
    state = await folder.made_state()
    return MadeClip(folder.path(VIDEO), folder.key, state.task_id, state.usd, state.warnings)
