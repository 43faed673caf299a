"""Learns how long clips take, so that polling starts only when one could be ready."""

from collections import deque
from statistics import median

KEPT = 32
"""This many of the newest clips are remembered."""

ENOUGH = 5
"""Fewer clips than this say nothing."""


USUAL_SECONDS = 90.0
"""How long a clip takes where nothing is known yet."""


class FirstPollEstimate:
    """When to poll a clip for the first time. Each kind of clip, a model with a size and a length, takes its own time.

    >>> estimate = FirstPollEstimate()
    >>> estimate.seconds_to_wait(10.0, "MiniMax-Hailuo-02 768P 6 s")
    10.0
    """

    def __init__(self) -> None:
        self._lasted: deque[float] = deque(maxlen=KEPT)
        self._of_kind: dict[str, deque[float]] = {}
        self._shortest: dict[str, float] = {}

    def seconds_to_wait(self, interval: float, kind: str = "") -> float:
        """Seconds after the submit to wait before the first poll: the shortest recent generation time of the kind."""
        return max(interval, self._shortest.get(kind, 0.0))

    @property
    def usual_seconds(self) -> float:
        """How long a clip takes, for people who look at its progress: the median of the last ones."""
        return max(1.0, median(self._lasted)) if self._lasted else USUAL_SECONDS

    def took(self, at_least: float, kind: str = "") -> None:
        """Note that a clip became ready no sooner than this many seconds after its submit."""
        self._lasted.append(at_least)
        lasted = self._of_kind.setdefault(kind, deque(maxlen=KEPT))
        lasted.append(at_least)
        if len(lasted) >= ENOUGH:
            self._shortest[kind] = min(lasted)
