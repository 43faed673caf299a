"""What the process that works at the disk does (`disk_process`).

One thread takes all calls. Those in steps (`steps`) it brings as far as they need something on disk, has that written for
all of them at once, and goes on with each; meanwhile the next come together. Other threads do what takes long.

It loads little, no asyncio: it takes memory and time beside the process that it works for.
"""

import contextlib
import gc
import os
import pickle
import queue
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from minimax_tasks.storage.flushing import FLUSHES_AT_ONCE, FileSystems, Unflushed
from minimax_tasks.storage.steps import TAKES_LONG, InSteps, Steps, alone

SIZE = struct.Struct("!I")
"""Before each message: its length in bytes."""

UNANSWERED = -1
"""The number of calls whose outcome nobody waits for, and which are done before what comes next."""

_RECEIVED = 2**18
"""Bytes that are read at once."""

_TOGETHER = 200
"""Calls that wait for the same flush at most: each has a file open, and a process may open a thousand."""

_LOOKING = min(FLUSHES_AT_ONCE, os.cpu_count() or 1)
"""Threads that look through videos: with more than there are cores, each waits for Python's lock in between."""

_GARBAGE = 100_000
"""Objects after which rings of them are looked for: calls leave hardly any."""

_Outcome = tuple[int, Any, BaseException | None]
"""The number of a call, what it gave, and what it raised."""


def serve(descriptor: int) -> None:
    """Call what comes through a socket, until nobody is at its other end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.set_threshold(_GARBAGE)
    with socket.socket(fileno=descriptor) as line:
        answering = _Answering(line)
        answering.give()
        with _Long(answering) as long:
            _take_calls(line, answering, long)


def _take_calls(line: socket.socket, answering: "_Answering", long: "_Long") -> None:
    received = bytearray()
    together = _Together(long)
    while True:
        if not _receive(line, received, wait=not together.waiting) and not together.waiting:
            return
        done = []
        for message in taken(received):
            number, work = pickle.loads(message)
            if number == UNANSWERED:
                work()
            elif isinstance(work.func, InSteps):
                done += together.begin(number, work.func.steps(*work.args, **work.keywords))
            else:
                long.do(number, work)
            if len(together.waiting) >= _TOGETHER:
                done += together.go_on()
        done += together.go_on()
        if done:
            answering.give(*done)


def _receive(line: socket.socket, received: bytearray, *, wait: bool) -> bool:
    """Add what has come; false when nothing has, and will not when it was waited for."""
    with contextlib.suppress(ConnectionError, BlockingIOError):
        data = line.recv(_RECEIVED, 0 if wait else socket.MSG_DONTWAIT)
        received += data
        return bool(data)
    return False


def taken(received: bytearray) -> Iterator[bytes]:
    """The whole messages of what was received, which are taken out of it."""
    start = 0
    try:
        while len(received) >= (begin := start + SIZE.size):
            end = begin + SIZE.unpack_from(received, start)[0]
            if len(received) < end:
                break
            start = end
            yield bytes(received[begin:end])
    finally:
        del received[:start]


class _Together:
    """Calls that wait for the same flush."""

    def __init__(self, long: "_Long") -> None:
        self.waiting: list[tuple[int, Steps[Any], list[Unflushed]]] = []
        """What has to be on disk before each of them goes on."""
        self._long = long
        self._systems = FileSystems()

    def begin(self, number: int, steps: Steps[Any]) -> list[_Outcome]:
        """Bring a call to its first flush; its outcome when it has none."""
        return self._advance(number, steps, partial(next, steps))

    def go_on(self) -> list[_Outcome]:
        """Flush for all that wait, and bring each to its next flush. The outcomes of those that are done."""
        if not self.waiting:
            return []
        waiting, self.waiting = self.waiting, []
        failed = self._flush([thing for _, _, unflushed in waiting for thing in unflushed])
        done = []
        for number, steps, _ in waiting:
            done += self._advance(
                number, steps, partial(steps.throw, failed) if failed else partial(next, steps)
            )
        return done

    def _flush(self, things: list[Unflushed]) -> OSError | None:
        try:
            self._systems.flush(things)
        except OSError as error:
            return error
        return None

    def _advance(
        self, number: int, steps: Steps[Any], step: Callable[[], list[Unflushed] | None]
    ) -> list[_Outcome]:
        try:
            unflushed = step()
            if unflushed is TAKES_LONG:
                self._long.do(number, partial(alone, steps))
            elif self._can_flush(unflushed):
                self.waiting.append((number, steps, unflushed))
            else:
                self._long.do(number, partial(alone, steps, unflushed), flushes=True)
        except StopIteration as end:
            return [(number, end.value, None)]
        except BaseException as error:
            return [(number, None, error)]
        return []

    def _can_flush(self, things: list[Unflushed]) -> bool:
        return all(map(self._systems.can_flush, things))


class _Long:
    """Threads for calls that take long, or wait for a flush of their own."""

    def __init__(self, answering: "_Answering") -> None:
        self._answering = answering
        self._calls: queue.SimpleQueue[tuple[int, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "_Long":
        self._have(_LOOKING)
        return self

    def __exit__(self, *exception: object) -> None:
        """Wait until all is done."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def do(self, number: int, work: Callable[[], Any], *, flushes: bool = False) -> None:
        """Have a thread call this and answer. `flushes`: it waits for the disk more than for anything else."""
        if flushes:
            self._have(FLUSHES_AT_ONCE)
        self._calls.put((number, work))

    def _have(self, count: int) -> None:
        while len(self._threads) < count:
            thread = threading.Thread(target=self._work)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            number, work = call
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            self._answering.give((number, result, error))


class _Answering:
    """Outcomes on their way back, as many at a time as have come together."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._sending = threading.Lock()

    def give(self, *outcomes: _Outcome) -> None:
        """Send outcomes, and those that others gave while somebody was sending."""
        for outcome in outcomes:
            self._outcomes.put(outcome)
        with self._sending:
            waiting = []
            with contextlib.suppress(queue.Empty):
                while True:
                    waiting.append(self._outcomes.get_nowait())
            if waiting or not outcomes:
                message = _pickled(waiting)
                with contextlib.suppress(OSError):  # nobody waits any more
                    self._line.sendall(SIZE.pack(len(message)) + message)


def _pickled(outcomes: list[_Outcome]) -> bytes:
    try:
        return pickle.dumps(outcomes)
    except Exception:  # what a library raised holds anything
        plain = [
            (number, None, OSError(f"{type(error).__name__}: {error}"))
            if error is not None
            else (number, result, None)
            for number, result, error in outcomes
        ]
        return pickle.dumps(plain)
