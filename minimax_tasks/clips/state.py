"""Where a clip stands: the one reading of the files in its folder, for everybody who asks.

What follows from the files is said by pure generators: each gets the names in a clip's folder, yields the name
of a document when it needs one, is sent what that says ({} when it says nothing) and returns its answer.
`look` answers them from storage, `look_async` does so from a coroutine, and `clip_states` asks about many
clips with one listing.
"""

import time
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Self, TypeVar

from minimax_tasks.api.answers import QueryAnswer, State, as_code
from minimax_tasks.api.catalog.errors import find_error
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.clips.layout import (
    CLIPS,
    RESULT,
    SUBMISSION,
    VIDEO,
    WARNINGS,
    cancelled_number,
    claim_name,
    claim_number,
    clip_file,
    clip_folder,
    doubt_name,
    doubt_number,
    released_name,
    released_number,
    submission_name,
    submission_number,
)
from minimax_tasks.errors import GenerationFailed, TakenBack, Verdict, advised
from minimax_tasks.storage.drafts import drafts_of
from minimax_tasks.storage.files import Storage

_Answer = TypeVar("_Answer")

Document = dict[str, Any]
Names = Collection[str]
"""The names of the files in a clip's folder, drafts of killed writers among them."""

Question = Generator[str, Document, _Answer]
"""What can be asked of a clip's folder: yields names of documents, is sent what they say, returns the answer."""


HOW_TO_SETTLE = (
    "A person has to settle it: with the task id that a callback or the platform's console shows, or, when it is "
    "certain that there is none, by allowing another submit"
)
"""What to do about a submit of which nobody knows the outcome."""


class ClipStatus(StrEnum):
    """How far a clip has come."""

    TO_MAKE = "to make"
    IN_DOUBT = "in doubt"
    """Somebody was about to pay, or is right now, and its outcome is not written."""
    REFUSED = "refused"
    GENERATING = "generating"
    FAILED = "failed"
    TO_FETCH = "to fetch"
    UNCHECKED = "unchecked"
    MADE = "made"


@dataclass(frozen=True)
class ClipState:
    """How far a clip has come, and what went wrong with it."""

    status: ClipStatus
    attempt: int = 0
    """The newest attempt to submit it; 0 when there was none, or when nobody had to look."""
    task_id: str = ""
    reason: str = ""
    """Why the next run does not make it as a matter of course."""
    warnings: tuple[str, ...] = ()
    """How a clip that is made differs from what was asked."""
    usd: float | None = None
    """The price of the task in the price table's USD; None when there is no task, or no published price."""
    advice: str = ""
    """What a person can do about the reason."""
    code: int | None = None
    """The service's code for a clip that failed or was refused, as far as it gave one."""

    @property
    def problem(self) -> str:
        """The reason with the advice; "" when there is none."""
        return advised(self.reason, self.advice)

    @property
    def is_made(self) -> bool:
        """Whether its video is there."""
        return self.status is ClipStatus.MADE


@dataclass(frozen=True)
class SubmitState:
    """Where the submits of a clip stand: what must be known before one more is paid."""

    claims: int
    """Number of the newest attempt; 0 when nobody ever was about to pay."""
    released: bool
    """The newest attempt is void: certainly nothing was created."""
    submitted: bool
    """There is a submission, of the newest attempt or of an earlier one that failed."""
    open_claim: int
    """The newest attempt after the submission that has no written outcome; 0 when there is none."""
    made: bool


NEVER_BEGUN = SubmitState(0, released=False, submitted=False, open_claim=0, made=False)
"""Where the submits of a clip stand whose folder is empty, or holds its request alone."""


class Paid(IntEnum):
    """Whether a clip was paid for, as far as the names of its files tell."""

    NOT = 0
    PERHAPS = 1
    CERTAINLY = 2


class AttemptOutcome(StrEnum):
    """The outcome of one paid attempt at a clip."""

    ACCEPTED = "accepted"
    IN_DOUBT = "in doubt"
    """It may have been paid: a person must settle it."""
    FAILED = "failed"
    DELIVERED = "delivered"
    LATE = "accepted late"
    """A worker slept while a person gave its attempt up: it was accepted nevertheless, and another is in its place."""


@dataclass(frozen=True)
class Attempt:
    """One paid attempt at a clip. Times as they stand in the files, money in the price table's USD."""

    number: int
    outcome: AttemptOutcome
    task_id: str
    at: str
    usd: float | None
    what: str
    purpose: str
    billed: float | None = None
    """What the service said that it bills, by the prices of the catalogue; None where it said nothing."""


# -- asking


def look(root: Storage, key: str, question: Question[_Answer]) -> _Answer:
    """The answer to a question about a clip. Each document is read once."""
    known: dict[str, Document] = {}
    try:
        name = next(question)
        while True:
            if name not in known:
                known[name] = read_document(root, key, name)
            name = question.send(known[name])
    except StopIteration as end:
        answer: _Answer = end.value
        return answer


async def look_async(
    root: Storage, key: str, question: Question[_Answer], read: Mapping[str, Document] | None = None
) -> _Answer:
    """`look` for coroutines. `read`: documents that need not be read any more."""
    known: dict[str, Document] = dict(read or {})
    try:
        name = next(question)
        while True:
            if name not in known:
                known[name] = await root.run(read_document, root, key, name)
            name = question.send(known[name])
    except StopIteration as end:
        answer: _Answer = end.value
        return answer


def clip_names(root: Storage, key: str) -> frozenset[str]:
    """The names of the files of one clip."""
    return frozenset(root.names(clip_folder(key)))


def all_names(root: Storage) -> dict[str, frozenset[str]]:
    """Key -> names of the files of every clip under a root, by one listing."""
    found: dict[str, set[str]] = {}
    for path in root.find(CLIPS):
        key, _, name = path.rpartition("/")
        if key:
            found.setdefault(key, set()).add(name)
    return {key: frozenset(names) for key, names in found.items()}


def clip_states(root: Storage, keys: Iterable[str], *, tasks: bool = False) -> dict[str, ClipState]:
    """The state of each clip. Only clips that are begun and not made cost a look into their files.

    `tasks`: say of clips that are made, too, what their task is and what it cost; that costs a look as well.
    """
    wanted = list(dict.fromkeys(keys))
    names = {key: clip_names(root, key) for key in wanted} if root.local else all_names(root)
    return {
        key: look(root, key, clip_state(root, key, names.get(key, frozenset()), tasks=tasks))
        for key in wanted
    }


def read_document(root: Storage, key: str, name: str) -> Document:
    """What a file of a clip says; {} when it says nothing.

    Without hard links a kill may leave a claim the name alone; then what a draft says of the clip is true all
    the same, but not whose claim it is.
    """
    found = root.read_json(clip_file(key, name))
    if found is not None or not root.local or not claim_number(name):
        return found or {}
    names = root.names(clip_folder(key))
    for draft in drafts_of(name, names) if name in names else ():
        if document := root.read_json(clip_file(key, draft)):
            return {field: document.get(field) for field in ("attempt", "at", "usd", "what")}
    return {}


# -- what the names alone say


def paid_by_names(names: Names) -> Paid:
    """Whether a clip was paid for: certainly with a submission, perhaps with an attempt that is not void."""
    if SUBMISSION in names and max(_attempts(names), default=0) not in _taken_back(names):
        return Paid.CERTAINLY
    return Paid.PERHAPS if _attempts(names) - _void(names) else Paid.NOT


def _attempts(names: Names) -> set[int]:
    """The numbers of all attempts of which anything is known: a claim may be lost while its outcome is kept."""
    kinds = (claim_number, released_number, doubt_number, submission_number, cancelled_number)
    return {kind(name) for name in names for kind in kinds} - {0}


def _void(names: Names) -> set[int]:
    """The attempts that certainly cost nothing: given up and not accepted late, or taken back."""
    given_up = {released_number(name) for name in names} - {0}
    return (given_up - {submission_number(name) for name in names}) | _taken_back(names)


def _taken_back(names: Names) -> set[int]:
    """The attempts whose task was taken back while it was queued."""
    return {cancelled_number(name) for name in names} - {0}


# -- what has to be read


def submit_state(names: Names) -> Question[SubmitState]:
    """Where the submits of a clip stand."""
    numbers = _attempts(names)
    accepted = 0
    if SUBMISSION in names:
        accepted = _attempt_of((yield SUBMISSION), names)
        numbers |= {accepted or 1} if not numbers else {accepted} - {0}
    newest = max(numbers, default=0)
    open_claim = max((n for n in numbers - _void(names) if n > accepted), default=0)
    if SUBMISSION in names and not accepted:  # it names no task, so nothing is known of any attempt
        open_claim = open_claim or newest
    submitted = SUBMISSION in names and not open_claim and accepted not in _taken_back(names)
    return SubmitState(newest, released_name(newest) in names, submitted, open_claim, VIDEO in names)


def outcome_is_known(names: Names, number: int) -> Question[bool]:
    """Whether the outcome of the N-th POST is written: nothing, a task, or a task that was taken back."""
    if number in _void(names) or submission_name(number) in names:
        return True
    return SUBMISSION in names and _attempt_of((yield SUBMISSION), names) >= number


def _attempt_of(submission: Document, names: Names) -> int:
    """Which attempt a submission is of. One that does not say (another tool wrote it) is of the newest when
    all that are known are void, and of none that is known to be open: 0, as when it names no task.
    """
    if not submission.get("task_id"):
        return 0
    attempt = submission.get("attempt")
    if isinstance(attempt, int) and not isinstance(attempt, bool) and attempt > 0:
        return attempt
    known = _attempts(names)
    return 0 if known - _void(names) else max(known, default=1)


def unnamed_submission(names: Names, number: int) -> Question[Document]:
    """What a worker wrote of the N-th POST without giving it the name `SUBMISSION`: it died, or was late.

    A draft that is no whole JSON object says nothing. Empty when there is nothing.
    """
    own_name = submission_name(number)
    written = [own_name] if own_name in names else []
    for name in (*written, *drafts_of(SUBMISSION, names), *drafts_of(own_name, names)):
        found = yield name
        if found.get("attempt") == number and found.get("task_id"):
            return found
    return {}


def clip_state(root: Storage, key: str, names: Names, *, tasks: bool = False) -> Question[ClipState]:
    """How far a clip has come. Of the root nothing is used but its address, for the reason."""
    if VIDEO in names:
        return (yield from _made(names, tasks))
    submits = yield from submit_state(names)
    number = submits.claims
    if submits.submitted:
        return (yield from _submitted(root, key, names, number))
    if submits.open_claim:
        number = submits.open_claim
        written = yield from unnamed_submission(names, number)
        if written:
            return ClipState(
                ClipStatus.GENERATING, number, str(written["task_id"]), usd=_number(written.get("usd"))
            )
        doubt = (yield doubt_name(number)) if doubt_name(number) in names else {}
        why = str(doubt.get("why", "the outcome of its submit is not known"))
        return ClipState(
            ClipStatus.IN_DOUBT, number, reason=f"{why}; it may have been paid.", advice=HOW_TO_SETTLE
        )
    if not submits.released:
        return ClipState(ClipStatus.TO_MAKE)
    released = yield released_name(number)
    status = ClipStatus.REFUSED if released.get("final") else ClipStatus.TO_MAKE
    return ClipState(status, number, reason=str(released.get("why", "")), code=as_code(released.get("code")))


def _made(names: Names, tasks: bool) -> Question[ClipState]:
    number = max(_attempts(names), default=0)
    if not tasks:
        document = (yield WARNINGS) if WARNINGS in names else {}
        return ClipState(ClipStatus.MADE, number, warnings=_warnings(document))
    submission = (yield SUBMISSION) if SUBMISSION in names else {}
    result = (yield RESULT) if RESULT in names else {}
    document = (yield WARNINGS) if WARNINGS in names and "warnings" not in result else result
    task_id = str(submission.get("task_id") or result.get("task_id") or "")
    usd = _number(submission.get("usd"))
    return ClipState(ClipStatus.MADE, number, task_id, "", _warnings(document), usd)


def made_state() -> Question[ClipState]:
    """The state, with its task, of a clip whose video is known to be there."""
    return _made((SUBMISSION, RESULT), tasks=True)


_WHOLE_FACTS = ("width", "height", "frames", "audio_rate", "audio_channels")


@dataclass(frozen=True)
class VideoFacts:
    """What a video turned out to be when it was fetched, in pixels and seconds; None where nobody measured.

    Of its sound the samples a second and the channels; None for a silent one too.
    """

    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: float | None = None
    seconds: float | None = None
    audio_rate: int | None = None
    audio_channels: int | None = None

    @classmethod
    def of(cls, result: Document) -> Self:
        """What `RESULT` says of the video."""
        video = result.get("video")
        found = video if isinstance(video, dict) else {}
        whole = {name: _whole(found.get(name)) for name in _WHOLE_FACTS}
        return cls(**whole, fps=_number(found.get("fps")), seconds=_number(found.get("seconds")))


def _submitted(root: Storage, key: str, names: Names, number: int) -> Question[ClipState]:
    submission = yield SUBMISSION
    task_id, usd = str(submission.get("task_id") or ""), _number(submission.get("usd"))
    result = (yield RESULT) if RESULT in names else {}
    if result.get("task_id") != task_id:
        late = out_of_reach(submission)
        return ClipState(ClipStatus.GENERATING, number, task_id, late, usd=usd)
    if error := failure(root, key, result):
        return ClipState(
            ClipStatus.FAILED, number, task_id, error.facts, usd=usd, advice=error.advice, code=error.code
        )
    kept = result.get("unchecked")
    if isinstance(kept, dict) and kept.get("file") in names:
        return ClipState(ClipStatus.UNCHECKED, number, task_id, what_to_do(root, key, kept), usd=usd)
    return ClipState(ClipStatus.TO_FETCH, number, task_id, usd=usd)


def out_of_reach(submission: Document) -> str:
    """Why the task of a submission may not be had any more; "" while its service still answers about it."""
    kept = endpoint_of(submission).kept_days
    days = _age(submission.get("submitted_at")) / 86_400
    if kept is None or days < kept:
        return ""
    return (
        f"it was submitted {days:.0f} days ago, and its service answers about a task for {kept} days: from then on as "
        "if it had never been, although it was paid"
    )


def _age(moment: Any) -> float:
    """Seconds since a time as the files have it; 0 for none."""
    try:
        return max(0.0, time.time() - datetime.fromisoformat(str(moment)).timestamp())
    except ValueError:
        return 0.0


def _warnings(document: Document) -> tuple[str, ...]:
    found = document.get("warnings")
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# -- payments


def paid_numbers(names: Names) -> Question[frozenset[int]]:
    """The numbers of the attempts that were paid, or may have been: those that are not void, and those that
    were accepted after a person had given them up. A submission without a claim was paid as well.
    """
    known = _attempts(names)
    paid = known - _void(names)
    if SUBMISSION in names and max(known, default=0) not in paid:
        paid.add(_attempt_of((yield SUBMISSION), names) or max(known, default=1))
    return frozenset(paid - _taken_back(names))


def bill(names: Names, number: int) -> Question[Document]:
    """What says what an attempt cost (`usd`): its claim, or its submission when the claim is gone. {} when
    neither can be read.
    """
    if claim_name(number) in names:
        return (yield claim_name(number))
    submission = (yield SUBMISSION) if SUBMISSION in names else {}
    return submission if _attempt_of(submission, names) == number else {}


def paid_attempts(names: Names) -> Question[list[Attempt]]:
    """Every paid attempt; two with one number when two task ids were accepted for it, one from a person and
    one from a worker.
    """
    numbers = set((yield from paid_numbers(names)))
    if SUBMISSION in names:
        numbers |= {_attempt_of((yield SUBMISSION), names)} - {0} - _taken_back(names)
    found = []
    for number in sorted(numbers):
        document = yield from bill(names, number)
        at, usd = str(document.get("at") or document.get("submitted_at") or ""), _number(document.get("usd"))
        what, purpose = str(document.get("what", "")), str(document.get("for") or "")
        outcomes = yield from _outcomes(names, number)
        billed = yield from _billed(names, number)
        found += [
            Attempt(number, outcome, task_id, at, usd, what, purpose, billed.get(task_id))
            for task_id, outcome in outcomes.items()
        ]
    return found


def _billed(names: Names, number: int) -> Question[dict[str, float | None]]:
    """Task id -> what the service said that it bills, as far as results say it."""
    later = (yield claim_name(number + 1)) if claim_name(number + 1) in names else {}
    former = (later.get("previous") or {}).get("result") or {}
    result = (yield RESULT) if RESULT in names else {}
    return {str(one.get("task_id", "")): _number(one.get("billed_usd")) for one in (former, result) if one}


def _outcomes(names: Names, number: int) -> Question[dict[str, AttemptOutcome]]:
    """Task id -> outcome, of one attempt."""
    known = _attempts(names)
    written = yield from unnamed_submission(names, number)
    submission = ((yield SUBMISSION) if SUBMISSION in names else {}) or written
    later = (yield claim_name(number + 1)) if claim_name(number + 1) in names else {}
    former = later.get("previous") or {}
    outcomes: dict[str, AttemptOutcome] = {}
    if _attempt_of(submission, names) == number:
        task_id = str(submission.get("task_id", ""))
        result = QueryAnswer.model_validate((yield RESULT) if RESULT in names else {})
        failed = result.task_id == task_id and result.state is State.FAILED
        if VIDEO in names:
            outcomes[task_id] = AttemptOutcome.DELIVERED
        else:
            outcomes[task_id] = AttemptOutcome.FAILED if failed else AttemptOutcome.ACCEPTED
    elif (former.get("submission") or {}).get("attempt", number) == number and former:
        outcomes[str((former.get("submission") or {}).get("task_id", ""))] = AttemptOutcome.FAILED
    if written:
        newest = not outcomes and number == max(known, default=number)
        outcomes.setdefault(
            str(written["task_id"]), AttemptOutcome.ACCEPTED if newest else AttemptOutcome.LATE
        )
    return outcomes or {"": AttemptOutcome.IN_DOUBT}


# -- what went wrong


@dataclass(frozen=True)
class Failed:
    """The answer of the service about a task that failed, and when that was known."""

    answer: QueryAnswer
    at: Any


def failed_task() -> Question[Failed | None]:
    """What the service said of the submitted task, when that failed; else None."""
    submission, result = (yield SUBMISSION), (yield RESULT)
    if not submission or not result or result.get("task_id") != submission.get("task_id"):
        return None
    answer = QueryAnswer.model_validate(result)
    return Failed(answer, result.get("finished_at")) if answer.state is State.FAILED else None


def failure(root: Storage, key: str, result: Document) -> GenerationFailed | None:
    """What to raise when a final answer is not a success."""
    answer = QueryAnswer.model_validate(result)
    if answer.state is State.SUCCESS:
        return None
    if answer.is_cancelled:
        return TakenBack(
            f"clip {key}, task {answer.task_id}: it was taken back while it was queued; nothing is charged for it",
            advice="The next run submits it again",
            keys=[key],
            root=root.url,
            task_id=answer.task_id,
        )
    code = answer.base_resp.status_code
    row = find_error(code)
    reason = f"{code} ({row.meaning}): {answer.base_resp.status_msg}" if code else "no reason given"
    return GenerationFailed(
        f"clip {key}, task {answer.task_id}: the service answered {answer.status}, {reason}. "
        "It is not submitted again automatically",
        advice=row.advice if code and row.verdict is Verdict.REFUSED else "another attempt is paid for again",
        keys=[key],
        root=root.url,
        task_id=answer.task_id,
        code=code or None,
    )


def what_to_do(root: Storage, key: str, kept: Document) -> str:
    """What of a download was kept and could not be called a clip, why, and how a person continues with it."""
    name = str(kept.get("file"))
    place = root.join(clip_file(key, name))
    return (
        f"what came is kept as {place}, unchecked ({kept.get('why')}). When it plays, put it next to that file as "
        f"{VIDEO} (ffmpeg -i {name} -c:v libx264 -pix_fmt yuv420p {VIDEO}) and run again; nothing is paid"
    )
