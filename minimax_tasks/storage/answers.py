"""Outcomes of work that was done elsewhere, on their way into the event loop that waits for them."""

import asyncio
import contextlib
from collections import deque
from typing import Any


class Answers:
    """What others did for one event loop, told to it as many at a time as have come together.

    To be given from any thread. They go with the event loop, so nothing here keeps it.
    """

    def __init__(self) -> None:
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_telling = False

    def give(self, answer: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        """The outcome of one call: its result, or the error that ended it."""
        self._done.append((answer, result, error))
        if not self._is_telling:
            self._is_telling = True
            # A closed event loop raises this: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                answer.get_loop().call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        # Before the first is told: what is added after the last one was told asks again.
        self._is_telling = False
        while self._done:
            tell(*self._done.popleft())


def tell(answer: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    """Give who waits the result, or the error that ended the call; from the thread of its event loop."""
    if answer.done():  # nobody waits any more
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
