"""The barest server that speaks the API, in a process of its own, so that it costs the client nothing.

    python -m tests.benchmarks.stub CLIP.mp4 SECONDS SPREAD

Its first line is its URL. A task is ready so many seconds after its submit, give or take half of SPREAD as
a share of them, and then its `callback_url`, if
any, is told. `GET /ready` gives the times at which tasks became ready, `GET /polls` how many
polls there were.
"""

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

SCALE = "90P"
"""The size of its clip, whatever was asked for: the roots of these runs are told, as those of a sandbox are."""

GOLDEN = 0.618033988749895
"""Its multiples spread evenly over 0 to 1."""


class Stub:
    """Tasks and the answers about them."""

    def __init__(self, clip: bytes, seconds: float, spread: float) -> None:
        self._clip = clip
        self._seconds = seconds
        self._spread = spread
        self._ready: dict[str, float] = {}
        self._polls = 0
        self._telling: set[asyncio.Task[None]] = set()
        self.base = ""

    def answer(self, method: str, target: str, body: bytes) -> tuple[bytes, bytes]:
        """What a request is answered with, and its content type."""
        path, _, query = target.partition("?")
        if path.startswith("/clip"):
            return self._clip, b"video/mp4"
        return json.dumps(self._document(method, path, parse_qs(query), body)).encode(), b"application/json"

    def _document(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> object:
        good = {"status_code": 0, "status_msg": "success"}
        if method == "POST":
            task_id = str(10**14 + len(self._ready))
            takes = self._seconds * (1 + self._spread * (len(self._ready) * GOLDEN % 1 - 0.5))
            self._ready[task_id] = time.time() + takes
            callback_url = json.loads(body).get("callback_url")
            if callback_url:
                telling = asyncio.create_task(self._tell(callback_url, task_id, takes))
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)
            return {"task_id": task_id, "base_resp": good}
        if path == "/v1/query/video_generation":
            self._polls += 1
            task_id = query["task_id"][0]
            if time.time() < self._ready[task_id]:
                return {"task_id": task_id, "status": "Processing", "file_id": "", "base_resp": good}
            size = {"video_width": 160, "video_height": 90}
            return {
                "task_id": task_id,
                "status": "Success",
                "file_id": f"2{task_id[1:]}",
                "base_resp": good,
                **size,
            }
        if path == "/v1/files/retrieve":
            file_id = query["file_id"][0]
            file = {"file_id": int(file_id), "bytes": 0, "download_url": f"{self.base}/clip/{file_id}.mp4"}
            return {"file": file, "base_resp": good}
        if path == "/ready":
            return self._ready
        if path == "/polls":
            return self._polls
        raise ValueError(path)

    async def _tell(self, callback_url: str, task_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        url = urlsplit(callback_url)
        body = json.dumps({"task_id": task_id, "status": "success"}).encode()
        head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body)}\r\n"
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await reader.read()
        writer.close()


class _Connection(asyncio.Protocol):
    """One connection, which answers each request as soon as it is whole. Streams take half as much CPU again."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, start = self._received[:end], end + 4
            length = _LENGTH.search(head)
            whole = start + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            body, self._received = self._received[start:whole], self._received[whole:]
            method, target, _ = head.decode().split(" ", 2)
            answer, kind = self._stub.answer(method, target, body)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
                % (kind, len(answer), answer)
            )


async def main(clip: str, seconds: float, spread: float) -> None:
    """Serve until killed."""
    stub = Stub(Path(clip).read_bytes(), seconds, spread)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(stub), "127.0.0.1", 0, backlog=4096)
    stub.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(stub.base, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
