"""What is relied on of Luigi's private worker, and what its users know: events, failures, ordinary tasks."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import luigi
import pytest

from minimax_tasks.sandbox import Sandbox
from minimax_tasks.tasks.coroutine import CoroutineTask
from minimax_tasks.tasks.worker import InFlightFactory

PID = os.getpid()


class Waiting(CoroutineTask, luigi.Task):
    """Waits on the shared loop."""

    name = luigi.Parameter()
    seconds = luigi.FloatParameter(default=0.2)
    fails = luigi.BoolParameter(default=False)
    retry_count = 1

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.name}.txt")

    async def run_async(self) -> None:
        self.set_status_message(f"{self.name} waits")
        self.set_progress_percentage(50)
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise ValueError(f"{self.name} failed")
        with self.output().open("w") as out:
            out.write(f"{os.getpid()} {threading.current_thread().name}")


class Ordinary(luigi.Task):
    """Has a plain `run`."""

    name = luigi.Parameter()

    def requires(self) -> Waiting:
        return Waiting(name=f"before-{self.name}")

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.name}.txt")

    def run(self) -> None:
        with self.output().open("w") as out:
            out.write(str(os.getpid()))


class Dynamic(luigi.Task):
    """Asks for a waiting task while it runs."""

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("dynamic.txt")

    def run(self) -> Any:
        found = yield Waiting(name="asked-for")
        with self.output().open("w") as out:
            out.write(found.open().read())


def build(tasks: list[luigi.Task], workers: int = 50) -> bool:
    return bool(
        luigi.build(
            tasks,
            local_scheduler=True,
            workers=workers,
            worker_scheduler_factory=InFlightFactory(),
            log_level="CRITICAL",
        )
    )


class Together(Waiting):
    """Waits until fifty of them wait."""

    waiting: ClassVar[list[asyncio.Future[None]]] = []

    async def run_async(self) -> None:
        self.waiting.append(asyncio.get_running_loop().create_future())
        if len(self.waiting) == 50:
            for each in self.waiting:
                each.set_result(None)
        await asyncio.wait_for(self.waiting[-1], 60)
        await super().run_async()


def test_waiting_tasks_share_one_process_and_wait_together() -> None:
    assert build([Together(name=f"w{number}", seconds=0.0) for number in range(50)])
    for number in range(50):
        pid, thread = Path(f"w{number}.txt").read_text().split()
        assert int(pid) == PID
        assert thread == "minimax-in-flight"


class Sleeper(luigi.Task):
    """Sleeps where no line of Python ends it."""

    worker_timeout = 2

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("slept.txt")

    def run(self) -> None:
        Path("began.txt").write_text(str(os.getpid()))
        time.sleep(60)
        with self.output().open("w") as out:
            out.write("awake")


class Busy(luigi.Task):
    """Works line after line, and cannot be brought into another process."""

    worker_timeout = 1

    def complete(self) -> bool:
        return False

    def run(self) -> None:
        while True:
            time.sleep(0.01)


def test_a_plain_task_runs_in_a_thread_of_this_process() -> None:
    assert build([Ordinary(name="plain"), Dynamic()])
    assert int(Path("plain.txt").read_text()) == PID
    assert str(PID) in Path("dynamic.txt").read_text()


def test_a_process_that_is_asked_for_is_a_fresh_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def forked() -> None:
        raise AssertionError("forked")

    monkeypatch.setattr(os, "fork", forked)
    luigi.configuration.get_config().set("worker", "force_multiprocessing", "true")
    try:
        assert build([Ordinary(name="asked")])
    finally:
        luigi.configuration.get_config().remove_option("worker", "force_multiprocessing")
    assert int(Path("asked.txt").read_text()) != PID


@pytest.mark.slow
def test_a_plain_task_that_takes_too_long_is_ended_with_its_process() -> None:
    began = time.monotonic()
    assert not build([Sleeper()])
    assert time.monotonic() - began < 55
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("began.txt").read_text()), 0)


def test_a_time_out_ends_a_thread_at_its_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minimax_tasks.tasks.plain._can_be_imported", lambda task: False)
    assert not build([Busy()])
    for thread in threading.enumerate():
        if "Busy" in thread.name:
            thread.join(120)
            assert not thread.is_alive()


def test_nothing_is_shared_with_processes_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS Lambda has no `/dev/shm`: a semaphore, and with it a queue of processes, cannot be made."""

    def no_semaphores(*arguments: Any, **options: Any) -> Any:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", no_semaphores)
    luigi.configuration.get_config().set("worker", "cache_task_completion", "true")
    try:
        assert build([Ordinary(name="lambda")])
    finally:
        luigi.configuration.get_config().remove_option("worker", "cache_task_completion")


CELL = """
import luigi, minimax_tasks

class Cell(luigi.Task):
    {timeout}
    def output(self):
        return luigi.LocalTarget("cell.txt")
    def run(self):
        with self.output().open("w") as out:
            out.write("made")

print(minimax_tasks.build([Cell()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("where", ["notebook", "script without a main guard"])
@pytest.mark.parametrize("timeout", ["", "worker_timeout = 30"])
def test_a_task_of_a_cell_or_of_a_bare_script(method: str, where: str, timeout: str) -> None:
    code = f"import multiprocessing; multiprocessing.set_start_method({method!r}, force=True)" + CELL.format(
        timeout=timeout
    )
    Path("bare.py").write_text(code)
    words = ["-"] if where == "notebook" else ["bare.py"]
    ran = subprocess.run(
        [sys.executable, *words],
        input=code if where == "notebook" else None,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.strip() == "True", ran.stderr
    assert "Traceback" not in ran.stderr
    assert Path("cell.txt").read_text() == "made"


PIPELINE = """
import multiprocessing
import luigi, minimax_tasks as mm

class After(luigi.Task):
    number = luigi.IntParameter()
    def requires(self):
        return mm.TextToVideo(prompt=f"Wave {self.number}.", root="out")
    def output(self):
        return luigi.LocalTarget(f"after-{self.number}.txt")
    def run(self):
        with self.output().open("w") as out:
            out.write(self.input().path)

if __name__ == "__main__":
    multiprocessing.set_start_method("METHOD")
    tasks = [After(number=number) for number in range(2)]
    print(luigi.build(tasks, local_scheduler=True, workers=2, log_level="CRITICAL"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_luigi_s_own_worker_makes_its_processes_in_any_way(method: str, sandbox: Sandbox) -> None:
    Path("pipeline.py").write_text(PIPELINE.replace("METHOD", method))
    ran = subprocess.run(
        [sys.executable, "pipeline.py"], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.stdout.strip() == "True", ran.stderr
    assert Path("after-0.txt").exists()
    assert Path("after-1.txt").exists()
    assert len(sandbox.ledger()) == 2


def test_a_worker_in_a_thread_leaves_signals_alone() -> None:
    told: list[bool] = []
    thread = threading.Thread(
        target=lambda: told.append(build([Waiting(name="aside"), Ordinary(name="too")]))
    )
    thread.start()
    thread.join(120)
    assert told == [True]


def test_a_failure_is_told_and_the_others_go_on() -> None:
    told: list[Any] = []

    def failed(task: luigi.Task, error: BaseException) -> None:
        told.append((task.name, str(error)))

    Waiting.event_handler(luigi.Event.FAILURE)(failed)
    try:
        assert not build([Waiting(name="good"), Waiting(name="bad", fails=True)])
    finally:
        Waiting.remove_event_handler(luigi.Event.FAILURE, failed)
    assert told == [("bad", "bad failed")]
    assert Path("good.txt").exists()
    assert not Path("bad.txt").exists()


def test_events_of_a_success() -> None:
    told: list[str] = []
    handlers = {
        event: (lambda *arguments, event=event: told.append(event))
        for event in (luigi.Event.START, luigi.Event.SUCCESS, luigi.Event.PROCESSING_TIME)
    }
    for event, handler in handlers.items():
        Waiting.event_handler(event)(handler)
    try:
        assert build([Waiting(name="told")])
    finally:
        for event, handler in handlers.items():
            Waiting.remove_event_handler(event, handler)
    assert told == [luigi.Event.START, luigi.Event.PROCESSING_TIME, luigi.Event.SUCCESS]


def test_a_task_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Waiting, "worker_timeout", 1)
    began = time.monotonic()
    assert not build([Waiting(name="slow", seconds=60)])
    assert time.monotonic() - began < 60


def test_the_closing_summary_counts_them() -> None:
    result = luigi.build(
        [Waiting(name="counted")],
        local_scheduler=True,
        workers=5,
        worker_scheduler_factory=InFlightFactory(),
        detailed_summary=True,
        log_level="CRITICAL",
    )
    assert result.scheduling_succeeded
    assert "1 ran successfully" in result.summary_text
