"""Takes requests and has their clips drawn: from an accepted request to a file on disk."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v2.endpoints import GENERATION as SECOND_GENERATION
from minimax_tasks.sandbox.clip_cache import ClipCache
from minimax_tasks.sandbox.drawing.draw_clip import clip_size, draw_clip
from minimax_tasks.sandbox.drawing.pictures import Pictures
from minimax_tasks.sandbox.http.faults import FaultBook, TaskFault
from minimax_tasks.sandbox.http.validation import AcceptedRequest
from minimax_tasks.sandbox.http.wire import Refused
from minimax_tasks.sandbox.shapes import frame_count, frame_size
from minimax_tasks.sandbox.store import Store
from minimax_tasks.sandbox.task import SandboxTask, TaskRecord

STOP_SECONDS = 0.1
"""How long a clip in work may hold up the end of a sandbox."""


class Engine:
    """The tasks of one sandbox, over a folder. All but `read` and `close` are for the event loop alone."""

    def __init__(self, folder: Path, faults: FaultBook, *, latency: float, scale: str | None) -> None:
        self._pictures = Pictures(folder / "images")
        self._store = Store(folder / "journal.jsonl")
        self._clips = ClipCache(folder / "clips" / (scale or "full"), self._draw)
        self._faults = faults
        self._latency = latency
        self._scale = scale
        self._awaited: set[str] = set()

    def resume(self) -> None:
        """Continue with the clips that an earlier sandbox on this folder has not drawn."""
        for task in self._store.all():
            self._see_to(task)

    def close(self) -> None:
        """Stop drawing and close the journal."""
        self._clips.stop(STOP_SECONDS)
        self._store.close()

    def read(
        self, body: bytearray, reader: Callable[[bytearray, Pictures], AcceptedRequest]
    ) -> AcceptedRequest:
        """Judge the body of a request and keep its pictures: with pictures, slow. Raises `Refused`."""
        return reader(body, self._pictures)

    def accept(self, accepted: AcceptedRequest) -> SandboxTask:
        """Create a task: from here on the service would bill it."""
        variant = self._store.next_variant(accepted.fingerprint)
        fault = (
            self._faults.strike(TaskFault, f"{accepted.fingerprint}-{variant}", accepted.prompt) or _NO_FAULT
        )
        task_id, file_id = self._store.new_ids(accepted.endpoint)
        width, height = _size(accepted)
        record = TaskRecord(
            task_id=task_id,
            file_id=file_id,
            accepted=accepted,
            variant=variant,
            created_at=time.time(),
            latency=self._latency if fault.latency is None else fault.latency,
            width=width,
            height=height,
            fail=fault.fail,
            stuck=fault.stuck,
            expires=fault.expired,
        )
        task = self._store.add(record)
        self._see_to(task)
        return task

    def task(self, task_id: str, endpoint: Endpoint) -> SandboxTask:
        """The task of this kind with this id. Raises `Refused`, in words that are not recorded."""
        task = self._store.task(task_id)
        if task is None or not _knows(endpoint, task.record.accepted.endpoint):
            raise Refused(2013, "invalid params, task_id does not exist")
        self._see_to(task)
        return task

    def file(self, file_id: str) -> SandboxTask | None:
        """The finished task with this file."""
        task = self._store.file(file_id)
        return task if task is not None and task.status(time.time()) == "Success" else None

    def cancel(self, task: SandboxTask) -> None:
        """Take a task back: nothing is billed."""
        self._store.cancelled(task)

    def delete(self, task: SandboxTask) -> None:
        """Forget a task that is over, but not in the ledger."""
        self._store.deleted(task)

    def all(self) -> list[SandboxTask]:
        """Every task, oldest first."""
        return self._store.all()

    def note_download(self, task: SandboxTask) -> None:
        """Put a download into the ledger."""
        self._store.downloaded(task)

    def note_leaked_key(self, task: SandboxTask) -> None:
        """Put into the ledger that the file was asked for with a key."""
        self._store.key_leaked(task)

    async def clip(self, task: SandboxTask) -> Path:
        """The file of a finished task, drawn again if it is gone."""
        drawing = asyncio.wrap_future(self._clips.clip(task.record, urgent=True))
        # Others may wait for the same clip: one that gives up must not cancel it.
        return await asyncio.shield(drawing)

    def _see_to(self, task: SandboxTask) -> None:
        task_id = task.record.task_id
        if task.cancelled_at or not task.record.gets_clip or task.drawn or task.broken:
            return
        if task_id in self._awaited:
            return
        self._awaited.add(task_id)
        loop = asyncio.get_running_loop()

        def settled(clip: Future[Path]) -> None:
            # The loop is gone when the sandbox stops while a clip is in work.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._clip_settled, task, clip.exception() is not None)

        self._clips.clip(task.record).add_done_callback(settled)

    def _clip_settled(self, task: SandboxTask, broken: bool) -> None:
        self._awaited.discard(task.record.task_id)
        if broken:
            task.broken = True
        else:
            self._store.drawn(task)

    def _draw(self, record: TaskRecord, path: Path) -> None:
        accepted = record.accepted
        first, last, subject = (
            self._pictures.open(reference) if reference else None
            for reference in (accepted.first, accepted.last, accepted.subject)
        )
        second = accepted.endpoint == SECOND_GENERATION
        draw_clip(
            path,
            prompt=accepted.prompt,
            resolution=f"{min(record.width, record.height)}P",
            aspect=record.width / record.height if second else None,
            frames=frame_count(accepted.seconds, accepted.fps) if second else None,
            sounds=second,
            references=[self._pictures.open(reference) for reference in accepted.references],
            seconds=accepted.seconds,
            fps=accepted.fps,
            first=first,
            last=last,
            subject=subject,
            variant=record.variant,
            scale=self._scale,
            wanted=lambda: not self._clips.abandoned,
        )


def _size(accepted: AcceptedRequest) -> tuple[int, int]:
    if accepted.endpoint == SECOND_GENERATION:
        return frame_size(accepted.resolution, accepted.ratio, accepted.aspect)
    return clip_size(accepted.resolution, accepted.aspect)


def _knows(asked: Endpoint, own: Endpoint) -> bool:
    """Whether a query of an endpoint knows tasks of another: recorded of the first generation's."""
    return own in (asked, SECOND_GENERATION) if asked == SECOND_GENERATION.former else own == asked


_NO_FAULT = TaskFault.model_construct(at="task")
