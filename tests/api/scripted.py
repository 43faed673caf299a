"""A server that answers with exactly the bytes it is told to, and keeps the bytes that it was sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any


def answer(document: Any, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP answer; a document that is not text or bytes goes as JSON."""
    body = (
        document
        if isinstance(document, bytes)
        else (document.encode() if isinstance(document, str) else json.dumps(document).encode())
    )
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refusal(code: int, message: str = "no") -> dict[str, Any]:
    """The document of a submit that was refused."""
    return {"task_id": "", "base_resp": {"status_code": code, "status_msg": message}}


class Scripted:
    """Gives `next` to every request (`to_get`, if it is set, to a GET; what `by_head` makes of the head of one, if
    that is set), then closes the connection.

    `seen` has (head, body) of each.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.next = b""
        self.to_get = b""
        self.by_head: Callable[[str], bytes] | None = None
        self.seen: list[tuple[str, bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (
                int(line.partition(":")[2])
                for line in head.splitlines()
                if line.lower().startswith("content-length")
            ),
            0,
        )
        self.seen.append((head, await reader.readexactly(length)))
        usual = self.to_get if self.to_get and head.startswith("GET ") else self.next
        writer.write(self.by_head(head) if self.by_head else usual)
        await writer.drain()
        writer.close()

    @property
    def sent(self) -> Any:
        """The JSON of the last request."""
        return json.loads(self.seen[-1][1])


@contextlib.asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """A running server."""
    running = Scripted("")
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, limit=2**26)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield running
