"""What the process that works at the disk does (`disk_process`): one call after the other, in a few threads.

It loads little, no asyncio: it takes memory and time beside the process that it works for.
"""

import contextlib
import gc
import pickle
import queue
import signal
import socket
import struct
import threading
from typing import IO, Any

from minimax_tasks.storage.disk import FLUSHES_AT_ONCE

SIZE = struct.Struct("!I")
"""Before each message: its length in bytes."""

_GARBAGE = 100_000
"""Objects after which rings of them are looked for: calls leave hardly any."""

_Outcome = tuple[int, Any, BaseException | None]
"""The number of a call, what it gave, and what it raised."""


def serve(descriptor: int) -> None:
    """Call what comes through a socket, until nobody is at its other end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.set_threshold(_GARBAGE)
    with socket.socket(fileno=descriptor) as line, line.makefile("rb") as told:
        answering, reading = _Answering(line), threading.Lock()
        answering.give()
        threads = [
            threading.Thread(target=_work, args=(told, reading, answering)) for _ in range(FLUSHES_AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _work(told: IO[bytes], reading: threading.Lock, answering: "_Answering") -> None:
    """Do one call after the other. Whoever is free reads the next: a queue between them would wake one thread more."""
    while True:
        with reading:
            message = _read_message(told)
        if not message:
            return
        number, work = pickle.loads(message)
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        answering.give((number, result, error))


def _read_message(told: IO[bytes]) -> bytes:
    """The next message; nothing when nobody is at the other end any more."""
    with contextlib.suppress(ConnectionError):
        if len(head := told.read(SIZE.size)) == SIZE.size:
            return told.read(*SIZE.unpack(head))
    return b""


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
