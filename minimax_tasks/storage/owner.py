"""Which process something belongs to, and whether that process is certainly gone.

A process is known by its host, the boot of that host, its namespace of process ids, its id and when it
started. A host's name alone is shared by containers and by laptops on one network drive, and an id alone is
given again after a restart. Where the two cannot be compared the answer is unknown, and the caller waits.
Nobody is sent a signal to ask: on Windows that stops the process.
"""

import contextlib
import functools
import os
import re
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

_PROC = Path("/proc")
_TOKEN = re.compile(r"(?P<place>[0-9a-f]{12})-(?P<process>\d{1,10})-(?P<started>[0-9a-f]{8})")

_NOWHERE = "0" * 12

_STARTED_FIELD = 19
"""Of `/proc/<id>/stat` after the name: when the process started, in ticks since the boot. See proc(5)."""


@dataclass(frozen=True)
class Owner:
    """A process. What a system does not tell is empty, and then nothing follows from it."""

    host: str = ""
    boot: str = ""
    space: str = ""
    """The namespaces that its id and its start belong to; "-" on a system without such."""
    process: int = 0
    started: str = ""

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """The process that a document names; all empty when it names none."""
        words = {name: document.get(name) for name in ("machine", "boot", "space", "started")}
        process = document.get("process")
        if not all(isinstance(word, str) for word in words.values()) or type(process) is not int:
            return cls()
        return cls(
            words["machine"] or "", words["boot"] or "", words["space"] or "", process, words["started"] or ""
        )

    def as_document(self) -> dict[str, Any]:
        """The process as claims name it."""
        return {
            "machine": self.host,
            "boot": self.boot,
            "space": self.space,
            "process": self.process,
            "started": self.started,
        }

    @functools.cached_property
    def token(self) -> str:
        """The process as part of a file's name."""
        return f"{self._place}-{self.process}-{_digest(self.started, 8)}"

    @functools.cached_property
    def _place(self) -> str:
        if not (self.host and self.boot and self.space and self.started):
            return _NOWHERE
        return _digest(f"{self.host}\n{self.boot}\n{self.space}", 12)

    @property
    def is_gone(self) -> bool:
        """Whether it certainly runs no more. False also when that cannot be known."""
        mine = me()
        if not (self.process and self.started and self._place == mine._place != _NOWHERE):
            return False
        now = _started(self.process)
        return now is not None and now != self.started


def me() -> Owner:
    """This process."""
    return _known(os.getpid())


@functools.lru_cache(maxsize=2)
def _known(process: int) -> Owner:
    return Owner(socket.gethostname(), _boot(), _space(), process, _started(process) or "")


def my_token() -> str:
    """The token of this process."""
    return _told.get(os.getpid()) or me().token


_told: dict[int, str] = {}
"""Tokens that processes were told, by their ids: a fork is another one."""


def token_of_child(process: int) -> str:
    """The token of a process that this one has started; "" when the system does not tell when that was."""
    started = _started(process)
    return replace(me(), process=process, started=started).token if started else ""


def be_known_by(token: str) -> None:
    """Take over what `token_of_child` is of this process: to work it out takes OpenSSL, which is 4 MB."""
    _told[os.getpid()] = token


def token_in(name: str) -> str:
    """The token of a process in a file's name, "" when there is none."""
    found = _TOKEN.search(name)
    return found[0] if found else ""


def is_token_gone(token: str) -> bool | None:
    """`Owner.is_gone` for a token; None when it cannot be known, as for what is no token."""
    found = _TOKEN.fullmatch(token)
    if found is None or found["place"] != me()._place or found["place"] == _NOWHERE:
        return None
    now = _started(int(found["process"]))
    return None if now is None else _digest(now, 8) != found["started"]


def _digest(text: str, digits: int) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def _started(process: int) -> str | None:
    """When a process started, "" when there is no such process, None when the system does not tell."""
    if sys.platform == "linux":
        return _started_by_proc(process)
    return _started_by_psutil(process)


def _started_by_proc(process: int) -> str | None:
    try:
        facts = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        # The processes of others may be hidden (hidepid); then the first one is, too.
        return "" if (_PROC / "1" / "stat").exists() else None
    except OSError:
        return None
    words = facts.rpartition(")")[2].split()
    if len(words) <= _STARTED_FIELD:
        return None
    return "" if words[0] in "XxZ" else words[_STARTED_FIELD]


def _started_by_psutil(process: int) -> str | None:
    import psutil

    try:
        return f"{psutil.Process(process).create_time():.3f}"
    except psutil.NoSuchProcess:
        return ""
    except (psutil.Error, OSError):
        return None


def _boot() -> str:
    if sys.platform == "linux":
        return _text(_PROC / "sys/kernel/random/boot_id")
    import psutil

    try:
        return f"{psutil.boot_time():.0f}"
    except (psutil.Error, OSError):
        return ""


def _space() -> str:
    if sys.platform != "linux":
        return "-"
    try:
        if os.readlink(_PROC / "self") != str(os.getpid()):
            return ""  # /proc shows the ids of another namespace
        spaces = [os.readlink(_PROC / "self/ns/pid")]
    except OSError:
        return ""
    with contextlib.suppress(OSError):  # kernels before 5.6 have no namespace of time
        spaces.append(os.readlink(_PROC / "self/ns/time"))
    return " ".join(spaces)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
