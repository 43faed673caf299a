"""Work that waits for the disk, off the event loop: a flush takes milliseconds in which no answer would be read.

`asyncio.to_thread` wakes a thread and the event loop for each call, which costs more than the call itself. Here a few
threads take call after call as long as there are some, and tell the event loop of all that are done at once. Flushes that
are under way together also share what the file system has to write for them.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from minimax_tasks.storage.answers import Answers
from minimax_tasks.storage.flushing import FLUSHES_AT_ONCE

_Result = TypeVar("_Result")

LINGER = 0.05
"""Seconds that a thread waits for the next call: to begin one costs more."""


class DiskThreads:
    """The threads of one event loop. They go with it, so nothing here keeps it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(FLUSHES_AT_ONCE, thread_name_prefix="minimax-disk")
        # No `SimpleQueue`: a thread that is woken when its time is over, and for which another one left nothing, waits
        # in it for ever (seen with CPython 3.11), and the process does not end.
        self._waiting: queue.Queue[tuple[asyncio.Future[Any], Callable[[], Any]]] = queue.Queue()
        self._answers = Answers()
        self._lock = threading.Lock()
        self._working = 0

    @property
    def backlog(self) -> int:
        """How many calls wait for a thread."""
        return self._waiting.qsize()

    def call(self, work: Callable[[], _Result]) -> "asyncio.Future[_Result]":
        """Have a thread call a function, for the event loop that runs."""
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.put((answer, work))
        if self._working < FLUSHES_AT_ONCE:
            with self._lock:
                self._working += 1
            self._threads.submit(self._work)
        return answer

    def _work(self) -> None:
        while self._does_one():
            pass

    def _does_one(self) -> bool:
        """Wait a moment for a call and do it; false when there was none."""
        try:
            answer, work = self._waiting.get(timeout=LINGER)
        except queue.Empty:
            with self._lock:
                self._working -= 1
            # A call that came in between saw this thread, and began no other.
            return not self._waiting.empty() and self._goes_on()
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        self._answers.give(answer, result, error)
        return True

    def _goes_on(self) -> bool:
        with self._lock:
            self._working += 1
        return True
