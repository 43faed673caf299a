"""What of a plan is already made, told by listings: the number of requests does not grow with the shots."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from minimax_tasks.clips.folder import ClipFolder, unnamed_submission, what_to_do
from minimax_tasks.clips.layout import (
    CLIPS,
    RESULT,
    SUBMISSION,
    VIDEO,
    WARNINGS,
    claim_number,
    clip_file,
    clip_folder,
    doubt_name,
    released_name,
)
from minimax_tasks.clips.poll import raise_if_failed
from minimax_tasks.clips.submit import resolve_command
from minimax_tasks.errors import GenerationFailed
from minimax_tasks.storage.files import Storage


class Made(StrEnum):
    """How far a clip has come."""

    TO_MAKE = "to make"
    IN_DOUBT = "in doubt"
    REFUSED = "refused"
    GENERATING = "generating"
    FAILED = "failed"
    TO_FETCH = "to fetch"
    UNCHECKED = "unchecked"
    MADE = "made"


@dataclass(frozen=True)
class ClipState:
    """How far a clip has come, its task id, and what went wrong with it."""

    made: Made
    task_id: str = ""
    problem: str = ""
    warnings: tuple[str, ...] = ()
    """How a clip that is made differs from what was asked."""


def look_up(root: Storage, keys: Iterable[str]) -> dict[str, ClipState]:
    """The state of each clip. Only clips that are begun and not made cost a look into their files."""
    wanted = list(dict.fromkeys(keys))
    files = _files(root, wanted)
    return {key: _state(root, key, files.get(key, frozenset())) for key in wanted}


def _files(root: Storage, keys: list[str]) -> dict[str, frozenset[str]]:
    if root.local:
        return {key: frozenset(root.names(clip_folder(key))) for key in keys}
    found: dict[str, set[str]] = {}
    for path in root.fs.find(root.path(CLIPS)):
        folder, _, name = path.rpartition("/")
        found.setdefault(folder.rpartition("/")[2], set()).add(name)
    return {key: frozenset(names) for key, names in found.items()}


def _state(root: Storage, key: str, names: frozenset[str]) -> ClipState:
    if VIDEO in names:
        return ClipState(Made.MADE, warnings=_warnings(root, key) if WARNINGS in names else ())
    claims = {claim_number(name) for name in names} - {0}
    if not claims and SUBMISSION not in names:
        return ClipState(Made.TO_MAKE)
    submission = root.read_json(clip_file(key, SUBMISSION)) or {}
    task_id = str(submission.get("task_id", ""))
    newest = max(claims, default=0)
    released = root.read_json(clip_file(key, released_name(newest)))
    if task_id and (released is not None or submission.get("attempt") == newest):
        result = root.read_json(clip_file(key, RESULT)) if RESULT in names else None
        if result is None or result.get("task_id") != task_id:
            return ClipState(Made.GENERATING, task_id)
        try:
            raise_if_failed(result, ClipFolder(root, key))
        except GenerationFailed as error:
            return ClipState(Made.FAILED, task_id, str(error))
        kept = result.get("unchecked")
        if isinstance(kept, dict) and kept.get("file") in names:
            return ClipState(Made.UNCHECKED, task_id, what_to_do(ClipFolder(root, key), kept))
        return ClipState(Made.TO_FETCH, task_id)
    if released is None:
        written = unnamed_submission(root, key, newest, names)
        if written:
            return ClipState(Made.GENERATING, str(written["task_id"]))
        doubt = root.read_json(clip_file(key, doubt_name(newest))) or {}
        why = str(doubt.get("why", "the outcome of its submit is not known"))
        command = resolve_command(ClipFolder(root, key))
        return ClipState(
            Made.IN_DOUBT,
            problem=f"{why}; it may have been paid. Settle it with {command} --task-id ID, or --resubmit",
        )
    if released.get("final"):
        return ClipState(Made.REFUSED, problem=str(released.get("why", "")))
    return ClipState(Made.TO_MAKE, problem=str(released.get("why", "")))


def _warnings(root: Storage, key: str) -> tuple[str, ...]:
    return tuple(map(str, (root.read_json(clip_file(key, WARNINGS)) or {}).get("warnings", ())))
