"""Callbacks on storage: a wake-up for whoever waits, and the answer to a submit whose answer was lost.

Anybody can send a callback, so none is believed: it only makes the waiting task ask the service, with the
key. One that came to the address of a certain submit, which nobody else knows, may name its task id; that
too is confirmed by a query.
"""

import asyncio
import os
import re
from typing import Any

from minimax_tasks.storage.files import Storage

FOLDER = "callbacks"
TASK_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
ADDRESS = re.compile(r"(?P<key>[0-9a-f]{32})/(?P<nonce>[0-9a-f]{32})")
"""The end of the path of a callback that belongs to one submit."""

LOOK_LOCAL = 0.1
LOOK_REMOTE = 2.0
"""Seconds between two looks at the callbacks that have come."""


def callback_address(receiver_url: str, key: str, nonce: str) -> str:
    """Where the callbacks of one submit go."""
    return f"{receiver_url.rstrip('/')}/{key}/{nonce}"


def task_file(task_id: str) -> str:
    """Where the newest callback about a task is kept."""
    return f"{FOLDER}/task-{task_id}.json"


def submit_file(key: str, nonce: str) -> str:
    """Where the callback that came to the address of a submit is kept."""
    return f"{FOLDER}/submit-{key}-{nonce}.json"


def heard_task_id(root: Storage, key: str, nonce: str) -> str:
    """The task id that a callback to the address of a submit named, "" when none came."""
    found = root.read_json(submit_file(key, nonce)) if nonce else None
    task_id = str((found or {}).get("task_id", ""))
    return task_id if TASK_ID.fullmatch(task_id) else ""


class CallbackWatch:
    """Wakes the coroutines that wait for a task when a callback about it has come.

    However many wait, one listing serves them all.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], asyncio.Event] = {}
        self._lookers: dict[str, asyncio.Task[None]] = {}

    async def sleep(self, root: Storage, task_id: str, seconds: float) -> None:
        """Sleep, but not past the next callback about the task."""
        place = (root.url, f"task-{task_id}.json")
        event = self._waiting.setdefault(place, asyncio.Event())
        if root.url not in self._lookers or self._lookers[root.url].done():
            self._lookers[root.url] = asyncio.create_task(self._look(root))
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(place, None)

    async def _look(self, root: Storage) -> None:
        seen: dict[str, Any] = {}
        stamp: object = None
        while any(url == root.url for url, _ in self._waiting):
            try:
                newest = _stamp(root)
                if newest is None or newest != stamp:
                    stamp = newest
                    names = await root.call(root.versions, FOLDER)
                    self._wake(root, [name for name, version in names.items() if seen.get(name) != version])
                    seen = names
            except OSError:
                pass  # the poll goes on without callbacks
            await asyncio.sleep(LOOK_LOCAL if root.immediate else LOOK_REMOTE)

    def _wake(self, root: Storage, names: list[str]) -> None:
        for name in names:
            event = self._waiting.get((root.url, name))
            if event is not None:
                event.set()


def _stamp(root: Storage) -> object:
    """What changes when a callback comes, where that costs nothing to know; None elsewhere."""
    if not root.local:
        return None
    try:
        return os.stat(root.path(FOLDER)).st_mtime_ns
    except OSError:
        return 0
