"""What the tasks of one run share, as a value: settings, the service, what was planned.

A worker of ours holds its `Run`, and a task finds it as the current one while that worker schedules or runs it. Under
Luigi's own worker, and outside of any, the current one is `_luigis_own`: that of the process, with the settings of
the moment.
"""

import asyncio
import contextlib
import contextvars
import inspect
import logging
import threading
from collections.abc import Coroutine, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import luigi
import luigi.worker
from luigi import rpc
from luigi.task_status import RUNNING

from minimax_tasks.clips.rate_limit import RateLimiter, account_limiter
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.settings import Settings
from minimax_tasks.tasks.plans import Plans

if TYPE_CHECKING:
    from minimax_tasks.dataset.plan import DatasetPlan
    from minimax_tasks.storyboard.plan import Plan, Segment

log = logging.getLogger(__name__)


SHARDS_AT_ONCE = 2
"""Shards that a process submits at the same time where others may have the next: so no time is lost between two."""


class Submitting:
    """The shards of a process that still have clips to submit, by their task ids."""

    def __init__(self) -> None:
        self._shards: set[str] = set()
        self._changed = threading.Condition()

    def begin(self, shard: str) -> None:
        """Count a shard that was taken."""
        with self._changed:
            self._shards.add(shard)

    def end(self, *shards: str) -> None:
        """Count them no more."""
        with self._changed:
            self._shards.difference_update(shards)
            self._changed.notify_all()

    def wait_for_room(self, running: Iterable[str], seconds: float) -> bool:
        """Wait until there is room for another one; false when there was none in this time.

        `running` are all tasks that run: a shard that does no more does not count.
        """
        with self._changed:
            if self._shards:
                self._shards.intersection_update(running)
            return self._changed.wait_for(lambda: len(self._shards) < SHARDS_AT_ONCE, seconds)


class Run:
    """One run of tasks. Without `settings` they are read again each time they are asked for."""

    def __init__(self, settings: Settings | None = None, *, timing: Timing = USUAL) -> None:
        self.timing = timing
        self.schedules_alone = False
        """Whether its tasks stay in this process: no central scheduler gives them to others."""
        self.is_shared = False
        """Whether a central scheduler gives its tasks to others as well."""
        self._settings = settings
        self._limiters: dict[Hashable, RateLimiter] = {}
        self._services: WeakKeyDictionary[asyncio.AbstractEventLoop, Service] = WeakKeyDictionary()
        self.boards: Plans[Plan] = Plans()
        self.tables: Plans[DatasetPlan] = Plans()
        self.segments: dict[str, tuple[Segment, str]] = {}
        """Key -> segment, and the title of the board that was planned last with it. A key says what the segment is,
        so none goes stale."""
        self.shards: dict[str, dict[str, ClipRequest]] = {}
        """Digest of a shard -> its clips. A digest says what they are."""
        self.submitting = Submitting()
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

        All of them share the limiter of the run.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._services:
            settings, shared = self.settings(), self.is_shared or has_central_scheduler(task)
            evenly = bool(settings.submit_resources(shared=shared))
            how = settings.base_url, settings.api_key, settings.requests_per_minute, evenly
            if how not in self._limiters:
                self._limiters[how] = account_limiter(settings, evenly=evenly, window=self.timing.rate_window)
            if shared and settings.requests_per_minute and not evenly:
                log.warning(
                    "the rate of %g submits a minute is kept on each machine by itself, since submit_resource = %s: "
                    "nothing keeps all workers of the central scheduler to it",
                    settings.requests_per_minute,
                    settings.submit_resource,
                )
            self._services[loop] = Service(
                settings, timing=self.timing, rate_limiter=self._limiters[how], shared=shared
            )
        return self._services[loop]

    def for_child(self) -> "RunInChild":
        """What another process has to know of the run, for a task of it that runs there."""
        return RunInChild(self._settings, self.timing, self.is_shared)

    async def see_claims_through(self) -> None:
        """Wait a while for claims of the running event loop that are being made or taken back."""
        service = self._services.get(asyncio.get_running_loop())
        if service is not None:
            await service.see_claims_through()

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


@dataclass(frozen=True)
class RunInChild:
    """A run on its way to a child process. The key goes through the pipe between them, and shows nowhere."""

    settings: Settings | None
    timing: Timing
    is_shared: bool

    def resume(self) -> Run:
        """The run there."""
        run = Run(self.settings, timing=self.timing)
        run.is_shared = self.is_shared
        return run


_luigis_own = Run()
_current: ContextVar[Run] = ContextVar("minimax_run", default=_luigis_own)


def current_run() -> Run:
    """The run that the caller belongs to."""
    return _current.get()


def submit_resources(task: luigi.Task) -> dict[str, int]:
    """The Luigi resources of the setting `submit_resource` that a task which submits is to hold."""
    run = current_run()
    shared = run.is_shared or has_central_scheduler(task) or _is_asked_by_a_central_worker()
    return run.settings().submit_resources(shared=shared)


def submit_seconds(task: luigi.Task) -> float:
    """How long a task that runs holds them."""
    run = current_run()
    return run.settings().submit_seconds(shared=run.is_shared or has_central_scheduler(task))


def _is_asked_by_a_central_worker() -> bool:
    """Whether Luigi's own worker, which asks a task for its resources, has a central scheduler.

    Luigi tells a task so only while it runs. So this looks who calls.
    """
    frame = inspect.currentframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, luigi.worker.Worker):
            return isinstance(caller._scheduler, rpc.RemoteScheduler)
        frame = frame.f_back
    return False


def has_central_scheduler(task: luigi.Task) -> bool:
    """Whether a task that runs was given out by a central scheduler."""
    return isinstance(getattr(_reporter(task), "_scheduler", None), rpc.RemoteScheduler)


def try_no_more(task: luigi.Task) -> None:
    """Let Luigi's scheduler not give out again a task that runs and is about to fail.

    It applies what a worker says of retries to the next failure, so it has to know before this one. To a scheduler in
    the parent of a process nothing can be said from here: such a task is run again, and fails at once.
    """
    _say(task, retry_policy_dict={"retry_count": 1})


def show_link(task: luigi.Task, url: str) -> None:
    """Show a link on Luigi's page, which Luigi does in a way that makes it forget how often a task may be tried."""
    policy = luigi.worker._get_retry_policy_dict(task)
    if not _say(task, tracking_url=url, retry_policy_dict=policy) and task.set_tracking_url is not None:
        task.set_tracking_url(url)


def _say(task: luigi.Task, **news: Any) -> bool:
    reporter = _reporter(task)
    if not isinstance(reporter, luigi.worker.TaskStatusReporter):
        return False

    def say() -> None:
        reporter._scheduler.add_task(task_id=task.task_id, worker=reporter._worker_id, status=RUNNING, **news)

    in_turn = getattr(reporter, "in_turn", None)
    if in_turn is None:
        say()
    else:
        in_turn(say)
    return True


def _reporter(task: luigi.Task) -> Any:
    """What Luigi's worker gave to a task that runs, to report to."""
    return getattr(task.set_tracking_url, "__self__", None)


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
