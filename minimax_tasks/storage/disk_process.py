"""A process that works at the disk for an event loop: calls go to it through a socket, what they gave comes back.

It is a fresh interpreter, never a fork. It ends when the process that it works for has ended, however that came about,
once it has done what it was told to. Signals for all of a terminal's processes do not end it: what is being written is
what keeps a clip from being paid for twice.
"""

import asyncio
import contextlib
import json
import os
import pickle
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from minimax_tasks.errors import ControlFlow
from minimax_tasks.interpreter import import_paths, plain_environment
from minimax_tasks.storage import owner
from minimax_tasks.storage.answers import tell
from minimax_tasks.storage.disk_server import SIZE, UNANSWERED, taken

_Result = TypeVar("_Result")

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from minimax_tasks.storage.disk_server import serve; serve(int(sys.argv[1]))"
)

_MEMORY = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": str(2**23),
    "MALLOC_MMAP_THRESHOLD_": str(2**22),
}
"""How glibc keeps memory. Each thread has none of its own, which would be freed and lie there, 2 MB in all; and what a
video took is kept for the next one, an eighth of the time that a small one is looked at.
"""

_RECEIVED = 2**18
"""Bytes that are read at once."""

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
        self._tell((UNANSWERED, partial(owner.be_known_by, owner.token_of_child(process.pid))))

    def call(self, work: "partial[_Result]") -> "asyncio.Future[_Result]":
        """Have it call a function. The answer raises `ProcessEnded` when it ended meanwhile."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Result] = loop.create_future()
        self._number += 1
        self._calls[self._number] = answer
        self._tell((self._number, work))
        return answer

    def _tell(self, call: "tuple[int, partial[Any]]") -> None:
        message = pickle.dumps(call)
        self._out += SIZE.pack(len(message)) + message
        if not self._is_sending:  # what comes in the same turn of the event loop goes together
            self._is_sending = True
            asyncio.get_running_loop().call_soon(self._send)

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
        for message in taken(self._in):
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
                env=plain_environment() | _MEMORY,
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
