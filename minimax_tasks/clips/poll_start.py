"""How long the service takes for a clip, learnt while waiting, so that nobody asks long before."""

from collections import deque

KEPT = 32
"""So many of the newest clips are remembered."""

ENOUGH = 5
"""Fewer clips than this say nothing."""


class Expectation:
    """When to look at a clip for the first time.

    >>> expectation = Expectation()
    >>> expectation.first_look(10.0)
    10.0
    """

    def __init__(self) -> None:
        self._lasted: deque[float] = deque(maxlen=KEPT)

    def first_look(self, interval: float) -> float:
        """Seconds after its submit at which to look at a clip first: when the fastest of late was not ready."""
        return max(interval, min(self._lasted)) if len(self._lasted) >= ENOUGH else interval

    def lasted(self, at_least: float) -> None:
        """A clip became ready no sooner than so many seconds after its submit."""
        self._lasted.append(at_least)
