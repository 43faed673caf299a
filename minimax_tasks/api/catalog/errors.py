"""Error codes of the service: what each means, whether a request may be repeated, and what to advise."""

from dataclasses import dataclass

from minimax_tasks.errors import Verdict


@dataclass(frozen=True)
class ErrorCode:
    """One code of the service, from `base_resp` or from the end of a message.

    `error` is the name of the exception that carries it.
    """

    code: int
    error: str
    meaning: str
    verdict: Verdict
    advice: str
    source: str


@dataclass(frozen=True)
class HttpStatus:
    """An HTTP status that `/v1` does not document, but that gateways in front of it may answer with."""

    statuses: tuple[int, ...]
    error: str
    meaning: str
    verdict: Verdict
    advice: str


_REFUSED, _RETRY_LATER, _UNCERTAIN = Verdict.REFUSED, Verdict.RETRY_LATER, Verdict.UNCERTAIN
KEY_ADVICE = "check the API key and the host: keys are bound to a region"
"""Extended by `host_hint`, which names the host in use and the one of the other region."""
_QUOTA = "wait until the quota is reset, or use a model with a quota of its own"
_READ_AGAIN = "reading again is safe; a submit is not repeated automatically, since it may have been accepted"

ERROR_CODES: tuple[ErrorCode, ...] = (
    ErrorCode(529, "RateLimited", "overloaded", _RETRY_LATER, "wait for a while", "v2"),
    ErrorCode(1000, "ServiceError", "unknown error", _UNCERTAIN, _READ_AGAIN, "errors"),
    ErrorCode(1001, "ServiceError", "request timeout", _UNCERTAIN, _READ_AGAIN, "errors"),
    ErrorCode(1002, "RateLimited", "rate limit", _RETRY_LATER, "wait for the next minute", "t2v"),
    ErrorCode(1004, "AuthenticationFailed", "not authorised", _REFUSED, KEY_ADVICE, "t2v"),
    ErrorCode(1008, "InsufficientBalance", "insufficient balance", _REFUSED,
              "top up the account, then retry the clips that failed", "t2v"),
    ErrorCode(1013, "ServiceError", "internal service error", _UNCERTAIN, _READ_AGAIN, "download"),
    ErrorCode(1024, "ServiceError", "internal error", _UNCERTAIN, _READ_AGAIN, "errors"),
    ErrorCode(1026, "InputRejected", "the input was found sensitive", _REFUSED,
              "change the prompt or the picture", "t2v"),
    ErrorCode(1027, "OutputRejected", "the generated video was found sensitive", _REFUSED,
              "change the prompt or the picture; the same request may pass as a new paid clip", "query"),
    ErrorCode(1028, "QuotaExhausted", "quota exhausted", _REFUSED, _QUOTA, "cli"),
    ErrorCode(1030, "QuotaExhausted", "quota exhausted", _REFUSED, _QUOTA, "cli"),
    ErrorCode(1033, "ServiceError", "system error", _UNCERTAIN, _READ_AGAIN, "errors"),
    ErrorCode(1039, "RateLimited", "token limit", _RETRY_LATER, "wait for the next minute", "errors"),
    ErrorCode(1041, "RateLimited", "connection limit", _RETRY_LATER, "use fewer connections", "errors"),
    ErrorCode(1042, "InvalidParameters", "too many invisible or illegal characters", _REFUSED,
              "clean the prompt", "errors"),
    ErrorCode(2013, "InvalidParameters", "invalid parameters", _REFUSED,
              "the service names the parameter in its message", "t2v"),
    ErrorCode(2038, "AuthenticationFailed", "the account lacks real-name verification", _REFUSED,
              "verify the account on the platform", "mcp"),
    ErrorCode(2045, "RateLimited", "requests rose too suddenly", _RETRY_LATER, "send more slowly", "errors"),
    ErrorCode(2049, "AuthenticationFailed", "invalid API key", _REFUSED, KEY_ADVICE, "t2v"),
    ErrorCode(2056, "QuotaExhausted", "usage limit of the plan exceeded", _REFUSED, _QUOTA, "errors"),
    ErrorCode(2061, "QuotaExhausted", "the model is not in the plan", _REFUSED,
              "use another model or size, or a pay-as-you-go key", "cli"),
)  # fmt: skip
"""Codes that concern video. 0 is success."""

UNKNOWN_CODE = ErrorCode(-1, "ApiError", "unlisted error", Verdict.UNCERTAIN, _READ_AGAIN, "errors")
"""An unlisted code: treated with the most care."""


def find_error(code: int) -> ErrorCode:
    """The row of a code; `UNKNOWN_CODE` for an unlisted one."""
    return next((row for row in ERROR_CODES if row.code == code), UNKNOWN_CODE)


_NOT_THE_API = "check MINIMAX_BASE_URL: this is not the video API"

HTTP_STATUSES: tuple[HttpStatus, ...] = (
    HttpStatus((301, 302, 303, 307, 308), "NotTheApi", "redirect", _REFUSED,
               "set MINIMAX_BASE_URL to where it leads; a submit is not sent on to another address"),
    HttpStatus((400, 422), "InvalidParameters", "malformed request", _REFUSED,
               "the answer may say which part of the request is wrong"),
    HttpStatus((401, 403), "AuthenticationFailed", "not authorised", _REFUSED, KEY_ADVICE),
    HttpStatus((404, 405, 406, 410, 415, 421, 426, 501, 505), "NotTheApi", "no such address", _REFUSED,
               _NOT_THE_API),
    HttpStatus((407, 511), "NotTheApi", "a proxy or network that wants a login", _REFUSED,
               "log in there, or check HTTPS_PROXY and NO_PROXY; the request was not passed on"),
    HttpStatus((413,), "InvalidParameters", "request too large", _REFUSED,
               "send smaller pictures, or fit them (`fit`)"),
    HttpStatus((429,), "RateLimited", "too many requests", _RETRY_LATER, "wait for the next minute"),
    HttpStatus((200,), "ServiceError", "a body that is not the API's JSON", _UNCERTAIN, _READ_AGAIN),
)  # fmt: skip
"""Statuses with a meaning of their own (source: cli, which handles the same)."""

A_PAGE = HttpStatus((), "NotTheApi", "a web page, not the API's JSON", _REFUSED, _NOT_THE_API)
"""A success status with a web page: a web site, or the login of a network. The API itself always answers JSON.

For a submit only where the API does not answer other requests either (`MiniMaxClient.submit`)."""

UNKNOWN_STATUS = HttpStatus(
    (), "ServiceError", "the service, or a gateway in front of it, is in trouble", _UNCERTAIN, _READ_AGAIN
)
"""Any other status, mostly 5xx: a submit may have reached the service behind the gateway."""


def find_status(status: int) -> HttpStatus:
    """The row of an HTTP status; `UNKNOWN_STATUS` for an unlisted one."""
    return next((row for row in HTTP_STATUSES if status in row.statuses), UNKNOWN_STATUS)
