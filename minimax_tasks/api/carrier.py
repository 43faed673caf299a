"""What carries requests to the service: aiohttp's connections, in the language of httpx.

httpx's own transport takes over 2 ms of CPU for a poll, this one a tenth of that. The published `httpx-aiohttp` is not
used: it calls a connection that the server closed under a request `ConnectTimeout`, which would mean that nothing was
sent, and it hands addresses to yarl to be quoted again, which breaks signed ones.

Certainty comes first. aiohttp is told to raise when it is about to write a request a second time, every exception of
its is mapped by name, and those that mean "nothing was sent" are only what a connector raises before there is a
connection. That a request is about to be written is told through httpx's extension `trace`, before the first byte.
aiohttp's own tracing would tell it as well; it takes a third of a poll.
"""

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

_ABOUT_TO_WRITE = "http11.send_request_headers.started"
"""The step of httpcore's that `minimax_tasks.api.certainty` waits for."""

_NO_CONNECTION: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
)
"""What aiohttp raises before it has a connection, the names of hosts and TLS included."""

_WITH_A_CONNECTION: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientError, httpx.ReadError),
    (OSError, httpx.ReadError),
)
"""All others, from the special to the general. None of them says whether a request was sent."""

_ALL = _NO_CONNECTION + _WITH_A_CONNECTION

Timeouts = Mapping[str, float | None]
"""Seconds by the names of httpx, of which `connect` and `read` count."""

_OF_THE_CONNECTION = frozenset({b"connection", b"transfer-encoding"})
"""Headers that aiohttp writes."""

_IN_ONE_PIECE = 2**16
"""Bytes of a body that are written at once."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Connections of one event loop, made by aiohttp; each request is written once.

    `limits.max_keepalive_connections` of 0 opens a connection for each request, as submits need it. The extension
    `timeout` counts as with httpx: `connect` from the name of the host to the end of the TLS handshake, `read`
    from one piece of an answer to the next. Raises `httpx.TransportError`.
    """

    def __init__(self, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._timeouts: dict[tuple[float | None, float | None], aiohttp.ClientTimeout] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the response is still to be read."""
        extensions = request.extensions
        response = await self._sent(
            request.method,
            _address(request.url),
            _headers(request),
            await _body(request),
            extensions.get("timeout", {}),
            extensions.get("trace"),
        )
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Stream(response),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": (response.reason or "").encode("utf-8", "replace"),
            },
        )

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        trace: Any = None,
        content: bytes = b"",
    ) -> "Answered":
        """A request to an address that is encoded already. The same as one of httpx's, without what that builds for a
        request and an answer, which takes as long as all the rest.
        """
        _judge(headers.items())
        body = _in_pieces(content)
        return Answered(await self._sent(method, URL(url, encoded=True), headers, body, timeouts, trace))

    async def _sent(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str] | list[tuple[str, str]],
        content: bytes | io.BytesIO | None,
        timeouts: Timeouts,
        trace: Any,
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = self._opened()  # here, because it belongs to the event loop that runs now
        task = asyncio.current_task()
        _writes[task] = _Once(trace)
        try:
            return await self._session.request(
                method,
                url,
                headers=headers,
                data=content,
                allow_redirects=False,
                timeout=self._timeout(timeouts),
            )
        except Exception as error:
            _raise_as_httpx(error, _ALL)
            raise
        finally:
            del _writes[task]

    def _opened(self) -> aiohttp.ClientSession:
        kept = self._limits.max_keepalive_connections != 0
        lasting: dict[str, Any] = (
            {"keepalive_timeout": self._limits.keepalive_expiry} if kept else {"force_close": True}
        )
        connector = aiohttp.TCPConnector(
            ssl=self._context,
            limit=self._limits.max_connections or 0,
            resolver=aiohttp.ThreadedResolver(),  # names as the system has them
            **lasting,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_Request,
            auto_decompress=False,
            trust_env=False,
        )

    def _timeout(self, wanted: Timeouts) -> aiohttp.ClientTimeout:
        key = (wanted.get("connect"), wanted.get("read"))
        found = self._timeouts.get(key)
        if found is None:
            connect, read = key
            found = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect, sock_read=read)
            self._timeouts[key] = found
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class Answered:
    """The answer to `ask`, with the part of httpx's interface that is needed; it has to be closed."""

    __slots__ = ("_response", "headers", "status_code")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status_code = response.status
        self.headers: Mapping[str, str] = response.headers

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        """The pieces of the body as they come."""
        content = self._response.content
        while True:
            try:
                piece = await content.readany()
            except Exception as error:
                _raise_as_httpx(error, _WITH_A_CONNECTION)
                raise
            if not piece:
                return
            yield piece

    async def aclose(self) -> None:
        """Keep the connection if the answer was read to its end, else close it."""
        self._response.release()


class _Once:
    """One request, which is written once at most."""

    __slots__ = ("_trace", "_written")

    def __init__(self, trace: Any) -> None:
        self._trace = trace
        self._written = False

    async def about_to_write(self) -> None:
        if self._written:
            # aiohttp repeats a GET whose connection was closed; what is repeated is decided by the clips.
            raise httpx.RemoteProtocolError("the server closed the connection without an answer")
        self._written = True
        if self._trace is not None:
            await self._trace(_ABOUT_TO_WRITE, {})


_writes: dict[asyncio.Task[Any] | None, _Once] = {}
"""The request that a task sends. A `ContextVar` would leave 150 bytes in each of thousands of tasks that wait."""


class _Request(aiohttp.ClientRequest):
    """A request that says when it is about to be written, and has no headers but its own."""

    _skip_auto_headers = CIMultiDict({"Content-Type": None})

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        """Add none."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Write it, unless it was written before."""
        await _writes[asyncio.current_task()].about_to_write()
        return await super().send(conn)


class _Stream(httpx.AsyncByteStream):
    """The body of an answer in httpx's terms."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._answered = Answered(response)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answered.aiter_raw()

    async def aclose(self) -> None:
        await self._answered.aclose()


def _address(url: httpx.URL) -> URL:
    """The address, letter by letter, without user and password."""
    return URL(f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}", encoded=True)


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    headers = [
        (name.decode("ascii"), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name.lower() not in _OF_THE_CONNECTION
    ]
    _judge(headers)
    return headers


def _judge(headers: Iterable[tuple[str, str]]) -> None:
    for name, value in headers:
        if not value.isprintable() and any(character in value for character in "\r\n\0"):
            # aiohttp finds this out as well, but only after it said that it writes.
            raise httpx.LocalProtocolError(f"the header {name} holds what no header can carry")


async def _body(request: httpx.Request) -> bytes | io.BytesIO | None:
    return _in_pieces(await request.aread())


def _in_pieces(body: bytes) -> bytes | io.BytesIO | None:
    # A long one is written in pieces, so that others have their turn.
    return io.BytesIO(body) if len(body) > _IN_ONE_PIECE else body or None


def _words(error: Exception) -> str:
    """What went wrong, without the address, whose query is a secret."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error.os_error) or type(error.os_error).__name__
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    if isinstance(error, aiohttp.ServerTimeoutError | aiohttp.InvalidURL):
        return type(error).__name__
    return str(error) or type(error).__name__


def _raise_as_httpx(
    error: Exception, table: tuple[tuple[type[Exception], type[httpx.TransportError]], ...]
) -> None:
    for theirs, ours in table:
        if isinstance(error, theirs):
            raise ours(_words(error)) from error
