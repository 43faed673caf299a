"""Work that waits for the disk, off the event loop: a flush takes milliseconds in which no answer would be read.

`asyncio.to_thread` wakes a thread and the event loop for each call, which costs more than the call itself. Here a few
threads take call after call as long as there are some, and tell the event loop of all that are done at once. Flushes that
are under way together also share what the file system has to write for them.
"""

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

_Result = TypeVar("_Result")

AT_ONCE = 4
"""Threads that wait for the disk: as many flushes are under way at once."""

LINGER = 0.05
"""Seconds that a thread waits for the next call: to begin one costs more."""

_Done = tuple["asyncio.Future[Any]", Any, BaseException | None]


class _DiskThreads:
    """The threads of one event loop. They go with it, so nothing here keeps it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="minimax-disk")
        # No `SimpleQueue`: a thread that is woken when its time is over, and for which another one left nothing, waits
        # in it for ever (seen with CPython 3.11), and the process does not end.
        self._waiting: queue.Queue[tuple[asyncio.Future[Any], Callable[[], Any]]] = queue.Queue()
        self._done: deque[_Done] = deque()
        self._lock = threading.Lock()
        self._working = 0
        self._told = False

    def call(self, work: Callable[[], _Result]) -> "asyncio.Future[_Result]":
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.put((answer, work))
        if self._working < AT_ONCE:
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
        with self._lock:
            self._done.append((answer, result, error))
            tells, self._told = not self._told, True
        if tells:
            # A closed event loop raises this: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                answer.get_loop().call_soon_threadsafe(self._tell)
        return True

    def _goes_on(self) -> bool:
        with self._lock:
            self._working += 1
        return True

    def _tell(self) -> None:
        with self._lock:
            done, self._done = self._done, deque()
            self._told = False
        for answer, result, error in done:
            if answer.cancelled():
                continue
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _DiskThreads] = WeakKeyDictionary()


async def in_disk_thread(function: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
    """Call a function that waits for the disk; returns and raises what it does.

    A caller that is cancelled does not stop a call that has begun, as with `asyncio.to_thread`.
    """
    loop = asyncio.get_running_loop()
    threads = _of_loops.get(loop)
    if threads is None:
        threads = _of_loops[loop] = _DiskThreads()
    return await threads.call(partial(function, *arguments, **options))
