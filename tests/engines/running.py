"""An engine as its users run it: its own environment, its own processes, and an end to all of them."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import psutil

REPOSITORY = Path(__file__).parents[2]

_Found = TypeVar("_Found")

PATIENCE = 240.0
"""Seconds, far more than anything here takes: other tests may have the processors."""


def environment_of(engine: str) -> Path | None:
    """The programs of the environment that `make test` makes for an engine; None where it could not."""
    home = REPOSITORY / f".venv-{engine}"
    return home / "bin" if (home / ".ready").exists() else None


def missing(engine: str) -> str:
    """Why the tests of an engine are skipped."""
    return f"NOT TESTED: .venv-{engine} is not there; `make test` makes it"


class Engine:
    """The processes of one engine in one folder, with the settings of a test and nothing of this machine's."""

    def __init__(self, name: str, folder: Path, **settings: str) -> None:
        programs = environment_of(name)
        assert programs is not None
        self.programs = programs
        self.folder = folder
        inherited = {each: os.environ[each] for each in ("LANG", "TMPDIR") if each in os.environ}
        given = {each: value for each, value in os.environ.items() if each.startswith("MINIMAX_")}
        self.environment = {
            **inherited,
            **given,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(folder),
            **settings,
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str, seconds: float = PATIENCE) -> str:
        """Run a program to its end; what it says. It has to end well."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-6000:]}"
        return done.stdout

    def start(self, *words: str, log: str) -> subprocess.Popen[bytes]:
        """Start a program that runs until the end; what it says goes to the file `log`."""
        with (self.folder / log).open("ab") as out:
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def until(self, look: Callable[[], _Found], what: str, *, pause: float = 0.2) -> _Found:
        """Look again and again until something is found; returns it."""
        ends = time.monotonic() + PATIENCE
        while not (found := look()):
            for process in self.running:
                code = process.poll()
                assert code is None, f"{process.args}: {code}\n{self.logs()}"
            assert time.monotonic() < ends, f"waited for {what}\n{self.logs()}"
            time.sleep(pause)
        return found

    def logs(self) -> str:
        """The end of what each process said."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}" for path in files)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a process that was started, and whatever it started, with SIGKILL."""
        self.running.remove(process)
        if process.poll() is None:
            beside = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            kill_all(beside)

    def stop(self) -> None:
        """End every process that was started, and whatever they started."""
        for process in reversed(self.running.copy()):
            self.kill(process)


@contextlib.contextmanager
def running(engine: Engine) -> Iterator[Engine]:
    """An engine whose processes end with the block."""
    try:
        yield engine
    finally:
        engine.stop()


def kill_all(victims: Sequence[psutil.Process]) -> None:
    """End processes with SIGKILL: none of them says goodbye to anybody."""
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    psutil.wait_procs(victims, timeout=10)


def children(pid: int, *, saying: str) -> list[psutil.Process]:
    """What a process started, and what that started, whose command line has this text."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if saying in " ".join(child.cmdline()):
                found.append(child)
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
