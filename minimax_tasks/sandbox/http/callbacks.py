"""Tells a `callback_url` the status of its task, as the API reference describes it.

First a POST with a `challenge`, which the receiver must return within 3 seconds; then a POST for each of the
words `processing`, `success` and `failed`, shaped like the query's answer without the size. When the
challenge comes relative to the submit's answer, and what a failed one does, is not documented: here it comes
right after the task was accepted, and a receiver that fails it hears nothing more while the task continues.
Nothing is delivered again. The ledger has what was sent and how it was answered.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import httpx

from minimax_tasks.api.v2.endpoints import GENERATION as SECOND_GENERATION
from minimax_tasks.sandbox.http.faults import CallbackFault, FaultBook
from minimax_tasks.sandbox.http.v2.wire import TaskDocument, task_of
from minimax_tasks.sandbox.http.wire import CallbackSent, Status
from minimax_tasks.sandbox.task import SandboxTask

CHALLENGE_SECONDS = 3.0
UPDATE_SECONDS = 10.0
MAX_ANSWER = 64 * 1024
"""Bytes that are read of a receiver's answer; one to a challenge has some fifty."""

_AT_ONCE = 200

_WORDS: dict[Status, str] = {
    "Processing": "processing", "Success": "success", "Fail": "failed", "Cancelled": "cancelled",
}  # fmt: skip
_WAIT, _LONGEST_WAIT = 0.05, 1.0


class Callbacks:
    """The callbacks of one sandbox. For the event loop alone."""

    def __init__(self, faults: FaultBook, link: Callable[[str, SandboxTask], str]) -> None:
        self._faults = faults
        self._link = link
        self._running: set[asyncio.Task[None]] = set()

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        # Made for the first callback: the certificates take longer to load than the rest of a sandbox to start.
        # What a proxy setting of this machine says is not meant for receivers of the sandbox.
        return httpx.AsyncClient(
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
            limits=httpx.Limits(max_connections=_AT_ONCE),
        )

    def start(self, task: SandboxTask) -> None:
        """Begin to tell the receiver of a task that was just accepted."""
        telling = asyncio.create_task(self._tell(task))
        self._running.add(telling)
        telling.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Give up what was not sent yet."""
        for telling in self._running:
            telling.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if "_http" in vars(self):
            await self._http.aclose()

    async def _tell(self, task: SandboxTask) -> None:
        challenge = secrets.token_hex(16)
        answer = await self._send(task, "challenge", {"challenge": challenge}, CHALLENGE_SECONDS)
        if answer != {"challenge": challenge}:
            return
        sent = ""
        while sent not in ("success", "failed", "cancelled"):
            now = time.time()
            word = self._word(task, now)
            if word and sent in ("", "queued") and word not in ("queued", "processing", "cancelled"):
                await self._update(task, "processing")
            if word and word != sent:
                await self._update(task, word)
                sent = word
            if task.record.stuck and now > task.ready_at:
                return
            boundary = task.processing_at if now < task.processing_at else task.ready_at
            # The longer a clip takes to draw, the less it matters when exactly its end is noticed.
            await asyncio.sleep(max(boundary - now, min(_LONGEST_WAIT, _WAIT + (now - boundary) / 10)))

    def _word(self, task: SandboxTask, now: float) -> str:
        word = _WORDS.get(task.status(now), "")
        return word or ("queued" if self._is_second(task) else "")

    @staticmethod
    def _is_second(task: SandboxTask) -> bool:
        return task.record.accepted.endpoint == SECOND_GENERATION

    async def _update(self, task: SandboxTask, word: str) -> None:
        if self._is_second(task):
            document = TaskDocument(task=task_of(task, url=self._link(task.base, task)))
            await self._send(task, word, document.payload(), UPDATE_SECONDS)
            return
        status = next(status for status, known in _WORDS.items() if known == word)
        update = {
            "task_id": task.record.task_id,
            "status": word,
            "file_id": task.record.file_id if word == "success" else "",
            "base_resp": task.base_resp(status).payload(),
        }
        await self._send(task, word, update, UPDATE_SECONDS)

    async def _send(self, task: SandboxTask, word: str, body: dict[str, Any], patience: float) -> Any:
        accepted = task.record.accepted
        fault = self._faults.strike(CallbackFault, task.record.clip_key, accepted.prompt, status=word)
        answer = None
        if fault is not None:
            await asyncio.sleep(fault.delay)
        for _ in range(fault.times if fault is not None else 1):
            try:
                async with asyncio.timeout(patience):
                    status, content = await self._post(accepted.callback_url, body, patience)
                outcome = f"HTTP {status}"
                answer = _challenge_of(content) if 200 <= status < 300 else None
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                outcome = type(error).__name__
            task.callbacks.append(CallbackSent(status=word, outcome=outcome))
        return answer

    async def _post(self, url: str, body: dict[str, Any], patience: float) -> tuple[int, bytes]:
        """The status of the answer and, unless it is long, what it says."""
        async with self._http.stream("POST", url, json=body, timeout=patience) as response:
            content = b""
            async for chunk in response.aiter_raw(4096):  # raw: a small packed answer can be large unpacked
                content += chunk
                if len(content) > MAX_ANSWER:
                    return response.status_code, b""
        return response.status_code, content


def _challenge_of(content: bytes) -> Any:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return {"challenge": value.get("challenge")} if isinstance(value, dict) else None
