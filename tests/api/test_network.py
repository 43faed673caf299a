"""What the environment says about the way to the service, and what is certain when that way fails."""

import asyncio
import contextlib
import gzip
import os
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from minimax_tasks import (
    AnswerLost,
    ConfigurationError,
    MiniMaxClient,
    MiniMaxError,
    MiniMaxInsecureWarning,
    NotConnected,
    TextToVideoRequest,
)
from minimax_tasks.api.certainty import NEVER_SENT
from minimax_tasks.api.client import check_access
from minimax_tasks.api.limits import Limits
from minimax_tasks.api.network import is_excepted
from minimax_tasks.settings import Settings
from tests.api.scripted import answer, scripted

KEY = "sk-api-very-secret"
ASKED = TextToVideoRequest(prompt="A harbour")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextlib.asynccontextmanager
async def peer(
    reply: bytes, *, context: ssl.SSLContext | None = None, hold: bool = False
) -> AsyncIterator[Any]:
    """A server that gives these bytes to whoever sends a head, and keeps what it was sent."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(Exception):
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply)
            await writer.drain()
            if hold:
                await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


def submit(url: str, **options: Any) -> MiniMaxError:
    """The error of one submit."""

    async def run() -> str:
        async with MiniMaxClient(KEY, url, timeout=60, **options) as client:
            return await client.submit(ASKED)

    with pytest.raises(MiniMaxError) as caught:
        asyncio.run(run())
    error = caught.value
    assert error.__context__ is None, "what httpx raised holds the request, and so the key"
    assert error.__cause__ is None
    assert KEY not in "".join(traceback.format_exception(error))
    return error


PROXIES = [
    (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"),
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
    (b"HTTP/1.1 503 Busy \x1b[2J\r\nContent-Length: 0\r\n\r\n", ""),
    (b"", ""),
    (b"SSH-2.0-OpenSSH\r\n", ""),
    (b"HTTP/1.1 200 Connection established\r\n\r\nnot TLS at all, but something long enough to be wrong", ""),
]


@pytest.mark.parametrize(("reply", "says"), PROXIES)
def test_a_proxy_that_opens_no_tunnel_had_nothing_to_send_on(
    reply: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[str, list[bytes]]:
        async with peer(reply) as (port, seen):
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:PW-secret@127.0.0.1:{port}")
            async with MiniMaxClient(KEY, "https://api.example.invalid", timeout=60) as client:
                with pytest.raises(NotConnected) as caught:
                    await client.submit(ASKED)
            return str(caught.value), seen

    text, seen = asyncio.run(run())
    assert says in text
    assert "through the proxy of HTTPS_PROXY = 'http://127.0.0.1:" in text
    assert "PW-secret" not in text
    assert "\x1b" not in text
    assert seen[0].startswith(b"CONNECT ")
    assert KEY.encode() not in b"".join(seen)


def test_a_proxy_that_is_silent_was_sent_nothing_to_pass_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with peer(b"", hold=True) as (port, _):
            monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
            async with MiniMaxClient(KEY, "https://api.example.invalid", timeout=0.3) as client:
                await client.submit(ASKED)

    with pytest.raises(NotConnected):
        asyncio.run(run())


@pytest.mark.filterwarnings("ignore::minimax_tasks.MiniMaxInsecureWarning")
def test_a_forwarding_proxy_has_the_request_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[bytes]:
        async with peer(b"") as (port, seen):
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
            async with MiniMaxClient(KEY, "http://relay.example.invalid", timeout=60) as client:
                with pytest.raises(AnswerLost):
                    await client.submit(ASKED)
            return seen

    assert asyncio.run(run())[0].startswith(b"POST http://relay.example.invalid/v1/")


def test_tls_that_nobody_vouches_for_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("relay.test").configure_cert(context)

    async def run() -> MiniMaxError:
        async with peer(answer({}), context=context) as (port, _):
            async with MiniMaxClient(KEY, f"https://127.0.0.1:{port}", timeout=60) as client:
                with pytest.raises(NotConnected) as caught:
                    await client.submit(ASKED)
            return caught.value

    assert "CERTIFICATE_VERIFY_FAILED" in str(asyncio.run(run()))


@pytest.mark.parametrize("kind", [row[0] for row in NEVER_SENT])
def test_each_row_of_what_was_never_sent(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    error = UnicodeError("x") if kind is UnicodeError else kind(f"no, {KEY}")
    told = _with_transport_that_raises(error, monkeypatch)
    assert type(told) is NotConnected
    assert KEY not in str(told)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("x"), httpx.WriteError("x"), httpx.CloseError("x"), httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"), httpx.RemoteProtocolError("x"), httpx.DecodingError("x"), httpx.StreamClosed(),
        RuntimeError("x"), OSError("x"), ssl.SSLError("x"), ValueError("x"), TimeoutError("x"),
    ],
)  # fmt: skip
def test_without_a_witness_the_outcome_is_open(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(_with_transport_that_raises(error, monkeypatch)) is AnswerLost


def _with_transport_that_raises(error: Exception, monkeypatch: pytest.MonkeyPatch) -> MiniMaxError:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise error

    monkeypatch.setattr("minimax_tasks.api.network.transport", lambda *a, **k: Broken())
    return submit("http://127.0.0.1:9")


def test_a_header_that_http_does_not_allow_was_not_sent() -> None:
    async def run() -> tuple[MiniMaxError, int]:
        async with scripted() as server, MiniMaxClient(KEY, server.url, timeout=60) as client:
            client._asking["Authorization"] = f"Bearer {KEY}\nX: y"
            with pytest.raises(NotConnected) as caught:
                await client.submit(ASKED)
            return caught.value, len(server.seen)

    error, sent = asyncio.run(run())
    assert KEY not in str(error)
    assert not sent


@pytest.mark.parametrize(
    "url",
    [
        "http://[bad", "https://", "ftp://h", "api.minimaxi.com", "https://u:PW-secret@h", "https://h:99999",
        "https://h?x=SIG-secret", "https://h/a b", "https://ex\u200bample.com", "https://h#x", "https://h:PW-secret",
    ],
)  # fmt: skip
def test_a_base_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        check_access(KEY, url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", [" https://api.minimaxi.com/ \n", "http://[::1]:80", "https://h/relay/", "HTTPS://h"]
)
def test_a_base_url_that_can(url: str) -> None:
    check_access(f" {KEY}\n", url)


@pytest.mark.parametrize("key", ["", " \n", "a b", "schlüssel", "a\x00b", "a\x7fb"])
def test_a_key_that_no_header_carries(key: str) -> None:
    with pytest.raises(ConfigurationError, match="key"):
        check_access(key, "https://h")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks4://u:PW-secret@127.0.0.1:9"), ("https_proxy", "gopher://u:PW-secret@x"),
        ("HTTP_PROXY", "http://u:PW-secret@[bad"), ("HTTPS_PROXY", "http://h:PW-secret"),
        ("HTTPS_PROXY", "http://u:PW-secret@h:99999"), ("ALL_PROXY", "http//u:PW-secret@h"),
        ("ALL_PROXY", "http:/u:PW-secret@h:1"), ("HTTP_PROXY", "//u:PW-secret@h:1"), ("HTTPS_PROXY", "h:0"),
        ("HTTPS_PROXY", "http://u:PW-secret@h:1/path"),
        ("SSL_CERT_FILE", "/nowhere.pem"), ("SSL_CERT_DIR", "/nowhere"),
    ],
)  # fmt: skip
def test_an_environment_that_cannot_be_used_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^{name} = ") as caught:
        check_access(KEY, "https://api.example.invalid")
    assert "secret" not in str(caught.value)
    check_access(KEY, "http://127.0.0.1:80")


def test_several_folders_of_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(("/nowhere", str(tmp_path))))
    check_access(KEY, "https://api.example.invalid")


@pytest.mark.parametrize(
    "address",
    [
        "PW-secret",
        "ftp://u:PW-secret@h",
        "https://h?token=PW-secret",
        "https://u:PW-secret@h:99999",
        "https://",
        "//h",
    ],
)
def test_the_address_of_a_receiver_is_judged_before_a_clip_is_refused_for_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match="receiver_url = ") as caught:
        Settings(api_key=KEY).having(receiver_url=address)
    assert "allowed: a URL such as" in str(caught.value)
    if "//" in address:
        assert "secret" not in str(caught.value)
    assert Settings.load(receiver_url="https://h/relay/").receiver_url == "https://h/relay/"


def test_an_empty_certificate_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    with pytest.raises(ConfigurationError, match=r"^SSL_CERT_FILE = .*empty.pem"):
        check_access(KEY, "https://api.example.invalid")


@pytest.mark.parametrize(
    ("entry", "host", "port", "excepted"),
    [
        ("example.com", "example.com", None, True), ("example.com", "api.example.com", 443, True),
        (".example.com", "api.example.com", None, True), ("*.example.com", "api.example.com", None, True),
        ("example.com", "notexample.com", None, False), ("EXAMPLE.com", "example.COM", None, True),
        ("10.0.0.0/8", "10.1.2.3", None, True), ("10.0.0.0/8", "11.1.2.3", None, False),
        ("fd00::/8", "fd12::1", None, True), ("fd00::/8", "[fd12::1]", None, True), ("fd00::/8", "2001::1", None, False),
        ("[::1]", "::1", None, True), ("::1", "::1", 80, True), ("[fd00::]/8", "fd12::1", None, True),
        ("example.com:8080", "example.com", 8080, True), ("example.com:8080", "example.com", 80, False),
        ("[::1]:8080", "::1", 8080, True), ("https://example.com", "example.com", None, True),
        ("fd00::/999", "fd12::1", None, False), ("[bad", "example.com", None, False), ("", "h", None, False),
        ("0.1", "10.0.0.1", None, False),
    ],
)  # fmt: skip
def test_entries_of_no_proxy(entry: str, host: str, port: int | None, excepted: bool) -> None:
    assert is_excepted(host, port, [entry]) is excepted


@pytest.mark.parametrize("entries", ["10.0.0.0/8,fd00::/8", "localhost,[::1]", "[bad,:::,x/y"])
def test_odd_entries_of_no_proxy_stop_nothing(entries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", entries)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert type(submit("https://api.example.invalid")) is NotConnected


def test_a_key_over_plain_http_deserves_a_word() -> None:
    with pytest.warns(MiniMaxInsecureWarning, match="plain http"):
        MiniMaxClient(KEY, "http://relay.example.invalid")


# -- bounds

SMALL = Limits(answer=2**16, download=2**16, download_time=2.0, slowest=10_000.0, window=0.3)


def bomb(size: int) -> bytes:
    packed = gzip.compress(b" " * size, mtime=0)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    return head.encode() + packed


@pytest.mark.parametrize(
    "reply",
    [
        bomb(2**24),
        answer(b" " * 2**17),
        answer(b"[" * 60_000),
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 2**17,
        answer(gzip.compress(b"{}", mtime=0)[:-4], headers={"Content-Encoding": "gzip"}),
        answer(b"{}", headers={"Content-Encoding": "br"}),
        answer(b"not gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_answers_are_bounded(reply: bytes) -> None:
    async def run(call: str) -> None:
        async with (
            peer(reply) as (port, _),
            MiniMaxClient(KEY, f"http://127.0.0.1:{port}", limits=SMALL) as client,
        ):
            with pytest.raises(MiniMaxError) as caught:
                await (client.submit(ASKED) if call == "submit" else client.query("1"))
            assert getattr(caught.value, "verdict", "uncertain") == "uncertain"

    for call in ("submit", "query"):
        asyncio.run(run(call))


def test_a_packed_answer_is_read() -> None:
    good = gzip.compress(b'{"task_id": "7", "base_resp": {"status_code": 0}}', mtime=0)

    async def run() -> str:
        async with scripted() as server, MiniMaxClient(KEY, server.url) as client:
            server.next = answer(good, headers={"Content-Encoding": "gzip"})
            return await client.submit(ASKED)

    assert asyncio.run(run()) == "7"


LATE = "too long|ReadTimeout"
"""How a request ends that drops hold up; the second where this machine was too busy for the next drop."""


@contextlib.asynccontextmanager
async def dripping(head: bytes, drop: bytes = b" ", every: float = 0.05) -> AsyncIterator[str]:
    """A server that sends a head, and then drops for as long as somebody takes them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(Exception):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            while not writer.is_closing():
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(every)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"]
)
def test_drops_do_not_lengthen_an_answer(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minimax_tasks.api.client.CONNECT_TIME", 0.5)

    async def run() -> None:
        async with dripping(head) as url, MiniMaxClient(KEY, url, timeout=0.4) as client:
            await client.query("1")

    with pytest.raises(AnswerLost, match=LATE):
        asyncio.run(asyncio.wait_for(run(), 60))


H3 = TextToVideoRequest(prompt="A pier", model="MiniMax-H3", ratio="16:9", duration=4)
KINDS: dict[str, Callable[[MiniMaxClient], Awaitable[Any]]] = {
    "submit": lambda client: client.submit(ASKED),
    "submit of the second generation": lambda client: client.submit(H3),
    "query": lambda client: client.query("1"),
    "query of the second generation": lambda client: client.query("1", H3.endpoint),
    "list": lambda client: client.tasks(H3.endpoint),
    "cancel": lambda client: client.cancel("1", H3.endpoint),
    "upload": lambda client: client.upload(b"x", "a.mov", "video/quicktime"),
    "retrieve": lambda client: client.retrieve("1"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    ],
)
def test_no_kind_of_request_is_held_up_by_drops_and_what_may_be_paid_stays_in_doubt(
    kind: str, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minimax_tasks.api.client.CONNECT_TIME", 0.1)

    async def run() -> None:
        async with dripping(head) as url, MiniMaxClient(KEY, url, timeout=0.1) as client:
            await KINDS[kind](client)

    with pytest.raises(AnswerLost, match=LATE):
        asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.parametrize(
    ("head", "drop", "every", "says"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
            b"x",
            0.05,
            "bytes a second|not done after 2 s",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 2**14, 0.0, "more than 65,536 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", b"x", 0.0, "70,000 bytes, more than"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000, 0.04, "not done after 2 s|more than 65,536"),
    ],
)
def test_downloads_are_bounded(head: bytes, drop: bytes, every: float, says: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with dripping(head, drop, every) as url, MiniMaxClient(KEY, url, limits=SMALL) as client:
            await client.fetch(f"{url}/x.mp4?Signature=SIG-secret", tmp_path / "x.mp4")

    with pytest.raises(AnswerLost, match=says) as caught:
        asyncio.run(asyncio.wait_for(run(), 60))
    assert "secret" not in str(caught.value)


def test_slow_downloads_leave_the_way_free_for_polls(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"

    async def run() -> None:
        async with dripping(head) as slow, scripted() as service:
            service.next = answer({"status": "Processing", "base_resp": {"status_code": 0}})
            async with MiniMaxClient(KEY, service.url, max_connections=4) as client:
                fetching = [asyncio.create_task(client.fetch(slow, tmp_path / f"{n}.mp4")) for n in range(12)]
                await asyncio.sleep(0.2)
                async with asyncio.timeout(60):
                    assert (await client.query("1")).status == "Processing"
                assert not any(task.done() for task in fetching)
                for task in fetching:
                    task.cancel()
                await asyncio.gather(*fetching, return_exceptions=True)

    asyncio.run(run())


@pytest.mark.parametrize(
    "url", ["http://[bad", "", "ftp://h/x", "https://ex ample/", "//h/x", "/x.mp4", "http://h:x/", "\ud83d"]
)
def test_what_is_no_url_is_no_download(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with MiniMaxClient(KEY, "http://127.0.0.1:9") as client:
            await client.fetch(url, tmp_path / "x.mp4")

    with pytest.raises(AnswerLost, match="the download broke"):
        asyncio.run(run())


def test_a_refused_connection_is_certain() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert type(submit(f"http://127.0.0.1:{free.getsockname()[1]}")) is NotConnected
