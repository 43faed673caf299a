"""What the tasks of one run share, as a value: settings, the service, what was planned.

A worker of ours holds its `Run`, and a task finds it as the current one while that worker schedules or runs it. Under
Luigi's own worker, and outside of any, the current one is `_luigis_own`: that of the process, with the settings of
the moment.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import luigi
from luigi import rpc

from minimax_tasks.clips.rate_limit import RateLimiter
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.settings import Settings
from minimax_tasks.tasks.plans import Plans

if TYPE_CHECKING:
    from minimax_tasks.dataset.plan import DatasetPlan
    from minimax_tasks.storyboard.plan import Plan, Segment


class Run:
    """One run of tasks. Without `settings` they are read again each time they are asked for."""

    def __init__(self, settings: Settings | None = None, *, timing: Timing = USUAL) -> None:
        self.timing = timing
        self.schedules_alone = False
        """Whether its tasks stay in this process: no central scheduler gives them to others."""
        self.is_shared = False
        """Whether a central scheduler gives its tasks to others as well."""
        self._settings = settings
        self._limiters: dict[tuple[str, float, bool], RateLimiter] = {}
        self._services: WeakKeyDictionary[asyncio.AbstractEventLoop, Service] = WeakKeyDictionary()
        self.boards: Plans[Plan] = Plans()
        self.tables: Plans[DatasetPlan] = Plans()
        self.segments: dict[str, tuple[Segment, str]] = {}
        """Key -> segment, and the title of the board that was planned last with it. A key says what the segment is,
        so none goes stale."""
        self.shards: dict[str, dict[str, ClipRequest]] = {}
        """Digest of a shard -> its clips. A digest says what they are."""
        self.beside = ThreadPoolExecutor(1, thread_name_prefix="minimax-beside")
        """Does one thing at a time in the time that waiting leaves, and must not crowd out the waiting."""

    def settings(self, **arguments: Any) -> Settings:
        """The settings of the run; arguments win over them, and None counts as absent."""
        if self._settings is None:
            return Settings.load(**arguments)
        return self._settings.having(**arguments)

    def service(self, task: luigi.Task) -> Service:
        """The service of the running event loop, for a task that runs: our worker has one loop, Luigi's own one for
        each task.

        The rate is that of the run: Luigi's own worker runs one task after the other.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._services:
            settings = self.settings()
            how = settings.base_url, settings.requests_per_minute, bool(settings.submit_resource)
            limiter = self._limiters.setdefault(
                how, RateLimiter(how[1], evenly=how[2], window=self.timing.rate_window)
            )
            self._services[loop] = Service(
                settings,
                timing=self.timing,
                rate_limiter=limiter,
                shared=self.is_shared or has_central_scheduler(task),
            )
        return self._services[loop]

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        service = self._services.pop(asyncio.get_running_loop(), None)
        if service is not None:
            await service.aclose()

    @contextlib.contextmanager
    def current(self) -> Iterator["Run"]:
        """Let this be the run of everything that is called in the block."""
        before = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(before)


_luigis_own = Run()
_current: ContextVar[Run] = ContextVar("minimax_run", default=_luigis_own)


def current_run() -> Run:
    """The run that the caller belongs to."""
    return _current.get()


def has_central_scheduler(task: luigi.Task) -> bool:
    """Whether a task that runs was given out by a central scheduler: told by what Luigi's worker gave it to report to."""
    reporter = getattr(task.set_tracking_url, "__self__", None)
    return isinstance(getattr(reporter, "_scheduler", None), rpc.RemoteScheduler)


def run_alone(work: Coroutine[Any, Any, None]) -> None:
    """Run one task's coroutine in an event loop of its own, as the plain Luigi worker does.

    Where a loop runs in this thread already (a notebook, an async web handler), that is a loop in another thread,
    and this one waits for it.
    """

    async def alone() -> None:
        try:
            await work
        finally:
            await current_run().close()

    if not _is_in_a_loop():
        asyncio.run(alone())
        return
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="minimax-alone") as threads:
        threads.submit(context.run, asyncio.run, alone()).result()


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
