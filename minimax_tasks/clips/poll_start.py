"""Learns how long clips take, so that polling starts only when one could be ready, and a poll comes when others were."""

import random
from bisect import bisect_left, bisect_right, insort
from collections import deque
from statistics import median

KEPT, MEMORY = 64, 2000
"""So many clips stand for the last ones, about so many. Those found last would be the slow ones wherever many were
submitted together."""

SHOWN = 32
"""Of so many of the last ones people see how long they took."""

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
        self._lasted: deque[float] = deque(maxlen=SHOWN)
        self._kinds: dict[str, _Kind] = {}

    def seconds_to_wait(
        self, interval: float, kind: str = "", *, polled: float = 0.0, part: float = 1.0
    ) -> float:
        """Seconds after the submit before which no poll is worth while.

        That is the shortest recent generation time of the kind, or that `part` of it (`part_of_wait`). While none was
        ready, it is what others have been running for, since many are often submitted together. `polled` is when this one
        was polled last.
        """
        known = self._kinds.get(kind)
        if known is None:
            return interval
        if known.shortest:
            # Where all take as long, the first look is the one that finds it; else they come once an interval.
            is_even = known.latest - known.soonest <= interval
            takes = min(known.soonest, known.shortest + interval) if is_even else known.shortest
            return max(interval, part * takes)
        if len(known.scouts) < SCOUTS:
            return interval
        # Half an interval: those that were submitted at the same time look one after the other.
        others = known.scouts[0] + interval / 2
        return max(interval, min(others, polled + UNSEEN, *(at_least for at_least, _ in known.ready)))

    def knows(self, kind: str = "") -> bool:
        """Whether enough of the kind were found ready to say when the next ones will be."""
        return kind in self._kinds and self._kinds[kind].shortest > 0

    def seconds_to_next(self, pause: float, elapsed: float, kind: str = "") -> float:
        """Seconds to the next poll of a clip that was not ready so long after its submit: never more than `pause`, and
        fewer where half of its kind that took longer were ready in between, or where all were ready a moment ago.
        """
        around = self._kinds[kind].around if kind in self._kinds else []
        if not around:
            return pause
        later = around[bisect_right(around, elapsed) :]
        wanted = later[len(later) // 2] - elapsed if later else elapsed - around[-1]
        return min(pause, max(wanted, SOONER * pause))

    @property
    def usual_seconds(self) -> float:
        """How long a clip takes, for people who look at its progress: the median of the last ones."""
        return max(1.0, median(self._lasted)) if self._lasted else USUAL_SECONDS

    def runs(self, elapsed: float, kind: str = "", *, before: float = 0.0) -> None:
        """Note that a clip was not ready so long after its submit. `before`: this was said of it then."""
        scouts = self._of(kind).scouts
        _take_out(scouts, before)
        insort(scouts, elapsed)
        del scouts[:-SCOUTS]

    def took(self, at_least: float, kind: str = "", *, found: float) -> None:
        """Note that a clip became ready no sooner than this many seconds after its submit, and when it was `found` so."""
        self._lasted.append(at_least)
        known = self._of(kind)
        known.add(at_least, found)
        _take_out(known.scouts, at_least)

    def _of(self, kind: str) -> "_Kind":
        known = self._kinds.get(kind)
        if known is None:
            known = self._kinds[kind] = _Kind()
        return known


class _Kind:
    """What is known of one kind of clip."""

    __slots__ = ("_seen", "around", "latest", "ready", "scouts", "shortest", "soonest")

    def __init__(self) -> None:
        self.scouts: list[float] = []
        """How long those that still run had been running when they were polled last, in their order."""
        self.ready: list[tuple[float, float]] = []
        """Of those that were found ready: how long they took at least, and when they were found."""
        self.shortest = self.soonest = self.latest = 0.0
        """The least of both, and when nearly all were found; 0 where they are too few to say anything."""
        self.around: list[float] = []
        """When they became ready, as far as one knows: halfway between the last two looks at each, in their order."""
        self._seen = 0

    def add(self, at_least: float, found: float) -> None:
        self._seen = min(self._seen + 1, MEMORY)
        if len(self.ready) < KEPT:
            self.ready.append((at_least, found))
        elif found < self.soonest or random.random() < KEPT / self._seen:
            self.ready[random.randrange(KEPT)] = at_least, found
        else:
            return
        if len(self.ready) >= ENOUGH:
            moments = sorted(moment for _, moment in self.ready)
            self.shortest = min(self.ready)[0]
            self.soonest, self.latest = moments[0], moments[len(moments) * 9 // 10]
            self.around = sorted((one + other) / 2 for one, other in self.ready)


def part_of_wait() -> float:
    """Which part of the wait for the first poll one of many clips takes: most the whole of it."""
    return random.uniform(1 - EARLY, 1.0) if random.random() < EARLY_SHARE else 1.0


def _take_out(ages: list[float], age: float) -> None:
    place = bisect_left(ages, age)
    if ages[place : place + 1] == [age]:
        del ages[place]
