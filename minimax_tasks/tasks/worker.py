"""A Luigi worker that keeps many waiting tasks in one process.

A task whose work is a coroutine (`tasks.coroutine`) runs on one event loop next to the worker; every other task, and
one whose `run` was overridden, runs in a thread, or in a fresh process where one is asked for (`tasks.plain`). The
scheduler, the events, the retries and the messages are Luigi's own.

`luigi.worker` is declared private. What is relied on is here and in `tasks.plain`: `Worker._create_task_process`
makes the thing that runs, which puts `(task_id, status, explanation, missing, new_deps)` on the result queue.
"""

import asyncio
import contextlib
import gc
import importlib
import itertools
import logging
import multiprocessing.spawn
import queue
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import luigi
import luigi.worker
from luigi import rpc, scheduler
from luigi.task_status import DONE, FAILED
from luigi.worker import GetWorkResponse, TaskException, TaskStatusReporter, Worker

from minimax_tasks.tasks.coroutine import is_run_as_coroutine
from minimax_tasks.tasks.plain import TaskRun, ThreadRun, Unshared, plain_run
from minimax_tasks.tasks.run import Run

log = logging.getLogger(__name__)
_luigi_log = logging.getLogger("luigi-interface")


_LOOK = 0.05
"""Seconds between two looks whether a task is done."""

_SOON = 0.1
"""Seconds until a worker that has just nothing to do asks again."""


class InFlightFactory:
    """What `luigi.build` and `luigi.run` take as `worker_scheduler_factory`.

    `run` is what the tasks of its workers share; its connections are closed when a worker is done. Under a
    central scheduler a worker stays as long as others run what it waits for.
    """

    def __init__(self, run: Run | None = None) -> None:
        self._run = run or Run()
        self._shared = False

    def create_local_scheduler(self) -> Any:
        """Luigi's scheduler in this process."""
        self._run.schedules_alone = True
        return scheduler.Scheduler(prune_on_get_work=True, record_task_history=False)

    def create_remote_scheduler(self, url: str) -> Any:
        """Luigi's central scheduler."""
        self._shared = True
        self._run.schedules_alone = False
        self._run.is_shared = True
        return rpc.RemoteScheduler(url)

    def create_worker(
        self, scheduler: Any, worker_processes: int, assistant: bool = False
    ) -> "InFlightWorker":
        """A worker that runs up to `worker_processes` tasks at once.

        Raises RuntimeError in a child that imports the script of its parent: the script has no main guard.
        """
        multiprocessing.spawn._check_not_importing_main()  # type: ignore[attr-defined]
        options = {}
        if threading.current_thread() is not threading.main_thread():
            options["no_install_shutdown_handler"] = True  # signals are the main thread's
        worker = InFlightWorker(
            scheduler=scheduler, worker_processes=worker_processes, assistant=assistant, **options
        )
        worker.shared = self._run
        worker.waits_for_others = self._shared
        return worker


class InFlightWorker(Worker):
    """Luigi's worker, with tasks that wait on an event loop beside it."""

    shared: Run
    """What its tasks share."""
    waits_for_others = False
    _others_seen_at = float("-inf")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._needing_shards: dict[str, bool] = {}
        """Whether a task waits for shards, by its id."""
        with _unshared():
            super().__init__(*arguments, **options)

    def __enter__(self) -> Any:
        self._loop = _LoopThread(self.shared)
        self._current = contextlib.ExitStack()
        self._current.enter_context(self.shared.current())
        self._current.enter_context(_garbage_looked_for_rarely())
        self._restore = lambda: None
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._restore = on_sigterm(SystemExit(128 + signal.SIGTERM))
        return super().__enter__()

    def __exit__(self, *error: Any) -> Any:
        try:
            self._loop.stop()
        finally:
            self._current.close()
            self._restore()
            plain = [run for run in self._running_tasks.values() if isinstance(run, ThreadRun)]
            result = super().__exit__(*error)
            for run in plain:
                run.join(self.shared.timing.worker_patience / len(plain))
        return result

    def run(self) -> bool:
        """Run what was added; true when all of it is done."""
        if self.waits_for_others:
            self._enable_again()
        return bool(super().run())

    def _enable_again(self) -> None:
        """A person who starts a run means its tasks to be tried, although they failed too often before."""
        for task_id in self._scheduler.task_list("DISABLED", ""):
            if task_id in self._scheduled_tasks:
                self._scheduler.re_enable_task(task_id)
                self.add(self._scheduled_tasks[task_id])

    def _log_complete_error(self, task: luigi.Task, tb: str) -> None:
        _log_unschedulable(task, tb, super()._log_complete_error)

    def _log_dependency_error(self, task: luigi.Task, tb: str) -> None:
        _log_unschedulable(task, tb, super()._log_dependency_error)

    def _create_task_process(self, task: luigi.Task) -> Any:
        messages = queue.Queue() if task.accepts_messages else None  # type: ignore[var-annotated]
        if not is_run_as_coroutine(task):
            return plain_run(
                task,
                TaskStatusReporter(self._scheduler, task.task_id, self._id, messages),
                self._config,
                worker_id=self._id,
                result_queue=self._task_result_queue,
                task_completion_cache=self._task_completion_cache,
            )
        if _is_one_of_many(task):
            self.shared.submitting.begin(task.task_id)
        return _CoroutineRun(
            self._loop,
            self._config.task_process_context or None,
            task,
            self._id,
            self._task_result_queue,
            _QuietReporter(self._loop.messenger, self._scheduler, task.task_id, self._id, messages),
            use_multiprocessing=True,
            worker_timeout=self._config.timeout,
            check_unfulfilled_deps=self._config.check_unfulfilled_deps,
            check_complete_on_run=self._config.check_complete_on_run,
            task_completion_cache=self._task_completion_cache,
        )

    def _get_work(self) -> Any:
        if not self._may_have_the_next():
            # What is done here meanwhile is handled, and then this is asked again.
            return GetWorkResponse(None, [], 0, 0, 0, scheduler.WORKER_STATE_ACTIVE)
        response = super()._get_work()
        # Luigi keeps every answer for its closing summary, which asks only for tasks of other workers.
        kept = self._get_work_response_history[-1:]
        for entry in kept:
            entry["running_tasks"] = [run for run in entry["running_tasks"] if run.get("worker") != self._id]
        if kept and kept[0]["task_id"] is None and not kept[0]["running_tasks"]:
            self._get_work_response_history.pop()
        return response

    def _may_have_the_next(self) -> bool:
        """Wait while this process has shards to submit, and would get no more than another of them.

        Luigi's scheduler gives as many to the first who asks as that has room for, and here one process has room for all.
        False when something is done meanwhile.
        """
        if not self.waits_for_others or not self._running_tasks:
            return True
        while not self.shared.submitting.wait_for_room(self._running_tasks, _LOOK):
            if not self._task_result_queue.empty():
                return False
            if not self._is_left_with_shards():
                return True
        return True

    def _is_left_with_shards(self) -> bool:
        done = {task.task_id for task, status, _ in self._add_task_history if status == DONE}
        return all(
            self._is_or_needs_shards(task) for key, task in self._scheduled_tasks.items() if key not in done
        )

    def _is_or_needs_shards(self, task: luigi.Task) -> bool:
        if _is_one_of_many(task):
            return True
        if task.task_id not in self._needing_shards:
            self._needing_shards[task.task_id] = False  # if it cannot be told
            with contextlib.suppress(Exception):
                self._needing_shards[task.task_id] = any(map(self._is_or_needs_shards, task.deps()))
        return self._needing_shards[task.task_id]

    def _sleeper(self) -> Iterator[None]:
        """Between two questions for work, when there was none.

        What others do for this worker may be over in a moment, so it asks soon at first, and comes to what
        `wait_interval` and `wait_jitter` say as time goes on.
        """
        while True:
            idle = abs(datetime.now() - (self._idle_since or datetime.now())).total_seconds()
            longest = self._config.wait_interval + random.uniform(0, self._config.wait_jitter)
            time.sleep(min(longest, max(_SOON, idle)))
            yield

    def _keep_alive(self, response: Any) -> bool:
        return self._may_get_more(response) or bool(super()._keep_alive(response))

    def _may_get_more(self, response: Any) -> bool:
        """Whether others run what this worker waits for, or did a moment ago.

        The tasks of a worker that died come back some seconds after it is missed.
        """
        if not self.waits_for_others or self._stop_requesting_work:
            return False
        if (
            response.running_tasks
        ):  # which do not count as pending, so that the last one would not be waited for
            self._others_seen_at = time.monotonic()
            return True
        return (
            response.n_pending_tasks > 0
            and time.monotonic() - self._others_seen_at < self.shared.timing.others_patience
        )


def _is_one_of_many(task: luigi.Task) -> bool:
    """Whether it is a part of something, and submits: others may have the next part."""
    return bool(getattr(task, "is_one_of_many", False))


_OUR_ERROR = re.compile(r"\Aminimax_tasks\.errors\.\w+: (?P<words>.+)\Z", re.DOTALL)


def _log_unschedulable(task: luigi.Task, trace: str, luigis: Callable[[luigi.Task, str], None]) -> None:
    """An error of ours is words for a person. Luigi hands on no more of an error than its traceback."""
    last = trace.rpartition("Traceback (most recent call last):\n")[2].splitlines(keepends=True)
    error = "".join(itertools.dropwhile(lambda line: line.startswith(" "), last)).strip()
    if told := _OUR_ERROR.match(error):
        _luigi_log.warning("Will not run %s or what needs it: %s", task, told["words"])
        log.debug("%s", trace)
    else:
        luigis(task, trace)


_ALLOCATED = 20_000
"""Objects that are made, and not freed, before Python looks for rings of them that nobody needs."""


@contextlib.contextmanager
def _garbage_looked_for_rarely() -> Iterator[None]:
    """What waits for a clip lives long: Python would look at it again and again, for 4 % of a clip's CPU."""
    before = gc.get_threshold()
    if not 0 < before[0] < _ALLOCATED:
        yield  # switched off, or as rarely already
        return
    gc.set_threshold(_ALLOCATED, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


_making = threading.Lock()


@contextlib.contextmanager
def _unshared() -> Iterator[None]:
    """Keep Luigi's worker from making queues and managers for children, which need `/dev/shm` or fork."""
    names = vars(luigi.worker)
    with _making:
        names["multiprocessing"] = Unshared()
        try:
            yield
        finally:
            names["multiprocessing"] = multiprocessing


class _LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self, shared: Run) -> None:
        self._shared = shared
        self._loop = asyncio.new_event_loop()
        self._started: set[asyncio.Task[Any]] = set()
        self.messenger = ThreadPoolExecutor(1, thread_name_prefix="minimax-messages")
        self._thread = threading.Thread(target=self._loop.run_forever, name="minimax-in-flight", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, None]) -> Any:
        return asyncio.run_coroutine_threadsafe(self._run(work), self._loop)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._started.add(task)
        try:
            with self._shared.current():
                await work
        finally:
            self._started.discard(task)

    def stop(self) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop).result(
                    3 * self._shared.timing.worker_patience + 5
                )
            self.messenger.shutdown(wait=False, cancel_futures=True)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(self._shared.timing.worker_patience)
            self._loop.close()

    async def _wind_up(self) -> None:
        # First those that were started here alone: what they shield, a POST under way, comes to its end.
        await self._cancel(set(self._started))
        await self._shared.see_claims_through()
        await self._cancel(asyncio.all_tasks())
        await self._shared.close()
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()

    async def _cancel(self, tasks: set[asyncio.Task[Any]]) -> None:
        others = {task for task in tasks if task is not asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=self._shared.timing.worker_patience)


class _QuietReporter(TaskStatusReporter):
    """Tells the scheduler from a thread of its own, since a central one is asked over HTTP.

    All in the order in which it was said, and nothing after the end: to a scheduler, a word of a task that is over is
    one of a task that runs.
    """

    def __init__(self, messenger: ThreadPoolExecutor, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._messenger = messenger
        self.is_over = False

    def in_turn(self, call: Callable[..., None], *arguments: Any) -> None:
        """Call this after everything that was said before."""
        with contextlib.suppress(RuntimeError):  # the worker is being closed
            self._messenger.submit(self._say, call, arguments)

    def _say(self, call: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if not self.is_over:
            call(*arguments)

    def update_tracking_url(self, tracking_url: str) -> None:
        """Show a link in the visualiser."""
        self.in_turn(super().update_tracking_url, tracking_url)

    def update_status_message(self, message: str) -> None:
        """Show a text in the visualiser."""
        self.in_turn(super().update_status_message, message)

    def update_progress_percentage(self, percentage: float) -> None:
        """Show how far the task is in the visualiser."""
        self.in_turn(super().update_progress_percentage, percentage)

    def decrease_running_resources(self, decrease_resources: dict[str, int]) -> None:
        """Give resources back before the task is over."""
        self.in_turn(super().decrease_running_resources, decrease_resources)


class _CoroutineRun(TaskRun):
    """Looks like Luigi's process for a task, but runs the task's coroutine on the shared loop."""

    def __init__(self, loop: _LoopThread, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shared_loop = loop
        self._future: Any = None

    def start(self) -> None:
        """Start the coroutine."""
        self._future = self._shared_loop.start(self._run_async())

    def is_alive(self) -> bool:
        """Whether the coroutine still runs."""
        return self._future is not None and not self._future.done()

    @property
    def exitcode(self) -> int | None:
        """None: what went wrong is reported through the result queue."""
        return None

    def terminate(self) -> None:
        """Cancel the coroutine."""
        self.status_reporter.is_over = True
        if self._future is not None:
            self._future.cancel()

    async def _run_async(self) -> None:
        status, explanation, missing = FAILED, "", []
        _luigi_log.info("Worker %s running   %s", self.worker_id, self.task)
        try:
            missing = await asyncio.to_thread(self._unfulfilled)
            if missing:
                raise RuntimeError(f"Unfulfilled dependencies at run time: {', '.join(missing)}")
            self.task.trigger_event(luigi.Event.START, self.task)
            started = time.time()
            with self._around(), self._forward_attributes():
                await self.task.run_async()
            await asyncio.to_thread(self._check_completed)
            status = DONE
            self.task.trigger_event(luigi.Event.PROCESSING_TIME, self.task, time.time() - started)
            explanation = self.task.on_success()
            _luigi_log.info("Worker %s done      %s", self.worker_id, self.task)
            self.task.trigger_event(luigi.Event.SUCCESS, self.task)
        except asyncio.CancelledError:
            status, explanation = FAILED, "cancelled"
            raise
        except BaseException as error:
            status, explanation = FAILED, self._handle_run_exception(error)
        finally:
            result: Any = (self.task.task_id, status, explanation, missing, [])
            self.status_reporter.in_turn(self._end, result)

    def _end(self, result: Any) -> None:
        self.status_reporter.is_over = True
        self.result_queue.put(result)

    def _around(self) -> Any:
        """What `[worker] task_process_context` names."""
        if not self.context:
            return contextlib.nullcontext()
        module, _, name = self.context.rpartition(".")
        return getattr(importlib.import_module(module), name)(self)

    def _check_completed(self) -> None:
        if self.check_complete_on_run and not self.check_complete(self.task):
            raise TaskException("Task finished running, but complete() is still returning false.")
        if self.task_completion_cache is not None:
            self.task_completion_cache[self.task.task_id] = True

    def _unfulfilled(self) -> list[str]:
        if not self.check_unfulfilled_deps:
            return []
        return [dep.task_id for dep in self.task.deps() if not self.check_complete(dep)]


def on_sigterm(stop: BaseException) -> Callable[[], None]:
    """Let SIGTERM raise this in the main thread, so that a run winds up; returns what restores the former way."""

    def interrupt(number: int, frame: Any) -> None:
        raise stop

    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    former = signal.signal(signal.SIGTERM, interrupt)

    def restore() -> None:
        signal.signal(signal.SIGTERM, former)

    return restore
