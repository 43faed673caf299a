"""Nothing paid is lost, nothing is paid twice: doubts, budgets, retries, and deaths at every step."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from minimax_tasks import (
    BudgetReached,
    ClipRequest,
    GenerationFailed,
    InputRejected,
    NotConnected,
    SubjectToVideoRequest,
    SubmitRefused,
    TextToVideoRequest,
    UncertainSubmit,
)
from minimax_tasks.clips import submit as submitting
from minimax_tasks.clips.callbacks import callback_address
from minimax_tasks.clips.download import download
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.ledger import payments
from minimax_tasks.clips.poll import poll_through
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import submit
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.commands.main import main
from minimax_tasks.commands.receive import receiving
from minimax_tasks.console.messages import worded
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage import local_files
from minimax_tasks.storage.files import Storage
from tests.clips.test_life import TEXT, folder_of, make, names, with_service
from tests.conftest import point_at


def finish(url: str, clip: ClipRequest, root: Path, *, timing: Timing = USUAL, **settings: Any) -> ClipFolder:
    folder = folder_of(clip, root, timing)

    async def work(service: Service) -> None:
        await submit(clip, folder, service)
        await poll_through(lambda: clip, folder, service)
        await download(folder, service)

    with_service(url, work, timing=timing, **settings)
    return folder


def submitted(url: str, clip: ClipRequest, root: Path) -> ClipFolder:
    folder = folder_of(clip, root)
    with_service(url, partial(submit, clip, folder))
    return folder


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


# -- a person settles a doubt


@pytest.fixture
def doubtful(sandbox: Sandbox, tmp_path: Path) -> ClipFolder:
    sandbox.add_faults([{"at": "submit", "nth": 1, "lost": True}])
    with pytest.raises(UncertainSubmit) as told:
        make(sandbox.url, TEXT, tmp_path)
    folder = folder_of(TEXT, tmp_path)
    command = f"minimax-tasks resolve {folder.key} --root {tmp_path}"
    assert f"{command} --task-id ID" in worded(told.value)
    assert f"{command} --resubmit" in worded(told.value)
    assert "minimax-tasks" not in str(told.value)
    assert "USD 0.28" in str(told.value)
    assert (told.value.key, told.value.root, told.value.usd) == (folder.key, str(tmp_path), 0.28)
    return folder


def resolve(folder: ClipFolder, *words: str) -> int:
    return main(["resolve", folder.key, "--root", folder.root.url, *words])


def test_a_task_id_that_was_found_is_adopted_and_nothing_is_paid(
    sandbox: Sandbox, doubtful: ClipFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve(doubtful, "--task-id", sandbox.ledger()[0]["task_id"]) == 0
    assert "continues with it" in capsys.readouterr().out
    make(sandbox.url, TEXT, tmp_path)
    assert "video.mp4" in names(doubtful)
    assert len(sandbox.ledger()) == 1


def test_the_task_of_another_clip_is_refused(
    sandbox: Sandbox, doubtful: ClipFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make(sandbox.url, ClipRequest(TextToVideoRequest(prompt="Another")), tmp_path)
    taken = sandbox.ledger()[1]["task_id"]
    assert resolve(doubtful, "--task-id", taken) == 2
    assert (
        f"it is the task of clip {other.key} (MiniMax-Hailuo-2.3 768P 6 s: Another)"
        in capsys.readouterr().err
    )
    assert "submission.json" not in names(doubtful)


def test_a_clip_is_found_by_the_beginning_of_its_key(
    sandbox: Sandbox, doubtful: ClipFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task_id = sandbox.ledger()[0]["task_id"]
    words = ["--task-id", task_id]
    assert main(["resolve", doubtful.key[:12], "--root", str(tmp_path / "elsewhere"), *words]) == 2
    assert f"there is no such clip under {tmp_path}/elsewhere" in capsys.readouterr().err
    assert main(["resolve", "lighthouse", "--root", str(tmp_path), *words]) == 2
    assert main(["resolve", doubtful.key[:12], "--root", str(tmp_path), *words]) == 0
    assert doubtful.key in capsys.readouterr().out


def test_a_task_id_that_the_service_does_not_know_is_refused(
    sandbox: Sandbox, doubtful: ClipFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve(doubtful, "--task-id", "123") == 1
    assert resolve(doubtful, "--task-id", "../x") == 2
    assert "Traceback" not in capsys.readouterr().err
    assert "submission.json" not in names(doubtful)


def test_resubmit_pays_once_more_because_a_person_said_so(
    sandbox: Sandbox, doubtful: ClipFolder, tmp_path: Path
) -> None:
    assert resolve(doubtful, "--resubmit") == 0
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 2
    assert resolve(doubtful, "--resubmit") == 2, "a clip that is submitted is not in doubt"
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 2


def test_resubmit_waits_for_a_worker_that_may_still_be_at_it(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(TEXT, tmp_path)
    asyncio.run(folder.claim(1, TEXT, "nonce"))
    assert resolve(folder, "--resubmit") == 1
    assert "may still be at it" in capsys.readouterr().err


def test_a_callback_to_the_address_of_the_submit_settles_the_doubt(sandbox: Sandbox, tmp_path: Path) -> None:
    with receiving(str(tmp_path)) as receiver:
        sandbox.add_faults([{"at": "submit", "nth": 1, "lost": True}])
        with pytest.raises(UncertainSubmit):
            finish(sandbox.url, TEXT, tmp_path, receiver_url=receiver)
        until = time.monotonic() + 60
        while not list((tmp_path / "callbacks").glob("submit-*")) and time.monotonic() < until:
            time.sleep(0.05)
        finish(sandbox.url, TEXT, tmp_path, receiver_url=receiver)
    assert len(sandbox.ledger()) == 1
    assert "video.mp4" in names(folder_of(TEXT, tmp_path))


def test_a_forged_callback_settles_nothing(sandbox: Sandbox, tmp_path: Path, doubtful: ClipFolder) -> None:
    claim = json.loads((tmp_path / "clips" / doubtful.key / "claim.1.json").read_text())
    doubtful.root.write_json(f"callbacks/submit-{doubtful.key}-{claim['nonce']}.json", {"task_id": "999"})
    with pytest.raises(UncertainSubmit):
        make(sandbox.url, TEXT, tmp_path)
    assert callback_address("http://h/", "k", "n") == "http://h/k/n"


# -- paid retries


def test_a_failed_clip_is_paid_again_once_when_a_person_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1027, "most": 1}])
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path)
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path, retry_failed_before=datetime(2020, 1, 1, tzinfo=UTC))
    folder = finish(sandbox.url, TEXT, tmp_path, retry_failed_before=soon())
    assert len(sandbox.ledger()) == 2
    history = json.loads((tmp_path / "clips" / folder.key / "claim.2.json").read_text())["previous"]
    assert history["submission"]["task_id"] == sandbox.ledger()[0]["task_id"]
    assert history["result"]["base_resp"]["status_code"] == 1027


def test_a_moment_in_the_future_pays_for_one_attempt_more_and_no_further(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1027}])
    moment = datetime.now(UTC) + timedelta(days=999)
    for posts in (2, 2):
        with pytest.raises(GenerationFailed):
            finish(sandbox.url, TEXT, tmp_path, retry_failed_before=moment)
        assert len(sandbox.ledger()) == posts


def test_a_read_that_fails_after_the_post_does_not_lose_the_task_id(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Storage.read

    def broken(self: Storage, name: str) -> bytes:
        if "claim." in name:
            raise ConnectionResetError(name)
        return read(self, name)

    monkeypatch.setattr(Storage, "read", broken)
    folder = finish(sandbox.url, TEXT, tmp_path)
    assert "submission.json" in names(folder)
    assert "video.mp4" in names(folder)


def test_a_task_id_that_cannot_be_written_down_is_in_the_doubt(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for way in ("write", "create"):
        original = getattr(local_files, way)

        def broken(final: str, *arguments: Any, _original: Any = original, **options: Any) -> Any:
            if "submission" in os.path.basename(final):
                raise OSError("disk full")
            return _original(final, *arguments, **options)

        monkeypatch.setattr(local_files, way, broken)
    with pytest.raises(UncertainSubmit):
        finish(sandbox.url, TEXT, tmp_path, timing=Timing(write_tries=2))
    monkeypatch.undo()
    with pytest.raises(UncertainSubmit, match=f"accepted as task {sandbox.ledger()[0]['task_id']}"):
        finish(sandbox.url, TEXT, tmp_path)


def test_a_task_is_the_clips_own_before_anybody_waits_for_it(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = submitted(sandbox.url, TEXT, tmp_path)
    (told,) = (tmp_path / "tasks").iterdir()
    task_id = sandbox.ledger()[0]["task_id"]
    assert json.loads(told.read_text()) == {"task_id": task_id, "clip": folder.key}


def test_a_submit_stands_where_its_task_cannot_be_written_down_as_its_own(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "tasks").write_text("no folder")
    assert "submission.json" in names(submitted(sandbox.url, TEXT, tmp_path))
    (tmp_path / "tasks").unlink()
    assert "video.mp4" in names(finish(sandbox.url, TEXT, tmp_path))
    assert len(sandbox.ledger()) == 1
    assert len(list((tmp_path / "tasks").iterdir())) == 1


def test_a_poll_that_is_refused_once_is_a_missed_poll(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "query", "nth": 1, "http": 404}])
    assert "video.mp4" in names(finish(sandbox.url, TEXT, tmp_path, poll_interval=0.05))


def test_failures_inside_the_service_have_a_set_number_of_paid_attempts(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1000}])
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1
    for _ in range(2):
        with pytest.raises(GenerationFailed):
            finish(sandbox.url, TEXT, tmp_path, paid_attempts=3)
        assert len(sandbox.ledger()) == 3


def test_moderation_is_never_retried_by_itself(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1026}])
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path, paid_attempts=3)
    assert len(sandbox.ledger()) == 1


def test_what_was_refused_is_sent_again_when_a_person_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "submit", "code": 1008, "most": 1}])
    with pytest.raises(Exception, match="top up"):
        finish(sandbox.url, TEXT, tmp_path)
    with pytest.raises(SubmitRefused, match="a retry is asked for") as told:
        finish(sandbox.url, TEXT, tmp_path)
    assert "--retry-failed asks for it" in worded(told.value)
    finish(sandbox.url, TEXT, tmp_path, retry_failed_before=soon())
    assert len(sandbox.ledger()) == 1


# -- budget and ledger


def clips(count: int) -> list[ClipRequest]:
    return [ClipRequest(TextToVideoRequest(prompt=f"wave {number}")) for number in range(count)]


@pytest.mark.parametrize("trouble", ["budget", "not connected"])
def test_a_refusal_stands_when_its_retry_did_not_reach_the_service(
    sandbox: Sandbox, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_faults([{"at": "submit", "nth": 1, "code": 1026}])
    with pytest.raises(InputRejected):
        make(sandbox.url, TEXT, tmp_path)
    if trouble == "budget":
        with pytest.raises(BudgetReached):
            finish(sandbox.url, TEXT, tmp_path, retry_failed_before=soon(), budget=0.0)
    else:
        with pytest.raises(NotConnected):
            finish(
                "http://127.0.0.1:9",
                TEXT,
                tmp_path,
                timing=Timing(connect_tries=1),
                retry_failed_before=soon(),
            )
    with pytest.raises(SubmitRefused, match="1026"):
        finish(sandbox.url, TEXT, tmp_path)
    assert sandbox.ledger() == []
    finish(sandbox.url, TEXT, tmp_path, retry_failed_before=soon())
    assert len(sandbox.ledger()) == 1


def test_the_sum_that_a_budget_names_was_spent(sandbox: Sandbox, tmp_path: Path) -> None:
    clips = [ClipRequest(TEXT.request, take=take) for take in range(1, 9)]

    async def work(service: Service) -> list[Any]:
        tries = (submit(clip, folder_of(clip, tmp_path), service) for clip in clips)
        return await asyncio.gather(*tries, return_exceptions=True)

    told = [
        str(error) for error in with_service(sandbox.url, work, budget=0.9) if isinstance(error, Exception)
    ]
    assert len(sandbox.ledger()) == 3, "the last one that fits is made"
    assert len(told) == 5
    assert all("USD 0.84 of the budget of USD 0.9 is spent" in text for text in told)


def test_waiting_out_the_rate_limit_is_told(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_faults([{"at": "submit", "nth": 1, "code": 1002}])
    told: list[str] = []

    async def work(service: Service) -> None:
        await submit(TEXT, folder_of(TEXT, tmp_path), service, on_status=told.append)

    with_service(sandbox.url, work, timing=Timing(rate_window=0.05))
    assert told
    assert "fewer submits (1002), on in" in told[0]


def test_many_at_once_never_pass_the_budget(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work(service: Service) -> list[Any]:
        pending = [submit(clip, folder_of(clip, tmp_path), service) for clip in clips(12)]
        return await asyncio.gather(*pending, return_exceptions=True)

    done = with_service(sandbox.url, work, budget=1.0)
    assert len(sandbox.ledger()) <= 3
    assert sum(isinstance(outcome, BudgetReached) for outcome in done) == 12 - len(sandbox.ledger())
    with_service(sandbox.url, work, budget=1.0)
    assert len(sandbox.ledger()) <= 3


def test_a_clip_without_a_price_is_not_submitted_under_a_budget(sandbox: Sandbox, tmp_path: Path) -> None:
    clip = ClipRequest(SubjectToVideoRequest(subject_image="https://example.com/a.png"))
    with pytest.raises(BudgetReached, match="no published price"):
        finish(sandbox.url, clip, tmp_path, budget=100.0)
    assert sandbox.ledger() == []
    finish(sandbox.url, clip, tmp_path)


def test_the_ledger_is_what_was_accepted(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults(
        [
            {"at": "submit", "prompt": "wave 1", "code": 1026},
            {"at": "submit", "prompt": "wave 2", "lost": True},
            {"at": "task", "prompt": "wave 3", "fail": 1027},
        ]
    )
    for clip in clips(5):
        try:
            finish(sandbox.url, clip, tmp_path)
        except Exception:
            continue
    found = payments(Storage(str(tmp_path)))
    assert len(found) == len(sandbox.ledger()) == 4
    assert sorted(payment.state for payment in found) == ["delivered", "delivered", "failed", "in doubt"]
    ids = {payment.task_id for payment in found if payment.task_id}
    assert ids < {entry["task_id"] for entry in sandbox.ledger()}
    assert main(["ledger", "--root", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"] == {"usd": 1.12, "billed": 1.12, "clips": 4, "without_price": 0}
    assert list(told["days"]) == [datetime.now(UTC).date().isoformat()]
    assert main(["ledger", "--root", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "1.12" in table
    assert "in doubt" in table


def test_resume_finishes_what_is_paid_from_the_root_alone(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for clip in clips(3):
        with_service(sandbox.url, lambda service, clip=clip: submit(clip, folder_of(clip, tmp_path), service))
    assert main(["resume", "--root", str(tmp_path)]) == 0
    assert "3 are finished now" in capsys.readouterr().out
    assert all("video.mp4" in names(folder_of(clip, tmp_path)) for clip in clips(3))
    assert len(sandbox.ledger()) == 3


# -- deaths


class _Death(BaseException):
    """The process is gone at this instruction."""


OPERATIONS = [(local_files, name) for name in ("write", "create", "put")] + [
    (Storage, name) for name in ("read", "names")
]


def kill(patch: pytest.MonkeyPatch, step: int, moment: str) -> None:
    """Die before or after the n-th operation of the storage."""
    count = 0

    def deadly(home: Any, name: str) -> Any:
        original = getattr(home, name)

        def operation(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == step and moment == "before":
                raise _Death
            outcome = original(*arguments, **options)
            if count == step:
                raise _Death
            return outcome

        return operation

    for home, name in OPERATIONS:
        patch.setattr(home, name, deadly(home, name))
    # A dead process writes nothing more, not even its doubt.
    patch.setattr(submitting, "_doubt", _dead_doubt)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 22))
def test_death_at_every_storage_operation(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, moment: str
) -> None:
    """Dies before or after the n-th operation, then runs again until nothing changes."""
    with monkeypatch.context() as patched:
        kill(patched, step, moment)
        with contextlib.suppress(_Death):
            make(sandbox.url, TEXT, tmp_path)
    try:
        make(sandbox.url, TEXT, tmp_path, Timing(claim_patience=0.2))
    except UncertainSubmit:
        assert "submission.json" not in names(folder_of(TEXT, tmp_path))
    else:
        assert "video.mp4" in names(folder_of(TEXT, tmp_path))
    assert len(sandbox.ledger()) <= 1


async def _dead_doubt(*arguments: Any) -> UncertainSubmit:
    return UncertainSubmit("dead")


WORKER = """
import sys, minimax_tasks as mm
mm.build([mm.TextToVideo(prompt=f"wave {n}", root="out") for n in range(30)], log_level="CRITICAL")
"""


@pytest.mark.slow
def test_kills_while_another_process_writes_pay_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What that process has been told is written although its parent is gone, and late: a clip that is claimed so was
    not sent, and no clip is claimed twice.
    """
    writing = "from minimax_tasks.storage import disk_work; disk_work.BACKLOG = 0\n" + WORKER
    with Sandbox(latency=0.6, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        for seconds in (1.2, 1.5, 1.8, 2.1, 2.4, None):
            with subprocess.Popen([sys.executable, "-c", writing], cwd=tmp_path) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(seconds or 120)
                process.kill()
        prompts = [entry["request"]["prompt"] for entry in sandbox.ledger()]
    assert len(prompts) == len(set(prompts)), "nothing is paid twice"
    for clip in (tmp_path / "out/clips").iterdir():
        if clip.is_dir():
            paid, made = (clip / "submission.json").exists(), (clip / "video.mp4").exists()
            assert paid == made, "every paid clip is delivered, or it is in doubt"
            assert made or (clip / "claim.1.json").exists()


@pytest.mark.slow
def test_two_workers_and_a_kill_share_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(latency=0.6, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", WORKER], cwd=tmp_path, start_new_session=True)

        one, two = start(), start()
        time.sleep(2.0)
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()
        assert two.wait(timeout=120) == 0
        assert start().wait(timeout=120) == 0
        prompts = [entry["request"]["prompt"] for entry in sandbox.ledger()]
    assert len(prompts) == len(set(prompts)), "nothing is paid twice"
    folders = [folder for folder in (tmp_path / "out/clips").iterdir() if folder.is_dir()]
    unfinished = [folder for folder in folders if not (folder / "video.mp4").exists()]
    assert len(folders) == 30
    assert all(not (folder / "submission.json").exists() for folder in unfinished), (
        "every paid clip is delivered"
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_keeps_what_is_paid(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=600, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        sandbox.add_faults([{"at": "submit", "delay": 1.0}])
        # A shell starts what runs in its background with SIGINT ignored, and children inherit that.
        heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        running = subprocess.Popen(
            [sys.executable, "-c", heeded + WORKER], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        # A claim is no POST yet: who is stopped between them takes the claim back.
        while not sandbox.ledger():
            time.sleep(0.05)
        began = time.monotonic()
        running.send_signal(number)
        running.wait(timeout=60)
        assert time.monotonic() - began < 60, "no clip was waited for"
        assert running.returncode != 0
        accepted = {entry["task_id"] for entry in sandbox.ledger()}
    written = {
        json.loads(path.read_text())["task_id"] for path in (tmp_path / "out/clips").glob("*/submission.json")
    }
    assert accepted, "there were POSTs under way"
    assert accepted == written, "the POSTs under way were seen through"


@pytest.mark.slow
def test_a_run_that_is_told_to_stop_at_its_first_claim_leaves_none_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=600, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        sandbox.add_faults([{"at": "submit", "delay": 1.0}])
        running = subprocess.Popen([sys.executable, "-c", WORKER], cwd=tmp_path, stderr=subprocess.DEVNULL)
        while not list((tmp_path / "out/clips").glob("*/claim.1.json")):
            time.sleep(0.005)
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=60)
        accepted = {entry["task_id"] for entry in sandbox.ledger()}
    written = set()
    for claim in (tmp_path / "out/clips").glob("*/claim.1.json"):
        submission = claim.with_name("submission.json")
        if submission.exists():
            written.add(json.loads(submission.read_text())["task_id"])
        else:
            assert "nothing was sent" in claim.with_name("released.1.json").read_text()
    assert accepted == written


@pytest.mark.slow
def test_a_stop_leaves_no_claim_open_on_a_disk_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim has its name, and is not yet known to be on disk, for longer than a stop waits for a POST."""
    slow = """
import time, luigi, minimax_tasks as mm
from minimax_tasks.clips.timing import Timing
from minimax_tasks.storage import disk_work, local_files
from minimax_tasks.tasks.build import in_flight_factory
from minimax_tasks.tasks.run import Run
disk_work.BACKLOG = 10**6  # threads, which have the function below
create = local_files.create
def slow(final, *arguments, **options):
    created = create(final, *arguments, **options)
    if "/claim." in final:
        time.sleep(1.5)
    return created
local_files.create = slow
factory = in_flight_factory(Run(timing=Timing(stop_patience=1.0)))
tasks = [mm.TextToVideo(prompt=f"wave {n}", root="out") for n in range(30)]
luigi.build(tasks, worker_scheduler_factory=factory, local_scheduler=True, log_level="CRITICAL")
"""
    with Sandbox(latency=600, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        running = subprocess.Popen([sys.executable, "-c", slow], cwd=tmp_path, stderr=subprocess.DEVNULL)
        while not list((tmp_path / "out/clips").glob("*/claim.1.json")):
            time.sleep(0.005)
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=60)
        assert not sandbox.ledger()
    claims = list((tmp_path / "out/clips").glob("*/claim.1.json"))
    assert claims
    for claim in claims:
        assert "nothing was sent" in claim.with_name("released.1.json").read_text()


# -- the receiver


def test_the_receiver_answers_the_challenge_and_bears_anything(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "minimax_tasks", "receive", "--root", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    url = running.stdout.readline().split()[-1]
    try:
        began = time.monotonic()
        assert httpx.post(url, json={"challenge": "abc"}, verify=False).json() == {"challenge": "abc"}
        assert httpx.post(url + "/any/path", json={"challenge": 7}, verify=False).json() == {"challenge": 7}
        assert time.monotonic() - began < 30
        good = {
            "task_id": "115334141465231360",
            "status": "success",
            "file_id": "205258526306433",
            "key": "x",
        }
        for _ in range(3):
            assert httpx.post(url, json=good, verify=False).status_code == 200
        assert httpx.post(url, content=b"{", verify=False).status_code == 400
        assert httpx.post(url, content=b"[" * 60_000, verify=False).status_code == 400
        assert httpx.post(url, json=[1], verify=False).status_code == 400
        assert (
            httpx.post(url, json={"task_id": "../../x", "status": "success"}, verify=False).status_code == 400
        )
        for odd in (
            b'{"challenge": NaN}',
            b'{"challenge": 1e999}',
            b'{"challenge": "\\ud800"}',
            b'{"challenge": ' + b"[" * 960 + b"]" * 960 + b"}",
            b'{"task_id": "1", "status": "\\ud800"}',
            b'{"task_id": "1", "status": ' + b"[" * 960 + b"]" * 960 + b"}",
            b'{"task_id": null}',
            b'{"task_id": true}',
        ):
            assert httpx.post(url, content=odd, verify=False).status_code == 400, odd
        assert httpx.post(url, content=b"x" * 1_000_000, verify=False).status_code == 413
        assert httpx.get(url, verify=False).status_code == 405
    finally:
        running.terminate()
        _, said = running.communicate(timeout=60)
        assert running.returncode == 0
    assert said == ""
    kept = list(tmp_path.rglob("*.json"))
    assert [path.name for path in kept] == ["task-115334141465231360.json"]
    assert json.loads(kept[0].read_text())["status"] == "success"
    assert "key" not in json.loads(kept[0].read_text())


def test_a_callback_wakes_the_wait(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = folder_of(TEXT, tmp_path)

    async def work(service: Service) -> float:
        await submit(TEXT, folder, service)
        waiting = asyncio.create_task(poll_through(lambda: TEXT, folder, service))
        await asyncio.sleep(1.0)
        task_id = sandbox.ledger()[0]["task_id"]
        began = time.monotonic()
        folder.root.write_json(f"callbacks/task-{task_id}.json", {"task_id": task_id, "status": "success"})
        await waiting
        return time.monotonic() - began

    assert with_service(sandbox.url, work, poll_interval=60.0) < 60.0
