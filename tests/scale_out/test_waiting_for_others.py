"""A worker with nothing to do stays while another one runs what it waits for, also when that is the last task."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.tasks.worker import InFlightFactory, InFlightWorker

PATIENCE = 60
"""Seconds after which a worker that does not come is missed."""


class Held(luigi.Task):
    """Says that it has begun, and is done when it is let go."""

    folder = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.folder}/done")

    def run(self) -> None:
        Path(self.folder, "begun").touch()
        assert GO.wait(PATIENCE)
        Path(self.folder, "done").touch()


GO = threading.Event()


def test_the_last_task_of_another_worker_is_waited_for(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    GO.clear()
    ended: dict[str, bool] = {}

    def build(name: str) -> threading.Thread:
        def run() -> None:
            ended[name] = mm.build([Held(folder=str(tmp_path))], scheduler_url=scheduler)

        worker = threading.Thread(target=run, name=name, daemon=True)
        worker.start()
        return worker

    asked: list[str] = []
    ask = InFlightWorker._get_work

    def noted(worker: InFlightWorker) -> Any:
        asked.append(threading.current_thread().name)
        return ask(worker)

    monkeypatch.setattr(InFlightWorker, "_get_work", noted)
    first = build("first")
    wait_for(Path(tmp_path, "begun").exists)
    second = build("second")
    wait_for(lambda: "second" in ended or asked.count("second") > 2)  # it asks again only if it stays
    assert ended == {}
    GO.set()
    for worker in (first, second):
        worker.join(PATIENCE)
    assert ended == {"first": True, "second": True}


def wait_for(happened: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(PATIENCE * 20):
        if happened():
            return
        tick.wait(0.05)
    raise AssertionError("it never happened")


def test_who_waits_asks_soon_at_first_and_then_as_seldom_as_luigi_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("wait_interval", "3"), ("wait_jitter", "2")):
        luigi.configuration.get_config().set("worker", name, value)
    now, waits = datetime(2026, 1, 1), []

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now

    def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += timedelta(seconds=seconds)

    try:
        worker = InFlightFactory().create_worker(luigi.scheduler.Scheduler(), 1)
    finally:
        for name in ("wait_interval", "wait_jitter"):
            luigi.configuration.get_config().remove_option("worker", name)
    monkeypatch.setattr("minimax_tasks.tasks.worker.datetime", Clock)
    monkeypatch.setattr("minimax_tasks.tasks.worker.time.sleep", sleep)
    asking = worker._sleeper()
    worker._idle_since = now  # as Luigi notes when there is nothing to do
    for _ in range(8):
        next(asking)
    assert waits[:6] == pytest.approx([0.1, 0.1, 0.2, 0.4, 0.8, 1.6])
    assert all(3 <= wait <= 5 for wait in waits[6:])
    worker._idle_since = now  # there was work in between
    next(asking)
    assert waits[-1] == pytest.approx(0.1)
