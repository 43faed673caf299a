"""What can be seen from outside: one line and one event for each thing that happens to a clip, and Luigi's page."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from tests.conftest import point_at
from tests.storyboard.boards import write_board

Seen = list[tuple[str, Any, mm.ClipEvent]]

KINDS = {
    "paid": mm.Event.PAID,
    "delivered": mm.Event.DELIVERED,
    "failed": mm.Event.FAILED,
    "in doubt": mm.Event.IN_DOUBT,
}


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Kind, task and clip of each event of any task."""
    found: Seen = []
    handlers = [
        (event, lambda task, clip, kind=kind: found.append((kind, task, clip)))
        for kind, event in KINDS.items()
    ]
    for event, handler in handlers:
        luigi.Task.event_handler(event)(handler)
    yield found
    for event, handler in handlers:
        luigi.Task.remove_event_handler(event, handler)


def kinds(seen: Seen) -> list[str]:
    return [kind for kind, _, _ in seen]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    ours = [record for record in caplog.records if record.name.startswith("minimax_tasks")]
    return [record.getMessage() for record in ours if record.levelno == logging.INFO]


def build(task: luigi.Task, worker: str) -> bool:
    if worker == "ours":
        return mm.build([task])
    return bool(luigi.build([task], local_scheduler=True, log_level="WARNING"))


WORKERS = pytest.mark.parametrize("worker", ["ours", "Luigi's"])


@WORKERS
def test_a_clip_is_paid_for_and_delivered(
    worker: str, sandbox: Sandbox, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    task = mm.TextToVideo(prompt="a lighthouse at dusk", root="out")
    with caplog.at_level(logging.INFO):
        assert build(task, worker)
    assert kinds(seen) == ["paid", "delivered"]
    (entry,) = sandbox.ledger()
    for _, _, clip in seen:
        assert (clip.key, clip.task_id, clip.usd) == (task.key, entry["task_id"], 0.28)
        assert clip.seconds is not None
        assert 0 <= clip.seconds < 60
        assert "lighthouse" in clip.purpose
    told = lines(caplog)
    assert len(told) == 2
    assert told[0].startswith(f"paid: clip {task.key}, task {entry['task_id']}, USD 0.28, ")
    assert told[1].startswith(f"delivered: clip {task.key}, task {entry['task_id']}, USD 0.28, ")
    seen.clear()
    assert build(task, worker)
    assert kinds(seen) == []


@WORKERS
def test_the_task_of_a_user_hears_of_all_its_stages(worker: str, sandbox: Sandbox) -> None:
    heard: list[tuple[str, str]] = []

    class Mine(mm.TextToVideo):
        pass

    @Mine.event_handler(mm.Event.PAID)
    def paid(task: luigi.Task, clip: mm.ClipEvent) -> None:
        heard.append(("paid", type(task).__name__))

    @Mine.event_handler(mm.Event.DELIVERED)
    def delivered(task: luigi.Task, clip: mm.ClipEvent) -> None:
        heard.append(("delivered", type(task).__name__))

    assert build(Mine(prompt="x", root="out"), worker)
    assert build(mm.TextToVideo(prompt="of somebody else", root="out"), worker)
    assert heard == [("paid", "Mine"), ("delivered", "Mine")]


@WORKERS
def test_a_generation_that_fails(
    worker: str, sandbox: Sandbox, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1027}])
    task = mm.TextToVideo(prompt="x", root="out")
    with caplog.at_level(logging.INFO):
        assert not build(task, worker)
    assert kinds(seen) == ["paid", "failed"]
    failed = seen[1][2]
    assert failed.task_id == sandbox.ledger()[0]["task_id"]
    assert "1027" in failed.why
    assert [line.split(":")[0] for line in lines(caplog)] == ["paid", "failed"]


@WORKERS
def test_a_request_that_is_refused_costs_nothing(worker: str, sandbox: Sandbox, seen: Seen) -> None:
    sandbox.add_faults([{"at": "submit", "code": 1026}])
    assert not build(mm.TextToVideo(prompt="x", root="out"), worker)
    assert kinds(seen) == ["failed"]
    assert (seen[0][2].task_id, seen[0][2].usd) == ("", 0.0)


@WORKERS
def test_a_submit_whose_answer_is_lost(
    worker: str, sandbox: Sandbox, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_faults([{"at": "submit", "lost": True}])
    task = mm.TextToVideo(prompt="x", root="out")
    with caplog.at_level(logging.INFO):
        assert not build(task, worker)
    assert kinds(seen) == ["in doubt"]
    assert (seen[0][2].key, seen[0][2].usd, seen[0][2].task_id) == (task.key, 0.28, "")
    assert lines(caplog)[0].startswith(f"in doubt: clip {task.key}, USD 0.28; ")


def test_clips_of_a_table_and_of_a_film(sandbox: Sandbox, seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "waves.csv").write_text("prompt\na\nb\n")
    assert mm.build([mm.VideoDataset(table="waves.csv", root="out")])
    assert sorted(kinds(seen)) == ["delivered", "delivered", "paid", "paid"]
    assert {type(task).__name__ for _, task, _ in seen} == {"DatasetShard"}
    assert {clip.purpose for kind, _, clip in seen if kind == "paid"} == {"waves, row 2", "waves, row 3"}
    seen.clear()
    board = write_board(tmp_path, "title: Harbour\nshots: [{id: '010', prompt: Rain.}]\n")
    assert mm.build([mm.RenderStoryboard(storyboard=board, root="out")])
    assert kinds(seen) == ["paid", "delivered"]
    assert seen[0][2].purpose == "Harbour, shot 010, take 1"


def test_without_an_engine_the_log_has_the_same_lines(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        clip = asyncio.run(mm.make(mm.TextToVideoRequest(prompt="x"), root="out"))
    assert [line.split(",")[0] for line in lines(caplog)] == [
        f"paid: clip {clip.key}",
        f"delivered: clip {clip.key}",
    ]


def test_a_handler_that_fails_stops_nothing(sandbox: Sandbox) -> None:
    def broken(task: luigi.Task, clip: mm.ClipEvent) -> None:
        raise RuntimeError("the pager is down")

    luigi.Task.event_handler(mm.Event.PAID)(broken)
    try:
        assert mm.build([mm.TextToVideo(prompt="x", root="out")])
    finally:
        luigi.Task.remove_event_handler(mm.Event.PAID, broken)
    assert len(sandbox.ledger()) == 1


def test_no_line_holds_a_secret(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MINIMAX_API_KEY", "sk-planted-and-searched-for")
    task = mm.ImageToVideo(first_frame_image="https://h.example/a.png?Signature=planted", root="out")
    with caplog.at_level(logging.INFO):
        assert mm.build([task])
    assert lines(caplog)
    assert "planted" not in " ".join(lines(caplog))


class Page:
    """A scheduler of this process that notes what a task shows on the page, as a central one would get it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from luigi.scheduler import Scheduler

        from minimax_tasks.tasks.worker import InFlightFactory

        self.links: dict[str, str] = {}
        self.progress: dict[str, list[int]] = {}
        page = self

        class Noting(Scheduler):
            def add_task(self, *arguments: Any, **options: Any) -> Any:
                if options.get("tracking_url"):
                    page.links[options["task_id"].split("_")[0]] = options["tracking_url"]
                return super().add_task(*arguments, **options)

            def set_task_progress_percentage(self, task_id: str, progress_percentage: int) -> Any:
                page.progress.setdefault(task_id.split("_")[0], []).append(progress_percentage)
                return super().set_task_progress_percentage(task_id, progress_percentage)

        def central(factory: InFlightFactory) -> Noting:
            return Noting(prune_on_get_work=True, record_task_history=False)

        monkeypatch.setattr(InFlightFactory, "create_local_scheduler", central)


def test_progress_and_a_link_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = Page(monkeypatch)
    task = mm.TextToVideo(prompt="x", root="out")
    with Sandbox(latency=0.5, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        assert mm.build([task])
    video = (tmp_path / task.output().path).as_uri()
    assert page.links == dict.fromkeys(["SubmitVideo", "PollVideo", "TextToVideo"], video)
    assert page.progress["PollVideo"][0] == 0
    assert page.progress["PollVideo"][-1] == 100
    assert page.progress["PollVideo"] == sorted(page.progress["PollVideo"])


def test_the_link_is_a_setting(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch)
    monkeypatch.setenv("MINIMAX_TRACKING_URL", "https://videos.example/{path}?tab=1")
    task = mm.TextToVideo(prompt="x", root="out")
    assert mm.build([task])
    assert page.links["TextToVideo"] == f"https://videos.example/clips/{task.key}/video.mp4?tab=1"
    monkeypatch.setenv("MINIMAX_TRACKING_URL", "https://videos.example/")
    with pytest.raises(mm.ConfigurationError, match=r"\{path\}"):
        mm.Settings.load()


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (
            "s3://bucket/a root",
            "https://s3.console.aws.amazon.com/s3/object/bucket?prefix=a%20root/clips/k.mp4",
        ),
        ("memory://root", ""),
    ],
)
def test_links_of_storages(url: str, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    from minimax_tasks.storage.files import Storage
    from minimax_tasks.storage.links import link_to

    monkeypatch.delitem(fsspec.config.conf, "s3", raising=False)
    assert link_to(Storage(url), "clips/k.mp4") == link


def test_a_link_of_a_storage_at_its_own_address(s3_root: str) -> None:
    from minimax_tasks.storage.files import Storage
    from minimax_tasks.storage.links import link_to

    link = link_to(Storage(s3_root), "clips/k.mp4")
    assert link.startswith("http://127.0.0.1:")
    assert link.endswith(s3_root.removeprefix("s3:/") + "/clips/k.mp4")


@WORKERS
@pytest.mark.parametrize(
    "broken",
    [
        lambda: mm.ImageToVideo(first_frame_image="nope.png", root="out"),
        lambda: mm.VideoDataset(table="nope.csv", root="out"),
        lambda: mm.RenderStoryboard(storyboard="nope.yaml", root="out"),
    ],
)
def test_a_task_that_cannot_be_planned_is_heard_of_once(worker: str, broken: Any) -> None:
    heard: list[str] = []

    def hear(task: luigi.Task, error: Exception) -> None:
        heard.append(str(error))

    luigi.Task.event_handler(luigi.Event.BROKEN_TASK)(hear)
    try:
        assert not build(broken(), worker)
    finally:
        luigi.Task.remove_event_handler(luigi.Event.BROKEN_TASK, hear)
    (told,) = heard
    assert "there is no such file" in told
