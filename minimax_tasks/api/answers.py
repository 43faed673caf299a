"""The answers, as the service has been recorded to give them.

Ids come as strings in some answers and as integers in others; inside they are strings, since a template's
id does not fit into a float. Words that are not known yet are kept, never refused.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class State(StrEnum):
    """What the status of a task means for the caller who waits for it."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


_EXACT = 2**53
"""Whole numbers below it are the same as a float, which some programs make of every number."""


def as_id(value: Any) -> str:
    """An id as a string; empty when there is none. Only a string or a whole number is one, and 0 is none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return "" if text in ("0", "-1") else text


def as_code(value: Any) -> int | None:
    """A status code, which some gateways write as a string; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    return value if isinstance(value, int) else None


def _as_number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _as_text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _as_object(value: Any) -> Any:
    return value if isinstance(value, dict | BaseModel) else {}


Id = Annotated[str, BeforeValidator(as_id)]
"""A string inside, whether it came as a string or as a number; empty when there is none."""

Number = Annotated[int, BeforeValidator(_as_number)]
Text = Annotated[str, BeforeValidator(_as_text)]
"""Informational fields: a value of another type is treated as absent."""

_SUCCESSES = frozenset({"success", "succeeded"})
_FAILURES = frozenset({"fail", "failed", "error"})
CANCELLED = frozenset({"cancelled", "canceled"})
_EXPIRED = frozenset({"expired"})
"""Words of both generations, in lower case."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """Treat a null field as absent."""
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


class BaseResp(_Answer):
    """The part that every answer has: 0 is success."""

    status_code: Annotated[int, BeforeValidator(lambda value: as_code(value) or 0)] = 0
    status_msg: Text = ""


Base = Annotated[BaseResp, BeforeValidator(_as_object)]


class QueryAnswer(_Answer):
    """How a task stands: `file_id` for clips whose file is asked for, `video_url`, a secret as a whole, for others."""

    task_id: Id = ""
    status: Text = ""
    file_id: Id = ""
    video_url: Text = Field(default="", repr=False)
    video_width: Number = 0
    video_height: Number = 0
    base_resp: Base = Field(default_factory=BaseResp)

    @property
    def state(self) -> State:
        """Status compared without case; an unknown word means that the task is still running."""
        word = self.status.casefold()
        if word in _SUCCESSES:
            return State.SUCCESS
        return State.FAILED if word in _FAILURES | CANCELLED | _EXPIRED else State.RUNNING

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back while it was queued, which is not charged."""
        return self.status.casefold() in CANCELLED


class FileObject(_Answer):
    """A generated file. `bytes` has been 0 in every recorded answer: it is not the size."""

    file_id: Id = ""
    bytes: Number = 0
    filename: Text = ""
    download_url: Text = Field(default="", repr=False)
    backup_download_url: Text = Field(default="", repr=False)


class RetrieveAnswer(_Answer):
    """Answer of `/v1/files/retrieve`. Each call returns a newly signed download URL."""

    file: Annotated[FileObject, BeforeValidator(_as_object)] = Field(default_factory=FileObject)
    base_resp: Base = Field(default_factory=BaseResp)
