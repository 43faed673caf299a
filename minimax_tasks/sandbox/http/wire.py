"""The answers of the five endpoints, field by field with their types on the wire.

The sandbox builds its answers from these models and publishes their schemas, so the two cannot differ.
Field names, types and the zero values before success are those of recorded answers: ids are strings
except the integer `file_id` of retrieve, and `bytes` is 0 whatever the size.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from minimax_tasks.api.catalog.errors import find_error
from minimax_tasks.errors import ControlFlow

Status = Literal["Preparing", "Queueing", "Processing", "Success", "Fail", "Cancelled"]
"""`Cancelled` is of the second generation, whose tasks can be taken back."""

TemplateStatus = Literal["Preparing", "Processing", "Success", "Fail"]

FILE_NAME = "output_aigc.mp4"
"""The name of every generated file, as recorded since 2025-11."""

LOGIN_FAIL = "login fail: Please carry the API secret key in the 'Authorization' field of the request header"

MESSAGES: dict[int, str] = {
    0: "success",
    1002: "rate limit exceeded(RPM)",
    1004: LOGIN_FAIL,
    1026: "input new_sensitive",
    1027: "output new_sensitive",
    2049: "invalid api key",
}
"""`status_msg` of a code, where one is known; the others say what the code means."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def payload(self) -> dict[str, Any]:
        """The JSON of the wire: fields that are absent there are left out."""
        return self.model_dump(exclude_none=True)


class BaseResp(_Wire):
    """The part that every answer has: 0 is success."""

    status_code: int = 0
    status_msg: str = "success"

    @classmethod
    def of(cls, code: int, message: str = "") -> "BaseResp":
        """The answer of a code, with the service's usual words unless others are given."""
        return cls(status_code=code, status_msg=message or MESSAGES.get(code) or find_error(code).meaning)


class SubmitAnswer(_Wire):
    """Answer of both submits. `task_id` is empty when the request was refused."""

    task_id: str = ""
    base_resp: BaseResp


class QueryAnswer(_Wire):
    """Answer of `/v1/query/video_generation`. Empty and 0 before success; no status for an unknown task."""

    task_id: str = ""
    status: Status | str = ""
    file_id: str = ""
    video_width: int = 0
    video_height: int = 0
    base_resp: BaseResp


class TemplateQueryAnswer(_Wire):
    """Answer of `/v1/query/video_template_generation`. `video_url` only on success, never `Queueing`."""

    task_id: str = ""
    status: TemplateStatus | str = ""
    video_url: str | None = None
    base_resp: BaseResp


class FileObject(_Wire):
    """A generated file."""

    file_id: int
    bytes: Literal[0] = 0
    created_at: int
    filename: str = FILE_NAME
    purpose: Literal["video_generation"] = "video_generation"
    download_url: str


class RetrieveAnswer(_Wire):
    """Answer of `/v1/files/retrieve`; without `file` when it was refused."""

    file: FileObject | None = None
    base_resp: BaseResp


class CallbackSent(_Wire):
    """One POST to a `callback_url`: what was sent, and how it was answered."""

    status: str
    outcome: str


class LedgerEntry(_Wire):
    """A task that was accepted, and that the service would have billed unless it failed.

    `request` holds pictures by digest. `created_at` is Unix seconds. `downloads` counts how often the file
    was asked for; `leaked_key` is true when one of these requests carried an `Authorization` header.
    """

    task_id: str
    kind: str
    request: dict[str, Any]
    status: Status
    created_at: float
    downloads: int
    leaked_key: bool
    variant: int
    file_id: str
    callbacks: tuple[CallbackSent, ...] = ()


class AddedFaults(_Wire):
    """Answer to faults that were added."""

    added: int


class FaultsProblem(_Wire):
    """Answer to faults that cannot be read, and to whom the sandbox's own pages are not meant for."""

    error: str


class Refused(ControlFlow):
    """A request that is answered with HTTP 200 and a `base_resp` that is not a success."""

    def __init__(self, code: int, message: str = "") -> None:
        self.base_resp = BaseResp.of(code, message)
        super().__init__(self.base_resp.status_msg)
