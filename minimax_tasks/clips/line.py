"""A line for places: thousands may stand in it, so whoever waits is a function to call, and no task."""

from collections import deque
from collections.abc import Callable


class Line:
    """Some places, and who waits for one of them, in the order in which they came."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[Callable[[], bool]] = deque()

    def enter(self, take: Callable[[], bool]) -> None:
        """Call a function once there is a place. It says whether it takes it; who does has to `leave`."""
        if not self._free:
            self._waiting.append(take)
        elif take():
            self._free -= 1

    def leave(self) -> None:
        """Give a place to the next who takes it."""
        while self._waiting:
            if self._waiting.popleft()():
                return
        self._free += 1
