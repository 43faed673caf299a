"""Answers whose connection breaks: after a number of bytes of the body, or before the first byte."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from minimax_tasks.connections import BoundedConnection
from minimax_tasks.errors import ControlFlow

_EXTENSION = "minimax.sandbox.close"


class CuttableConnection(BoundedConnection):
    """An HTTP connection that lets the app close it in the middle of an answer, which ASGI cannot say."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the app a way to close this connection."""
        super().connection_made(transport)
        if self.refused:
            return
        app = self.app

        async def closable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_EXTENSION] = transport.close
            await app(scope, receive, send)

        self.app = closable


class CutResponse(Response):
    """Another response up to `after` bytes of its body; None: not even its head."""

    def __init__(self, response: Response, after: int | None) -> None:
        super().__init__()
        self._response = response
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the part and close the connection."""
        close: Callable[[], None] = scope["extensions"][_EXTENSION]
        if self._after is None:
            await _close(close, receive)
            return
        left = self._after

        async def send_part(message: Message) -> None:
            nonlocal left
            if message["type"] != "http.response.body":
                await send(message)
                return
            body = message.get("body", b"")
            part, left = body[:left], left - len(body)
            await send({**message, "body": part, "more_body": True})
            if left <= 0:
                raise _Cut

        try:
            await self._response(scope, receive, send_part)
        except* _Cut:
            pass
        await _close(close, receive)


class _Cut(ControlFlow):
    pass


async def _close(close: Callable[[], None], receive: Receive) -> None:
    close()
    # The server may only take up its own work on this connection once it knows that it is closed.
    while (await receive())["type"] != "http.disconnect":
        pass
