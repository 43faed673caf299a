"""What goes to S3 by a signed request alone, and what the client as a whole is asked after all."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import httpx
import pytest

from minimax_tasks.storage.files import Storage
from tests.s3 import BUCKET

Fault = Callable[["Handler"], bool]
"""What goes wrong with a request, and whether it is to be passed on all the same."""


class Handler(BaseHTTPRequestHandler):
    """Passes requests on to the real server, but for those that a fault strikes."""

    protocol_version = "HTTP/1.1"
    to: str
    faults: list[Fault]
    seen: list[str]

    def do(self) -> None:
        self.seen.append(self.command)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.faults.pop(0) if self.command == "PUT" and self.faults else None
        if fault is None or fault(self):
            answer = httpx.request(
                self.command,
                self.to + self.path,
                headers=dict(self.headers.items()),
                content=body,
                trust_env=False,
            )
            if fault is None:
                self.answer(answer.status_code, answer.content, answer.headers)
                return
            self.close_connection = True  # its answer is lost

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = do

    def answer(self, status: int, body: bytes = b"", headers: httpx.Headers | None = None) -> None:
        self.send_response(status)
        for name in ("ETag", "Content-Type", "Last-Modified"):
            if headers is not None and name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def log_message(self, *words: object) -> None:
        pass


def busy(handler: Handler) -> bool:
    handler.answer(503, b"<Error><Code>SlowDown</Code><Message>later</Message></Error>")
    return False


def elsewhere(handler: Handler) -> bool:
    handler.answer(400, b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>no</Message></Error>")
    return False


def cut(handler: Handler) -> bool:
    handler.close_connection = True
    return False


def lost(handler: Handler) -> bool:
    return True


@contextmanager
def faulty(s3: dict[str, str], *faults: Fault) -> Iterator[tuple[Storage, list[str]]]:
    """A root on the real server behind one that has faults, and the methods of the requests so far."""
    kind = type(
        "Faulty", (Handler,), {"to": s3["FSSPEC_S3_ENDPOINT_URL"], "faults": list(faults), "seen": []}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        before = fsspec.config.conf["s3"]
        fsspec.config.conf["s3"] = before | {"endpoint_url": f"http://127.0.0.1:{server.server_port}"}
        try:
            yield Storage(f"s3://{BUCKET}/{uuid.uuid4().hex}"), kind.seen  # type: ignore[attr-defined]
        finally:
            fsspec.config.conf["s3"] = before
            server.shutdown()


@pytest.mark.parametrize("fault", [busy, elsewhere, cut, lost])
def test_what_does_not_succeed_is_asked_again_by_the_whole_client(s3: dict[str, str], fault: Fault) -> None:
    async def write(root: Storage) -> None:
        await root.write_json_async("clips/k/result.json", {"a": 1})
        await root.write_json_async("clips/k/result.json", {"a": 2})

    with faulty(s3, fault) as (root, seen):
        asyncio.run(write(root))
        assert root.read_json("clips/k/result.json") == {"a": 2}
        assert seen.count("PUT") == 3


def test_a_name_is_created_once_whatever_is_lost(s3: dict[str, str]) -> None:
    """A creation whose answer was lost counts as somebody else's: whoever creates looks whose it is."""

    async def create(root: Storage) -> list[bool]:
        return [await root.create_json_async("clips/k/claim.1.json", {"by": number}) for number in range(3)]

    with faulty(s3, lost) as (root, _):
        assert asyncio.run(create(root)) == [False, False, False]
        assert root.read_json("clips/k/claim.1.json") == {"by": 0}
    with faulty(s3, busy) as (root, _):
        assert asyncio.run(create(root)) == [True, False, False]
        assert root.read_json("clips/k/claim.1.json") == {"by": 0}


def test_a_bucket_that_wants_another_request_is_not_asked_twice_each_time(s3: dict[str, str]) -> None:
    async def write(root: Storage) -> None:
        for number in range(5):
            await root.write_json_async(f"{number}.json", {})

    with faulty(s3, elsewhere) as (root, seen):
        asyncio.run(write(root))
        assert seen.count("PUT") == 1 + 5


def test_of_many_who_create_at_once_one_wins(s3_root: str) -> None:
    async def create() -> list[bool]:
        roots = [Storage(f"{s3_root}/a root/ünïcode 画面 + %20") for _ in range(4)]
        calls = (roots[n % 4].create_json_async("a b/ü.json", {"by": n}) for n in range(40))
        return await asyncio.gather(*calls)

    won = asyncio.run(create())
    assert won.count(True) == 1
    assert Storage(f"{s3_root}/a root/ünïcode 画面 + %20").read_json("a b/ü.json") == {"by": won.index(True)}


@pytest.mark.parametrize("size", [0, 3000, 2_500_000])
def test_a_file_of_any_size_is_put_with_its_type(s3_root: str, tmp_path: Path, size: int) -> None:
    root, source = Storage(s3_root), tmp_path / "draft.mp4"
    source.write_bytes(b"x" * size)
    asyncio.run(root.put_async(source, "clips/k/video.mp4"))
    assert root.names("clips/k") == {"video.mp4": size}
    assert root.fs.info(root.path("clips/k/video.mp4"))["ContentType"] == "video/mp4"


def test_many_are_copied_and_what_is_gone_is_named(s3_root: str) -> None:
    root = Storage(s3_root)
    for number in range(12):
        root.write(f"clips/{number}/video ü.mp4", b"%d" % number)
    pairs = [(f"clips/{number}/video ü.mp4", f"data/{number}.mp4") for number in range(14)]
    assert sorted(root.copy_each(pairs)) == ["clips/12/video ü.mp4", "clips/13/video ü.mp4"]
    assert len(root.names("data")) == 12
    assert root.read("data/7.mp4") == b"7"


def test_copying_many_can_be_stopped(s3_root: str) -> None:
    root, left = Storage(s3_root), [3]
    for number in range(20):
        root.write(f"clips/{number}/video.mp4", b"v")

    def stop() -> None:
        if not left[0]:
            raise InterruptedError
        left[0] -= 1

    with pytest.raises(InterruptedError):
        root.copy_each(((f"clips/{n}/video.mp4", f"data/{n}.mp4") for n in range(20)), stop)
    assert len(root.names("data")) == 3


def test_a_listing_ends_where_it_is_told_to(s3_root: str) -> None:
    root = Storage(s3_root)
    for number in range(5):
        root.write(f"clips/{number}/request.json", b"{}")
    assert root.folders("clips", most=3) == ["0", "1", "2"]
    assert len(root.folders("clips", most=9)) == 5
    assert root.sizes("none") == {}
