"""Rendering in a process of its own, which is ended when it takes too long or too much memory.

One process serves all such templates of this process, one at a time; it is a fresh interpreter and never a
fork, and it reads nothing but templates. Where the system counts the time of a processor (everywhere but on
Windows), that is what is limited, so that a busy machine ends nothing that is all right.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from minimax_tasks.errors import ControlFlow
from minimax_tasks.interpreter import import_paths, plain_environment

SECONDS = 0.5
"""Of a processor's time; a prompt takes some thousandths."""

WAIT = 1.5 if os.name == "nt" else 15.0
"""Seconds on the clock."""

START = 60.0
"""Seconds that the process gets to begin, on a machine that is busy."""

MEGABYTES = 150
"""Memory that a template may take on top of what the process has already. Where the system cannot limit that
(macOS, Windows), the checks inside the process do, and the time."""

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
    "from minimax_tasks.prompts.confined import serve; serve()"
)


class Exceeded(ControlFlow):
    """A template went over a limit and was ended."""


class _Renderer:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self._stop()  # somebody ended it while it had nothing to do
            process = self._process = self._process or _start()
            answer = _exchange(process, json.dumps(job, default=str), WAIT)
            if answer:
                return dict(json.loads(answer))
            self._stop()
        raise Exceeded(
            f"rendering it took more than {SECONDS:g} s or {MEGABYTES} MB, which is the limit; loop over less, and "
            "repeat less"
        )

    def stop(self) -> None:
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def _start() -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
        env={**plain_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if not _exchange(process, json.dumps(import_paths()), START):
        process.kill()
        process.wait()
        raise Exceeded("the process that renders templates of this kind cannot be started")
    return process


def _exchange(process: "subprocess.Popen[str]", line: str, seconds: float) -> str:
    """The line that answers; empty when the process ended, or had to be ended after this time."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        _pipe(process.stdin).write(line + "\n")
        _pipe(process.stdin).flush()
        return _pipe(process.stdout).readline()
    except OSError:
        return ""
    finally:
        timer.cancel()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


_renderer = _Renderer()
atexit.register(_renderer.stop)


def _forget() -> None:
    """A fork has no right to the process of its parent."""
    global _renderer
    _renderer = _Renderer()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def render_confined(job: dict[str, Any]) -> dict[str, Any]:
    """What `render.render_job` makes of a job, within the limits. Raises `Exceeded`."""
    return _renderer.ask(job)


def serve() -> None:
    """The other side: render the jobs that come in, each within the limits."""
    from minimax_tasks.prompts.environment import environment
    from minimax_tasks.prompts.render import render_job

    environment(None)
    answers = sys.stdout
    sys.stdout = sys.stderr
    _limit_memory()
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        answer = _within_time(lambda job: render_job(json.loads(job)), line)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _within_time(render: Callable[[str], dict[str, Any]], job: str) -> dict[str, Any]:
    """Render; the system ends this whole process when that takes too long."""
    try:
        import signal

        timer, limit = signal.setitimer, signal.ITIMER_PROF
    except (ImportError, AttributeError):  # Windows: the other side looks at the clock
        return render(job)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    timer(limit, SECONDS)
    try:
        return render(job)
    finally:
        timer(limit, 0)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import resource

        with open("/proc/self/statm") as pages:
            taken = int(pages.read().split()[0]) * resource.getpagesize()
        limit = taken + MEGABYTES * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
