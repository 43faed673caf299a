"""A clip on S3: what it asks the storage for, and that none of what is not asked any more is paid for."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import minimax_tasks as mm
from minimax_tasks import (
    ClipRequest,
    DownloadFailed,
    GenerationFailed,
    TextToVideoRequest,
    UncertainSubmit,
)
from minimax_tasks.clips import download as downloading
from minimax_tasks.clips.first_look import FirstLooks
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.ledger import payments
from minimax_tasks.clips.make import ClipMaker
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.state import NEVER_BEGUN
from minimax_tasks.clips.submit import submit
from minimax_tasks.clips.timing import Timing
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.clips.test_life import with_service
from tests.conftest import point_at
from tests.dataset.tables import write_jsonl


def clips(count: int) -> list[ClipRequest]:
    return [ClipRequest(TextToVideoRequest(prompt=f"wave {number}")) for number in range(count)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request that goes to S3: its method and what it is about."""
    from aiobotocore.httpsession import AIOHTTPSession

    send, seen = AIOHTTPSession.send, list[str]()

    async def noted(self: Any, request: Any) -> Any:
        parts = urlsplit(request.url)
        prefix = parse_qs(parts.query).get("prefix")
        seen.append(f"LIST {prefix[0]}" if prefix else f"{request.method} {parts.path}")
        return await send(self, request)

    monkeypatch.setattr(AIOHTTPSession, "send", noted)
    return seen


def test_a_dataset_asks_nothing_that_it_knows(
    sandbox: Sandbox, s3_root: str, tmp_path: Path, asked: list[str]
) -> None:
    count = 20
    table = write_jsonl(tmp_path / "waves.jsonl", [{"prompt": f"wave {n}"} for n in range(count)])
    assert mm.build([mm.VideoDataset(table=table, root=s3_root)])
    of_clips = Counter(
        one.partition(" ")[0] for one in asked if "/clips/" in one and not one.endswith(".json")
    )
    of_clips += Counter(one.rpartition("/")[2] for one in asked if "/clips/" in one and "PUT" in one)
    each = ("request.json", "claim.1.json", "submission.json", "result.json", "warnings.json", "video.mp4")
    assert {name: of_clips[name] for name in each} == dict.fromkeys(each, count)
    own = ("/clips/made-by.json", "/clips/drawn-at.json")
    read = [
        one for one in asked if "/clips/" in one and one.startswith(("GET", "HEAD")) and not one.endswith(own)
    ]
    assert read == []
    listed = [one for one in asked if one.startswith("LIST") and "/clips/" in one]
    assert len(listed) <= 3, "one listing serves many clips"
    assert sum("/data/" in one and one.startswith("PUT") for one in asked) == count
    assert len(asked) < 8 * count + 60

    asked.clear()
    assert mm.build([mm.VideoDataset(table=table, root=s3_root)])
    assert len(asked) <= 3
    assert len(sandbox.ledger()) == count


def test_a_clip_that_is_begun_after_the_first_look_is_not_paid_twice(sandbox: Sandbox, s3_root: str) -> None:
    """The first look is made to last for ever, and nobody looks again."""
    many = clips(24)

    async def work(service: Service) -> None:
        maker = ClipMaker(Storage(s3_root), service, clips=len(many))
        await maker.make(many[0])
        others = ClipMaker(Storage(s3_root), service)
        await asyncio.gather(*(others.make(clip) for clip in many[1:12]))
        await asyncio.gather(*(maker.make(clip) for clip in many))

    with_service(sandbox.url, work, timing=Timing(look_life=10_000.0))
    prompts = Counter(entry["request"]["prompt"] for entry in sandbox.ledger())
    assert prompts == Counter(clip.request.prompt_text for clip in many)
    assert {payment.state for payment in payments(Storage(s3_root))} == {"delivered"}


def test_two_who_have_looked_at_the_same_time_pay_once(sandbox: Sandbox, s3_root: str) -> None:
    many = clips(12)

    async def work(service: Service) -> None:
        makers = [ClipMaker(Storage(s3_root), service, clips=100) for _ in range(3)]
        await asyncio.gather(*(maker.make(clip) for clip in many for maker in makers))

    with_service(sandbox.url, work, timing=Timing(look_life=10_000.0, claim_look=0.05))
    assert Counter(entry["request"]["prompt"] for entry in sandbox.ledger()).most_common(1)[0][1] == 1


def test_a_doubt_that_is_newer_than_the_first_look_is_a_doubt(sandbox: Sandbox, s3_root: str) -> None:
    (clip,) = clips(1)
    sandbox.add_faults([{"at": "submit", "nth": 1, "lost": True}])

    async def work(service: Service) -> None:
        root = Storage(s3_root)
        for _ in range(3):
            with pytest.raises(UncertainSubmit):
                await submit(clip, service.folder(root, clip.key), service, submits=NEVER_BEGUN)

    with_service(sandbox.url, work, timing=Timing(claim_patience=0.1, claim_look=0.05))
    assert len(sandbox.ledger()) == 1


def test_what_a_worker_wrote_itself_is_not_what_another_has_written_since(s3_root: str) -> None:
    (clip,) = clips(1)
    root = Storage(s3_root)
    one, other = ClipFolder(root, clip.key), ClipFolder(root, clip.key)

    async def run() -> None:
        await one.submitted(1, clip, "task-1", "host")
        assert (await one.known("submission.json") or {})["task_id"] == "task-1"
        await other.submitted(2, clip, "task-2", "host")
        assert (await one.known("submission.json") or {})["task_id"] == "task-1"
        # What decides about another payment is read.
        assert (await one.submission() or {})["task_id"] == "task-2"
        assert (await one.submit_state()).claims == 2

    asyncio.run(run())


def test_a_result_that_was_not_kept_is_asked_for_again(
    sandbox: Sandbox, s3_root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = clips(2)
    sandbox.add_faults([{"at": "task", "prompt": other.request.prompt_text, "fail": 1027}])
    root = Storage(s3_root)

    async def stopped(*arguments: object) -> None:
        raise asyncio.CancelledError

    async def work(service: Service) -> None:
        maker = ClipMaker(root, service)
        with monkeypatch.context() as patched:
            patched.setattr(downloading, "_fetch", stopped)
            with pytest.raises(asyncio.CancelledError):
                await maker.make(one)
        assert "result.json" not in root.names(f"clips/{one.key}")
        await maker.make(one)
        with pytest.raises(GenerationFailed):
            await maker.make(other)

    with_service(sandbox.url, work)
    result = root.read_json(f"clips/{one.key}/result.json") or {}
    assert result["status"] == "Success"
    assert result["video"]["frames"] > 1
    assert {"request.json", "claim.1.json", "submission.json", "video.mp4"} <= root.names(
        f"clips/{one.key}"
    ).keys()
    assert (root.read_json(f"clips/{other.key}/result.json") or {})["base_resp"]["status_code"] == 1027
    assert len(sandbox.ledger()) == 2


def test_the_result_of_a_video_that_cannot_be_fetched_is_kept(sandbox: Sandbox, s3_root: str) -> None:
    (clip,) = clips(1)
    sandbox.add_faults([{"at": "download", "nth": 1, "http": 500}])
    root = Storage(s3_root)

    async def work(service: Service) -> None:
        maker = ClipMaker(root, service)
        with pytest.raises(DownloadFailed):
            await maker.make(clip)
        assert (root.read_json(f"clips/{clip.key}/result.json") or {})["status"] == "Success"
        await maker.make(clip)

    with_service(sandbox.url, work, timing=Timing(download_tries=1))
    assert root.exists(f"clips/{clip.key}/video.mp4")
    assert len(sandbox.ledger()) == 1


def test_nothing_is_remembered_where_reading_is_free(tmp_path: Path) -> None:
    (clip,) = clips(1)
    folder = ClipFolder(Storage(str(tmp_path)), clip.key)
    asyncio.run(folder.submitted(1, clip, "task-1", "host"))
    assert folder.own("submission.json") is None
    assert (asyncio.run(folder.known("submission.json")) or {})["task_id"] == "task-1"


def test_one_listing_serves_many_until_it_does_not_pay(s3_root: str, asked: list[str]) -> None:
    root = Storage(s3_root)

    def folder(number: int) -> ClipFolder:
        return ClipFolder(root, f"{number:032x}")

    async def run(life: float, count: int) -> int:
        asked.clear()
        looks = FirstLooks(root, life, 100)
        for number in range(count):
            assert await looks.submit_state(folder(number)) == NEVER_BEGUN
        return len(asked)

    assert asyncio.run(run(10_000.0, 50)) == 1
    assert asyncio.run(run(0.0, 50)) <= 1 + 50, "a listing that serves one clip alone is not made again"

    async def of_few() -> int:
        asked.clear()
        looks = FirstLooks(root, 10_000.0, 5)
        for number in range(5):
            await looks.submit_state(folder(number))
        return len(asked)

    assert asyncio.run(of_few()) == 5


WORKER = """
import sys, minimax_tasks as mm
mm.build([mm.VideoDataset(table="waves.jsonl", root=sys.argv[1])], log_level="CRITICAL")
"""


@pytest.mark.slow
def test_workers_that_are_killed_on_s3_pay_once(
    s3_root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time make one table, and one after the other dies at any moment."""
    dice, count = random.Random(7), 40
    write_jsonl(tmp_path / "waves.jsonl", [{"prompt": f"wave {n}"} for n in range(count)])
    with Sandbox(latency=0.5, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        sandbox.add_faults([{"at": "submit", "share": 0.5, "delay": 0.3}])

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", WORKER, s3_root], cwd=tmp_path)

        workers = [start(), start()]
        for _ in range(6):
            seen = len(sandbox.ledger())
            until = time.monotonic() + 60
            while len(sandbox.ledger()) == seen and seen < count and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(dice.uniform(0, 0.5))
            victim = workers.pop(0)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            workers.append(start())
        for worker in workers:
            worker.wait(timeout=300)
        start().wait(timeout=300)
        paid = Counter(entry["request"]["prompt"] for entry in sandbox.ledger())
        tasks = {entry["request"]["prompt"]: entry["task_id"] for entry in sandbox.ledger()}
    assert paid.most_common(1)[0][1] == 1, "nothing is paid twice"
    root = Storage(s3_root)
    for key in root.folders("clips"):
        names = root.names(f"clips/{key}")
        asked_for = json.loads(root.read(f"clips/{key}/request.json"))["prompt"]
        if "submission.json" in names:
            assert json.loads(root.read(f"clips/{key}/submission.json"))["task_id"] == tasks[asked_for]
            assert "video.mp4" in names
        else:
            assert any(name.startswith("claim.") for name in names), "what may have been paid is in doubt"
