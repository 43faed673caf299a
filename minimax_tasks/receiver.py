"""`minimax-tasks receive`: answers the callback challenge and stores status updates.

Anybody can send a callback. What is stored is small, bounded and never believed: it wakes whoever waits,
and that one asks the service.
"""

import json
import queue
import signal
import socket
import threading
from collections import OrderedDict
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from minimax_tasks.api.errors import ConfigurationError
from minimax_tasks.clips.callbacks import ADDRESS, FOLDER, TASK_ID, submit_file, task_file
from minimax_tasks.clips.folder import now
from minimax_tasks.storage.files import Storage

MAX_BODY = 64 * 1024
"""Bytes; a status update has some hundred."""

MAX_BRACKETS = 100
"""Lists and objects; a status update has two. What is nested without end breaks whatever reads it."""

MAX_KEPT = 20_000
"""Status updates of so many tasks are kept by one receiver; of the oldest the file is removed."""

_TRIAL = f"{FOLDER}/receiver.json"
_KEPT_FIELDS = ("task_id", "status", "file_id", "base_resp")


class Receiver:
    """The ASGI app of the receiver and what it stores.

    Raises `ConfigurationError` for a root that cannot be written to: the service sends no callback twice.
    """

    def __init__(self, root: str) -> None:
        try:
            self._root = Storage(root)
            self._root.write_json(_TRIAL, {"started_at": now()})
            self._root.remove(_TRIAL)
        except Exception as error:  # each kind of storage has errors of its own
            raise ConfigurationError(f"root = {root!r}: cannot be written to: {error}") from error
        self._kept: OrderedDict[str, None] = OrderedDict()
        self.app = Starlette(routes=[Route("/{path:path}", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> JSONResponse:
        body = await _body(request)
        if body is None:
            return JSONResponse({"status": "too large"}, status_code=413)
        message = _message(body)
        if message is None:
            return JSONResponse({"status": "a JSON object is expected"}, status_code=400)
        if "challenge" in message:
            return JSONResponse({"challenge": message["challenge"]})
        task_id = message.get("task_id")
        if type(task_id) is int:
            task_id = str(task_id)
        if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
            return JSONResponse({"status": "task_id is missing"}, status_code=400)
        kept = {name: message[name] for name in _KEPT_FIELDS if name in message}
        await self._store(task_file(task_id), kept | {"task_id": task_id, "received_at": now()})
        address = ADDRESS.search(request.url.path)
        if address and request.url.path.endswith(address.group()):
            await self._store(submit_file(address["key"], address["nonce"]), {"task_id": task_id})
        return JSONResponse({"status": "success"})

    async def _store(self, name: str, document: dict[str, Any]) -> None:
        self._kept[name] = None
        self._kept.move_to_end(name)
        await self._root.call(self._root.write_json, name, document)
        if len(self._kept) > MAX_KEPT:
            oldest, _ = self._kept.popitem(last=False)
            await self._root.call(self._root.remove, oldest)


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


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def serve(root: str, host: str, port: int) -> None:
    """Receive callbacks into a root until SIGINT or SIGTERM; the first line on stdout ends with the URL.

    For the main thread. Raises `ConfigurationError` when the root or the address cannot be used.
    """
    receiver = Receiver(root)
    listening = _listen(host, port)
    stopped: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stopped.put(number))
    config = uvicorn.Config(receiver.app, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    shown, bound = listening.getsockname()[:2]
    shown = f"[{shown}]" if ":" in shown else shown
    print(f"MiniMax callbacks received on http://{shown}:{bound}", flush=True)  # noqa: T201
    while not _heard(stopped):
        pass
    server.should_exit = True
    thread.join(timeout=5)


def _listen(host: str, port: int) -> socket.socket:
    # asyncio sends small answers at once only on sockets that name their protocol.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:  # a machine without IPv6
        raise ConfigurationError(f"--host {host}: {error.strerror or error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"--host {host} --port {port}: {reason}") from None
    return listening


def _heard(stopped: "queue.SimpleQueue[int]") -> bool:
    """Look for a signal. Waiting without end can miss one that another thread received."""
    try:
        stopped.get(timeout=0.1)
    except queue.Empty:
        return False
    return True
