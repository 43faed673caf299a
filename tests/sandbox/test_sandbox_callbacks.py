"""What a `callback_url` is told."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from minimax_tasks.sandbox.http import callbacks
from tests.sandbox.conftest import Api, Serve, until


class Receiver:
    """Answers the challenge as `reply` says, and remembers what arrives."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answer_challenge = True
        self.patience = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.bodies.append(body)
                time.sleep(receiver.patience)
                reply = body if receiver.answer_challenge and "challenge" in body else {"status": "success"}
                payload = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:
                """Keeps the output of the tests readable."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def updates(self) -> list[dict[str, Any]]:
        return [body for body in self.bodies if "challenge" not in body]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def told(api: Api, receiver: Receiver, count: int) -> list[str]:
    until(lambda: len(receiver.updates), lambda number: number >= count)
    return [update["status"] for update in receiver.updates]


def test_a_challenge_and_then_every_state(serve: Serve, receiver: Receiver) -> None:
    api = serve(latency=0.3)
    task_id = api.submit(callback_url=receiver.url)["task_id"]
    assert told(api, receiver, 2) == ["processing", "success"]
    assert list(receiver.bodies[0]) == ["challenge"]
    file_id = api.wait(task_id)["file_id"]
    good = {"status_code": 0, "status_msg": "success"}
    assert receiver.updates == [
        {"task_id": task_id, "status": "processing", "file_id": "", "base_resp": good},
        {"task_id": task_id, "status": "success", "file_id": file_id, "base_resp": good},
    ]
    sent = until(lambda: api.entry(task_id)["callbacks"], lambda sent: len(sent) == 3)
    assert sent == [
        {"status": status, "outcome": "HTTP 200"} for status in ("challenge", "processing", "success")
    ]


def test_a_failed_task(serve: Serve, receiver: Receiver) -> None:
    api = serve(faults=[{"at": "task", "fail": 1027}])
    api.submit(callback_url=receiver.url)
    assert told(api, receiver, 2) == ["processing", "failed"]
    assert receiver.updates[-1]["base_resp"] == {"status_code": 1027, "status_msg": "output new_sensitive"}


def test_a_template_is_told_with_a_file_id(serve: Serve, receiver: Receiver) -> None:
    api = serve()
    task_id = api.template(
        template_id="394125185182695432", text_inputs=[{"value": "x"}], callback_url=receiver.url
    )["task_id"]
    assert told(api, receiver, 2) == ["processing", "success"]
    assert "video_url" not in receiver.updates[-1]
    file_id = receiver.updates[-1]["file_id"]
    assert api.entry(task_id)["file_id"] == file_id
    assert api.retrieve(file_id)["file"]["file_id"] == int(file_id)


def test_a_receiver_that_fails_the_challenge_is_told_nothing(serve: Serve, receiver: Receiver) -> None:
    receiver.answer_challenge = False
    api = serve()
    task_id = api.submit(callback_url=receiver.url)["task_id"]
    assert api.wait(task_id)["status"] == "Success"
    assert until(lambda: api.entry(task_id)["callbacks"], bool) == [
        {"status": "challenge", "outcome": "HTTP 200"}
    ]
    assert receiver.updates == []


def test_a_receiver_has_three_seconds(
    serve: Serve, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callbacks.CHALLENGE_SECONDS == 3.0
    monkeypatch.setattr(callbacks, "CHALLENGE_SECONDS", 0.2)
    receiver.patience = 0.6
    api = serve()
    task_id = api.submit(callback_url=receiver.url)["task_id"]
    sent = until(lambda: api.entry(task_id)["callbacks"], bool)
    assert "Timeout" in sent[0]["outcome"]
    assert api.wait(task_id)["status"] == "Success"


def test_a_receiver_that_is_not_there(serve: Serve) -> None:
    api = serve()
    task_id = api.submit(callback_url="http://127.0.0.1:9/hook")["task_id"]
    assert until(lambda: api.entry(task_id)["callbacks"], bool) == [
        {"status": "challenge", "outcome": "ConnectError"}
    ]
    assert api.wait(task_id)["status"] == "Success"


def test_missing_and_duplicate_callbacks(serve: Serve, receiver: Receiver) -> None:
    api = serve(
        faults=[
            {"at": "callback", "status": "processing", "times": 0},
            {"at": "callback", "status": "success", "times": 2, "delay": 0.1},
        ]
    )
    api.submit(callback_url=receiver.url)
    assert told(api, receiver, 2) == ["success", "success"]


def test_a_missing_challenge(serve: Serve, receiver: Receiver) -> None:
    api = serve(faults=[{"at": "callback", "status": "challenge", "times": 0}])
    assert api.wait(api.submit(callback_url=receiver.url)["task_id"])["status"] == "Success"
    assert receiver.bodies == []


def test_stopping_does_not_wait_for_receivers(serve: Serve, receiver: Receiver) -> None:
    api = serve(latency=60)
    api.submit(callback_url=receiver.url)
    until(lambda: receiver.bodies, bool)
    start = time.monotonic()
    api.sandbox.stop()
    assert time.monotonic() - start < 30
