"""Calls from our event loop into that of fsspec, where its asynchronous file systems do their work.

fsspec's own way from a coroutine is a thread that waits: two wake-ups of a thread for each call, and no more calls at
once than there are threads. Here the two event loops hand each other calls and answers, as many at a time as have
come together.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from minimax_tasks.storage.answers import Answers

_Result = TypeVar("_Result")


class _Bridge:
    """The way from one event loop to another. It goes with the first, so nothing here keeps that."""

    def __init__(self, there: asyncio.AbstractEventLoop) -> None:
        self._there = there
        self._asked: deque[tuple[asyncio.Future[Any], Callable[[], Awaitable[Any]]]] = deque()
        self._answers = Answers()
        self._is_asking = False
        self._under_way: set[asyncio.Task[None]] = set()

    def call(self, work: Callable[[], Awaitable[_Result]]) -> "asyncio.Future[_Result]":
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._asked.append((answer, work))
        if not self._is_asking:
            self._is_asking = True
            self._there.call_soon_threadsafe(self._begin)
        return answer

    def _begin(self) -> None:
        # Before the first is taken: what is added after the last one was taken asks again.
        self._is_asking = False
        while self._asked:
            task = self._there.create_task(self._see_through(*self._asked.popleft()))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _see_through(self, answer: "asyncio.Future[Any]", work: Callable[[], Awaitable[Any]]) -> None:
        result, error = None, None
        try:
            result = await work()
        except BaseException as raised:
            error = raised
        self._answers.give(answer, result, error)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Bridge]] = WeakKeyDictionary()


async def in_fs_loop(fs: Any, work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Do work in the event loop of an asynchronous file system; returns and raises what it does.

    A caller that is cancelled does not stop work that was handed over, as with `asyncio.to_thread`.
    """
    there: asyncio.AbstractEventLoop = fs.loop
    bridges = _of_loops.setdefault(asyncio.get_running_loop(), {})
    bridge = bridges.get(id(there))
    if bridge is None:
        bridge = bridges[id(there)] = _Bridge(there)
    return await bridge.call(work)
