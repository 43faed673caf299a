"""Work that waits for the disk, off the event loop: a flush takes milliseconds in which no answer would be read.

Threads do it, since for a clip now and then nothing is quicker. But they and the event loop take turns at Python's lock,
and each flush gives it away and has to get it back. So where many clips are written at once, a process does it, which
has a lock of its own.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from minimax_tasks.storage.disk_process import DiskProcess, ProcessEnded, can_be_started
from minimax_tasks.storage.disk_threads import DiskThreads
from minimax_tasks.storage.flushing import FLUSHES_AT_ONCE

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

BACKLOG = 8
"""Calls that wait for a thread when a process is started."""

PATIENT_AT_ONCE = 4 * FLUSHES_AT_ONCE
"""Calls under way of those that may wait: enough to keep the threads busy while their event loop does other things."""

STARTS = 3
"""Processes that are started for one event loop, when one after the other ends by itself."""


class _Disk:
    """What works at the disk for one event loop. It goes with it, so nothing here keeps it."""

    def __init__(self) -> None:
        self.patient = asyncio.Semaphore(PATIENT_AT_ONCE)
        self.waiting = 0
        """Calls that may wait, and do."""
        self._threads = DiskThreads()
        self._process: DiskProcess | None = None
        self._starts = STARTS if can_be_started() else 0

    @property
    def backlog(self) -> int:
        """How many calls wait for a thread."""
        return self._threads.backlog + self.waiting

    @property
    def has_process(self) -> bool:
        """Whether calls go to a process."""
        return self._process is not None and self._process.takes_calls

    def call(self, work: "partial[_Result]") -> "asyncio.Future[_Result]":
        """Have a function called off the event loop."""
        process = self._process
        if process is not None and process.takes_calls:
            return process.call(work)
        if self._starts and (process is None or process.has_ended) and self.backlog >= BACKLOG:
            self._start()
        return self._threads.call(work)

    @property
    def process_is_awaited(self) -> bool:
        """Whether somebody waits for what the process does."""
        return self._process is not None and self._process.is_awaited

    async def close(self) -> None:
        """Have the process finish what it was told to, and end."""
        if self._process is not None:
            await self._process.close()

    def _start(self) -> None:
        self._starts -= 1
        try:
            self._process = DiskProcess(asyncio.get_running_loop())
        except OSError as error:
            log.debug("no process for the disk can be started: %s", error)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Disk] = WeakKeyDictionary()


def has_process() -> bool:
    """Whether a process works at the disk for the running event loop: what needs no waiting costs less there, too."""
    disk = _of_loops.get(asyncio.get_running_loop())
    return disk is not None and disk.has_process


async def at_the_disk(function: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
    """Call a function that waits for the disk; returns and raises what it does.

    Another process may do it, so it is a function of a module, and it and what it takes and gives can be pickled. When
    that process ends meanwhile, nobody knows whether it was called, and it is called again: so an exclusive create may
    say that the name is taken, and the caller looks whether it is its own, as with a remote storage that lost an answer.
    A caller that is cancelled does not stop a call that has begun, as with `asyncio.to_thread`.
    """
    disk = _disk()
    work = partial(function, *arguments, **options)
    while True:  # at most `STARTS` processes can end
        try:
            return await disk.call(work)
        except ProcessEnded as error:
            log.warning("%s; another one goes on", str(error))  # who keeps the record keeps no frames


async def when_the_disk_rests(function: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
    """`at_the_disk` for what takes long and may wait: what is about to be paid must not stand behind hundreds of it."""
    disk = _disk()
    disk.waiting += 1
    try:
        await disk.patient.acquire()
    finally:
        disk.waiting -= 1
    try:
        return await at_the_disk(function, *arguments, **options)
    finally:
        disk.patient.release()


def _disk() -> _Disk:
    loop = asyncio.get_running_loop()
    disk = _of_loops.get(loop)
    if disk is None:
        disk = _of_loops[loop] = _Disk()
    return disk


async def leave_the_disk() -> None:
    """Have the process of the running event loop end, unless others wait for it; who needs one later gets another."""
    loop = asyncio.get_running_loop()
    disk = _of_loops.get(loop)
    if disk is not None and not disk.process_is_awaited:
        del _of_loops[loop]
        await disk.close()
