"""Text of others, made safe once, where it enters: no secret in it, nothing that a terminal obeys, no end of it.

What the service, a gateway, a proxy or the storage says is quoted in files, logs, reports and messages. Any of
them may echo the API key, a signed URL, or escape sequences, so nothing of theirs is passed on as it came.
"""

import contextlib
import logging
import re
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

KEY = "[key]"
"""What stands where the API key, or anything that looks like one, stood."""

LONGEST = 2000
"""Characters of one text of others that are kept."""

QUOTED = 120
"""Characters of a value that a message quotes."""

DATA_URL = "data URL"

_known: tuple[str, ...] = ()
"""Secrets, the longest first. Another tuple takes its place: threads may be going through it."""
_keeping = threading.Lock()
_SHORTEST_SECRET = 6
"""A key shorter than this (`x` for a sandbox) is a part of ordinary words, and protects nothing."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4000}(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: title, links
    r"|\x1b[ -/]*[0-~]?"
)
_SPACES = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    r"\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)

_SEPARATOR = r"(?:\\?/){2}"  # JSON may write \/
_URL = re.compile(
    rf"(?P<scheme>(?<![A-Za-z0-9+.\-])[A-Za-z][A-Za-z0-9+.\-]{{0,40}}:{_SEPARATOR})(?P<rest>[^\s\"'<>|`]*)"
)
_USER = re.compile(r"(?<![\w.%+\-:])[\w.%+\-]{1,100}:[^\s:/@\"'<>]{1,200}@(?=[\w\[])")
_QUERY = re.compile(r"[?#]|%3[fF]|%23|\\u003[fF]|\\u0023")
_LOOSE_QUERY = re.compile(r"(?<=[^\s(])\?[\w.%\-\[\]]+=[^\s\"'<>|`]*")
_DATA = re.compile(r"data:[\w.+\-]+/[\w.+\-]+(?:;[\w=.+\-]+)*,[A-Za-z0-9+/=%_\-\\]*", re.IGNORECASE)
_BEARER = re.compile(
    r"(?i)\b(?P<word>bearer|basic)(?P<gap>(?:\s|%20|\+|:|=)+)(?!auth|token\b|key\b|realm)[\w.~+/=*\-]{6,}"
)
_AUTHORIZATION = re.compile(
    r"(?i)\b(?P<word>(?:proxy-)?authorization)(?P<gap>[\"']?\s*[:=]\s*[\"']?)[^\r\n,;\"'<>}]+"
)
_COOKIES = re.compile(
    r"(?i)(?<![\w-])(?P<word>cookie)(?P<gap>[\"']?\s*:\s*[\"']?)"
    r"[^\s;\"'<>}]+(?:;\s*[^\s;\"'<>}]+)*"  # of Set-Cookie only the first is a value
)
_NAMED = re.compile(
    r"(?i)(?P<name>[\w\-]{0,40}(?:signature|credential|security[-_]?token|access[-_]?token|access[-_]?key(?:[-_]?id)?"
    r"|api[-_]?key|secret|passw(?:or)?d|session[-_]?id|cookie))(?P<gap>[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<value>[^\s&,;\"'<>}]+)"
)
_ASSIGNED = re.compile(
    r"(?i)(?<![\w\-])(?P<name>(?:[\w\-]{0,40}[_\-])?(?:sig|sas|token|auth|auth[_-]?key|pwd))"
    r"(?P<gap>\s*=\s*[\"']?|[\"']\s*:\s*[\"'])(?P<value>[^\s&,;\"'<>}]+)"  # words of any text but for the `=`
)
_ONE_WORD = re.compile(r"[A-Za-z0-9_]*")
"""Names and values of most members of an answer: no pattern here finds anything in one, and there are many."""
_NAME_SHOWN = re.compile(r"(?:^data URL|//[^\s]*) \([0-9a-f]{12}\)$")
_TOKEN = re.compile(r"\bsk-[\w*.\-]{8,}|\beyJ[\w\-]{8,}(?:\.[\w\-]+){1,2}")


def keep_secret(text: str) -> None:
    """Take this text out of whatever is shown or written from now on, in this process."""
    secret = text.strip()
    if len(secret) >= _SHORTEST_SECRET:
        global _known
        with _keeping:
            _known = tuple(sorted({*_known, secret, quote(secret, safe="")}, key=len, reverse=True))


def redact(text: str) -> str:
    """The text without keys, tokens, passwords, and what stands behind the path of a URL."""
    text = _without_known(text)
    text = _DATA.sub(DATA_URL, text)
    text = _URL.sub(_bare_url, text)
    text = _USER.sub("", text)
    text = _LOOSE_QUERY.sub("", text)
    text = _AUTHORIZATION.sub(rf"\g<word>\g<gap>{KEY}", text)
    text = _COOKIES.sub(rf"\g<word>\g<gap>{KEY}", text)
    text = _BEARER.sub(rf"\g<word>\g<gap>{KEY}", text)
    text = _NAMED.sub(rf"\g<name>\g<gap>{KEY}", text)
    text = _ASSIGNED.sub(rf"\g<name>\g<gap>{KEY}", text)
    return _TOKEN.sub(KEY, text)


def clean(text: object, longest: int = LONGEST) -> str:
    """Text of others for people: one line, printable, without secrets, of bounded length.

    Half an emoji becomes U+FFFD. Escape sequences, controls and marks that turn the direction of writing go.
    """
    words = str(text)
    if len(words) <= longest and _ONE_WORD.fullmatch(words):
        return _without_known(words)
    if len(words) > 50 * longest:
        words = words[: 50 * longest]
    return _shortened(redact(plain(words)), longest)


def plain(text: str) -> str:
    """The text without what a terminal obeys: escape sequences, controls, marks that turn the direction."""
    text = _SPACES.sub(" ", _ESCAPES.sub("", whole(text)))
    return _CONTROLS.sub("", text).strip()


def whole(text: str) -> str:
    """The text, otherwise as it is, with every character whole, so that it can be encoded.

    Two halves of one character, as JSON and UTF-16 write it, become that character; half a character, which
    programs leave that cut a text by its UTF-16 length, becomes U+FFFD.
    """
    if not _SURROGATE.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _SURROGATE.sub("\ufffd", joined)


def whole_tree(value: Any) -> Any:
    """`whole` for all the text in a value, names too."""
    match value:
        case str():
            return whole(value)
        case dict():
            return {whole_tree(name): whole_tree(item) for name, item in value.items()}
        case list() | tuple():
            return type(value)(map(whole_tree, value))
    return value


def quoted(value: object, longest: int = QUOTED) -> str:
    """A value in a message, as Python writes it; of a longer one its beginning and its length."""
    if isinstance(value, str) and len(value) > longest:
        return f"{value[: longest * 2 // 3]!r}… ({len(value):,} characters)"
    try:
        return shortened(repr(value), longest)
    except (ValueError, RecursionError):  # a number of thousands of digits, lists in lists without end
        return f"a {type(value).__name__} that is too long to be shown"


def shortened(text: str, longest: int = QUOTED) -> str:
    """A text in a message; of a longer one its beginning and its length."""
    return text if len(text) <= longest else f"{text[: longest * 2 // 3]}… ({len(text):,} characters)"


def shown(reference: str) -> str:
    """How a path, URL or data URL is shown and written: without password, query and picture."""
    text = reference.strip()
    if text[:5].casefold() == "data:":
        return DATA_URL
    if "//" in text:
        return clean(text)
    return _without_known(plain(text))


def named(reference: str) -> str:
    """`shown`, with a few digits that tell two references apart of which the same can be shown."""
    text = shown(reference)
    if text == reference:
        return text
    import hashlib  # OpenSSL: 4 MB, which the process that works at the disk does without

    digest = hashlib.sha256(reference.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{text} ({digest})"


def is_named(text: str) -> bool:
    """Whether a text is what `named` made of a reference, as logs and the scheduler have it."""
    return _NAME_SHOWN.search(text) is not None


def clean_tree(value: Any, *, keep: frozenset[str] = frozenset(), depth: int = 12) -> Any:
    """Every text in a JSON document cleaned, names too; a member in `keep` stays as it came.

    What is nested deeper than any answer of the API is left out.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        if not depth:
            return {}
        return {
            clean(name, 200): member if name in keep else clean_tree(member, keep=keep, depth=depth - 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [clean_tree(member, keep=keep, depth=depth - 1) for member in value] if depth else []
    return value


_private: ContextVar[bool] = ContextVar("_private", default=False)


@contextlib.contextmanager
def private_logs() -> Iterator[None]:
    """While this is entered, httpx and httpcore log no secret of a URL, and nothing of the headers.

    Requests of others in the same process are logged as ever.
    """
    before = _private.get()
    _private.set(True)
    try:
        yield
    finally:
        _private.set(before)


def _clean_private(record: logging.LogRecord) -> bool:
    return clean_record(record) if _private.get() else True


for _name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_clean_private)


def clean_record(record: logging.LogRecord) -> bool:
    """A filter for the logs of a library that prints what it sends and receives."""
    try:
        words = record.getMessage()
    except Exception:
        words = str(record.msg)
    # httpcore prints the headers of answers; their values are nobody's business.
    words = re.sub(r"(receive_response_headers\.complete).*", r"\1", words, flags=re.DOTALL)
    record.msg, record.args = clean(words), None
    record.exc_info, record.exc_text = None, None
    return True


def _without_known(text: str) -> str:
    for secret in _known:
        text = text.replace(secret, KEY)
    return text


def _bare_url(found: re.Match[str]) -> str:
    rest = _QUERY.split(found["rest"], maxsplit=1)[0]
    authority = re.split(r"[/\\]", rest, maxsplit=1)[0]
    if re.search(r":\D", authority.rpartition("@")[2]) and "[" not in authority:
        # No port, so it is a password: with a slash in it, or of a URL that was cut or mistyped.
        if "@" not in rest:
            return found["scheme"] + authority.partition(":")[0]
        authority = rest.rpartition("@")[0] + "@"
    return found["scheme"] + rest[authority.rfind("@") + 1 :]


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
