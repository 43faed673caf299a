"""The answers, as the service has been recorded to give them.

Ids come as strings in some answers and as integers in others; inside they are strings, since a template's
id does not fit into a float. Words that are not known yet are kept, never refused.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class State(StrEnum):
    """What the status of a task means for whoever waits."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


def _as_id(value: Any) -> str:
    return "" if value is None else str(value)


def _as_number(value: Any) -> int:
    return value if isinstance(value, int) else 0


Id = Annotated[str, BeforeValidator(_as_id)]
"""A string inside, whatever JSON type it came as; empty when there is none."""

_FAILURES = frozenset({"fail", "failed", "error"})


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """A field that is null is as if left out."""
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


class BaseResp(_Answer):
    """The part that every answer has: 0 is success."""

    status_code: int = 0
    status_msg: str = ""


class SubmitAnswer(_Answer):
    """Answer of both submits. `task_id` is empty when the request was refused."""

    task_id: Id = ""
    base_resp: BaseResp = Field(default_factory=BaseResp)


class QueryAnswer(_Answer):
    """Answer of both queries: `file_id` for generated clips, `video_url` for templates."""

    task_id: Id = ""
    status: str = ""
    file_id: Id = ""
    video_url: str = ""
    video_width: Annotated[int, BeforeValidator(_as_number)] = 0
    video_height: Annotated[int, BeforeValidator(_as_number)] = 0
    base_resp: BaseResp = Field(default_factory=BaseResp)

    @property
    def state(self) -> State:
        """Status compared without case; a word that is not known means that it is still running."""
        word = self.status.casefold()
        if word == "success":
            return State.SUCCESS
        return State.FAILED if word in _FAILURES else State.RUNNING


class FileObject(_Answer):
    """A generated file. `bytes` has been 0 in every recorded answer: it is not the size."""

    file_id: Id = ""
    bytes: int = 0
    filename: str = ""
    download_url: str = Field(default="", repr=False)
    backup_download_url: str = Field(default="", repr=False)


class RetrieveAnswer(_Answer):
    """Answer of `/v1/files/retrieve`. Each call signs the download URL anew."""

    file: FileObject = Field(default_factory=FileObject)
    base_resp: BaseResp = Field(default_factory=BaseResp)
