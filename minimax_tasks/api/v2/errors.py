"""How the second generation says no: a real HTTP status, an `error` object, and a code at the end of its message.

A gateway in front of it may put the `error` object into a 200, with the status in it, or answer something that is
no JSON at all.
"""

import re

from minimax_tasks.api.answers import as_code
from minimax_tasks.api.endpoint import Document, Said

_INNER = re.compile(r"\((\d{3,5})\)\s*$")
"""The code in the last parenthesis of a message: `invalid params, … (2013)`."""

OVERLOADED = 529
"""Both the HTTP status and, since there is no other, the code of an overload that the API itself reports."""

_BY_TYPE = {
    "bad_request_error": 2013,
    "authorized_error": 1004,
    "insufficient_balance_error": 1008,
    "unprocessable_entity_error": 1026,
    "rate_limit_error": 1002,
    "server_error": 1000,
    "overloaded_error": OVERLOADED,
}
"""`error.type` -> the code that it stands for where the message names none."""

_PLAN = re.compile(r"token\s*plan|coding\s*plan|\bplan\b", re.IGNORECASE)
_NOT_IN_THE_PLAN = 2061

_UNKNOWN_TASK = re.compile(r"record not found", re.IGNORECASE)
_INVALID = 2013


def said(status: int, document: Document, *, is_answer: bool) -> Said:
    """What an answer says of the request. `is_answer`: it has what an answer of the API has."""
    error = document.get("error")
    trace_id = document.get("request_id")
    trace_id = trace_id if isinstance(trace_id, str) else ""
    if not isinstance(error, dict) or not error:
        return Said(0 if is_answer and status < 400 else None, status=status, trace_id=trace_id)
    message = error.get("message")
    message = message if isinstance(message, str) else ""
    within = as_code(error.get("http_code"))
    # A gateway reports under its own 200 how it fared with the API.
    effective = within if within is not None and status < 400 else status
    kind = error.get("type")
    known = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    inner = _INNER.search(message)
    code = int(inner[1]) if inner else known
    if code == _INVALID and _PLAN.search(message):
        code = _NOT_IN_THE_PLAN
    if code == 1000 and _UNKNOWN_TASK.search(message):
        code = _INVALID  # recorded for an id that is malformed: asking again does not help
    return Said(code, message, effective, trace_id)
