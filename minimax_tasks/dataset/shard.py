"""Making the clips of a shard: many at once, each with its own files, and none in the way of the others."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Mapping
from enum import Enum

from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.layout import RESULT, clip_folder
from minimax_tasks.clips.make import ClipMaker
from minimax_tasks.clips.poll import Wait
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import InFlightLimits, Service
from minimax_tasks.clips.state import ClipStatus
from minimax_tasks.dataset.outcomes import ClipFacts, Failure, ShardResult, facts, files_digest, now
from minimax_tasks.errors import (
    ApiError,
    GenerationFailed,
    InvalidRequest,
    SubmitRefused,
)
from minimax_tasks.storage.files import Storage

log = logging.getLogger(__name__)

REPORT_EVERY = 2.0
"""Seconds between two reports of progress."""

_OVER = (GenerationFailed, SubmitRefused, InvalidRequest)
"""Failures that another run would find unchanged."""


class ClipNews(Enum):
    """The outcome of a clip of a shard."""

    SUBMITTED = "submitted"
    MADE = "made"
    FAILED = "failed"


OnNews = Callable[[str, ClipNews, str], None]
"""Hears of a clip: its key, its outcome, and the task id or why it failed."""


class _Places:
    """Places that a run has of those that all runs share, so that it can leave those of clips that it never began."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._taken = 0

    async def take(self) -> None:
        await self._free.acquire()
        self._taken += 1

    def leave(self) -> None:
        self._taken -= 1
        self._free.release()

    def leave_all(self) -> None:
        while self._taken:
            self.leave()


class ShardRun:
    """One run of a shard. `report` gets a line for people and the share that is done, 0 to 1.

    `on_submitted` is called as soon as the shard has nothing more to submit, `on_news` with the outcome of each clip.
    """

    def __init__(
        self,
        clips: Mapping[str, ClipRequest],
        root: Storage,
        service: Service,
        limits: InFlightLimits,
        report: Callable[[str, float], None],
        on_submitted: Callable[[], None],
        on_news: OnNews = lambda key, news, text: None,
    ) -> None:
        self._clips = clips
        self._root = root
        self._limits = limits
        self._begun: dict[str, _Places] = {}
        """Endpoint -> places of clips that are not submitted yet."""
        self._maker = ClipMaker(root, service, limits, clips=len(clips))
        self._report = report
        self._on_submitted = on_submitted
        self._on_news = on_news
        self._to_submit = len(clips)
        self._left = len(clips)
        """Clips that have no outcome yet."""
        self._over = asyncio.Event()
        self._under_way: set[_Clip] = set()
        self._flight = _Places(limits.flight)
        self._reported_at = time.monotonic()
        self._made: dict[str, ClipFacts] = {}
        self._failed: dict[str, Failure] = {}

    async def make(self) -> ShardResult:
        """Make every clip that can be made; those that cannot are failures in the result."""
        await self._maker.check_root()
        try:
            async with asyncio.TaskGroup() as group:
                for endpoint, keys in self._by_endpoint().items():
                    places = self._begun[endpoint] = _Places(self._limits.begun_for(endpoint))
                    group.create_task(self._begin(keys, places, group))
                try:
                    if self._left:
                        await self._over.wait()
                finally:
                    for one in self._under_way:
                        one.stop()
        finally:  # of clips whose runs were stopped before they began
            for places in (self._flight, *self._begun.values()):
                places.leave_all()
        order = list(self._clips)
        return ShardResult(
            finished_at=now(),
            made={key: self._made[key] for key in order if key in self._made},
            failed={key: self._failed[key] for key in order if key in self._failed},
        )

    def _by_endpoint(self) -> dict[str, list[str]]:
        """The keys for each endpoint, by its name, as one that makes clips wait holds up no other."""
        found: dict[str, list[str]] = {}
        for key, clip in self._clips.items():
            found.setdefault(clip.request.endpoint.name, []).append(key)
        return found

    async def _begin(self, keys: list[str], begun: _Places, group: asyncio.TaskGroup) -> None:
        context = contextvars.copy_context()

        def go_on(one: _Clip) -> None:  # each with a context of its own, as if this had begun it
            group.create_task(self._see_through(one, begun), name=one.folder.key, context=context.copy())

        for key in keys:
            await begun.take()
            await self._flight.take()
            one = _Clip(self._maker.service.folder(self._root, key), go_on)
            self._under_way.add(one)
            go_on(one)

    async def _see_through(self, one: "_Clip", begun: _Places) -> None:
        """Do what there is to do for a clip, until it has an outcome or rests: then there is no task for it."""
        key, clip = one.folder.key, self._clips[one.folder.key]
        rests = False
        try:
            rests = not await self._is_made(one, clip, begun)
            if not rests:
                self._made[key] = facts(await one.folder.known(RESULT) or {})
                self._on_news(key, ClipNews.MADE, "")
        except Exception as error:
            self._maker.heed(clip, error)
            self._failed[key] = await self._failure(one.folder, error)
            self._on_news(key, ClipNews.FAILED, self._failed[key].text)
        finally:
            if not rests:
                self._leave(one)
        if not rests:
            self._tell()

    async def _is_made(self, one: "_Clip", clip: ClipRequest, begun: _Places) -> bool:
        """Go on with a clip; false when it rests, because it is not generated yet."""
        if one.wait is not None:
            await one.wait.look()
        else:
            try:
                if await self._submit_unless_made(one.folder.key, clip, one.folder):
                    return True
            finally:
                begun.leave()
            one.wait = await self._maker.wait_for(clip, one.folder)
        while one.wait.is_over:
            if await self._maker.take(clip, one.folder, one.wait):
                return True
            one.wait = await self._maker.wait_for(clip, one.folder)
        one.rest()
        return False

    def _leave(self, one: "_Clip") -> None:
        one.stop()
        self._under_way.discard(one)
        self._flight.leave()
        self._left -= 1
        if not self._left:
            self._over.set()

    async def _submit_unless_made(self, key: str, clip: ClipRequest, folder: ClipFolder) -> bool:
        def hear(status: str) -> None:
            if status.startswith("task "):
                self._on_news(key, ClipNews.SUBMITTED, status.removeprefix("task "))

        return await self._maker.submit_unless_made(
            clip, folder, on_status=hear, on_submitted=self._count_submitted
        )

    def _count_submitted(self) -> None:
        self._to_submit -= 1
        if not self._to_submit:
            self._on_submitted()

    async def _failure(self, folder: ClipFolder, error: Exception) -> Failure:
        files = await self._root.run(self._root.versions, clip_folder(folder.key))
        state = await folder.state(files)
        # What the service says of a clip that it accepted is final in its result alone.
        accepted = state.status not in (ClipStatus.TO_MAKE, ClipStatus.REFUSED)
        over = _is_over(error) and not (isinstance(error, ApiError) and accepted)
        if not over:
            log.warning("clip %s is not made yet: %s", folder.key, error)
        is_its_end = isinstance(error, GenerationFailed | SubmitRefused)
        return Failure(
            error=type(error).__name__,
            text=str(error),
            code=error.code if isinstance(error, ApiError) else state.code if is_its_end else None,
            task_id=state.task_id or None,
            over=over,
            files=files_digest(files),
        )

    def _tell(self) -> None:
        done, of = len(self._made) + len(self._failed), len(self._clips)
        if done < of and time.monotonic() < self._reported_at + REPORT_EVERY:
            return
        self._reported_at = time.monotonic()
        failed = f", {len(self._failed)} failed" if self._failed else ""
        self._report(f"{len(self._made)} of {of} clips are made{failed}", done / of)


class _Clip:
    """A clip under way. Thousands rest at once, and then this is all that is held of them."""

    __slots__ = ("_go_on", "_is_stopped", "folder", "wait")

    def __init__(self, folder: ClipFolder, go_on: "Callable[[_Clip], None]") -> None:
        self.folder = folder
        self.wait: Wait | None = None
        self._go_on = go_on
        self._is_stopped = False

    def rest(self) -> None:
        """Go on when a look is worth while."""
        assert self.wait is not None
        if self._is_stopped:
            raise asyncio.CancelledError
        self.wait.rest(self)

    def __call__(self) -> None:
        """A look is worth while: that is what the wait calls."""
        if not self._is_stopped:
            self._go_on(self)

    def stop(self) -> None:
        """Go on no more."""
        self._is_stopped = True
        if self.wait is not None:
            self.wait.end()


def _is_over(error: Exception) -> bool:
    if isinstance(error, ApiError):
        return error.is_about_the_request
    return isinstance(error, _OVER)
