"""Callbacks on storage: a wake-up for the coroutine that waits, and the answer to a submit whose answer was lost.

Anybody can send a callback, so none is believed: it only makes the waiting task ask the service, with the
key. One that came to the address of a certain submit, which nobody else knows, may name its task id; that
too is confirmed by a query.
"""

import asyncio
import os
import re
from collections.abc import Callable

from minimax_tasks.clips.alarms import Alarm, Alarms
from minimax_tasks.clips.layout import CALLBACKS, by_task, callback_of_submit
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.storage.files import Storage

TASK_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
ADDRESS = re.compile(r"(?P<key>[0-9a-f]{32})/(?P<nonce>[0-9a-f]{32})")
"""The end of the path of a callback that belongs to one submit."""

APART = 1.0
"""Seconds between two wake-ups of one task at least: anybody can send callbacks without end."""


def callback_address(receiver_url: str, key: str, nonce: str) -> str:
    """Where the callbacks of one submit go."""
    return f"{receiver_url.rstrip('/')}/{key}/{nonce}"


def heard_task_id(root: Storage, key: str, nonce: str) -> str:
    """The task id that a callback to the address of a submit named, "" when none came."""
    found = root.read_json(callback_of_submit(key, nonce)) if nonce else None
    task_id = str((found or {}).get("task_id", ""))
    return task_id if TASK_ID.fullmatch(task_id) else ""


class Listener:
    """Wakes somebody when a callback for a task arrives, or when a time is over, until it is closed.

    Thousands wait at once, so a sleep takes nothing but this.
    """

    __slots__ = (
        "_alarm",
        "_alarms",
        "_among",
        "_end",
        "_heard",
        "_quiet_until",
        "_task_id",
        "_then",
        "_version",
    )

    def __init__(self, task_id: str, among: "set[Listener]", alarms: Alarms) -> None:
        self._task_id = task_id
        self._among = among
        self._alarms = alarms
        self._version: str | None = None
        self._heard = False
        self._then: Callable[[bool], None] | None = None
        self._alarm: Alarm | None = None
        self._end = self._quiet_until = 0.0
        among.add(self)

    def close(self) -> None:
        """Listen no more."""
        self._among.discard(self)
        self._alarm = self._then = None

    def sleep(self, seconds: float, then: Callable[[bool], None]) -> None:
        """Call a function after so many seconds, or after a callback that has cut no sleep short before: with True then.

        Not before this call has returned.
        """
        self._then = then
        self._end = asyncio.get_running_loop().time() + seconds
        self._wake_at(self._until_heard() if self._heard else self._end)

    def look(self, versions: dict[str, str]) -> None:
        """Compare with the callbacks that there are now, by their tasks."""
        version = versions.get(self._task_id)
        if version is not None and version != self._version:
            self._version = version
            if not self._heard:
                self._heard = True
                if self._then is not None:
                    self._wake_at(self._until_heard())

    def _until_heard(self) -> float:
        return min(self._quiet_until, self._end)

    def _wake_at(self, moment: float) -> None:
        self._alarm = self._alarms.at(moment, self)

    def wake(self, alarm: Alarm) -> None:
        """End the sleep, if that is its alarm."""
        if alarm is not self._alarm:
            return
        then, self._then, self._alarm = self._then, None, None
        is_called, self._heard = self._heard, False
        if is_called:
            self._quiet_until = asyncio.get_running_loop().time() + APART
        if then is not None:
            then(is_called)


class CallbackWatch:
    """Tells the coroutines that wait for a task when a callback about it has come.

    However many wait, one listing serves them all.
    """

    def __init__(self, timing: Timing = USUAL, *, asks_for_them: bool = False) -> None:
        """`asks_for_them`: what is submitted here names an address for them, so that they will come."""
        self._timing = timing
        self._asks_for_them = asks_for_them
        self._listeners: dict[str, set[Listener]] = {}
        self._versions: dict[str, dict[str, str]] = {}
        self._lookers: dict[str, asyncio.Task[None]] = {}
        self._alarms = Alarms()

    def listen(self, root: Storage, task_id: str) -> Listener:
        """Hear of the callbacks about a task, also of those that come while nobody sleeps."""
        among = self._listeners.setdefault(root.url, set())
        listener = Listener(task_id, among, self._alarms)
        listener.look(self._versions.get(root.url, {}))
        if root.url not in self._lookers or self._lookers[root.url].done():
            self._lookers[root.url] = asyncio.create_task(self._look(root))
        return listener

    async def _look(self, root: Storage) -> None:
        stamp: object = None
        pause = self._timing.callback_look if root.nonblocking else self._timing.callback_look_remote
        while self._listeners[root.url]:
            try:
                newest = _stamp(root)
                if newest is None or newest != stamp:
                    self._tell(root, by_task(await root.run(root.versions, CALLBACKS)))
                    stamp = newest
            except OSError:
                pass  # polling continues without callbacks
            await asyncio.sleep(pause)
            if not (root.nonblocking or self._asks_for_them):
                # Others may have asked for some, or may yet: until the first of them the looks become fewer.
                seldom = self._timing.callback_look_in_vain
                has_come = bool(self._versions.get(root.url))
                pause = self._timing.callback_look_remote if has_come else min(2 * pause, seldom)

    def _tell(self, root: Storage, versions: dict[str, str]) -> None:
        """Thousands listen, and most of the time there is nothing new."""
        if versions != self._versions.get(root.url, {}):
            self._versions[root.url] = versions
            for listener in self._listeners[root.url]:
                listener.look(versions)


def _stamp(root: Storage) -> object:
    """What changes when a callback comes, where that costs nothing to know; None elsewhere."""
    if not root.local:
        return None
    try:
        return os.stat(root.path(CALLBACKS)).st_mtime_ns
    except OSError:
        return 0
