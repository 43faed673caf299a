"""Faults: what goes wrong in a sandbox, where and when, declared in a file (YAML or JSON).

A file is a list of faults, or an object with the list under `faults`. Each fault says where it strikes
(`at`), when, and what happens. Of the faults that strike the same request, the first in the list wins.

    faults:
      - {at: submit, nth: 2, http: 503}                     # refused before anything was created
      - {at: submit, nth: 3, http: 502, accepted: true}     # created nevertheless
      - {at: submit, prompt: "(?i)storm", lost: true}       # created; the connection closes without an answer
      - {at: query, share: 0.1, seed: 7, code: 1002}
      - {at: query, nth: 1, per_task: true, delay: 1.5}
      - {at: retrieve, nth: 1, per_task: true, empty_url: true}
      - {at: download, nth: 1, per_task: true, cut: 20000}  # closes after 20,000 bytes of the file
      - {at: download, nth: 4, expired: true}
      - {at: task, prompt: blood, fail: 1027, latency: 3}
      - {at: task, every: 5, stuck: Queueing}
      - {at: callback, status: success, times: 2}           # twice the same

When (at most one of the first three; none of them means always):
`nth` is the number of the request, from 1, or a list of numbers; `every: k` each k-th; `share` a part of
them (0 to 1), chosen by `seed` and by what is asked, so that the same run meets the same faults in any order
of arrival. `prompt` is a regular expression that must be found in the prompt of the task (for a template: its
name and texts); requests that it does not match are not counted. `per_task: true` counts every task for
itself (for `submit`: every distinct request). `most` ends the fault after that many strikes.

What, by place:
`submit`, `query`, `retrieve`: `delay` (seconds before the answer), `code` with an optional `message`
(`base_resp` under HTTP 200), `http` (a gateway's HTML page with that status), `cut` (closes the connection
after that many bytes of the answer's body), `lost` (closes it without a single byte).
`submit` also: `accepted`, for `http` and `code`: the task was created (and is in the ledger) before the
fault; `cut` and `lost` always create it.
`query` also: `word`, another status word than the true one.
`retrieve` also: `empty_url`, a file without a download URL.
`download`: `delay`, `http`, `cut`, `lost`, and `expired` (403, as for an old signature).
`list`: `delay`, `http`, `code`, `cut`, `lost` as for a query, `late` (a task is in it only so many seconds after it
was created), `short` (only so many items come, whatever `total` says) and `shuffle` (not the newest first).
`cancel`: as for a query; `accepted` for `http` and `code`: the task was taken back all the same.
For paths of the second generation `code` is an error object under its own HTTP status, `http: 404` is plain text, and
`in_ok` is an error object with that status under HTTP 200, as a relay has it.
`task`, judged when a task is accepted: `fail` (the code that it fails with, such as 1026 or 1027), `stuck`
(the status that it never leaves), `expired` (it ends so, in the second generation), `latency` (seconds instead of
the sandbox's).
`callback`: `status` limits it to `challenge`, `processing`, `success` or `failed`; `times` sends it so
often (0: never), `delay` sends it later.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from minimax_tasks.errors import ConfigurationError

Seconds = Annotated[float, Field(ge=0, le=86_400)]
HttpStatus = Annotated[int, Field(ge=400, le=599)]
Whole = Annotated[int, Field(ge=0, le=2**53)]
Count = Annotated[int, Field(ge=1, le=2**53)]

MAX_FAULTS = 5_000
"""The most one sandbox takes: every request is compared with each of them."""

_COUNTED_SUBJECTS = 100_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _encodes(value: str) -> str:
    value.encode()  # half of a surrogate pair could not be answered with
    return value


def _compiles(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


Text = Annotated[str, AfterValidator(_encodes)]


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    nth: Count | tuple[Count, ...] = ()
    every: Count | None = None
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Whole = 0
    prompt: Annotated[Text, AfterValidator(_compiles)] | None = None
    per_task: bool = False
    most: Count | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if sum((bool(self.nth), self.every is not None, self.share is not None)) > 1:
            raise ValueError("nth, every and share exclude each other")
        when = set(_Fault.model_fields) | {"at", "status"}
        if not self.model_fields_set - when:
            raise ValueError("nothing happens: an effect is missing")
        return self

    def strikes(self, number: int, subject: str) -> bool:
        """Whether the fault strikes the request with this number, about this subject."""
        if self.nth:
            return number in ((self.nth,) if isinstance(self.nth, int) else self.nth)
        if self.every is not None:
            return number % self.every == 0
        if self.share is not None:
            digest = hashlib.sha256(f"{self.seed}:{subject}:{number}".encode()).digest()
            return int.from_bytes(digest[:8], "big") < self.share * 2**64
        return True


class _AnswerFault(_Fault):
    delay: Seconds = 0.0
    http: HttpStatus | None = None
    code: Count | None = None
    message: Text = ""
    in_ok: HttpStatus | None = None
    cut: Whole | None = None
    lost: bool = False


class SubmitFault(_AnswerFault):
    """Strikes one of the two POSTs, after the request was found good."""

    at: Literal["submit"]
    accepted: bool = False

    @property
    def prevents(self) -> bool:
        """Whether the task is never created."""
        shows_later = self.accepted or self.lost or self.cut is not None
        return bool(self.http or self.code or self.in_ok) and not shows_later


class QueryFault(_AnswerFault):
    """Strikes a query of a task that is known."""

    at: Literal["query"]
    word: Text = ""


class ListFault(_AnswerFault):
    """Strikes a list of the account's tasks."""

    at: Literal["list"]
    late: Seconds | None = None
    short: Whole | None = None
    shuffle: bool = False


class CancelFault(_AnswerFault):
    """Strikes the taking back of a task that is known."""

    at: Literal["cancel"]
    accepted: bool = False


class RetrieveFault(_AnswerFault):
    """Strikes a retrieve of a file that is known."""

    at: Literal["retrieve"]
    empty_url: bool = False


class DownloadFault(_Fault):
    """Strikes a download whose signature is good."""

    at: Literal["download"]
    delay: Seconds = 0.0
    http: HttpStatus | None = None
    cut: Whole | None = None
    lost: bool = False
    expired: bool = False


class TaskFault(_Fault):
    """Decides, when a task is accepted, how it ends."""

    at: Literal["task"]
    fail: Count = 0
    stuck: Literal["Preparing", "Queueing", "Processing"] | None = None
    expired: bool = False
    latency: Seconds | None = None


class CallbackFault(_Fault):
    """Strikes what is sent to a `callback_url`."""

    at: Literal["callback"]
    status: Literal["challenge", "processing", "success", "failed"] | None = None
    times: Annotated[int, Field(ge=0, le=10)] = 1
    delay: Seconds = 0.0


Fault = Annotated[
    SubmitFault
    | QueryFault
    | ListFault
    | CancelFault
    | RetrieveFault
    | DownloadFault
    | TaskFault
    | CallbackFault,
    Field(discriminator="at"),
]
_FAULTS: TypeAdapter[tuple[Fault, ...]] = TypeAdapter(tuple[Fault, ...])
_Kind = TypeVar("_Kind", bound=_Fault)


def read_faults(source: str | Path | Sequence[Any]) -> tuple[Fault, ...]:
    """Faults from a file, or from what such a file holds. Raises `ConfigurationError`, naming the fault."""
    if isinstance(source, str | Path):
        try:
            text = Path(source).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"faults = {str(source)!r}: cannot be read: {error}") from None
        try:
            return parse_faults(text)
        except ConfigurationError as error:
            raise ConfigurationError(f"faults = {str(source)!r}: {error}") from None
    return _checked([*source])


def parse_faults(text: str | bytes) -> tuple[Fault, ...]:
    """Faults from YAML or JSON. Raises `ConfigurationError`, naming the fault."""
    try:
        value = yaml.load(text, _LOADER)
    # PyYAML lets whatever goes wrong in its own code through where a tag does not fit its value.
    except (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"faults are not YAML: {' '.join(str(error).split())}") from None
    return _checked(value)


def faults_schema() -> dict[str, Any]:
    """The JSON schema of a list of faults, whole in itself."""
    schema = _FAULTS.json_schema()
    # References lead to the top of the document that the schema is put into.
    defined = schema.pop("$defs")
    schema["items"] = {"oneOf": [*defined.values()]}
    return schema


def _checked(value: Any) -> tuple[Fault, ...]:
    if isinstance(value, dict) and set(value) == {"faults"}:
        value = value["faults"]
    if not isinstance(value, list | None):
        raise ConfigurationError("the faults are not a list")
    try:
        return _FAULTS.validate_python(value or ())
    except ValidationError as error:
        problems = [
            f"fault {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        ]
        raise ConfigurationError("; ".join(problems)) from None


class FaultBook:
    """The faults of a running sandbox and how often each was met. For the event loop alone."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._armed = [_Armed(fault) for fault in faults]

    def add(self, faults: Sequence[Fault]) -> None:
        """Add faults; they count from now on. Raises `ConfigurationError` when they become too many."""
        if len(self._armed) + len(faults) > MAX_FAULTS:
            raise ConfigurationError(
                f"{len(faults)} faults are too many: a sandbox has at most {MAX_FAULTS:,}, this one has "
                f"{len(self._armed):,}"
            )
        self._armed += [_Armed(fault) for fault in faults]

    def listing(self) -> list[dict[str, Any]]:
        """Every fault as it was declared, with `struck`: how often it did."""
        return [
            {**armed.fault.model_dump(exclude_unset=True), "struck": armed.struck} for armed in self._armed
        ]

    def strike(self, kind: type[_Kind], subject: str, prompt: str, *, status: str = "") -> _Kind | None:
        """Count a request with every fault of its place; the first that strikes it, or None.

        `subject` is the task, or what stands for it.
        """
        struck: _Kind | None = None
        for armed in self._armed:
            fault = armed.fault
            if not isinstance(fault, kind):
                continue
            if isinstance(fault, CallbackFault) and fault.status not in (None, status):
                continue
            if armed.meets(subject, prompt) and struck is None:
                armed.struck += 1
                struck = fault
        return struck


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._all = 0
        self._by_subject: OrderedDict[str, int] = OrderedDict()

    def meets(self, subject: str, prompt: str) -> bool:
        fault = self.fault
        if fault.prompt is not None and not re.search(fault.prompt, prompt):
            return False
        self._all += 1
        number = self._all
        if fault.per_task or fault.share is not None:
            number = self._by_subject[subject] = self._by_subject.pop(subject, 0) + 1
            if len(self._by_subject) > _COUNTED_SUBJECTS:
                self._by_subject.popitem(last=False)
        return fault.strikes(number, subject) and (fault.most is None or self.struck < fault.most)
