"""HTTP connections that end: what uvicorn lacks for a server that anybody can reach.

Uvicorn bounds the size of a head and the time between two requests, but a client that never ends its head,
or its body, keeps its connection, and `limit_concurrency` counts such a client like any other: it would turn
everybody else away. Hypercorn has no limit of connections. So this is uvicorn's own protocol with deadlines,
and with a limit at which the connections go first that ask for nothing.
"""

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

BATCH = 16
"""For uvicorn's `backlog`: asyncio accepts that many new connections before it serves those that it has.

Some batches are on their way at once, from `accept` to the end of the connection that goes in its place.
"""

_ON_THE_WAY = 6 * BATCH

_LINGERING = 32
"""Clients that were turned away and may still read why."""
_LINGER_SECONDS = 1.0

_TURNED_AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens at an address; port 0 for any free one. Raises `OSError` and `OverflowError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small writes at once only on sockets that name their protocol; else each answer, written
    # in two parts, would wait 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    return listening


@dataclass(frozen=True)
class Bounds:
    """Seconds for a head, for a body and for a client to take more of an answer, and how many connections.

    A deadline runs from the first moment of what it bounds, so that slow drips do not extend it. `at_least` so many
    connections are served however few files may be open: those of a server's own client, which counts its files itself.
    """

    head: float = 10.0
    body: float = 30.0
    stalled: float = 60.0
    connections: int = 500
    at_least: int = 8

    @property
    def within_limits(self) -> int:
        """The connections that the system allows this process, with room for its files."""
        files = _open_files()
        if files is None:
            return self.connections
        return max(self.at_least, min(self.connections, files * 3 // 4 - _ON_THE_WAY))


class _Stage(Enum):
    HEAD = auto()
    """A request is to come, or has come in part."""
    IDLE = auto()
    """After an answer."""
    BODY = auto()
    WORK = auto()
    """All of the request is there."""


_FIRST_TO_GO = (_Stage.HEAD, _Stage.BODY, _Stage.IDLE)
"""Of connections that have asked for nothing for `_NEW_SECONDS`."""
_NEW_SECONDS = 1.0
_LAST_TO_GO = (_Stage.IDLE, _Stage.HEAD, _Stage.BODY)
"""Of those that are new. Most are about to ask, and who has asked before can ask again: the head or the body that is on
its way may be a submit, whose client could not know whether it counted.
"""


class BoundedConnection(H11Protocol):
    """A connection within bounds. Make a class of a server's own with `bounded`."""

    bounds: ClassVar[Bounds]
    lingering: ClassVar[set[asyncio.BaseTransport]]

    _stage: _Stage | None = None
    _since = 0.0
    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, in place of one that asks for nothing where there are too many."""
        if len(self.connections) >= self.bounds.within_limits and not self._make_room():
            self._turn_away(transport)
            return
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._refused:
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, for so long."""
        super().pause_writing()
        self._stall = self.loop.call_later(self.bounds.stalled, self.transport.abort)

    def resume_writing(self) -> None:
        """Continue: the client reads."""
        self._end_stall()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._refused:
            return
        self._end_stall()
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """See how far the request has come; a deadline begins with its stage."""
        stage = self._stage_now()
        if stage is self._stage:
            return
        self._stage, self._since = stage, time.monotonic()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        seconds = {
            _Stage.HEAD: self.bounds.head,
            _Stage.BODY: self.bounds.body,
            # Uvicorn's timer is sooner, but it is not set after a body that was refused and still came.
            _Stage.IDLE: self.timeout_keep_alive + 1.0,
        }
        if stage in seconds:
            self._deadline = self.loop.call_later(seconds[stage], self._late)

    def _stage_now(self) -> _Stage:
        if self.conn.their_state is h11.SEND_BODY:
            return _Stage.BODY
        if self.conn.their_state is not h11.IDLE:
            return _Stage.WORK
        after_an_answer = self._stage in (_Stage.WORK, _Stage.BODY, _Stage.IDLE)
        return _Stage.IDLE if after_an_answer and not self.conn.trailing_data[0] else _Stage.HEAD

    def _late(self) -> None:
        if self._stage is _Stage.BODY and self.flow.read_paused:
            # The app has not come to what was sent already: that is no fault of the client.
            self._deadline = self.loop.call_later(self.bounds.body, self._late)
            return
        self.transport.abort()

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _make_room(self) -> bool:
        others = [one for one in self.connections if isinstance(one, BoundedConnection)]
        new = time.monotonic() - _NEW_SECONDS
        old = [one for one in others if one._since <= new]
        for these, stage in (
            *((old, stage) for stage in _FIRST_TO_GO),
            *((others, stage) for stage in _LAST_TO_GO),
        ):
            waiting = [one for one in these if one._stage is stage]
            if waiting:
                oldest = min(waiting, key=lambda one: one._since)
                # Its connection is only told to have ended when the event loop comes to it.
                self.connections.discard(oldest)
                oldest.transport.abort()
                return True
        return False

    def _turn_away(self, transport: asyncio.Transport) -> None:
        self._refused = True
        transport.write(_TURNED_AWAY)
        if len(self.lingering) >= _LINGERING or not transport.can_write_eof():
            transport.close()
            return
        # Closing at once, with its request unread, would take the answer away from the client.
        transport.write_eof()
        self.lingering.add(transport)
        self.loop.call_later(_LINGER_SECONDS, self._end_linger, transport)

    def _end_linger(self, transport: asyncio.Transport) -> None:
        self.lingering.discard(transport)
        transport.abort()

    @property
    def refused(self) -> bool:
        """Whether the client was turned away, and is not served."""
        return self._refused


def bounded(
    limits: Bounds, connection: type[BoundedConnection] = BoundedConnection
) -> type[BoundedConnection]:
    """The class of connections of one server, for uvicorn's `http`."""

    class Bounded(connection):  # type: ignore[misc, valid-type]
        bounds = limits
        lingering: ClassVar[set[asyncio.BaseTransport]] = set()

    return Bounded


def _open_files() -> int | None:
    """How many files this process may have open; None where that is not limited like this."""
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
