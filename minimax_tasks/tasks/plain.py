"""How a worker of ours runs a plain task (one with `run` alone): in a thread, or in a fresh process if asked.

Luigi would fork. A fork of a process that has threads and native libraries (an event loop, PyAV, gRPC, BLAS) can
hang for good in the child, and where nothing is forked (macOS, Windows, Python 3.14) a child has to import
`__main__`, which a notebook or a script without a main guard does not allow. So a plain task runs in a thread.

A process is asked for by `worker_timeout` or `[worker] timeout`, since a thread cannot be ended from outside, and by
`[worker] force_multiprocessing`. It is a fresh interpreter, never a fork. Where the task cannot be brought into one
(its class is from a notebook cell), it runs in a thread all the same, and a time-out ends it at its next line of Python.
"""

import contextlib
import contextvars
import ctypes
import logging
import multiprocessing
import pickle
import queue
import random
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import luigi
from luigi.worker import ContextManagedTaskProcess, TaskProcess, TaskStatusReporter

from minimax_tasks.errors import MiniMaxError
from minimax_tasks.tasks.run import RunInChild, current_run

log = logging.getLogger(__name__)
_luigi_log = logging.getLogger("luigi-interface")


START_PATIENCE = 60.0
"""Seconds that a process gets to import what its task needs; only then does the task's own time begin."""

KILL_PATIENCE = 5.0
"""Seconds between asking a process to end and killing it."""


class _TimedOut(BaseException):
    """Raised inside a thread whose task took longer than its `worker_timeout`."""


class Results(queue.Queue[Any]):
    """What Luigi's worker takes as its queue of results, without the semaphores that need `/dev/shm`."""

    def close(self) -> None:
        """Nothing to close."""


class Unshared:
    """`multiprocessing` as Luigi's worker needs it while it is made, when no other process is to share in it."""

    Queue = Results

    @staticmethod
    def Manager() -> "Unshared":
        """What makes a dictionary; that of `multiprocessing` would fork a process to hold it."""
        return Unshared()

    def dict(self) -> dict[Any, Any]:
        """An ordinary dictionary."""
        return {}

    def __getattr__(self, name: str) -> Any:
        return getattr(multiprocessing, name)


class _Nowhere:
    def put(self, result: Any) -> None:
        """A result that nobody waits for any longer."""


class TaskRun(ContextManagedTaskProcess):
    """What runs a task for a worker of ours. An error of ours is words for a person, so it is logged as such."""

    def _handle_run_exception(self, error: BaseException) -> Any:
        if not isinstance(error, MiniMaxError):
            return super()._handle_run_exception(error)
        _luigi_log.error("Worker %s failed    %s: %s", self.worker_id, self.task, error)
        log.debug("%s failed", self.task, exc_info=True)
        self.task.trigger_event(luigi.Event.FAILURE, self.task, error)
        return self.task.on_failure(error)


class ThreadRun(TaskRun):
    """Looks like Luigi's process for a task, but is a thread of this process."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.use_multiprocessing = True  # so that the worker calls `start` and goes on
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self.use_multiprocessing = False  # in `run` this would reseed the random numbers of the whole process
        self._thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self.run,),
            name=f"minimax-{self.task.task_id}",
            daemon=True,
        )
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the task still runs."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join(timeout)

    @property
    def exitcode(self) -> int | None:
        """None: what went wrong is reported through the result queue."""
        return None

    def terminate(self) -> None:
        """End the task at its next line of Python; what it says from now on is not heard."""
        self.result_queue = _Nowhere()
        thread = self._thread
        if thread is not None and thread.is_alive() and thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(_TimedOut)
            )


class ProcessRun(ThreadRun):
    """A task in a fresh interpreter; a thread of this process passes on what it says.

    A child that ends before the task began (a `__main__` that cannot be imported there) has done nothing, so the
    task then runs in the thread.
    """

    def __init__(self, context: str | None, task: luigi.Task, *arguments: Any, **options: Any) -> None:
        super().__init__(context, task, *arguments, **options)
        self._options = {
            "worker_id": self.worker_id,
            "worker_timeout": self.worker_timeout,
            "check_unfulfilled_deps": self.check_unfulfilled_deps,
            "check_complete_on_run": self.check_complete_on_run,
        }
        self._child: Any = None
        self._stopped = False

    def start(self) -> None:
        """Start the thread that starts the process."""
        if self.timeout_time is not None:
            self.timeout_time += START_PATIENCE
        super().start()

    def run(self) -> None:
        """Run the task in a child and pass on its result."""
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe(duplex=False)
        with ours:
            try:
                self._child = spawn.Process(
                    target=_run_in_child,
                    args=(self.context, self.task, current_run().for_child(), self._options, theirs),
                    daemon=False,
                )
                self._child.start()
            except (pickle.PicklingError, AttributeError, TypeError, OSError, ImportError) as error:
                theirs.close()
                self._run_here(f"{type(error).__name__}: {error}")
                return
            theirs.close()
            if self._stopped:
                self._child.terminate()
            began = self._pass_on(ours)
        self._child.join()
        if not began and not self._stopped:
            self._run_here(f"the process ended with {self._child.exitcode} before the task began")

    @property
    def exitcode(self) -> int | None:
        """The exit code of the child, once the thread that listens to it is done."""
        return None if self._child is None or self.is_alive() else self._child.exitcode

    def terminate(self) -> None:
        """End the child, or the thread where the task runs in one."""
        self._stopped = True
        if self._child is None:
            super().terminate()
        else:
            self.result_queue = _Nowhere()
            grandchildren = _children(self._child.pid)
            self._child.terminate()
            for process in grandchildren:
                with contextlib.suppress(Exception):  # gone meanwhile
                    process.terminate()
            self.join(KILL_PATIENCE)
            if self.is_alive():
                self._child.kill()

    def _pass_on(self, messages: Connection) -> bool:
        """Whether the task began."""
        began = False
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, content = messages.recv()
                if not began:
                    self._begin_time()
                began = True
                if kind == "result":
                    self.result_queue.put(content)
                elif kind == "report":
                    name, arguments = content
                    getattr(self.status_reporter, name)(*arguments)
        return began

    def _begin_time(self) -> None:
        if self.timeout_time is not None:
            self.timeout_time = time.time() + self.worker_timeout

    def _run_here(self, why: str) -> None:
        log.warning(
            "%s runs in a thread, since it cannot run in a process of its own (%s)", self.task.task_id, why
        )
        self._child = None
        self._begin_time()
        super().run()


def _children(pid: int) -> list[Any]:
    """The processes that a task started, where psutil is there to tell; Luigi asks it too."""
    try:
        import psutil

        return list(psutil.Process(pid).children(recursive=True))
    except Exception:  # not installed, or the process is gone
        return []


class _Messages:
    """The child's end: a result queue and a status reporter that send to the parent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.scheduler_messages = None

    def put(self, result: Any) -> None:
        self.send("result", result)

    def send(self, kind: str, content: Any) -> None:
        with self._lock:
            self._connection.send((kind, content))

    def __getattr__(self, name: str) -> Any:
        if name not in TaskProcess.forward_reporter_attributes:
            raise AttributeError(name)
        return lambda *arguments: self.send("report", (name, arguments))


def _run_in_child(
    context: str | None, task: luigi.Task, shared: RunInChild, options: dict[str, Any], connection: Connection
) -> None:
    messages = _Messages(connection)
    messages.send("began", None)
    random.seed()
    run = TaskRun(context, task, result_queue=messages, status_reporter=messages, **options)
    run.use_multiprocessing = False
    with shared.resume().current():
        run.run()


def plain_run(
    task: luigi.Task, reporter: TaskStatusReporter, config: Any, **options: Any
) -> ThreadRun | ProcessRun:
    """What runs a plain task: a thread, or a process where Luigi's own settings ask for one."""
    timeout = config.timeout if task.worker_timeout is None else task.worker_timeout
    asked = bool(timeout) or config.force_multiprocessing
    kind = ProcessRun if asked and _can_be_imported(task) else ThreadRun
    return kind(
        config.task_process_context or None,
        task,
        status_reporter=reporter,
        worker_timeout=config.timeout,
        check_unfulfilled_deps=config.check_unfulfilled_deps,
        check_complete_on_run=config.check_complete_on_run,
        **options,
    )


def _can_be_imported(task: luigi.Task) -> bool:
    """Whether a fresh interpreter finds the task's class: not that of a cell, nor of a script without a main guard."""
    script = getattr(sys.modules["__main__"], "__file__", None)
    if script is None:
        return type(task).__module__ != "__main__"
    try:
        return "__main__" in Path(script).read_text("utf-8", errors="replace")
    except OSError:
        return False
