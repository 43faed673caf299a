"""What is relied on of Luigi's private worker, and what its users know: events, failures, ordinary tasks."""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import luigi
import pytest

from minimax_tasks.worker import InFlightFactory

PID = os.getpid()


class Waiting(luigi.Task):
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
    """Runs as it always did, in a process of its own."""

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


def test_waiting_tasks_share_one_process_and_wait_together() -> None:
    began = time.monotonic()
    assert build([Waiting(name=f"w{number}", seconds=1.0) for number in range(50)])
    assert time.monotonic() - began < 6
    for number in range(50):
        pid, thread = Path(f"w{number}.txt").read_text().split()
        assert int(pid) == PID
        assert thread == "minimax-in-flight"


def test_ordinary_and_dynamic_tasks_go_on_as_ever() -> None:
    assert build([Ordinary(name="plain"), Dynamic()])
    assert int(Path("plain.txt").read_text()) != PID
    assert str(PID) in Path("dynamic.txt").read_text()


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
    assert time.monotonic() - began < 15


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
