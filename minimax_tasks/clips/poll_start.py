"""Learns how long clips take, so that polling starts only when one could be ready."""

from collections import deque

KEPT = 32
"""This many of the newest clips are remembered."""

ENOUGH = 5
"""Fewer clips than this say nothing."""


class FirstPollEstimate:
    """When to poll a clip for the first time.

    >>> estimate = FirstPollEstimate()
    >>> estimate.seconds_to_wait(10.0)
    10.0
    """

    def __init__(self) -> None:
        self._lasted: deque[float] = deque(maxlen=KEPT)

    def seconds_to_wait(self, interval: float) -> float:
        """Seconds after the submit to wait before the first poll: the shortest recent generation time."""
        return max(interval, min(self._lasted)) if len(self._lasted) >= ENOUGH else interval

    def took(self, at_least: float) -> None:
        """Note that a clip became ready no sooner than this many seconds after its submit."""
        self._lasted.append(at_least)
