"""The answers of the second generation, field by field: real HTTP statuses, an error object, a task."""

import time
import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, PlainTextResponse, Response

from minimax_tasks.api.catalog.errors import find_error
from minimax_tasks.api.catalog.models import RATIOS
from minimax_tasks.errors import ControlFlow
from minimax_tasks.sandbox.http.wire import LOGIN_FAIL, MESSAGES, BaseResp
from minimax_tasks.sandbox.shapes import nearest_ratio
from minimax_tasks.sandbox.task import SandboxTask

STATUSES: dict[int, tuple[int, str]] = {
    1002: (429, "rate_limit_error"),
    1004: (401, "authorized_error"),
    2049: (401, "authorized_error"),
    1008: (402, "insufficient_balance_error"),
    1026: (422, "unprocessable_entity_error"),
    2013: (400, "bad_request_error"),
    529: (529, "overloaded_error"),
}
"""Code -> HTTP status and type of the error; all others are 500, server_error (source: v2)."""

WORDS: dict[int, str] = {
    1000: "internal error",
    1002: "rate limit, please retry later",
    1004: LOGIN_FAIL,
    1008: "insufficient balance",
    1026: "video description contains sensitive content",
    529: "the service is overloaded, please retry later",
}
"""What it says where nothing else is said (source: v2)."""

TaskStatus = Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]

TASK_WORDS: dict[str, TaskStatus] = {
    "Preparing": "queued",
    "Queueing": "queued",
    "Processing": "running",
    "Success": "succeeded",
    "Fail": "failed",
    "Cancelled": "cancelled",
}
"""The stage of a task -> its status here."""


class Rejected(ControlFlow):
    """A request that is refused with a status, and a code at the end of the message."""

    def __init__(
        self, code: int, message: str = "", *, status: int | None = None, bare: bool = False
    ) -> None:
        self.code = code
        self.status, self.kind = STATUSES.get(code, (500, "server_error"))
        self.status = status or self.status
        words = message or WORDS.get(code) or MESSAGES.get(code) or find_error(code).meaning
        self.message = words if bare or code == 529 else f"{words} ({code})"
        super().__init__(self.message)

    def response(self, *, in_ok: int | None = None) -> Response:
        """The answer; `in_ok` is the status that a gateway puts into the body of a 200."""
        error = ErrorDetail(type=self.kind, message=self.message, http_code=str(in_ok or self.status))
        body = ErrorAnswer(error=error, request_id=uuid.uuid4().hex).payload()
        return JSONResponse(body, status_code=200 if in_ok else self.status)


def plain_not_found() -> Response:
    """The answer to a path that the second generation does not have: no JSON (recorded)."""
    return PlainTextResponse("404 page not found", status_code=404)


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def payload(self) -> dict[str, Any]:
        """The JSON of the wire: fields that are absent there are left out."""
        return self.model_dump(exclude_none=True)


class ErrorDetail(_Wire):
    """Why a request was refused; the code stands in parentheses at the end of the message."""

    type: str
    message: str
    http_code: str


class ErrorAnswer(_Wire):
    """Answer of all paths to what they refuse."""

    type: Literal["error"] = "error"
    error: ErrorDetail
    request_id: str


class KeptFile(_Wire):
    """A file that was kept."""

    file_id: int
    bytes: int
    created_at: int
    filename: str
    purpose: str


class Uploaded(_Wire):
    """Answer of an upload, in the form of the first generation."""

    file: KeptFile
    base_resp: BaseResp


class Created(_Wire):
    """Answer of the POSTs."""

    task_id: str


class TaskError(_Wire):
    """Why a task failed; the code is a string."""

    code: str
    message: str


class TaskContent(_Wire):
    """What a task made."""

    url: str | None = None
    prompt: str | None = None


class VideoTask(_Wire):
    """A task, as in the query, in the list and in callbacks."""

    id: str
    model: str
    status: str
    error: TaskError | None = None
    created_at: int
    updated_at: int
    content: TaskContent | None = None
    resolution: str | None = None
    duration: int
    usage: dict[str, int]
    ratio: str
    task_type: str
    modality: Literal["video", "text"] | None = None


class TaskDocument(_Wire):
    """Answer of the query, and body of a callback."""

    task: VideoTask


class TaskList(_Wire):
    """Answer of the list; `total` counts what the filters let through."""

    items: tuple[VideoTask, ...]
    total: int


class Deleted(_Wire):
    """Answer of a DELETE."""

    task_id: str
    action: Literal["cancelled", "deleted"]
    status: Literal["cancelled", "deleted"]


def task_of(task: SandboxTask, *, url: str, word: str = "", listed: bool = False) -> VideoTask:
    """The task object. `url` is that of the video, `word` another status than the true one."""
    now = time.time()
    record, accepted = task.record, task.record.accepted
    stage = task.status(now)
    status = TASK_WORDS[stage]
    if record.expires and status == "failed":
        status = "expired"
    done = status == "succeeded"
    is_text = bool(accepted.text_result)
    content = TaskContent(prompt=accepted.text_result) if is_text else TaskContent(url=url)
    reason = task.base_resp(stage)
    return VideoTask(
        id=record.task_id,
        model=str(accepted.request.get("model", "")),
        status=word or status,
        error=TaskError(
            code=str(reason.status_code), message=WORDS.get(reason.status_code, reason.status_msg)
        )
        if status == "failed"
        else None,
        created_at=int(record.created_at),
        updated_at=int(task.changed_at(now)),
        content=content if done else None,
        resolution=None if is_text else accepted.resolution,
        duration=accepted.seconds,
        usage=dict(accepted.usage) if done else {},
        ratio=nearest_ratio(record.width, record.height)
        if done and accepted.ratio == RATIOS[0]
        else accepted.ratio,
        task_type=accepted.task_type,
        modality=None if listed else ("text" if is_text else "video"),
    )
