"""How many clips are in flight at once, however many shards of a process run at the same time."""

import asyncio
from dataclasses import dataclass
from weakref import WeakKeyDictionary

SUBMITS = 32
"""Clips of one event loop that are being submitted at once: each holds the bytes of its pictures."""


@dataclass(frozen=True)
class InFlightLimits:
    """Limits on the clips in flight, and on those among them that are being submitted.

    A clip keeps its place in `flight` until its video is on storage, so a new submit never gets ahead of a
    download.
    """

    flight: asyncio.Semaphore
    submits: asyncio.Semaphore


_limits: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, InFlightLimits]] = WeakKeyDictionary()


def current_limits(max_in_flight: int) -> InFlightLimits:
    """The limits of the running event loop for this `max_in_flight`."""
    loop = asyncio.get_running_loop()
    by_limit = _limits.setdefault(loop, {})
    if max_in_flight not in by_limit:
        by_limit[max_in_flight] = InFlightLimits(asyncio.Semaphore(max_in_flight), asyncio.Semaphore(SUBMITS))
    return by_limit[max_in_flight]
