"""A worker with nothing to do stays while another one runs what it waits for, also when that is the last task."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.tasks.worker import InFlightWorker

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
