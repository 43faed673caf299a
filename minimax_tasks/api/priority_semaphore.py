"""A semaphore for a few connections: requests that finish something go before those that only poll."""

import asyncio
import heapq
import itertools


class PrioritySemaphore:
    """A semaphore whose waiters are served by urgency (0 first), then in the order in which they came.

    Thousands may wait, so it is not a context manager, which would cost each of them another generator.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._count = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    async def acquire(self, urgency: int = 0) -> None:
        """Wait for a place. The caller has to release it."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._count), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give the place to the next."""
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
