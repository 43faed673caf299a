"""Takes orders and has their clips drawn: from an accepted request to a file on disk."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.sandbox.clip_cache import Renders
from minimax_tasks.sandbox.drawing.draw_clip import clip_size, render_clip
from minimax_tasks.sandbox.drawing.pictures import Pictures
from minimax_tasks.sandbox.http.faults import FaultBook, TaskFault
from minimax_tasks.sandbox.http.validation import Order
from minimax_tasks.sandbox.http.wire import Refused
from minimax_tasks.sandbox.jobs import Job, Ticket
from minimax_tasks.sandbox.store import Store

STOP_SECONDS = 0.1
"""How long a clip in work may hold up the end of a sandbox."""


class Studio:
    """The tasks of one sandbox, over a folder. All but `read` and `close` are for the event loop alone."""

    def __init__(self, folder: Path, faults: FaultBook, *, latency: float, scale: str | None) -> None:
        self._pictures = Pictures(folder / "images")
        self._store = Store(folder / "journal.jsonl")
        self._renders = Renders(folder / "clips" / (scale or "full"), self._draw)
        self._faults = faults
        self._latency = latency
        self._scale = scale
        self._awaited: set[str] = set()

    def resume(self) -> None:
        """Go on with the clips that an earlier sandbox on this folder has not drawn."""
        for job in self._store.all():
            self._see_to(job)

    def close(self) -> None:
        """Stop drawing and close the journal."""
        self._renders.stop(STOP_SECONDS)
        self._store.close()

    def read(self, body: bytearray, reader: Callable[[bytearray, Pictures], Order]) -> Order:
        """Judge the body of a request and keep its pictures: with pictures, slow. Raises `Refused`."""
        return reader(body, self._pictures)

    def accept(self, order: Order) -> Job:
        """Create a task: from here on the service would bill it."""
        variant = self._store.next_variant(order.fingerprint)
        fault = self._faults.strike(TaskFault, f"{order.fingerprint}-{variant}", order.prompt) or _NO_FAULT
        task_id, file_id = self._store.new_ids(order.mode is Mode.TEMPLATE)
        width, height = clip_size(order.resolution, order.aspect)
        ticket = Ticket(
            task_id=task_id,
            file_id=file_id,
            order=order,
            variant=variant,
            created_at=time.time(),
            latency=self._latency if fault.latency is None else fault.latency,
            width=width,
            height=height,
            fail=fault.fail,
            stuck=fault.stuck,
        )
        job = self._store.add(ticket)
        self._see_to(job)
        return job

    def task(self, task_id: str, *, template: bool) -> Job:
        """The task of this kind with this id. Raises `Refused`, in words that are not recorded."""
        job = self._store.task(task_id)
        if job is None or (job.ticket.order.mode is Mode.TEMPLATE) is not template:
            raise Refused(2013, "invalid params, task_id does not exist")
        self._see_to(job)
        return job

    def file(self, file_id: str) -> Job | None:
        """The finished task with this file."""
        job = self._store.file(file_id)
        return job if job is not None and job.status(time.time()) == "Success" else None

    def all(self) -> list[Job]:
        """Every task, oldest first."""
        return self._store.all()

    def note_download(self, job: Job) -> None:
        """Put a download into the ledger."""
        self._store.downloaded(job)

    def note_leaked_key(self, job: Job) -> None:
        """Put into the ledger that the file was asked for with a key."""
        self._store.key_leaked(job)

    async def clip(self, job: Job) -> Path:
        """The file of a finished task, drawn again if it is gone."""
        drawing = asyncio.wrap_future(self._renders.clip(job.ticket, urgent=True))
        # Others may wait for the same clip: one that gives up must not cancel it.
        return await asyncio.shield(drawing)

    def _see_to(self, job: Job) -> None:
        task_id = job.ticket.task_id
        if not job.ticket.gets_clip or job.drawn or job.broken or task_id in self._awaited:
            return
        self._awaited.add(task_id)
        loop = asyncio.get_running_loop()

        def settled(clip: Future[Path]) -> None:
            # The loop is gone when the sandbox stops while a clip is in work.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._clip_settled, job, clip.exception() is not None)

        self._renders.clip(job.ticket).add_done_callback(settled)

    def _clip_settled(self, job: Job, broken: bool) -> None:
        self._awaited.discard(job.ticket.task_id)
        if broken:
            job.broken = True
        else:
            self._store.drawn(job)

    def _draw(self, ticket: Ticket, path: Path) -> None:
        order = ticket.order
        first, last, subject = (
            self._pictures.open(reference) if reference else None
            for reference in (order.first, order.last, order.subject)
        )
        render_clip(
            path,
            prompt=order.prompt,
            resolution=order.resolution,
            seconds=order.seconds,
            fps=order.fps,
            first=first,
            last=last,
            subject=subject,
            variant=ticket.variant,
            scale=self._scale,
        )


_NO_FAULT = TaskFault.model_construct(at="task")
