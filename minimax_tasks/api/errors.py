"""Every exception of the package, one tree under `MiniMaxError`.

Messages are for people: what happened, to which value, and what to do next. None of them ever holds the
API key or a signed download URL.
"""

from collections.abc import Sequence

from minimax_tasks.api.catalog.errors import (
    A_PAGE,
    KEY_ADVICE,
    ErrorCode,
    HttpStatus,
    Verdict,
    find_error,
    find_status,
)
from minimax_tasks.api.catalog.models import DEFAULT_HOST, GLOBAL_HOST, host_language
from minimax_tasks.redaction import redact


class MiniMaxError(Exception):
    """The base of everything that this package raises on purpose."""


class MiniMaxCatalogWarning(UserWarning):
    """Public material disagrees on whether the service takes this; it is sent all the same."""


class MiniMaxInsecureWarning(UserWarning):
    """A set-up in which others can read the key."""


class ConfigurationError(MiniMaxError):
    """A setting is missing or unusable; nothing was sent."""


class InvalidRequest(MiniMaxError, ValueError):
    """A request that the service would refuse; nothing was sent.

    `field` is the API's own field name, `value` what was given, `allowed` what would be right.
    """

    def __init__(self, field: str, value: object, allowed: str | Sequence[object], why: str = "") -> None:
        self.field = field
        self.value = value
        self.allowed = allowed if isinstance(allowed, str) else ", ".join(map(str, allowed))
        self.why = why
        super().__init__(f"{field} = {_shown(value)}: {why + '; ' if why else ''}allowed: {self.allowed}")


class ApiError(MiniMaxError):
    """The service answered with an error.

    `code` is `base_resp.status_code` (None for trouble at the level of HTTP), `trace_id` the service's
    `Trace-Id` header, to be quoted in a support request.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        http_status: int | None = None,
        trace_id: str = "",
        verdict: Verdict = Verdict.UNCERTAIN,
    ) -> None:
        self.code = code
        self.http_status = http_status
        self.trace_id = trace_id
        self.verdict = verdict
        super().__init__(message + (f" [Trace-Id {trace_id}]" if trace_id else ""))

    @property
    def is_about_the_request(self) -> bool:
        """Whether the same request would be refused again, whatever is set up and whoever asks.

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


class UncertainSubmit(MiniMaxError):
    """A submit whose outcome is not known: the clip may have been accepted and billed."""


class SubmitRefused(MiniMaxError):
    """The service refused the clip; nothing was created."""


class BudgetReached(MiniMaxError):
    """A submit would have passed the budget; it was not sent."""


class GenerationFailed(MiniMaxError):
    """The service gave up on an accepted clip; asking again costs a new clip."""


class GenerationTimeout(MiniMaxError):
    """The clip was not ready in time. It is still known: the next run goes on waiting for the same one."""


class DownloadFailed(MiniMaxError):
    """The clip was generated, but could not be fetched. The next run fetches it; it is not paid for again."""


class UncheckedVideo(DownloadFailed):
    """A clip came whole and is no video that could be checked; it is kept beside, and a person must look at it."""


class PictureError(InvalidRequest):
    """A picture that cannot be read, or that the service would refuse."""


class BoardError(MiniMaxError, ValueError):
    """Mistakes in a storyboard, all of them at once; nothing was sent. `problems` has one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(map(_told, problems))
        super().__init__("\n".join(self.problems))


class TableError(MiniMaxError, ValueError):
    """Mistakes in a table of clips, all of them at once; nothing was sent. `problems` has one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(map(_told, problems))
        super().__init__("\n".join(self.problems))


class FilmIncomplete(MiniMaxError):
    """Some shots of a film are missing, so it was not joined."""


def error_from_code(code: int, message: str, *, host: str, trace_id: str = "") -> ApiError:
    """The exception for a `base_resp` that is not a success, with the service's own words in it."""
    row = find_error(code)
    words = f": {message}" if message else ""
    return _BY_NAME[row.error](
        f"{host} answered {code} ({row.meaning}){words}; {_advice(row, host)}",
        code=code,
        trace_id=trace_id,
        verdict=row.verdict,
    )


def error_from_http(status: int, *, host: str, excerpt: str, trace_id: str = "") -> ApiError:
    """The exception for an HTTP status that is not 200, or for an answer that is not the API's JSON."""
    return _of_http(find_status(status), status, host, excerpt, trace_id)


def error_from_page(status: int, *, host: str, excerpt: str, trace_id: str = "") -> NotTheApi:
    """The exception for a web page where the API's JSON should be, although the status is a good one."""
    error = _of_http(A_PAGE, status, host, excerpt, trace_id)
    assert isinstance(error, NotTheApi)
    return error


def _of_http(row: HttpStatus, status: int, host: str, excerpt: str, trace_id: str) -> ApiError:
    quoted = f": {excerpt}" if excerpt else ""
    return _BY_NAME[row.error](
        f"{host} answered HTTP {status} ({row.meaning}){quoted}; {_advice(row, host.partition('/')[0])}",
        http_status=status,
        trace_id=trace_id,
        verdict=row.verdict,
    )


def _advice(row: ErrorCode | HttpStatus, host: str) -> str:
    return row.advice if row.advice != KEY_ADVICE else host_hint(host)


def host_hint(host: str) -> str:
    """What to check when a key is refused: keys are bound to a region, and the answer never says so."""
    chinese, global_ = (f"set MINIMAX_BASE_URL=https://{name}" for name in (DEFAULT_HOST, GLOBAL_HOST))
    ways = {
        "zh": f"this is the Chinese platform; for a key of the global one {global_}",
        "en": f"this is the global platform; for a key of the Chinese one {chinese}",
    }
    neither = f"for a key of the Chinese platform {chinese}, of the global one {global_}"
    return f"check MINIMAX_API_KEY; keys are bound to a region: {ways.get(host_language(host), neither)}"


def _told(problem: str) -> str:
    """A line about a file, whose address may be signed."""
    return redact(problem) if "//" in problem or "data:" in problem else problem


def _shown(value: object) -> str:
    """A value of somebody else, on one line, without the secrets and the picture that may be in it."""
    whole = repr(value)
    text = redact(whole[:10_000])
    return text if len(text) <= 120 else f"{text[:80]}… ({len(whole)} characters)"


_BY_NAME: dict[str, type[ApiError]] = {
    kind.__name__: kind
    for kind in (
        ApiError,
        AuthenticationFailed,
        RateLimited,
        InsufficientBalance,
        QuotaExhausted,
        InvalidParameters,
        InputRejected,
        NotTheApi,
        OutputRejected,
        ServiceError,
    )
}
