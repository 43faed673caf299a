"""Waking thousands at their moments with few timers.

With all that belongs to it a timer of asyncio's is a quarter of a kilobyte, and the event loop compares them in Python.
Here those whose moments are close together share one.
"""

import asyncio
import contextvars
import math
from typing import Protocol

GRID = 0.005
"""Seconds between the moments at which somebody is woken: each is rounded up to one of them."""


class Sleeper(Protocol):
    """Who can be woken."""

    def wake(self, alarm: "Alarm") -> None:
        """An alarm that it was given has rung, which may not be its last one."""


Alarm = list[Sleeper]
"""Those who are woken at one moment."""


class Alarms:
    """The alarms of one event loop."""

    def __init__(self) -> None:
        self._alarms: dict[int, Alarm] = {}
        # They need nothing of a context: else each timer would have a copy of its own.
        self._context = contextvars.Context()

    def at(self, moment: float, sleeper: Sleeper) -> Alarm:
        """Wake somebody at a moment of the running loop's clock, or a little later; returns the alarm that rings then."""
        loop = asyncio.get_running_loop()
        if moment <= loop.time():
            alarm: Alarm = [sleeper]
            self._ring(alarm)
            return alarm
        number = math.ceil(moment / GRID)
        known = self._alarms.get(number)
        if known is not None:
            known.append(sleeper)
            return known
        alarm = self._alarms[number] = [sleeper]
        loop.call_at(number * GRID, self._is_due, number, context=self._context)
        return alarm

    def _is_due(self, number: int) -> None:
        self._ring(self._alarms.pop(number))

    def _ring(self, alarm: Alarm) -> None:
        loop = asyncio.get_running_loop()
        for sleeper in alarm:  # each in a turn of its own: what one raises is nothing to the others
            loop.call_soon(sleeper.wake, alarm, context=self._context)
