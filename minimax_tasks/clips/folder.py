"""The files of one clip, `<root>/clips/<key>/`, and what they say about where the clip stands.

`layout` has their names. Nothing is ever deleted, so a process that wakes up late cannot void the claim of
another. The claim, the task id and a failure outlive a power cut; what is lost of the rest is had again for nothing.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.endpoints import mode_endpoint
from minimax_tasks.clips.billing import billed_usd
from minimax_tasks.clips.layout import (
    REQUEST,
    RESULT,
    SUBMISSION,
    VIDEO,
    WARNINGS,
    cancelled_name,
    claim_name,
    clip_file,
    clip_folder,
    doubt_name,
    released_name,
    submission_name,
    task_file,
    unchecked_name,
)
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.state import (
    ClipState,
    Failed,
    Names,
    SubmitState,
    clip_names,
    clip_state,
    failed_task,
    look_async,
    made_state,
    paid_numbers,
    read_document,
    submit_state,
    unnamed_submission,
)
from minimax_tasks.clips.task_owner import owned_by
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.errors import MiniMaxError
from minimax_tasks.redaction import shown
from minimax_tasks.storage import owner
from minimax_tasks.storage.files import Document, Storage
from minimax_tasks.storage.local_files import Durable

log = logging.getLogger(__name__)

_REMEMBERED = frozenset({REQUEST, SUBMISSION, RESULT})
"""What the worker that wrote it reads again on its way to the video."""


class ClipFolder:
    """The folder of one clip under a root.

    Where reading is a request, it remembers what it wrote itself, for as long as one worker carries the clip from its
    submit to its video (`known`); elsewhere what it fetches the video by, from the answer to the video. Nothing that
    decides about paying goes by that: who has claimed and submitted what is read from storage each time, and a claim is
    created exclusively.
    """

    __slots__ = ("_own", "key", "owned_task", "root", "timing")

    def __init__(self, root: Storage, key: str, timing: Timing = USUAL) -> None:
        self.root = root
        self.key = key
        self.timing = timing
        self._own: dict[str, dict[str, Any]] | None = None  # one for each of thousands, and most stay empty
        self.owned_task = ""
        """The task that this object wrote down as the clip's own, while no other clip had."""

    def path(self, name: str) -> str:
        """The path or URL of a file of the clip."""
        return self.root.join(self._name(name))

    async def names(self) -> frozenset[str]:
        """The names of the files in the folder."""
        return await self.root.run(clip_names, self.root, self.key)

    async def submit_state(self) -> SubmitState:
        """Where the submits of the clip stand."""
        return await look_async(self.root, self.key, submit_state(await self.names()))

    async def state(self, names: Names | None = None, *, tasks: bool = False) -> ClipState:
        """How far the clip has come. `names`: for callers that have listed them; `tasks` as in `clip_states`."""
        names = await self.names() if names is None else names
        return await look_async(self.root, self.key, clip_state(self.root, self.key, names, tasks=tasks))

    async def made_state(self) -> ClipState:
        """The state, with its task, of a clip whose video is known to be there."""
        return await look_async(self.root, self.key, made_state(), self._own)

    async def failed_task(self) -> Failed | None:
        """What the service said of the submitted task, when that failed."""
        return await look_async(self.root, self.key, failed_task())

    async def paid_attempts(self) -> int:
        """How many attempts were paid, or may have been."""
        return len(await look_async(self.root, self.key, paid_numbers(await self.names())))

    async def answers(self, word: str) -> bool:
        """Whether an attempt was paid because of a person's word."""
        numbers = await look_async(self.root, self.key, paid_numbers(await self.names()))
        return any([(await self.claimed(number)).get("word") == word for number in sorted(numbers)])

    async def claim(
        self,
        number: int,
        clip: ClipRequest,
        nonce: str,
        word: str = "",
        account: dict[str, Any] | None = None,
    ) -> bool:
        """Say what is asked (`request.json`), and that somebody is about to pay; False when somebody else already did.

        A claim that was created although the storage reported an error is known by its nonce. `word` is the
        moment of the person's word that this attempt answers, if it does. `account` is what the account's list of
        tasks said before.
        """
        document: dict[str, Any] = {
            "attempt": number,
            "at": now(),
            "usd": clip.request.usd,
            "what": clip.what,
            "for": clip.purpose,
            "nonce": nonce,
            **owner.me().as_document(),
        }
        if word:
            document["word"] = word
        if account is not None:
            document["account"] = account
        # Before the first attempt there is none: where its number comes from, a submission would have counted as one.
        submission = await self.submission() if number > 1 else None
        if submission:
            document["previous"] = {"submission": submission, "result": await self.result()}
        try:
            name, asked = self._name(claim_name(number)), clip.asked()
            created = await self.root.create_json_async(
                name, document, before=[(self._name(REQUEST), asked, False)]
            )
            self._has_written(REQUEST, asked)
        except Exception:
            if not await self._is_claimed_by(number, nonce):
                raise
            return True
        return created or (await self.claimed(number)).get("nonce") == nonce

    async def _is_claimed_by(self, number: int, nonce: str) -> bool:
        for attempt in range(1, self.timing.claim_reads + 1):
            try:
                return (await self.claimed(number)).get("nonce") == nonce
            except Exception as error:
                log.warning("%s cannot be read: %s", self.path(claim_name(number)), error)
                if attempt < self.timing.claim_reads:
                    await asyncio.sleep(min(attempt, self.timing.write_pause))
        return False

    async def claimed(self, number: int) -> dict[str, Any]:
        """The claim, empty when it cannot be read."""
        return await self.root.run(read_document, self.root, self.key, claim_name(number))

    async def release(
        self, number: int, why: str, *, code: int | None = None, final: bool = False, settled: bool = False
    ) -> None:
        """Say that nothing was created for a claim.

        When the clip was refused before, that stands as long as no try brought another answer of the
        service, unless a person `settled` it.
        """
        document = {"at": now(), "why": why, "code": code, "final": final}
        before = await self.released(number - 1) if number > 1 and not final and not settled else {}
        if before.get("final"):
            document = before | {"tried_again": document}
        await self._persist(released_name(number), document)

    async def released(self, number: int) -> dict[str, Any]:
        """Why a claim was released, empty when it cannot be read."""
        return await self._read(released_name(number)) or {}

    async def cancelled(self, number: int, task_id: str, why: str) -> None:
        """Say that a task was taken back while it was queued, so that it costs nothing."""
        document = {"at": now(), "task_id": task_id, "why": why}
        await self._persist(cancelled_name(number), document, new=True)

    async def cancellation(self, number: int) -> dict[str, Any]:
        """What is written of a task that was taken back, empty when nothing is."""
        return await self._read(cancelled_name(number)) or {}

    async def doubt(self, number: int, why: str) -> None:
        """Say that the outcome of a POST is not known."""
        document = {"at": now(), "why": why, **owner.me().as_document()}
        await self._write(doubt_name(number), document)

    async def doubted(self, number: int) -> dict[str, Any]:
        """What is known of an uncertain POST, empty when nothing is."""
        return await self._read(doubt_name(number)) or {}

    async def submitted(self, number: int, clip: ClipRequest, task_id: str, host: str) -> dict[str, Any]:
        """Write the task id; returns what was written."""
        request = clip.request
        return await self._accepted(
            number, task_id, clip.mode, request.endpoint, host, request.usd, request.label
        )

    async def adopted(
        self, number: int, task_id: str, mode: Mode, host: str, *, endpoint: Endpoint | None = None
    ) -> dict[str, Any]:
        """Like `submitted`, for callers without the request."""
        usd = (await self.claimed(number)).get("usd")
        return await self._accepted(number, task_id, mode, endpoint or mode_endpoint(mode), host, usd)

    async def _accepted(
        self,
        number: int,
        task_id: str,
        mode: Mode,
        endpoint: Endpoint,
        host: str,
        usd: float | None,
        kind: str = "",
    ) -> dict[str, Any]:
        """Nothing is read before the write: between the answer of the service and it nothing may fail."""
        submission = {
            "task_id": task_id,
            "attempt": number,
            "mode": str(mode),
            "endpoint": endpoint.name,
            "host": host,
            "submitted_at": now(),
            "usd": usd,
            "kind": kind,
        }
        if not await self._persist(SUBMISSION, submission, new=True, task_id=task_id):
            await self._keep_separately(number, submission)
        return submission

    async def _keep_separately(self, number: int, submission: dict[str, Any]) -> None:
        """Another submission has the name already: that of an earlier attempt, which gives way to this one,
        or, when this worker is late, that of a newer attempt, which stays. No task id is lost.
        """
        before = await self.submission() or {}
        earlier = before.get("attempt")
        if before.get("task_id") == submission["task_id"]:
            if isinstance(earlier, int) and earlier < number:
                task = f"task {submission['task_id']}, which is that of attempt {earlier}"
                await self.doubt(number, f"the service answered with {task}")
            return
        await self._persist(submission_name(number), submission)
        if isinstance(earlier, int) and earlier >= number:
            log.error(
                "clip %s: task %s was accepted late, after task %s had been submitted in its place; both may be paid",
                self.key,
                submission["task_id"],
                before.get("task_id"),
            )
            return
        if before and isinstance(earlier, int):
            await self._persist(submission_name(earlier), before, new=True)
        await self._persist(SUBMISSION, submission)

    async def recover(self, number: int) -> bool:
        """Whether the task id of a claim was written after all, by a worker that could not give it its name."""
        found = await look_async(self.root, self.key, unnamed_submission(await self.names(), number))
        if found and not await self._persist(SUBMISSION, found, new=True):
            await self._keep_separately(number, found)
        return bool(found)

    async def tidy(self) -> None:
        """Remove what killed writers left, once nothing of it can be needed."""
        if self.root.writes_drafts:
            await self.root.run(self.root.sweep, clip_folder(self.key))

    def own(self, name: str) -> dict[str, Any] | None:
        """What this object wrote under a name, or is about to; None for what is read.

        Somebody else may have written there since: a person who settles a doubt, a worker with a newer attempt. So it
        says what this worker is waiting for and fetching, which is free, and never what may be paid.
        """
        return None if self._own is None else self._own.get(name)

    async def known(self, name: str) -> dict[str, Any] | None:
        """What this object wrote under a name (`own`), else what is there; None when nothing is."""
        return self.own(name) or await self._read(name)

    async def asked(self) -> dict[str, Any]:
        """What `request.json` says, empty when there is none."""
        return await self._read(REQUEST) or {}

    async def submission(self) -> dict[str, Any] | None:
        """What `submission.json` says, None when there is none."""
        return await self._read(SUBMISSION)

    async def finish(self, answer: QueryAnswer, *, fetched_next: bool = False) -> dict[str, Any]:
        """Write the final query answer, without the signature of a video's URL; returns what was written.

        `fetched_next`: this object is about to deliver the video, and a success is written with what that turned out to
        be. Who is killed before asks the service once more, for nothing.
        Raises `MiniMaxError` when the clip's folder is gone. Where that would take a request, a worker that wrote the
        submission itself does not look: it goes on to deliver what was paid for.
        """
        document = answer.model_dump() | {"video_url": shown(answer.video_url), "finished_at": now()}
        if (billed := billed_usd(answer)) is not None:
            document["billed_usd"] = billed
        submission = await self.known(SUBMISSION)
        if submission is None:
            raise self._gone(answer.task_id)
        if fetched_next and answer.state is State.SUCCESS:
            self._remember(SUBMISSION, submission)
            self._remember(RESULT, document)
            return document
        with self._still_there(answer.task_id):
            await self._write(RESULT, document, new_folder=False)
        return document

    async def result(self) -> dict[str, Any] | None:
        """What `result.json` says, None when there is none."""
        return await self._read(RESULT)

    async def note(self, facts: dict[str, Any]) -> None:
        """Add what is known of the video to `result.json`."""
        document = (await self.known(RESULT) or {}) | facts
        with self._still_there(str(document.get("task_id"))):
            await self._write(RESULT, document, durable="bytes", new_folder=False)

    async def deliver(self, source: str, facts: dict[str, Any]) -> None:
        """Add what a whole local file turned out to be to `result.json`, and give it the name `video.mp4`.

        Warnings also go to a file of their own, so that a listing tells which clips have some. Nobody may write to the
        local file again: on the same file system both are one. Raises `MiniMaxError` when the clip's folder is gone.
        """
        document = (await self.known(RESULT) or {}) | facts
        beside: list[Document] = [(self._name(RESULT), document, "bytes")]
        if facts.get("warnings"):
            beside.insert(0, (self._name(WARNINGS), {"warnings": facts["warnings"]}, False))
        with self._still_there(str(document.get("task_id"))):
            await self.root.deliver_async(source, self._name(VIDEO), beside)
        self._has_written(RESULT, document)

    async def keep(self, source: str, extension: str, why: str, *, again: bool) -> dict[str, Any]:
        """Keep what came and cannot be called a clip, so that what was paid for is not lost with its URL.

        `again`: the next run should fetch it once more. Returns what `result.json` then says about it.
        """
        name = unchecked_name(extension)
        kept = {"file": name, "why": why, "again": again}
        await self.root.put_async(source, self._name(name), new_folder=False)
        await self.note({"unchecked": kept})
        return kept

    @contextlib.contextmanager
    def _still_there(self, task_id: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if self.root.exists(clip_folder(self.key)):
                raise
            raise self._gone(task_id) from None

    def _gone(self, task_id: str) -> MiniMaxError:
        return MiniMaxError(
            f"clip {self.key}: {self.path('')} was removed while the run was on. Task {task_id} is paid for: to have "
            f"it anyway, put {self.path(SUBMISSION)} back, with this text: "
            f'{{"task_id": "{task_id}", "attempt": 1}}'
        )

    def _name(self, name: str) -> str:
        return clip_file(self.key, name)

    async def _read(self, name: str) -> dict[str, Any] | None:
        return await self.root.run(self.root.read_json, self._name(name))

    async def _persist(
        self, name: str, document: dict[str, Any], *, new: bool = False, task_id: str = ""
    ) -> bool:
        """Write what must not be lost, for minutes if the storage fails that long. Raises what it raises.

        `new`: only if there is no such file yet; False when there is. `task_id`: the task that such a new file names,
        which becomes the clip's own in the same go, if that can be.
        """
        for attempt in range(1, self.timing.write_tries + 1):
            try:
                if not new:
                    await self._write(name, document)
                elif await self._create(name, document, task_id):
                    self._has_written(name, document)
                else:
                    return False
            except Exception as error:
                if attempt == self.timing.write_tries:
                    raise
                log.error("%s cannot be written (%s); it holds: %s", self.path(name), error, document)
                await asyncio.sleep(min(attempt, self.timing.write_pause))
            else:
                return True
        return False

    async def _create(self, name: str, document: dict[str, Any], task_id: str) -> bool:
        if not task_id:
            return await self.root.create_json_async(self._name(name), document)
        beside = task_file(task_id), owned_by(task_id, self.key)
        created, is_owned = await self.root.create_both_async(self._name(name), document, *beside)
        if is_owned:
            self.owned_task = task_id
        return created

    async def _write(
        self, name: str, document: dict[str, Any], *, durable: Durable = True, new_folder: bool = True
    ) -> None:
        await self.root.write_json_async(self._name(name), document, durable=durable, new_folder=new_folder)
        self._has_written(name, document)

    def _has_written(self, name: str, document: dict[str, Any]) -> None:
        if (name in _REMEMBERED and not self.root.nonblocking) or self.own(name) is not None:
            self._remember(name, document)

    def _remember(self, name: str, document: dict[str, Any]) -> None:
        self._own = (self._own or {}) | {name: document}


def now() -> str:
    """The time as written in the files: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def age(document: dict[str, Any], field: str = "at") -> float:
    """Seconds since the time in a document; 0 when it has none."""
    try:
        return max(0.0, time.time() - datetime.fromisoformat(document[field]).timestamp())
    except (KeyError, TypeError, ValueError):
        return 0.0


def is_dead(document: dict[str, Any]) -> bool:
    """Whether the process that wrote a claim is known to be gone. False when that cannot be known."""
    return owner.Owner.of(document).is_gone
