"""What a task of the second generation says, in a query, in the list and in a callback: the same object in all."""

from typing import Any

from pydantic import Field

from minimax_tasks.api.answers import Number, QueryAnswer, Text, as_code, as_id
from minimax_tasks.api.endpoint import Document


class TaskAnswer(QueryAnswer):
    """A task as the second generation tells it. The prompt and the inputs are never in it.

    `duration` is what was asked for and is billed, in seconds; times are Unix seconds of the service's clock.
    """

    model: Text = ""
    resolution: Text = ""
    ratio: Text = ""
    duration: Number = 0
    created_at: Number = 0
    updated_at: Number = 0
    task_type: Text = ""
    usage: dict[str, Any] = Field(default_factory=dict)


class TaskPage(QueryAnswer):
    """A page of the list of tasks; `total` is None where the answer does not say it."""

    items: tuple[TaskAnswer, ...] = ()
    total: int | None = None


class Cancelled(QueryAnswer):
    """The answer to taking a task back: its outcome, in either of the published spellings."""

    action: Text = ""

    @property
    def is_cancelled(self) -> bool:
        """Whether the task was taken back while it was queued, so that it is not charged."""
        return self.action.casefold() in ("cancelled", "canceled", "cancel")


def task_of(value: Any) -> TaskAnswer:
    """A task object as an answer; an empty one for anything else."""
    task = value if isinstance(value, dict) else {}
    content = task.get("content")
    error = task.get("error")
    usage = task.get("usage")
    read = {
        **task,
        "task_id": as_id(task.get("id")) or as_id(task.get("task_id")),
        "video_url": content.get("url") if isinstance(content, dict) else None,
        "usage": usage if isinstance(usage, dict) else {},
        "base_resp": _reason(error) if isinstance(error, dict) and error else {},
    }
    return TaskAnswer.model_validate(read)


def page_of(document: Document) -> TaskPage:
    """A page of the list."""
    items = document.get("items")
    total = document.get("total")
    return TaskPage(
        items=tuple(task_of(item) for item in items if isinstance(item, dict))
        if isinstance(items, list)
        else (),
        total=as_code(total),
    )


def _reason(error: dict[str, Any]) -> dict[str, Any]:
    """Why a task failed: its code is a string here."""
    return {"status_code": as_code(error.get("code")) or 0, "status_msg": error.get("message")}
