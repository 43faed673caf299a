"""Whether a request that failed was sent at all: what certainly was not may be sent again.

Two witnesses. Some exceptions can only happen before the first byte (`NEVER_SENT`). For all others the
transport tells what it did (`Sending`, by httpcore's trace extension): a proxy that hangs up during CONNECT
raises the same `ReadError` as a service that hangs up after it got the request.
"""

from typing import Any

import httpx

NEVER_SENT: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectError, "no TCP connection, no name for the host, or no TLS with it"),
    (httpx.ConnectTimeout, "the same, in time"),
    (httpx.PoolTimeout, "no free connection in time"),
    (httpx.ProxyError, "the proxy refused to open the tunnel, or SOCKS failed"),
    (httpx.UnsupportedProtocol, "the URL is of another scheme"),
    (httpx.LocalProtocolError, "a header holds what HTTP does not allow"),
    (httpx.InvalidURL, "the URL is none"),
    (UnicodeError, "the host's name cannot be written as DNS has it (IDNA), or a header not as bytes"),
    (ImportError, "a package that the set-up asks for is missing (SOCKS, HTTP/2)"),
)
"""Exceptions of httpx 0.27 and 0.28 that are raised before a request is written, and when."""


class Sending:
    """What the transport did with one request. Pass `trace` as the extension of that name."""

    __slots__ = ("_began", "_written")

    def __init__(self) -> None:
        self._began = False
        self._written = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Take note of a step of the transport."""
        self._began = True
        if event.endswith("send_request_headers.started"):
            # CONNECT goes to a proxy and holds nothing of the request.
            self._written = self._written or getattr(info.get("request"), "method", b"") != b"CONNECT"
        # A header that HTTP does not allow is found before the first byte is written.
        elif (
            event.endswith("send_request_headers.failed")
            and type(info.get("exception")).__name__ == "LocalProtocolError"
        ):
            self._written = False

    def is_certainly_unsent(self, error: BaseException) -> bool:
        """Whether no part of the request left this machine."""
        if self._began and not self._written:
            return True
        return not self._written and isinstance(error, tuple(kind for kind, _ in NEVER_SENT))
