"""Every exception of the package, one tree under `MiniMaxError`.

    MiniMaxError
      × ConfigurationError          a setting is missing or unusable
      × SubclassError               (TypeError) a subclass of a task that would not do what it says
      × InvalidRequest              (ValueError) a request that the service would refuse
        · PictureError
      × InputError                  (ValueError) mistakes in a file that says what to make
        · BoardError
        · TableError
      × CameraError                 (ValueError) a camera instruction that no model can follow
      × PromptError                 (ValueError) a prompt or template that cannot be rendered
      × UnreadableReference         (ValueError) a path or URL that is not allowed or cannot be read
        · IsFolder
      × NotConnected                nothing was sent
      × AnswerLost                  the connection broke after the request may have been sent
      × ApiError                    the service answered with an error
        · AuthenticationFailed
        · RateLimited
        · InsufficientBalance
        · QuotaExhausted
        · InvalidParameters
        · InputRejected
        · OutputRejected
        · ServiceError
          · NotTheApi
      × ClipError                   something went wrong with a clip
        · BudgetReached             its submit would have passed the budget
        · HeldBack                  another clip that could be taken for it is in doubt
        · SubmitRefused             the service refused it; nothing was created
        · UncertainSubmit           it may have been accepted and billed
        · GenerationFailed          the service gave up on it after accepting it
          · TakenBack               it was taken back while it was queued; nothing is charged
        · GenerationTimeout         it was accepted and was not ready in time
        · OutOfReach                it was paid for, and the service no longer knows it
        · DownloadFailed            it is finished and could not be fetched
          · UncheckedVideo
      × VideoError                  a video that cannot be read or used
      × FilmIncomplete              shots of a film are missing
    UserWarning
      × MiniMaxCatalogWarning       public material disagrees on whether the service takes this
      × MiniMaxInsecureWarning      others can read the key

Messages are for people: what happened, to which value, and what to do next. They make sense without our
command line; what a caller may act on is in attributes, too. None of them ever holds the API key or a
signed download URL. `ControlFlow` is private: what descends from it never leaves the package.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from minimax_tasks.redaction import redact


class Verdict(StrEnum):
    """What a code says about the request that was answered with it."""

    REFUSED = "refused"
    """Nothing is billed and the same request would be refused again."""
    RETRY_LATER = "later"
    """Nothing was created; the same request may be sent again after a while."""
    UNCERTAIN = "uncertain"
    """A submit answered so may have been accepted and billed; a read may simply be repeated."""


def advised(facts: str, advice: str) -> str:
    """What happened and what may be done about it, as one text."""
    if not advice or not facts:
        return facts or advice
    return f"{facts} {advice}" if facts.endswith(".") else f"{facts}; {advice}"


class MiniMaxError(Exception):
    """The base of everything that this package raises on purpose.

    `facts` is what happened and `advice` what may be done about it; the text of the exception is both.
    """

    def __init__(self, facts: str = "", *, advice: str = "") -> None:
        self.facts = facts
        self.advice = advice
        super().__init__(self.advised(advice))

    def advised(self, advice: str) -> str:
        """The facts with other advice, for a program that has ways of its own out of the trouble."""
        return advised(self.facts, advice)

    def __reduce__(self) -> tuple[object, ...]:
        # An engine may carry an error from one process to another, whatever its constructor asks for.
        return _restored, (type(self), self.args, self.__dict__)


class MiniMaxCatalogWarning(UserWarning):
    """Public material disagrees on whether the service takes this; it is sent nevertheless."""


class MiniMaxInsecureWarning(UserWarning):
    """A set-up in which others can read the key."""


class ConfigurationError(MiniMaxError):
    """A setting is missing or unusable; nothing was sent. `setting` names it, where it is one of ours."""

    def __init__(self, facts: str, *, advice: str = "", setting: str = "") -> None:
        self.setting = setting
        super().__init__(facts, advice=advice)


class SubclassError(MiniMaxError, TypeError):
    """A subclass of one of our Luigi tasks that would not do what it says. Raised when the class is made."""


class InvalidRequest(MiniMaxError, ValueError):
    """A request that the service would refuse; nothing was sent.

    `field` is the API's own field name, `value` what was given, `allowed` what would be right, `candidates`
    what was perhaps meant.
    """

    def __init__(
        self,
        field: str,
        value: object,
        allowed: str | Sequence[object],
        why: str = "",
        *,
        candidates: Sequence[str] = (),
    ) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed if isinstance(allowed, str) else ", ".join(map(str, allowed))
        self.why = why
        self.candidates = tuple(candidates)
        super().__init__(f"{field} = {_shown(value)}: {self._rule}")

    @property
    def kind(self) -> str:
        """The mistake without the value that has it: what many rows of a table may share."""
        return f"{self.field}: {self._rule}"

    @property
    def _rule(self) -> str:
        return f"{self.why + '; ' if self.why else ''}allowed: {self.allowed}"


class ApiError(MiniMaxError):
    """The service answered with an error.

    `code` is `base_resp.status_code` (None for trouble at the level of HTTP), `trace_id` the service's
    `Trace-Id` header, to be quoted in a support request.
    """

    def __init__(
        self,
        facts: str,
        *,
        advice: str = "",
        code: int | None = None,
        http_status: int | None = None,
        trace_id: str = "",
        verdict: Verdict = Verdict.UNCERTAIN,
    ) -> None:
        self.code = code
        self.http_status = http_status
        self.trace_id = trace_id
        self.verdict = verdict
        super().__init__(facts, advice=advice)

    def advised(self, advice: str) -> str:
        """The message as for every error, with the `Trace-Id` at the end."""
        return super().advised(advice) + (f" [Trace-Id {self.trace_id}]" if self.trace_id else "")

    @property
    def is_about_the_request(self) -> bool:
        """Whether the same request would be refused again, whatever the settings and whichever caller.

        Only the API itself can say so, by a code: a bare HTTP status may be a gateway's.
        """
        account = isinstance(self, AuthenticationFailed | QuotaExhausted)
        return self.verdict is Verdict.REFUSED and self.code is not None and not account


class AuthenticationFailed(ApiError):
    """The key is wrong, or belongs to the other region (1004, 2038, 2049; HTTP 401, 403)."""


class RateLimited(ApiError):
    """Too many requests; nothing was created (1002, 1039, 1041, 2045; HTTP 429)."""


class InsufficientBalance(ApiError):
    """The account has no money left (1008)."""


class QuotaExhausted(ApiError):
    """The plan's quota is used up, or does not hold the model (1028, 1030, 2056, 2061)."""


class InvalidParameters(ApiError):
    """The service refused a parameter (1042, 2013; HTTP 400, 413, 422)."""


class InputRejected(ApiError):
    """The prompt or a picture was found sensitive (1026)."""


class OutputRejected(ApiError):
    """The generated video was found sensitive (1027)."""


class ServiceError(ApiError):
    """The service is in trouble (1000, 1001, 1013, 1024, 1033; HTTP 5xx; an answer that is not JSON)."""


class NotTheApi(ServiceError):
    """What answered is not the video API: a redirect, 404, 405, a login page. Nothing was created."""


class NotConnected(MiniMaxError):
    """No connection was made, so nothing was sent and nothing was created."""


class AnswerLost(MiniMaxError):
    """The connection broke after the request was, or may have been, sent."""


class ClipError(MiniMaxError):
    """Something went wrong with one clip, or with several of one dataset.

    `keys` are the clips' keys, `root` is the storage that they are on, `task_id` the service's task where there
    is one.
    """

    def __init__(
        self, facts: str, *, advice: str = "", keys: Sequence[str] = (), root: str = "", task_id: str = ""
    ) -> None:
        self.keys = tuple(keys)
        self.root = root
        self.task_id = task_id
        super().__init__(facts, advice=advice)

    @property
    def key(self) -> str:
        """The key of the clip; the first one of several, "" of none."""
        return self.keys[0] if self.keys else ""


class UncertainSubmit(ClipError):
    """A submit whose outcome is not known: the clip may have been accepted and billed.

    `since` is when that was (UTC), "" when it has only just happened; `usd` is what may have been paid, None
    without a published price, `why` what happened. `task_id` is there when the clip was accepted and only the record
    is missing.
    """

    def __init__(
        self,
        facts: str,
        *,
        advice: str = "",
        keys: Sequence[str] = (),
        root: str = "",
        task_id: str = "",
        since: str = "",
        usd: float | None = None,
        why: str = "",
    ) -> None:
        self.since = since
        self.usd = usd
        self.why = why
        super().__init__(facts, advice=advice, keys=keys, root=root, task_id=task_id)


class SubmitRefused(ClipError):
    """The service refused the clip; nothing was created."""


class BudgetReached(ClipError):
    """A submit would have passed the budget; it was not sent.

    `usd` is the price of the clip (None without a published one), `spent` what the root has cost so far.
    """

    def __init__(
        self,
        facts: str,
        *,
        keys: Sequence[str] = (),
        root: str = "",
        usd: float | None = None,
        spent: float | None = None,
        budget: float | None = None,
    ) -> None:
        self.usd = usd
        self.spent = spent
        self.budget = budget
        super().__init__(facts, keys=keys, root=root)


class HeldBack(ClipError):
    """A submit was not sent: another clip is in doubt, and nobody could tell the tasks of the two apart.

    `keys` are the clip and the one in doubt.
    """


class OutOfReach(ClipError):
    """A clip was accepted, and the service answers as if its task had never been. It is not submitted again."""


class GenerationFailed(ClipError):
    """The service gave up on an accepted clip; asking again costs a new clip.

    `code` is the service's, None when it gave no reason.
    """

    def __init__(
        self,
        facts: str,
        *,
        advice: str = "",
        keys: Sequence[str] = (),
        root: str = "",
        task_id: str = "",
        code: int | None = None,
    ) -> None:
        self.code = code
        super().__init__(facts, advice=advice, keys=keys, root=root, task_id=task_id)


class TakenBack(GenerationFailed):
    """The clip was taken back while it was queued, which is free. The next run submits it again."""


class GenerationTimeout(ClipError):
    """The clip was not ready in time. It is still known: the next run continues to wait for the same one."""


class DownloadFailed(ClipError):
    """The clip was generated, but could not be fetched. The next run fetches it; it is not paid for again."""


class UncheckedVideo(DownloadFailed):
    """A clip came whole but could not be checked as a video; it is kept next to its place for a person to look at."""


class PictureError(InvalidRequest):
    """A picture that cannot be read, or that the service would refuse."""


class InputError(MiniMaxError, ValueError):
    """Mistakes in a file that says what to make, all of them at once; nothing was sent.

    `problems` has one line each. When the folder that it asks for belongs to another file, `folder` is that
    folder, `owner` the other file, and `offer` a name that is free.
    """

    def __init__(
        self,
        problems: Sequence[str],
        *,
        advice: str = "",
        folder: str = "",
        owner: str = "",
        offer: str = "",
    ) -> None:
        self.problems = tuple(map(_told, problems))
        self.folder = folder
        self.owner = owner
        self.offer = offer
        super().__init__("\n".join(self.problems), advice=advice)


class BoardError(InputError):
    """Mistakes in a storyboard."""


class TableError(InputError):
    """Mistakes in a table of clips."""


class FilmIncomplete(MiniMaxError):
    """Some shots of a film are missing, so it was not joined. `missing` has path by shot id."""

    def __init__(self, facts: str, *, missing: Mapping[str, str] = MappingProxyType({})) -> None:
        self.missing = dict(missing)
        super().__init__(facts)


class CameraError(MiniMaxError, ValueError):
    """A camera instruction that no model can follow; the message says what to write instead."""


class PromptError(MiniMaxError, ValueError):
    """A prompt or a template that cannot be rendered; the message names the place and the way out."""


class VideoError(MiniMaxError):
    """A video that cannot be read, or that does not allow what is asked of it."""


class UnreadableReference(MiniMaxError, ValueError):
    """A path or URL that is not allowed, or whose file cannot be read; the message says why, not which."""


class IsFolder(UnreadableReference):
    """A path or URL of a folder where a file is meant."""


class ControlFlow(Exception):
    """Private: raised and caught inside the package, and seen by no caller of it."""


def _restored(kind: type[MiniMaxError], args: tuple[object, ...], facts: dict[str, object]) -> MiniMaxError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


def _told(problem: str) -> str:
    """A line about a file, whose address may be signed."""
    return redact(problem) if "//" in problem or "data:" in problem else problem


def _shown(value: object) -> str:
    """A value of somebody else, on one line, without the secrets and the picture that may be in it."""
    whole = repr(value)
    text = redact(whole[:10_000])
    return text if len(text) <= 120 else f"{text[:80]}… ({len(whole)} characters)"
