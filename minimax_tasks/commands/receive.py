"""`minimax-tasks receive`: answers the callback challenge and stores status updates.

Anybody can send a callback. What is stored is small, bounded and never believed: it wakes the workers that wait,
and that one asks the service.
"""

import argparse
import contextlib
import json
import queue
import re
import signal
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from minimax_tasks.api.task_ids import task_ids
from minimax_tasks.clips.callbacks import ADDRESS, TASK_ID
from minimax_tasks.clips.folder import now
from minimax_tasks.clips.layout import CALLBACKS, callback_of_submit, callback_of_task
from minimax_tasks.clips.root import open_root, unusable
from minimax_tasks.commands.exit_codes import DONE
from minimax_tasks.connections import BATCH, Bounds, bounded, listen
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.settings import Settings

MAX_BODY = 64 * 1024
"""Bytes; a status update has some hundred."""

MAX_BRACKETS = 100
"""Lists and objects; a status update has two. Endless nesting breaks its readers."""

MAX_KEPT = 20_000
"""A receiver keeps the updates of this many tasks under a root; beyond that it deletes the oldest."""

BOUNDS = Bounds(head=10.0, body=10.0, stalled=20.0, connections=500)
"""A status update is one small packet: a client that takes longer sends none."""

KEEP_ALIVE = 5
"""Seconds."""

MAX_HEAD = 16 * 1024
"""Bytes."""

_BACKLOG = 1024
_TRIAL = f"{CALLBACKS}/receiver.json"
_STORED = re.compile(r"(?:task|submit)-[0-9A-Za-z_-]+\.json")
_KEPT_FIELDS = ("task_id", "status", "file_id", "base_resp")


class Receiver:
    """The ASGI app of the receiver and what it stores.

    Raises `ConfigurationError` for a root that cannot be written to: the service sends no callback twice.
    """

    def __init__(self, root: str) -> None:
        try:
            self._root = open_root(root)
            self._root.write_json(_TRIAL, {"started_at": now()})
            self._root.remove(_TRIAL)
        except ConfigurationError:
            raise
        except Exception as error:  # each kind of storage has errors of its own
            raise unusable(root, error) from error
        self._kept: OrderedDict[str, None] = OrderedDict.fromkeys(
            f"{CALLBACKS}/{name}" for name in self._root.oldest_first(CALLBACKS) if _STORED.fullmatch(name)
        )
        while len(self._kept) > MAX_KEPT:
            self._root.remove(self._kept.popitem(last=False)[0])
        self.app = Starlette(routes=[Route("/{path:path}", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> JSONResponse:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return JSONResponse({"status": "the body did not come"}, status_code=400)
        if body is None:
            return JSONResponse({"status": "too large"}, status_code=413)
        message = _message(body)
        if message is None:
            return JSONResponse({"status": "a JSON object is expected"}, status_code=400)
        if "challenge" in message:
            return JSONResponse({"challenge": message["challenge"]})
        task_id = _task_id(message)
        if not task_id:
            return JSONResponse({"status": "task_id is missing"}, status_code=400)
        # The second generation sends what its query answers.
        if isinstance(task := message.get("task"), dict):
            message = {"status": task.get("status")}
        kept = {name: message[name] for name in _KEPT_FIELDS if name in message}
        await self._store(callback_of_task(task_id), kept | {"task_id": task_id, "received_at": now()})
        address = ADDRESS.search(request.url.path)
        if address and request.url.path.endswith(address.group()):
            await self._store(callback_of_submit(address["key"], address["nonce"]), {"task_id": task_id})
        return JSONResponse({"status": "success"})

    async def _store(self, name: str, document: dict[str, Any]) -> None:
        self._kept[name] = None
        self._kept.move_to_end(name)
        oldest = self._kept.popitem(last=False)[0] if len(self._kept) > MAX_KEPT else None
        await self._root.run(self._root.write_json, name, document)
        if oldest is not None:
            await self._root.run(self._root.remove, oldest)


def _message(body: bytes) -> dict[str, Any] | None:
    """The JSON object, or None when there is none, or one that could not be written down again."""
    if body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
        return None
    try:
        message = json.loads(body)
        json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _task_id(message: dict[str, Any]) -> str:
    """The task that an update is about, "" when it names none, or several."""
    own = message.get("task_id")
    own = str(own) if type(own) is int else own
    if isinstance(own, str) and TASK_ID.fullmatch(own):
        return own
    named = task_ids(message)
    return named[0] if len(named) == 1 else ""


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is too large."""
    if int(request.headers.get("Content-Length") or 0) > MAX_BODY:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    serve(Settings.load(root=options.root).root, options.host, options.port)
    return DONE


def serve(root: str, host: str, port: int) -> None:
    """Receive callbacks into a root until SIGINT or SIGTERM; the first line on stdout ends with the URL.

    For the main thread. Raises `ConfigurationError` when the root or the address cannot be used.
    """
    stopped: queue.SimpleQueue[int] = queue.SimpleQueue()
    with receiving(root, host, port) as url:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: stopped.put(number))
        print(f"MiniMax callbacks received on {url}", flush=True)  # noqa: T201
        while not _heard(stopped):
            pass


@contextlib.contextmanager
def receiving(root: str, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Receive callbacks in a thread while this is entered; gives the URL. Raises as `serve`."""
    receiver = Receiver(root)
    listening = _listen(host, port)
    config = uvicorn.Config(
        receiver.app,
        http=bounded(BOUNDS),
        ws="none",
        log_level="error",  # what strangers send wrong is theirs to know
        access_log=False,
        lifespan="off",
        backlog=BATCH,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=MAX_HEAD,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    listening.listen(_BACKLOG)  # uvicorn made it as small as the batch that it takes at once
    shown, bound = listening.getsockname()[:2]
    try:
        yield f"http://{shown}:{bound}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def _listen(host: str, port: int) -> socket.socket:
    """Listen there. Raises `ConfigurationError`, also on a machine without IPv6."""
    try:
        return listen(host, port, _BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"--host {host} --port {port}: {reason}") from None


def _heard(stopped: "queue.SimpleQueue[int]") -> bool:
    """Look for a signal. Waiting without end can miss one that another thread received."""
    try:
        stopped.get(timeout=0.1)
    except queue.Empty:
        return False
    return True
