"""Taking back what is queued, and tasks that are older than the window in which their service answers."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import GenerationFailed, OutOfReach, TextToVideo, build
from minimax_tasks.clips.ledger import Spending, payments
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.clips.unfinished import unfinished
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.clips.test_doubt_by_list import BRIEF, clip, elsewhere, files, run
from tests.clips.test_doubt_by_list import lost as lost
from tests.clips.test_life import service_settings
from tests.conftest import point_at
from tests.sandbox.conftest import until

QUEUED = {"at": "task", "most": 1, "stuck": "Queueing"}


def submit_alone(url: str, root: Path, **given: Any) -> None:
    """Submit a clip whose task stays queued, and give up waiting for it."""
    from minimax_tasks.clips.make import ClipMaker
    from minimax_tasks.clips.service import Service

    async def work() -> None:
        async with Service(service_settings(url), timing=BRIEF) as service:
            maker = ClipMaker(Storage(str(root)), service)
            await maker.check_root()
            one = clip(**given)
            await maker.submit(one, service.folder(maker.root, one.key))

    asyncio.run(work())


def age_by(root: Path, key: str, days: float) -> None:
    path = root / "clips" / key / "submission.json"
    told = json.loads(path.read_text())
    told["submitted_at"] = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    path.write_text(json.dumps(told))


def test_what_is_queued_is_taken_back_and_the_next_run_submits_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Storage(str(tmp_path))
    with Sandbox(latency=0.0, scale="90P", faults=[QUEUED]) as sandbox:
        point_at(monkeypatch, sandbox.url)
        submit_alone(sandbox.url, tmp_path)
        assert Spending(root).total() == pytest.approx(0.32)
        assert main(["cancel", "--root", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert "free of charge" in said
        assert "1 of 1" in said
        assert "cancelled.1.json" in files(tmp_path, clip())
        assert clip_states(root, [clip().key])[clip().key].status is ClipStatus.TO_MAKE
        assert (payments(root), Spending(root).total(), asyncio.run(unfinished(root))) == ([], 0, [])
        assert main(["cancel", clip().key, "--root", str(tmp_path)]) == 0  # it stays taken back
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert [entry["status"] for entry in sandbox.ledger()] == ["Cancelled", "Success"]
        (paid,) = payments(root)
        assert (paid.attempt, paid.usd, paid.billed) == (2, 0.32, 0.32)


def test_a_task_of_luigi_submits_again_what_was_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[QUEUED]) as sandbox:
        point_at(monkeypatch, sandbox.url)
        submit_alone(sandbox.url, tmp_path)
        assert main(["cancel", "--root", str(tmp_path)]) == 0
        task = TextToVideo(prompt="A pier", model="MiniMax-H3", ratio="16:9", duration=4, root=str(tmp_path))
        assert task.key == clip().key
        assert build([task])
        assert [entry["status"] for entry in sandbox.ledger()] == ["Cancelled", "Success"]


def test_what_runs_is_not_taken_back_and_what_is_over_keeps_its_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=0.0, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        submit_alone(sandbox.url, tmp_path)
        assert main(["cancel", clip().key, "--root", str(tmp_path)]) == 1
        assert "not taken back" in capsys.readouterr().err
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert len(sandbox.ledger()) == 1


def test_a_cancel_whose_answer_is_lost_is_known_by_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[QUEUED, {"at": "cancel", "lost": True}]) as sandbox:
        point_at(monkeypatch, sandbox.url)
        submit_alone(sandbox.url, tmp_path)
        assert main(["cancel", "--root", str(tmp_path)]) == 0
        assert "cancelled.1.json" in files(tmp_path, clip())


def test_a_clip_that_is_taken_back_while_a_run_waits_is_not_submitted_by_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minimax_tasks.clips.cancel import cancel
    from minimax_tasks.clips.make import ClipMaker
    from minimax_tasks.clips.service import Service

    async def work(url: str) -> BaseException | None:
        async with Service(service_settings(url), timing=BRIEF) as service:
            maker = ClipMaker(Storage(str(tmp_path)), service)
            await maker.check_root()
            making = asyncio.ensure_future(maker.make(clip()))
            folder = service.folder(maker.root, clip().key)
            while not await folder.submission():  # noqa: ASYNC110 - it is a file
                await asyncio.sleep(0.02)
            assert (await cancel(folder, service)).cancelled
            (found,) = await asyncio.gather(making, return_exceptions=True)
            return found

    with Sandbox(latency=0.0, scale="90P", faults=[QUEUED]) as sandbox:
        error = asyncio.run(work(sandbox.url))
        assert isinstance(error, GenerationFailed)
        assert "nothing is charged" in str(error)
        assert len(sandbox.ledger()) == 1
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert len(sandbox.ledger()) == 2


def test_after_seven_days_it_is_out_of_reach_in_its_own_words_and_not_paid_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[QUEUED]) as sandbox:
        point_at(monkeypatch, sandbox.url)
        submit_alone(sandbox.url, tmp_path)
        age_by(tmp_path, clip().key, 8)
        sandbox.set_clock(8 * 86_400)
        for _ in range(2):
            (error,) = run(sandbox.url, tmp_path, clip())
            assert isinstance(error, OutOfReach)
            assert "8 days ago" in str(error)
            assert "as if it had never been, although it was paid" in str(error)
        assert main(["resume", "--root", str(tmp_path)]) == 1
        assert "8 days ago" in capsys.readouterr().err
        assert len(sandbox.ledger()) == 1


def test_after_seven_days_the_first_generation_may_still_know_it(tmp_path: Path) -> None:
    with Sandbox(latency=0.0, scale="90P", former_remembers=True) as sandbox:
        submit_alone(sandbox.url, tmp_path)
        age_by(tmp_path, clip().key, 8)
        sandbox.set_clock(8 * 86_400)
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert "video.mp4" in files(tmp_path, clip())
        assert len(sandbox.ledger()) == 1


def test_resume_begins_with_what_is_soonest_out_of_reach(tmp_path: Path) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[{"at": "task", "stuck": "Queueing"}]) as sandbox:
        for number, days in enumerate((1, 6, 3)):
            submit_alone(sandbox.url, tmp_path, prompt=f"shot {number}")
            age_by(tmp_path, clip(f"shot {number}").key, days)
    found = asyncio.run(unfinished(Storage(str(tmp_path))))
    assert found == [clip(f"shot {number}").key for number in (1, 2, 0)]


def test_a_person_sees_what_may_be_the_task_and_settles_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(
        latency=0.0, scale="90P", faults=[lost(), {"at": "list", "most": 4, "http": 503}]
    ) as sandbox:
        point_at(monkeypatch, sandbox.url)
        run(sandbox.url, tmp_path, clip(), timing=BRIEF)
        other = elsewhere(sandbox)
        task_id = sandbox.ledger()[0]["task_id"]
        until(sandbox.ledger, lambda told: all(entry["status"] == "Success" for entry in told))
        words = ["resolve", clip().key, "--root", str(tmp_path)]
        assert main(words) == 0
        said = capsys.readouterr().out
        assert f"{task_id} (created " in said
        assert other in said
        assert f"candidate.{task_id}.jpg" in said
        assert f"candidate.{task_id}.jpg" in files(tmp_path, clip())
        assert main([*words, "--task-id", task_id]) == 0
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert len(sandbox.ledger()) == 2
