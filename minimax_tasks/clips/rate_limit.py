"""Limits the submits in any minute, and pauses them for a while after the service answered “too many”."""

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Callable

from minimax_tasks.clips.timing import USUAL


class RateLimiter:
    """Allows at most `per_minute` submits in any 60 seconds; 0 means no limit.

    `evenly` spaces them, for processes that share one rate: none begins with a burst. One object
    serves all threads and event loops of a process.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        evenly: bool = False,
        window: float = USUAL.rate_window,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = per_minute
        self._evenly = evenly
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._starts: deque[float] = deque()
        self._not_before = 0.0

    async def acquire(self) -> None:
        """Wait until one more submit is allowed."""
        await asyncio.sleep(self._reserve())

    def slow_down(self) -> float:
        """The service refused for the rate: nobody submits until a window has passed; returns the seconds."""
        wait = self._window * random.uniform(1.0, 1.2)
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + wait)
        return wait

    def _reserve(self) -> float:
        with self._lock:
            now = self._clock()
            at = max(now, self._not_before)
            if self._per_minute:
                limit = 1 if self._evenly else max(1, int(self._per_minute))
                window = self._window * limit / self._per_minute
                while len(self._starts) >= limit:
                    at = max(at, self._starts.popleft() + window)
                self._starts.append(at)
            return at - now
