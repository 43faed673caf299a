"""A process that works at the disk for an event loop: calls go to it through a socket, what they gave comes back.

It is a fresh interpreter, never a fork. It ends when the process that it works for has ended, however that came about,
once it has done what it was told to. Signals for all of a terminal's processes do not end it: what is being written is
what keeps a clip from being paid for twice.
"""

import asyncio
import contextlib
import gc
import json
import os
import pickle
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import IO, Any, TypeVar

from minimax_tasks.errors import ControlFlow
from minimax_tasks.interpreter import import_paths, plain_environment
from minimax_tasks.storage.answers import tell
from minimax_tasks.storage.disk_threads import AT_ONCE

_Result = TypeVar("_Result")

_Outcome = tuple[int, Any, BaseException | None]
"""The number of a call, what it gave, and what it raised."""

_SIZE = struct.Struct("!I")
"""Before each message: its length in bytes."""

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from minimax_tasks.storage.disk_process import serve; serve(int(sys.argv[1]))"
)

_RECEIVED = 2**18
"""Bytes that are read at once."""

_GARBAGE = 100_000
"""Objects after which rings of them are looked for: calls leave hardly any."""

_GOODBYE = 10.0
"""Seconds that a process gets to finish, once nobody waits for it any more."""


class ProcessEnded(ControlFlow):
    """The process that works at the disk ended before it answered; what it was doing is done or is not."""


def can_be_started() -> bool:
    """Whether there is an interpreter to start, and sockets that an event loop can watch."""
    return (
        os.name == "posix"
        and not getattr(sys, "frozen", False)
        and "python" in os.path.basename(sys.executable)
    )


class DiskProcess:
    """The process, as its event loop sees it. It ends when this object does, if nobody closed it before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts it. Raises OSError when that cannot be done."""
        self._loop = weakref.ref(loop)
        self._line, process = _start()
        # Weakly: an event loop that ends in the middle of calls would be kept by them, and with it this process.
        self._calls: weakref.WeakValueDictionary[int, asyncio.Future[Any]] = weakref.WeakValueDictionary()
        self._number = 0
        self._in = bytearray()
        self._out = bytearray()
        self._is_sending = False
        self.takes_calls = False
        """Whether it has begun, and has not ended."""
        self.has_ended = False
        """Whether it will never answer again."""
        self._end = weakref.finalize(self, _end, self._line, process)
        loop.add_reader(self._line.fileno(), _weakly(self, DiskProcess._receive))
        _lines.add(self._line)

    def call(self, work: "partial[_Result]") -> "asyncio.Future[_Result]":
        """Have it call a function. The answer raises `ProcessEnded` when it ended meanwhile."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Result] = loop.create_future()
        self._number += 1
        call = pickle.dumps((self._number, work))
        self._calls[self._number] = answer
        self._out += _SIZE.pack(len(call)) + call
        if not self._is_sending:  # what comes in the same turn of the event loop goes together
            self._is_sending = True
            loop.call_soon(self._send)
        return answer

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(not answer.done() for answer in self._calls.values())

    async def close(self) -> None:
        """Let it finish what it was told to, and end."""
        if self.has_ended:
            return
        self._leave()
        await asyncio.to_thread(self._end)

    def _send(self) -> None:
        if self.has_ended:
            return
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError, InterruptedError):
            try:
                sent = self._line.send(self._out)
            except ConnectionError:
                self._has_ended()
                return
            del self._out[:sent]
        if self._out:
            loop.add_writer(self._line.fileno(), _weakly(self, DiskProcess._send))
        else:
            loop.remove_writer(self._line.fileno())
            self._is_sending = False

    def _receive(self) -> None:
        try:
            data = self._line.recv(_RECEIVED)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionError:
            data = b""
        if not data:
            self._has_ended()
            return
        self._in += data
        while (message := _taken(self._in)) is not None:
            self.takes_calls = True
            for outcome in pickle.loads(message):
                self._answer(*outcome)

    def _answer(self, number: int, result: Any, error: BaseException | None) -> None:
        answer = self._calls.pop(number, None)
        if answer is not None:
            tell(answer, result, error)

    def _has_ended(self) -> None:
        self._leave()
        for number in list(self._calls):
            self._answer(number, None, ProcessEnded("the process that works at the disk ended"))
        self._end()

    def _leave(self) -> None:
        self.takes_calls, self.has_ended = False, True
        loop = self._loop()
        if loop is not None:
            loop.remove_reader(self._line.fileno())
            loop.remove_writer(self._line.fileno())


def _weakly(process: DiskProcess, method: Callable[[DiskProcess], None]) -> Callable[[], None]:
    """A method as what an event loop calls, which does not keep the object."""
    held = weakref.ref(process)

    def call() -> None:
        found = held()
        if found is not None:
            method(found)

    return call


def _start() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE, str(theirs.fileno()), json.dumps(import_paths())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=plain_environment(),
            )
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    return ours, process


def _end(line: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    line.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GOODBYE)


_lines: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


def _forget() -> None:
    """A fork has no right to the processes of its parent, and must not keep them."""
    for line in list(_lines):
        line.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _taken(received: bytearray) -> bytes | None:
    """The first message of what was received, which is taken out of it; None when it is not whole."""
    if len(received) < _SIZE.size:
        return None
    (length,) = _SIZE.unpack_from(received)
    end = _SIZE.size + length
    if len(received) < end:
        return None
    message = bytes(received[_SIZE.size : end])
    del received[:end]
    return message


def serve(descriptor: int) -> None:
    """What the process does: call what it is told to, until nobody is at the other end of its socket."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.set_threshold(_GARBAGE)
    with socket.socket(fileno=descriptor) as line, line.makefile("rb") as told:
        answering, reading = _Answering(line), threading.Lock()
        answering.give()
        threads = [threading.Thread(target=_work, args=(told, reading, answering)) for _ in range(AT_ONCE)]
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
        if len(head := told.read(_SIZE.size)) == _SIZE.size:
            return told.read(*_SIZE.unpack(head))
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
                    self._line.sendall(_SIZE.pack(len(message)) + message)


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
