"""What must hold of a root before something is paid is judged where it is paid, whoever asks."""

import asyncio
import logging
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.root import check_shareable
from minimax_tasks.clips.submit import submit
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.run import Run
from minimax_tasks.tasks.worker import InFlightFactory
from tests.clips.test_root import Shelf

REQUEST = mm.TextToVideoRequest(prompt="A lighthouse")


@pytest.fixture
def paid(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts what was paid to a sandbox that is taken for the real service."""
    monkeypatch.setattr("minimax_tasks.clips.root.is_loopback", lambda url: False)
    return lambda: len(sandbox.ledger())


def by_our_worker(root: str) -> bool:
    return mm.build([mm.TextToVideo(prompt="A lighthouse", root=root)], log_level="CRITICAL")


def by_luigis_worker(root: str) -> bool:
    tasks = [mm.TextToVideo(prompt="A lighthouse", root=root)]
    return bool(luigi.build(tasks, local_scheduler=True, log_level="CRITICAL"))


def by_luigis_workers(root: str) -> bool:
    tasks = [mm.TextToVideo(prompt="A lighthouse", root=root)]
    return bool(luigi.build(tasks, local_scheduler=True, workers=3, log_level="CRITICAL"))


def by_a_dataset(root: str) -> bool:
    Path("table.csv").write_text("prompt\nA lighthouse\n")
    return mm.build([mm.VideoDataset(table="table.csv", root=root)], log_level="CRITICAL")


def by_make(root: str) -> bool:
    return refused(mm.make(REQUEST, root=root))


def by_a_script(root: str) -> bool:
    clip = mm.ClipRequest(REQUEST)

    async def run() -> None:
        async with mm.Service() as service:
            await submit(clip, ClipFolder(Storage(root), clip.key), service)

    return refused(run())


def refused(work: Any) -> bool:
    with pytest.raises(mm.ConfigurationError, match="gone when this process ends"):
        asyncio.run(work)
    return False


@pytest.mark.parametrize(
    "pay", [by_our_worker, by_luigis_worker, by_luigis_workers, by_a_dataset, by_make, by_a_script]
)
def test_nothing_real_is_paid_on_a_root_in_memory(
    paid: Callable[[], int], pay: Callable[[str], bool]
) -> None:
    assert not pay(f"memory://{uuid4().hex}")
    assert paid() == 0


@pytest.mark.parametrize("root", ["memory://forked", "shelf://forked"])
def test_children_of_luigis_worker_pay_nothing_where_they_would_not_find_it(
    sandbox: Sandbox, root: str
) -> None:
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    assert not by_luigis_workers(root)
    assert sandbox.ledger() == []


def _paying(root: str, told: Any) -> None:
    try:
        asyncio.run(mm.make(REQUEST, root=root))
    except mm.ConfigurationError as error:
        told.put(str(error))


def test_nor_does_any_other_child_of_multiprocessing(sandbox: Sandbox) -> None:
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    child = context.Process(target=_paying, args=(f"memory://{uuid4().hex}", told))
    child.start()
    assert "memory of a process cannot be shared" in told.get(timeout=60)
    child.join()
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    ("root", "why"),
    [
        ("memory://shared", "memory of a process"),
        ("shelf://shared", "no exclusive create"),
        ("out", "their own working directory"),
        ("./out", "their own working directory"),
        ("../out", "their own working directory"),
    ],
)
def test_a_root_is_not_shared_that_others_would_not_find(root: str, why: str, sandbox: Sandbox) -> None:
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    with pytest.raises(mm.ConfigurationError, match=why):
        check_shareable(Storage(root))
    run = Run()

    class Factory(InFlightFactory):
        def create_remote_scheduler(self, url: str) -> Any:
            scheduler = self.create_local_scheduler()
            run.is_shared = True
            return scheduler

    told: list[BaseException] = []
    mm.SubmitVideo.event_handler(luigi.Event.FAILURE)(handler := lambda task, error: told.append(error))
    try:
        task = mm.TextToVideo(prompt="A lighthouse", root=root)
        assert not luigi.build([task], worker_scheduler_factory=Factory(run), log_level="CRITICAL")
    finally:
        mm.SubmitVideo.remove_event_handler(luigi.Event.FAILURE, handler)
    assert why in str(told[0])
    assert sandbox.ledger() == []


@pytest.mark.parametrize("root", ["/absolute/out", "~/out", "file:///absolute/out"])
def test_a_whole_path_is_not_relative(root: str) -> None:
    check_shareable(Storage(root))


def test_a_new_relative_root_of_the_real_service_is_told_once(
    paid: Callable[[], int], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.WARNING, logger="minimax_tasks")
    for _ in range(2):
        asyncio.run(mm.make(REQUEST, root="out"))
    asyncio.run(mm.make(REQUEST, root=str(tmp_path / "whole")))
    (told,) = [record.getMessage() for record in caplog.records if "relative" in record.getMessage()]
    assert str(tmp_path / "out") in told
