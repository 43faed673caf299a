"""The exception for what the service answered, by the catalogue's rows: which class, and in which words."""

from minimax_tasks.api.catalog.errors import (
    A_PAGE,
    KEY_ADVICE,
    ErrorCode,
    HttpStatus,
    find_error,
    find_status,
)
from minimax_tasks.api.catalog.hosts import DEFAULT_HOST, GLOBAL_HOST, host_language
from minimax_tasks.errors import (
    ApiError,
    AuthenticationFailed,
    InputRejected,
    InsufficientBalance,
    InvalidParameters,
    NotTheApi,
    OutputRejected,
    QuotaExhausted,
    RateLimited,
    ServiceError,
)


def error_from_code(code: int, message: str, *, host: str, trace_id: str = "") -> ApiError:
    """The exception for a `base_resp` that is not a success, quoting the service's own words."""
    row = find_error(code)
    words = f": {message}" if message else ""
    return _BY_NAME[row.error](
        f"{host} answered {code} ({row.meaning}){words}",
        advice=_advice(row, host),
        code=code,
        trace_id=trace_id,
        verdict=row.verdict,
    )


def error_from_http(status: int, *, host: str, excerpt: str, trace_id: str = "") -> ApiError:
    """The exception for an HTTP status that is not 200, or for an answer that is not the API's JSON."""
    return _of_http(find_status(status), status, host, excerpt, trace_id)


def error_from_page(status: int, *, host: str, excerpt: str, trace_id: str = "") -> NotTheApi:
    """The exception for a web page in place of the API's JSON, although the status is a success."""
    error = _of_http(A_PAGE, status, host, excerpt, trace_id)
    assert isinstance(error, NotTheApi)
    return error


def _of_http(row: HttpStatus, status: int, host: str, excerpt: str, trace_id: str) -> ApiError:
    quoted = f": {excerpt}" if excerpt else ""
    return _BY_NAME[row.error](
        f"{host} answered HTTP {status} ({row.meaning}){quoted}",
        advice=_advice(row, host.partition("/")[0]),
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
