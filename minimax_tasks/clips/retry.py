"""Whether a clip that failed may be paid for once more."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from minimax_tasks.api.errors import error_from_code
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.service import Service


@dataclass(frozen=True)
class Retry:
    """Another paid attempt, and the moment of the person's word that it answers, if it does."""

    word: str = ""


async def may_retry(folder: ClipFolder, service: Service) -> Retry | None:
    """Another attempt at a submitted clip that failed: because a person asked for it, or there is one left.

    A person's word counts for failures before it, and pays for one attempt. The claim of that attempt says
    which word it answers, so that no other process and no other clock pays on it again. Where the request was
    the reason, the same again would fail again.
    """
    failed = await folder.failed_task()
    if failed is None:
        return None
    if failed.answer.is_cancelled:
        # Who took it back meant this run; nothing was charged, so that the next one may.
        attempt = (await folder.submission() or {}).get("attempt")
        if written := await folder.cancellation(attempt if isinstance(attempt, int) else 1):
            return Retry() if _is_before(written.get("at"), service.began) else None
    moment = service.settings.retry_failed_before
    if moment is not None and _is_before(failed.at, moment):
        word = moment.astimezone(UTC).isoformat()
        if not await folder.answers(word):
            return Retry(word)
    if error_from_code(failed.answer.base_resp.status_code, "", host="").is_about_the_request:
        return None
    return Retry() if await folder.paid_attempts() < service.settings.paid_attempts else None


def may_retry_refused(released: dict[str, Any], service: Service) -> bool:
    """Whether a person asked to send again what the service refused."""
    return _is_before(released.get("at"), service.settings.retry_failed_before)


def _is_before(at: Any, moment: datetime | None) -> bool:
    if moment is None:
        return False
    try:
        return datetime.fromisoformat(str(at)).astimezone(UTC) < moment
    except ValueError:
        return False
