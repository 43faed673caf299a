"""How much longer than a window a submit is counted, since the service counts it later than we do.

Between being allowed and the POST lies the claim, which takes a moment: more for one submit than for the next, and then
the service would count one too many. Once the answer is there it is known how much later it was at most.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile

_USUAL = 1 / 60
"""Windows, for what others counted, and for what has no answer yet."""

_LONGEST = 1 / 6
"""Windows, for an answer that took longer or never came: the service had surely counted that submit by then, and the
others do not wait for one."""


@dataclass(eq=False)
class Counted:
    """Submits that were counted together; moments are milliseconds."""

    at: int = 0
    many: int = 1
    on_their_way: int = 0
    """Those that were allowed, and have no answer yet."""
    latest: int = 0
    """When the last answer came."""

    def go(self) -> "Counted":
        """One of them is allowed. Who submits has to say when it is `over`."""
        self.on_their_way += 1
        return self

    def over(self, now: int) -> None:
        """One of them was answered, or was not sent."""
        self.on_their_way -= 1
        self.latest = max(self.latest, now)


class Margin:
    """What one process counted, in the order of time; everything in milliseconds. A `window` of 0 has no margin."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._longest = round(_LONGEST * window)
        self.usual = round(_USUAL * window)
        self._ours: deque[Counted] = deque()
        self._others_until = 0

    def add(self, at: int, many: int) -> Counted:
        """So many were counted."""
        counted = Counted(at, many)
        self._ours.append(counted)
        return counted

    def of(self, now: int, by_all: int) -> int:
        """By how much the window is longer for the next to be forgotten, where so many are counted in all."""
        if by_all > sum(counted.many for counted in self._ours):
            self._others_until = now + 2 * self._window  # they may well go on
        oldest = list(takewhile(lambda counted: counted.at < now - self._window, self._ours))
        margin = max(map(self._margin_of, oldest or islice(self._ours, 1)), default=self.usual)
        return max(margin, self.usual) if now < self._others_until else margin

    def forget(self, before: int) -> None:
        """What was counted before this moment counts no more."""
        while self._ours and self._ours[0].at < before:
            self._ours.popleft()

    def forget_all(self) -> None:
        """Nothing that was counted counts any more."""
        self._ours.clear()

    def _margin_of(self, counted: Counted) -> int:
        if counted.on_their_way:
            return self.usual
        return min(max(0, counted.latest - counted.at), self._longest)
