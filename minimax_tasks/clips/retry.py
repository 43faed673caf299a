"""Whether a clip that failed may be paid for once more."""

from datetime import UTC, datetime
from typing import Any

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.service import Service

_INPUT_CODES = frozenset({1008, 1026, 1027, 1042, 2013})
"""Failures whose reason is the request or the account: the same again would fail again."""


_asked_again: dict[tuple[str, datetime], int] = {}
"""Clip and moment of a person's word -> the failed attempt that it was used for in this process."""


async def may_retry(folder: ClipFolder, service: Service) -> bool:
    """Whether a submitted clip failed, and either a person asked for another attempt or there is one left.

    A person's word counts for failures before it, and for one attempt in a process: whatever the clocks say,
    one run never pays for the same clip twice on it.
    """
    submission, result = await folder.submission(), await folder.result()
    if not submission or not result or result.get("task_id") != submission.get("task_id"):
        return False
    answer = QueryAnswer.model_validate(result)
    if answer.state is not State.FAILED:
        return False
    moment = service.retry_failed_before
    if moment is not None and _is_before(result.get("finished_at"), moment):
        attempt = int(submission.get("attempt") or 0)
        return _asked_again.setdefault((folder.path(""), moment), attempt) == attempt
    internal = answer.base_resp.status_code not in _INPUT_CODES
    return internal and await folder.paid_attempts() < service.paid_attempts


def may_retry_refused(released: dict[str, Any], service: Service) -> bool:
    """Whether a person asked to send again what the service refused."""
    return _is_before(released.get("at"), service.retry_failed_before)


def _is_before(at: Any, moment: datetime | None) -> bool:
    if moment is None:
        return False
    try:
        return datetime.fromisoformat(str(at)).astimezone(UTC) < moment
    except ValueError:
        return False
