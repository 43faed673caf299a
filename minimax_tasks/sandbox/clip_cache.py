"""Draws the clips of tasks in threads of its own, and keeps them on disk within a bound.

A clip is a function of its task, so a clip that was dropped, or lost with its folder, is drawn again when it
is asked for.
"""

import contextlib
import itertools
import logging
import os
import queue
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from minimax_tasks.sandbox.task import TaskRecord

log = logging.getLogger(__name__)

WORKERS = 2
KEPT_BYTES = 2_000_000_000
"""The clips that were not asked for longest are dropped beyond this."""

ABANDONED_SECONDS = 3600
"""A part that is older was left by a sandbox that was killed, not by one that is at work on the folder."""

_NEXT, _IN_TURN, _STOP = 0, 1, 2

Draw = Callable[[TaskRecord, Path], None]
"""Draws the clip of a task into a file."""


class ClipCache:
    """The clips of one sandbox, in a folder."""

    def __init__(self, folder: Path, draw: Draw, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._draw = draw
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[Path]] = {}
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._queue: queue.PriorityQueue[tuple[int, int, TaskRecord | None]] = queue.PriorityQueue()
        self._turn = itertools.count()
        self._stopped = False
        self.abandoned = False
        """Whether nobody waits any more for what is being drawn."""
        folder.mkdir(parents=True, exist_ok=True)
        self._take_stock()
        # Daemons: a long clip must not hold up the end of the process.
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def clip(self, record: TaskRecord, *, urgent: bool = False) -> Future[Path]:
        """The file of a task's clip, drawn if it is not there; `urgent` when somebody waits for the file."""
        with self._lock:
            key = record.clip_key
            waiting = self._waiting.get(key)
            path = self._path(key)
            if waiting is None and path.exists():
                if key in self._sizes:
                    self._sizes.move_to_end(key)
                done: Future[Path] = Future()
                done.set_result(path)
                return done
            future = self._waiting.setdefault(key, Future())
            if waiting is None or urgent:
                self._queue.put((_NEXT if urgent else _IN_TURN, next(self._turn), record))
            return future

    def stop(self, patience: float) -> None:
        """Drop what waits, give the clips in work `patience` seconds to end, and abandon those that have not."""
        self._stopped = True
        for _ in self._threads:
            self._queue.put((_STOP, next(self._turn), None))
        for thread in self._threads:
            thread.join(patience / len(self._threads))
        self.abandoned = True

    def _take_stock(self) -> None:
        found = []
        for file in self._folder.glob("*.mp4"):
            with contextlib.suppress(
                FileNotFoundError
            ):  # another sandbox has just given it its name, or dropped it
                found.append((file.stat().st_mtime, file, file.stat().st_size))
        for changed_at, file, size in sorted(found):
            if not file.name.startswith("."):
                self._sizes[file.stem] = size
            elif time.time() - changed_at > ABANDONED_SECONDS:
                file.unlink(missing_ok=True)

    def _work(self) -> None:
        while True:
            _, _, record = self._queue.get()
            if record is None:
                return
            future = self._claim(record.clip_key)
            if future is not None:
                self._render(record, future)

    def _claim(self, key: str) -> Future[Path] | None:
        # An urgent request puts a clip into the queue a second time; the thread that gets the second finds nothing to do.
        with self._lock:
            future = self._waiting.get(key)
            if self._stopped or future is None or future.running():
                return None
            return future if future.set_running_or_notify_cancel() else None

    def _render(self, record: TaskRecord, future: Future[Path]) -> None:
        key = record.clip_key
        path = self._path(key)
        part = self._folder / f".{key}.{uuid.uuid4().hex}.mp4"
        try:
            self._draw(record, part)
            os.replace(part, path)
        except Exception as error:
            part.unlink(missing_ok=True)
            self._settle(key)
            if not self._stopped:
                log.exception("the clip of task %s could not be drawn", record.task_id)
            future.set_exception(error)
        else:
            self._keep(key, path.stat().st_size)
            future.set_result(path)

    def _settle(self, key: str) -> None:
        with self._lock:
            del self._waiting[key]

    def _keep(self, key: str, size: int) -> None:
        with self._lock:
            del self._waiting[key]
            self._sizes[key] = size
            while sum(self._sizes.values()) > self._kept_bytes and len(self._sizes) > 1:
                dropped, _ = self._sizes.popitem(last=False)
                self._path(dropped).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.mp4"
