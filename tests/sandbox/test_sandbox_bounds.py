"""What strangers can do to a sandbox: web pages of this machine's browser, huge bodies, slow clients."""

import asyncio
import contextlib
import json
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from minimax_tasks import connections
from minimax_tasks.connections import Bounds
from minimax_tasks.sandbox import Sandbox, server
from minimax_tasks.sandbox.http import callbacks
from minimax_tasks.sandbox.http.faults import MAX_FAULTS
from tests.sandbox.conftest import KEY, T2V

FAULT = {"at": "submit", "prompt": "never", "http": 503}
PAGES = [("GET", "/sandbox/ledger"), ("GET", "/sandbox/faults"), ("POST", "/sandbox/faults")]


def ask(url, method, path, **options):
    if method == "POST":
        options.setdefault("json", [FAULT])
    return httpx.request(method, url + path, trust_env=False, verify=False, timeout=30, **options)


@pytest.fixture(scope="module")
def url():
    with Sandbox(scale="90P") as sandbox:
        yield sandbox.url


@pytest.mark.parametrize(("method", "path"), PAGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.0.2.7"},
        {"Host": ""},
    ],
    ids=str,
)
def test_pages_of_others_are_refused(url, method, path, headers):
    answer = ask(url, method, path, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]


@pytest.mark.parametrize(("method", "path"), PAGES)
@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "LOCALHOST", "app.localhost"]
)
def test_programs_and_own_pages_are_answered(url, method, path, name):
    host = f"{name}:{urlsplit(url).port}"
    assert ask(url, method, path, headers={"Host": host}).status_code == 200
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert ask(url, method, path, headers=own).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("sandbox", 200), ("10.0.0.7", 200), ("box.local", 200), ("evil.example", 403), ("evil.com.", 403)],
)
def test_on_a_network_it_is_known_by_addresses_and_local_names(name, status):
    with Sandbox(host="0.0.0.0", scale="90P") as sandbox:
        assert ask(sandbox.url, "GET", "/sandbox/ledger", headers={"Host": name}).status_code == status


@pytest.mark.parametrize("declared", [True, False])
def test_a_huge_list_of_faults_is_refused_while_it_comes(url, declared):
    def body():
        for _ in range(300):
            yield b"# " + b"x" * 100_000 + b"\n"

    content = b"#" * 30_000_000 if declared else body()
    began = time.monotonic()
    # The client may still be writing when the server has said it.
    with contextlib.suppress(httpx.WriteError):
        assert ask(url, "POST", "/sandbox/faults", content=content, json=None).status_code == 413
    assert time.monotonic() - began < 60
    assert ask(url, "GET", "/sandbox/faults").status_code == 200


def test_other_clients_are_answered_while_faults_are_read(url):
    slow = "\n".join(f"- {{at: submit, prompt: 'x{number}', http: 503}}" for number in range(4000))

    async def run():
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as http:
            adding = asyncio.create_task(http.post("/sandbox/faults", content=slow.encode()))
            waits = []
            while not adding.done():
                began = time.monotonic()
                await http.get("/openapi.json")
                waits.append(time.monotonic() - began)
                await asyncio.sleep(0.01)
            return (await adding).status_code, waits

    status, waits = asyncio.run(run())
    assert status == 200
    assert sorted(waits)[len(waits) // 2] < 0.5


def test_faults_are_bounded_in_number():
    with Sandbox(scale="90P") as sandbox:
        many = json.dumps([{"at": "submit", "nth": 1, "http": 503}] * (MAX_FAULTS // 2))
        answers = [ask(sandbox.url, "POST", "/sandbox/faults", content=many, json=None) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert "too many" in answers[-1].json()["error"]


def test_many_that_ask_for_nothing_keep_nobody_out(monkeypatch):
    monkeypatch.setattr(server, "BOUNDS", Bounds(head=600, body=600, connections=20))
    with Sandbox(scale="90P") as sandbox:
        place = urlsplit(sandbox.url)
        strangers = [socket.create_connection((place.hostname, place.port)) for _ in range(100)]
        for number, one in enumerate(strangers):
            one.sendall(
                (b"GET / HTTP/1.1\r\nX: ", b"POST /v1/video_generation HTTP/1.1\r\nHost: h\r\n")[number % 2]
            )
        answer = httpx.post(
            sandbox.url + "/v1/video_generation",
            json=T2V,
            headers={"Authorization": f"Bearer {KEY}"},
            trust_env=False,
            verify=False,
            timeout=20,
        )
        assert answer.json()["task_id"]
        for one in strangers:
            one.close()


def test_slow_bodies_end(monkeypatch):
    monkeypatch.setattr(server, "BOUNDS", Bounds(head=0.5, body=0.5))
    with Sandbox(scale="90P") as sandbox:
        place = urlsplit(sandbox.url)
        with socket.create_connection((place.hostname, place.port), timeout=20) as one:
            one.sendall(b"POST /v1/video_generation HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                while one.recv(1000):
                    pass
        assert sandbox.ledger() == []


@pytest.fixture
def endless():
    """A receiver that answers a callback with more and more, slowly."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    sent = []

    def serve():
        while not stop.is_set():
            try:
                one, _ = listening.accept()
            except OSError:
                return
            with one:
                one.recv(65_536)
                one.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    while not stop.is_set():
                        one.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
                        sent.append(0x4000)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/hook", sent
    stop.set()
    listening.close()
    thread.join(5)


def test_an_endless_answer_to_a_callback_is_not_read(endless):
    hook, sent = endless
    with Sandbox(latency=0, scale="90P") as sandbox:
        headers = {"Authorization": f"Bearer {KEY}"}
        httpx.post(
            sandbox.url + "/v1/video_generation",
            json={**T2V, "callback_url": hook},
            headers=headers,
            trust_env=False,
            verify=False,
        )
        end = time.monotonic() + 20
        while not (told := sandbox.ledger()[0]["callbacks"]) and time.monotonic() < end:
            time.sleep(0.05)
    assert told[0] == {"status": "challenge", "outcome": "HTTP 200"}
    # What the system holds between two sockets comes on top.
    assert sum(sent) < callbacks.MAX_ANSWER + 20_000_000


def raw_submit(url, body):
    return (
        f"POST /v1/video_generation HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def answer_on(connection):
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(10_000):
            answer += piece
    return answer


def test_a_connection_that_is_about_to_submit_stays_while_another_one_rests(monkeypatch):
    """Whose submit is cut off cannot know whether it was paid; who rests can ask again."""
    monkeypatch.setattr(server, "BOUNDS", Bounds(connections=2))
    with Sandbox(scale="90P", connections=2) as sandbox:
        place = urlsplit(sandbox.url)
        body = json.dumps(T2V).encode()
        with httpx.Client(trust_env=False, verify=False) as resting:
            for sent in (b"", raw_submit(sandbox.url, body)[:-5]):
                assert resting.get(sandbox.url + "/openapi.json").status_code == 200
                with socket.create_connection((place.hostname, place.port), timeout=20) as submitting:
                    submitting.sendall(sent)
                    with socket.create_connection((place.hostname, place.port), timeout=20) as third:
                        third.sendall(
                            b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                        )
                        assert b"200 OK" in answer_on(third)[:100]
                    submitting.sendall(raw_submit(sandbox.url, body)[len(sent) :])
                    assert b"task_id" in answer_on(submitting)
        assert len(sandbox.ledger()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_client_of_its_own_is_served_whole_however_few_files_may_be_open(monkeypatch):
    """Each of its connections has asked for nothing yet, and is about to."""
    monkeypatch.setattr(connections, "_open_files", lambda: 64)
    with Sandbox(scale="90P", connections=24) as sandbox:
        place = urlsplit(sandbox.url)
        body = json.dumps(T2V).encode()
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=20))
                for _ in range(24)
            ]
            for one in clients:
                one.sendall(raw_submit(sandbox.url, body))
            assert all(b"task_id" in answer_on(one) for one in clients)
        assert len(sandbox.ledger()) == 24
