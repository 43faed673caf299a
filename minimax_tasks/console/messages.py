"""What to say of an error on the command line: what happened, and which command or option helps.

The rooms below raise errors whose text makes sense to any Python program. Only here are they put into words
that name `minimax-tasks` and its options.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from minimax_tasks.api.catalog.errors import ErrorCode, HttpStatus, find_error
from minimax_tasks.errors import (
    ApiError,
    BoardError,
    ConfigurationError,
    GenerationFailed,
    HeldBack,
    MiniMaxError,
    SubmitRefused,
    TableError,
    TakenBack,
    UncertainSubmit,
    Verdict,
    advised,
)
from minimax_tasks.storyboard.planning.cut_values import ALL_TRANSITIONS

if TYPE_CHECKING:
    from minimax_tasks.clips.state import ClipState

NO_KEY = "set MINIMAX_API_KEY, or api_key under [minimax]"

DOUBTS_SHOWN = 20
"""Commands that are written out when many clips are in doubt."""

_OF_CODE = {
    1008: "top up the account, then use `--retry-failed` (it retries every failed clip, not only these)",
    1027: "change the prompt or the picture; the same may pass as a new paid clip (`--retry-failed`)",
}
"""What to do about codes of the service that an option of ours helps with."""


def worded(error: BaseException) -> str:
    """An error in words for a person at a command line."""
    text = str(error)
    if isinstance(error, MiniMaxError) and error.advice:
        text = error.advised(_advice(error))
    if isinstance(error, BoardError):
        from minimax_tasks.storyboard.planning.outside import NOT_MADE

        text = text.replace(ALL_TRANSITIONS, "`minimax-tasks transitions` lists them all")
        text = NOT_MADE.sub(r"make it first: minimax-tasks render \g<board> --root \g<root>", text)
    return text or type(error).__name__


def is_mistake(error: BaseException) -> bool:
    """Whether an error is about what was given, so that it was found before anything was paid."""
    return isinstance(error, ConfigurationError) or (
        isinstance(error, MiniMaxError) and isinstance(error, ValueError)
    )


def resolve_command(root: str, key: str) -> str:
    """The command with which a person settles a clip whose submit is in doubt."""
    return f"minimax-tasks resolve {key} --root {root}"


def problems_of(root: str, states: Mapping[str, "ClipState"]) -> dict[str, str]:
    """`problem_of` by key, of the clips that have one."""
    return {key: problem for key, state in states.items() if (problem := problem_of(root, key, state))}


def problem_of(root: str, key: str, state: "ClipState") -> str:
    """Why a clip is not made by the next run as a matter of course, and what a person can do; "" when it is."""
    from minimax_tasks.clips.state import ClipStatus  # here, since the tables of the catalogue read no clips

    if state.status is ClipStatus.IN_DOUBT and state.advice:
        return f"{state.reason} Settle it with {resolve_command(root, key)} --task-id ID, or --resubmit"
    if state.status is ClipStatus.FAILED:
        return advised(state.reason, _after_failure(state.code, state.advice))
    return state.problem


def advice_of(row: ErrorCode | HttpStatus) -> str:
    """What to do about an answer of the service."""
    return _OF_CODE.get(row.code, row.advice) if isinstance(row, ErrorCode) else row.advice


def _advice(error: MiniMaxError) -> str:
    match error:
        case UncertainSubmit(task_id=task_id) if task_id:
            return f"Once the storage works: {resolve_command(error.root, error.key)} --task-id {task_id}"
        case UncertainSubmit(keys=(key,)):
            return (
                "Either give the task id that a callback or the platform's console shows: "
                f"{resolve_command(error.root, key)} --task-id ID. Or, when it is certain that there is none: "
                f"{resolve_command(error.root, key)} --resubmit"
            )
        case UncertainSubmit():
            return _settled_one_by_one(error.root, error.keys)
        case SubmitRefused():
            return "It is not sent again until the request changes, or --retry-failed asks for it"
        case HeldBack(keys=(_, other)):
            return f"See what may be its task, and settle it: {resolve_command(error.root, other)}"
        case TakenBack():
            return error.advice
        case GenerationFailed():
            return _after_failure(error.code, error.advice)
        case ApiError():
            return _OF_CODE.get(error.code or 0, error.advice)
        case ConfigurationError(setting="api_key"):
            return NO_KEY
        case BoardError(folder=folder) if folder:
            return _another_folder("film", "another title, or a folder of its own with --name NAME", "board")
        case TableError(folder=folder) if folder:
            such_as = f", such as --name {shlex.quote(error.offer)}" if error.offer else ""
            return _another_folder("dataset", f"a name of its own with --name NAME{such_as}", "table")
    return error.advice


def _after_failure(code: int | None, advice: str) -> str:
    """What to do about a clip that the service gave up on."""
    if code is not None and find_error(code).verdict is Verdict.REFUSED:
        return _OF_CODE.get(code, advice)
    return "--retry-failed pays for another attempt"


def _settled_one_by_one(root: str, keys: Sequence[str]) -> str:
    more = len(keys) - DOUBTS_SHOWN
    return "\n".join(
        (
            "Settle each with the task id that a callback or the platform's console shows, or with --resubmit when "
            "it is certain that there is none:",
            *(f"  {resolve_command(root, key)} --task-id ID" for key in keys[:DOUBTS_SHOWN]),
            *([f"  and {more} more"] if more > 0 else ()),
        )
    )


def _another_folder(what: str, ways: str, source: str) -> str:
    return f"Give this {what} {ways}. If it is that {source}, moved: remove the folder; its clips stay"
