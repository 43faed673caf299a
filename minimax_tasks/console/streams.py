"""The streams of a command as they are, in any encoding: nothing here needs a library.

A command that has made and paid for a film must not end because a terminal has no check mark. What an
encoding cannot write is written as something that looks alike, or as an escape, never as an exception.
"""

import codecs
import io
import json
import sys
from typing import Any

READABLE = "minimax-tasks-readable"
"""The error handler of the streams: look-alikes first, then backslash escapes."""

_LOOK_ALIKES = {
    "·": "-", "–": "-", "—": "-", "−": "-", "•": "*", "…": "...", "→": "->", "×": "x", "✓": "+", "✗": "x",
    "‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " ",
}  # fmt: skip


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    shown = (_LOOK_ALIKES.get(letter) or _escaped(letter) for letter in text)
    return "".join(shown), error.end


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode()


codecs.register_error(READABLE, _readable)


def settle_streams() -> None:
    """Let standard output and standard error take every text. A user's own choice of handler stays."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors=READABLE)


def is_unicode(encoding: str | None) -> bool:
    """Whether an encoding has every character; False for one that is not known."""
    try:
        return codecs.lookup(encoding or "").name.startswith("utf")
    except LookupError:
        return False


def say_json(value: Any) -> None:
    """JSON on standard output, piece by piece: that of a long table is longer than the table in memory.

    In plain ASCII where the encoding lacks characters; nothing where there is no standard output.
    """
    if sys.stdout is None:
        return
    encoder = json.JSONEncoder(ensure_ascii=not is_unicode(getattr(sys.stdout, "encoding", None)), indent=2)
    for piece in encoder.iterencode(value):
        sys.stdout.write(piece)
    sys.stdout.write("\n")
