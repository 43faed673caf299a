"""Learns how long clips take, so that polling starts only when one could be ready, and a poll comes when others were."""

import random
from bisect import bisect_left, insort
from collections import deque
from statistics import median

KEPT = 32
"""This many of the newest clips are remembered."""

ENOUGH = 5
"""Fewer clips than this say nothing."""

SCOUTS = 10
"""So many clips that still run say that none of their kind is ready sooner, while no other one was found ready."""

UNSEEN = 30.0
"""Seconds that a clip is left alone at most because others still run: it may be a quick one among slow ones."""

SOONER = 0.2
"""Of a pause that much is waited at least."""

EARLY, EARLY_SHARE = 0.1, 0.125
"""This share of the clips is polled up to so much earlier than others were ready: the service may have become faster."""


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
        self._latest: dict[str, float] = {}
        self._around: dict[str, deque[float]] = {}
        """Kind -> when they became ready, as far as one knows: halfway between the last two looks at each."""
        self._scouts: dict[str, list[float]] = {}
        """Kind -> how long those that still run had been running when they were polled last, in their order."""

    def seconds_to_wait(
        self, interval: float, kind: str = "", *, polled: float = 0.0, part: float = 1.0
    ) -> float:
        """Seconds after the submit before which no poll is worth while.

        That is the shortest recent generation time of the kind, or that `part` of it (`part_of_wait`). While none was
        ready, it is what others have been running for, since many are often submitted together. `polled` is when this one
        was polled last.
        """
        if self.knows(kind):
            shortest, soonest, latest = self._shortest[kind], self._soonest[kind], self._latest[kind]
            # Where all take as long, the first look is the one that finds it; else they come once an interval.
            takes = min(soonest, shortest + interval) if latest - soonest <= interval else shortest
            return max(interval, part * takes)
        scouts = self._scouts.get(kind) or []
        if len(scouts) < SCOUTS:
            return interval
        # Half an interval: those that were submitted at the same time look one after the other.
        others = scouts[0] + interval / 2
        return max(interval, min(others, polled + UNSEEN, *self._of_kind.get(kind, ())))

    def knows(self, kind: str = "") -> bool:
        """Whether enough of the kind were found ready to say when the next ones will be."""
        return self._shortest.get(kind, 0.0) > 0

    def seconds_to_next(self, pause: float, elapsed: float, kind: str = "") -> float:
        """Seconds to the next poll of a clip that was not ready so long after its submit: never more than `pause`, and
        fewer where half of its kind that took longer were ready in between.
        """
        around = self._around.get(kind, ())
        later = [seconds for seconds in around if seconds > elapsed] if len(around) >= ENOUGH else []
        return min(pause, max(median(later) - elapsed, SOONER * pause)) if later else pause

    @property
    def usual_seconds(self) -> float:
        """How long a clip takes, for people who look at its progress: the median of the last ones."""
        return max(1.0, median(self._lasted)) if self._lasted else USUAL_SECONDS

    def runs(self, elapsed: float, kind: str = "", *, before: float = 0.0) -> None:
        """Note that a clip was not ready so long after its submit. `before`: this was said of it then."""
        scouts = self._scouts.setdefault(kind, [])
        _take_out(scouts, before)
        insort(scouts, elapsed)
        del scouts[:-SCOUTS]

    def took(self, at_least: float, kind: str = "", *, found: float) -> None:
        """Note that a clip became ready no sooner than this many seconds after its submit, and when it was `found` so."""
        self._lasted.append(at_least)
        self._shortest[kind] = _least(self._of_kind, kind, at_least)
        self._soonest[kind] = _least(self._found, kind, found)
        self._latest[kind] = max(self._found[kind])
        self._around.setdefault(kind, deque(maxlen=KEPT)).append((at_least + found) / 2)
        _take_out(self._scouts.get(kind, []), at_least)


def part_of_wait() -> float:
    """Which part of the wait for the first poll one of many clips takes: most the whole of it."""
    return random.uniform(1 - EARLY, 1.0) if random.random() < EARLY_SHARE else 1.0


def _take_out(ages: list[float], age: float) -> None:
    place = bisect_left(ages, age)
    if ages[place : place + 1] == [age]:
        del ages[place]


def _least(known: dict[str, deque[float]], kind: str, seconds: float) -> float:
    """The least of the newest, one more among them; 0 where they are too few to say anything."""
    newest = known.setdefault(kind, deque(maxlen=KEPT))
    newest.append(seconds)
    return min(newest) if len(newest) >= ENOUGH else 0.0
