"""Words that are answered once, workers that are late, and what a dead one had written already."""

import asyncio
import contextlib
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import ConfigurationError, GenerationFailed, MiniMaxError, UncertainSubmit
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.ledger import payments
from minimax_tasks.clips.poll import poll
from minimax_tasks.clips.resolve import allow_resubmit
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.clips.submit import submit
from minimax_tasks.clips.timing import Timing
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.settings import Settings
from minimax_tasks.storage import local_files
from minimax_tasks.storage.drafts import draft_name
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.owner import me
from tests.clips.test_life import TEXT, folder_of, make, names, with_service
from tests.clips.test_money import finish, resolve, soon

# -- one word, one payment


def test_one_word_pays_once_for_all_processes(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1027}])
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    for _ in range(4):  # nothing of the word is kept in the process: each is as good as another process
        with pytest.raises(GenerationFailed):
            finish(sandbox.url, TEXT, tmp_path, retry_failed_before=ahead)
    assert len(sandbox.ledger()) == 2
    claim = json.loads((tmp_path / "clips" / TEXT.key / "claim.2.json").read_text())
    assert datetime.fromisoformat(claim["word"]) == ahead
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path, retry_failed_before=soon())
    assert len(sandbox.ledger()) == 3, "another word is another payment"


def test_a_word_is_not_used_up_by_an_attempt_that_was_not_paid(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1027, "most": 1}])
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path)
    word = soon()
    with pytest.raises(Exception, match="connect"):
        finish("http://127.0.0.1:9", TEXT, tmp_path, timing=Timing(connect_tries=1), retry_failed_before=word)
    finish(sandbox.url, TEXT, tmp_path, retry_failed_before=word)
    assert len(sandbox.ledger()) == 2


def test_a_word_about_the_future_is_refused(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    monkeypatch.setenv("MINIMAX_RETRY_FAILED_BEFORE", ahead)
    with pytest.raises(ConfigurationError, match=r"MINIMAX_RETRY_FAILED_BEFORE.*lies in the future"):
        Settings.load()
    assert main(["ledger", "--root", str(tmp_path)]) == 2
    assert "up to now" in capsys.readouterr().err
    monkeypatch.setenv("MINIMAX_RETRY_FAILED_BEFORE", (datetime.now(UTC) + timedelta(seconds=60)).isoformat())
    Settings.load()


# -- a worker that is late


def late_worker(url: str, root: Path, during: Any) -> ClipFolder:
    """A worker that sleeps inside its POST while `during` happens, then goes on."""
    folder = folder_of(TEXT, root)

    async def work(service: Any) -> None:
        post = service.client.submit

        async def slow(request: Any) -> str:
            task_id: str = await post(request)
            await asyncio.to_thread(during)
            return task_id

        service.client.submit = slow
        await submit(TEXT, folder, service)

    with_service(url, work)
    return folder


def give_up(folder: ClipFolder) -> None:
    asyncio.run(allow_resubmit(folder, Timing(claim_patience=-1.0)))


@pytest.mark.parametrize("other", ["is submitted", "is at its POST"])
def test_a_late_worker_replaces_nothing_and_its_task_is_told(
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    other: str,
) -> None:
    folder = folder_of(TEXT, tmp_path)

    def during() -> None:
        give_up(folder)
        if other == "is submitted":
            make(sandbox.url, TEXT, tmp_path)
        else:
            asyncio.run(folder.claim(2, TEXT, "n" * 32))

    late_worker(sandbox.url, tmp_path, during)
    if other == "is at its POST":

        async def post(service: Any) -> None:
            task_id = await service.client.submit(TEXT.request)
            await folder.submitted(2, TEXT, task_id, "127.0.0.1")

        with_service(sandbox.url, post)
    make(sandbox.url, TEXT, tmp_path)
    first, second = (entry["task_id"] for entry in sandbox.ledger())
    submission = json.loads((tmp_path / "clips" / folder.key / "submission.json").read_text())
    late = json.loads((tmp_path / "clips" / folder.key / "submission.1.json").read_text())
    assert (submission["task_id"], submission["attempt"]) == (second, 2)
    assert (late["task_id"], late["attempt"]) == (first, 1)
    told = {payment.task_id: payment.state for payment in payments(Storage(str(tmp_path)))}
    assert told == {first: "accepted late", second: "delivered"}
    capsys.readouterr()
    assert main(["resume", "--root", str(tmp_path)]) == 0
    assert f"task {first} was accepted late" in " ".join(capsys.readouterr().err.split())


def test_a_worker_that_was_given_up_and_comes_before_another_is_used(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(TEXT, tmp_path)
    late_worker(sandbox.url, tmp_path, lambda: give_up(folder))
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1
    (payment,) = payments(Storage(str(tmp_path)))
    assert (payment.state, payment.task_id) == ("delivered", sandbox.ledger()[0]["task_id"])


def test_a_task_that_a_person_named_stays_and_the_workers_own_is_told(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = folder_of(TEXT, tmp_path)

    async def found_by_a_person(service: Any) -> None:
        task_id = await service.client.submit(TEXT.request)
        await folder.adopted(1, task_id, TEXT.mode, "127.0.0.1")

    late_worker(sandbox.url, tmp_path, lambda: with_service(sandbox.url, found_by_a_person))
    own, found = (entry["task_id"] for entry in sandbox.ledger())
    told = {payment.task_id: payment.state for payment in payments(Storage(str(tmp_path)))}
    assert told == {found: "accepted", own: "accepted late"}


def test_a_retry_takes_the_place_of_what_failed_and_both_stay(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1027, "most": 1}])
    with pytest.raises(GenerationFailed):
        finish(sandbox.url, TEXT, tmp_path)
    folder = finish(sandbox.url, TEXT, tmp_path, retry_failed_before=soon())
    assert {"submission.1.json", "submission.2.json", "submission.json"} <= names(folder)
    first, second = (entry["task_id"] for entry in sandbox.ledger())
    told = {payment.task_id: payment.state for payment in payments(Storage(str(tmp_path)))}
    assert told == {first: "failed", second: "delivered"}


# -- what a dead worker had written


def dead_draft(folder: ClipFolder, name: str, content: bytes) -> Path:
    """A draft as a process that is gone left it."""
    draft = draft_name(name).replace(me().token, me().token.rpartition("-")[0] + "-00000000")
    path = Path(folder.root.path(f"clips/{folder.key}/{draft}"))
    path.write_bytes(content)
    return path


@pytest.fixture
def without_submission(sandbox: Sandbox, tmp_path: Path) -> tuple[ClipFolder, bytes]:
    """A clip that was accepted, and whose submission never got its name."""
    folder = folder_of(TEXT, tmp_path)
    with_service(sandbox.url, lambda service: submit(TEXT, folder, service))
    path = tmp_path / "clips" / folder.key / "submission.json"
    written = path.read_bytes()
    path.unlink()
    claim = path.with_name("claim.1.json")
    document = json.loads(claim.read_text())
    claim.write_text(json.dumps(document | {"started": "0"}))
    return folder, written


def test_a_whole_draft_is_read_before_a_clip_is_in_doubt(
    sandbox: Sandbox, tmp_path: Path, without_submission: tuple[ClipFolder, bytes]
) -> None:
    folder, written = without_submission
    draft = dead_draft(folder, "submission.json", written)
    task_id = sandbox.ledger()[0]["task_id"]
    root = Storage(str(tmp_path))
    assert [(payment.state, payment.task_id) for payment in payments(root)] == [("accepted", task_id)]
    assert clip_states(root, [folder.key])[folder.key].status is ClipStatus.GENERATING
    assert resolve(folder, "--resubmit") == 2, "it is not in doubt"
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1
    assert json.loads((draft.parent / "submission.json").read_bytes())["task_id"] == task_id
    assert not draft.exists(), "it is cleared away when the clip is there"


def test_resume_finishes_what_only_a_draft_tells_of(
    sandbox: Sandbox, tmp_path: Path, without_submission: tuple[ClipFolder, bytes]
) -> None:
    folder, written = without_submission
    dead_draft(folder, "submission.json", written)
    assert main(["resume", "--root", str(tmp_path)]) == 0
    assert "video.mp4" in names(folder)
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    "content", [b"", b'{"task_id": "12', b'{"attempt": 1}', b'{"attempt": 7, "task_id": "1"}']
)
def test_half_a_draft_says_nothing(
    sandbox: Sandbox, tmp_path: Path, without_submission: tuple[ClipFolder, bytes], content: bytes
) -> None:
    folder, _ = without_submission
    dead_draft(folder, "submission.json", content)
    with pytest.raises(UncertainSubmit, match="may have been paid"):
        make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


# -- a claim that the storage called an error


@pytest.mark.parametrize("reads_fail", [0, 2, 99])
def test_a_claim_that_was_created_although_the_storage_said_error_is_never_in_doubt(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads_fail: int
) -> None:
    create, read = local_files.create, Storage.read
    left = {"claims": 1, "reads": 0}

    def wrong(final: str, data: bytes, base: str, **options: Any) -> bool:
        done = create(final, data, base, **options)
        if "claim." in final and left["claims"]:
            left["claims"], left["reads"] = 0, reads_fail
            raise OSError("the connection was reset")
        return done

    def broken(self: Storage, name: str) -> bytes:
        if "claim." in name and left["reads"]:
            left["reads"] -= 1
            raise OSError("the connection was reset")
        return read(self, name)

    monkeypatch.setattr(local_files, "create", wrong)
    monkeypatch.setattr(Storage, "read", broken)
    with contextlib.suppress(OSError):
        make(sandbox.url, TEXT, tmp_path, Timing(write_pause=0.01))
    left["reads"] = 0
    folder = make(sandbox.url, TEXT, tmp_path)
    assert "video.mp4" in names(folder)
    assert len(sandbox.ledger()) == 1
    assert all(payment.state == "delivered" for payment in payments(Storage(str(tmp_path))))


def test_a_claim_that_was_not_created_is_an_error_and_no_doubt(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def full(final: str, data: bytes, base: str, *, durable: bool = True) -> bool:
            raise OSError(28, os.strerror(28))

        patched.setattr(local_files, "create", full)
        with pytest.raises(OSError, match="No space left"):
            make(sandbox.url, TEXT, tmp_path)
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


# -- a root that goes away


def test_a_root_that_is_removed_in_the_middle_leaves_no_stuck_clip(sandbox: Sandbox, tmp_path: Path) -> None:
    root = tmp_path / "root"
    folder = folder_of(TEXT, root)
    sandbox.add_faults([{"at": "query", "word": "Processing", "nth": [1, 2]}])

    def remove(status: str) -> None:
        shutil.rmtree(root, ignore_errors=True)

    async def work(service: Any) -> None:
        submission = await submit(TEXT, folder, service)
        with pytest.raises(MiniMaxError, match=f"was removed while.*Task {submission['task_id']} is paid"):
            await poll(folder, service, on_status=remove)

    with_service(sandbox.url, work)
    assert not root.exists()
    make(sandbox.url, TEXT, root)
    assert "video.mp4" in names(folder)
