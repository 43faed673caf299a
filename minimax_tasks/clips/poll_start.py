"""Learns how long clips take, so that polling starts only when one could be ready, and a poll comes when others were."""

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
        self._found: dict[str, deque[float]] = {}
        self._soonest: dict[str, float] = {}

    def seconds_to_wait(self, interval: float, kind: str = "") -> float:
        """Seconds after the submit to wait before the first poll: the shortest recent generation time of the kind."""
        return max(interval, self._shortest.get(kind, 0.0))

    def seconds_to_next(self, pause: float, elapsed: float, kind: str = "") -> float:
        """Seconds to the next poll of a clip that was not ready so long after its submit: never more than `pause`, and
        fewer where the first ones of its kind were found ready in between.
        """
        to_soonest = self._soonest.get(kind, 0.0) - elapsed
        return min(pause, to_soonest) if to_soonest > 0 else pause

    @property
    def usual_seconds(self) -> float:
        """How long a clip takes, for people who look at its progress: the median of the last ones."""
        return max(1.0, median(self._lasted)) if self._lasted else USUAL_SECONDS

    def took(self, at_least: float, kind: str = "", *, found: float = 0.0) -> None:
        """Note that a clip became ready no sooner than this many seconds after its submit, and when it was `found` so."""
        self._lasted.append(at_least)
        self._shortest[kind] = _least(self._of_kind, kind, at_least)
        self._soonest[kind] = _least(self._found, kind, found)


def _least(known: dict[str, deque[float]], kind: str, seconds: float) -> float:
    """The least of the newest, one more among them; 0 where they are too few to say anything."""
    newest = known.setdefault(kind, deque(maxlen=KEPT))
    newest.append(seconds)
    return min(newest) if len(newest) >= ENOUGH else 0.0
