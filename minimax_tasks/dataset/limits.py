"""How many clips are in flight at once, however many shards of a process run beside each other."""

import asyncio
from dataclasses import dataclass
from weakref import WeakKeyDictionary

SUBMITS = 32
"""Clips of one event loop that are being submitted at once: each holds the bytes of its pictures."""


@dataclass(frozen=True)
class Lanes:
    """Places for clips in flight, and for those among them that are being submitted.

    A clip keeps its place in `flight` until its video is on storage, so a new submit never gets ahead of a
    download.
    """

    flight: asyncio.Semaphore
    submits: asyncio.Semaphore


_lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, Lanes]] = WeakKeyDictionary()


def current_lanes(max_in_flight: int) -> Lanes:
    """The lanes of the running event loop for this limit."""
    loop = asyncio.get_running_loop()
    by_limit = _lanes.setdefault(loop, {})
    if max_in_flight not in by_limit:
        by_limit[max_in_flight] = Lanes(asyncio.Semaphore(max_in_flight), asyncio.Semaphore(SUBMITS))
    return by_limit[max_in_flight]
