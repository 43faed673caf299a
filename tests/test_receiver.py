"""The receiver of callbacks is the one server that anybody can reach: what strangers do to it."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from minimax_tasks.commands import receive as receiver
from minimax_tasks.commands.receive import MAX_BODY, receiving
from minimax_tasks.connections import Bounds

QUICK = Bounds(head=0.6, body=0.6, stalled=0.6, connections=20)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """A receiver with short deadlines and few connections."""
    monkeypatch.setattr(receiver, "BOUNDS", QUICK)
    monkeypatch.setattr(receiver, "KEEP_ALIVE", 1)
    with receiving(str(tmp_path)) as url:
        yield url


@pytest.fixture
def knock():
    """Opens connections and sends the beginning of something; they are closed at the end."""
    with contextlib.ExitStack() as stack:

        def connect(url, data=b""):
            place = urlsplit(url)
            one = stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=60))
            if data:
                one.sendall(data)
            return one

        yield connect


HALF_A_HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nX-Long: "
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{"


def told(url, task_id="123"):
    return httpx.post(
        url, json={"task_id": task_id, "status": "Success"}, trust_env=False, verify=False, timeout=60
    ).status_code


def ended(connection):
    """What still comes until the server ends the connection; fails when it does not."""
    came = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65_536):
            came += data
    return came


@pytest.mark.parametrize("beginning", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "head", "body"])
def test_what_is_never_finished_ends(quick, knock, beginning):
    began = time.monotonic()
    ended(knock(quick, beginning))
    assert time.monotonic() - began >= QUICK.head * 0.9
    assert told(quick) == 200


@pytest.mark.parametrize("beginning", [HALF_A_HEAD, HALF_A_BODY], ids=["head", "body"])
def test_drips_do_not_extend_a_deadline(quick, knock, beginning):
    dripping = knock(quick, beginning)
    for _ in range(1200):
        time.sleep(0.05)
        try:
            dripping.sendall(b" ")
        except OSError:
            return
    pytest.fail("after a minute it still listens")


def test_a_connection_that_has_its_answer_ends(quick, knock):
    body = b'{"task_id": "1"}'
    kept = knock(quick, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert ended(kept).startswith(b"HTTP/1.1 200")


def test_a_head_begun_after_an_answer_ends_too(quick, knock):
    body = b'{"task_id": "1"}'
    kept = knock(quick, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert kept.recv(65_536).startswith(b"HTTP/1.1 200")
    kept.sendall(HALF_A_HEAD)
    ended(kept)


@pytest.mark.parametrize(
    "beginning", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "half a head", "half a body"]
)
def test_many_that_ask_for_nothing_keep_nobody_out(monkeypatch, tmp_path, knock, beginning):
    monkeypatch.setattr(receiver, "BOUNDS", Bounds(head=600, body=600, connections=20))
    with receiving(str(tmp_path)) as url:
        for _ in range(120):
            knock(url, beginning)
        for number in range(5):
            assert told(url, str(number)) == 200
    assert {f"task-{number}.json" for number in range(5)} <= set(os.listdir(tmp_path / "callbacks"))


def test_many_half_sent_heads_at_the_limit_of_open_files(tmp_path, knock):
    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    with subprocess.Popen(
        [sys.executable, "-m", "minimax_tasks", "receive", "--root", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=few_files,
    ) as running:
        url = running.stdout.readline().split()[-1]
        for _ in range(300):
            knock(url, HALF_A_HEAD)
        assert [told(url, str(number)) for number in range(10)] == [200] * 10
        running.terminate()
        assert running.stderr.read() == ""


def test_when_all_are_at_work_the_next_is_told_so_at_once(monkeypatch, tmp_path, knock):
    store = receiver.Receiver._store
    at_work, release = threading.Semaphore(0), threading.Event()

    async def stuck(self, name, document):
        if "task-slow" in name:
            at_work.release()
            await asyncio.to_thread(release.wait)
        await store(self, name, document)

    monkeypatch.setattr(receiver.Receiver, "_store", stuck)
    monkeypatch.setattr(receiver, "BOUNDS", Bounds(connections=8))
    body = b'{"task_id": "slow"}'
    whole = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with receiving(str(tmp_path)) as url:
        busy = [knock(url, whole) for _ in range(8)]
        assert all(at_work.acquire(timeout=60) for _ in range(8))
        assert told(url) == 503
        release.set()
        assert all(one.recv(100).startswith(b"HTTP/1.1 200") for one in busy)
        assert told(url) == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_while_it_comes(quick, knock, chunked):
    head = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 300000000"
    sending = knock(quick, b"POST / HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n")
    if chunked:
        sending.sendall(b"%x\r\n%s\r\n" % (2 * MAX_BODY, b" " * 2 * MAX_BODY))
    assert sending.recv(65_536).startswith(b"HTTP/1.1 413")
    ended(sending)


def test_what_is_kept_is_bounded_over_restarts(monkeypatch, tmp_path):
    monkeypatch.setattr(receiver, "MAX_KEPT", 10)
    folder = tmp_path / "callbacks"
    for restart in range(3):
        with receiving(str(tmp_path)) as url:
            for number in range(8):
                assert told(url, f"{restart}-{number}") == 200
        assert len(os.listdir(folder)) <= 10
    newest = [f"task-1-{number}.json" for number in (6, 7)] + [f"task-2-{number}.json" for number in range(8)]
    assert sorted(os.listdir(folder)) == newest


def test_what_others_left_is_reduced_at_the_start_and_foreign_files_stay(monkeypatch, tmp_path):
    folder = tmp_path / "callbacks"
    folder.mkdir()
    for number in range(30):
        (folder / f"task-{number:02}.json").write_text(json.dumps({"task_id": str(number)}))
        os.utime(folder / f"task-{number:02}.json", (number, number))
    (folder / "notes.txt").write_text("mine")
    monkeypatch.setattr(receiver, "MAX_KEPT", 10)
    with receiving(str(tmp_path)):
        kept = sorted(os.listdir(folder))
    assert kept == ["notes.txt", *(f"task-{number}.json" for number in range(20, 30))]


def test_storage_that_is_no_folder_is_bounded_too(monkeypatch):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe({f"/receiver-root/callbacks/task-{number}.json": b"{}" for number in range(9)})
    monkeypatch.setattr(receiver, "MAX_KEPT", 4)
    with receiving("memory://receiver-root"):
        kept = sorted(path.rsplit("/", 1)[-1] for path in memory.ls("/receiver-root/callbacks", detail=False))
    memory.rm("/receiver-root", recursive=True)
    assert kept == [f"task-{number}.json" for number in range(5, 9)]


@pytest.mark.parametrize(
    "update",
    [
        {"task": {"id": "55", "status": "succeeded"}},
        {"task": {"id": 55}},
        {"task": {"id": None, "task_id": "55"}},
        {"task_id": "55", "task": {"status": "failed"}},
        {"data": {"task_id": 55, "status": "Success"}},
    ],
)
def test_an_update_is_heard_wherever_it_names_its_task(tmp_path, update):
    with receiving(str(tmp_path)) as url:
        assert httpx.post(url, json=update, trust_env=False, verify=False).status_code == 200
    assert os.listdir(tmp_path / "callbacks") == ["task-55.json"]
