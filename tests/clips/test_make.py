"""Making clips without an engine: one, many, and what holds when they are broken off."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from minimax_tasks import (
    ClipRequest,
    ConfigurationError,
    GenerationFailed,
    ImageToVideoRequest,
    InvalidRequest,
    MadeClip,
    Outcome,
    Service,
    TextToVideoRequest,
    make,
    make_all,
)
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.probe import probe
from tests.clips.test_life import service_settings

LIGHTHOUSE = TextToVideoRequest(prompt="A lighthouse [Push in]")


def prompts(*texts: str) -> list[TextToVideoRequest]:
    return [TextToVideoRequest(prompt=text) for text in texts]


def test_one_clip_is_made_and_not_made_again(sandbox: Sandbox, tmp_path: Path) -> None:
    heard: list[str] = []
    made = asyncio.run(make(LIGHTHOUSE, root=str(tmp_path), on_status=heard.append))
    (entry,) = sandbox.ledger()
    assert isinstance(made, MadeClip)
    assert made.task_id == entry["task_id"]
    assert made.key == ClipRequest(LIGHTHOUSE).key
    assert Path(made.path) == tmp_path / "clips" / made.key / "video.mp4"
    assert probe(made.path, "decode").ok
    assert made.usd == pytest.approx(0.28)
    assert heard[0] == f"task {made.task_id}"
    assert asyncio.run(make(LIGHTHOUSE, root=str(tmp_path))) == made
    assert len(sandbox.ledger()) == 1
    assert asyncio.run(make(LIGHTHOUSE, root=str(tmp_path), take=2)).key != made.key


def test_what_is_made_needs_no_key(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asyncio.run(make(LIGHTHOUSE, root=str(tmp_path)))
    monkeypatch.delenv("MINIMAX_API_KEY")
    assert asyncio.run(make(LIGHTHOUSE, root=str(tmp_path))) == made
    with pytest.raises(ConfigurationError, match="API key"):
        asyncio.run(make(LIGHTHOUSE, root=str(tmp_path), take=2))
    key = ClipRequest(LIGHTHOUSE, take=2).key
    assert not list(tmp_path.glob(f"clips/{key}/claim*")), "without a key nothing is claimed"


def test_a_frame_of_another_clip_is_a_picture(sandbox: Sandbox, tmp_path: Path) -> None:
    async def two() -> tuple[MadeClip, MadeClip]:
        first = await make(LIGHTHOUSE, root=str(tmp_path))
        goes_on = ImageToVideoRequest(first_frame_image=f"clip:{first.key}#last", prompt="The lamp is lit.")
        return first, await make(goes_on, root=str(tmp_path))

    first, second = asyncio.run(two())
    assert first.key != second.key
    assert ["first_frame_image" in entry["request"] for entry in sandbox.ledger()] == [False, True]


def test_bad_input_is_told_before_anything_is_paid(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Push inn"):
        asyncio.run(make(TextToVideoRequest(prompt="A lighthouse [Push inn]"), root=str(tmp_path)))
    with pytest.raises(InvalidRequest, match="request"):
        asyncio.run(make("a lighthouse", root=str(tmp_path)))  # type: ignore[arg-type]
    assert sandbox.ledger() == []


def test_without_a_place_for_temporary_files_nothing_is_paid(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video would arrive there: without it, what was paid for could not be fetched."""

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in […]")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    with pytest.raises(ConfigurationError, match="no writable folder for temporary files; set TMPDIR"):
        asyncio.run(make(LIGHTHOUSE, root=str(tmp_path)))
    assert sandbox.ledger() == []


def test_clips_that_would_be_gone_with_the_process_are_not_paid() -> None:
    settings = service_settings("https://api.minimaxi.com")
    with pytest.raises(ConfigurationError, match="gone"):
        asyncio.run(make(LIGHTHOUSE, root="memory://here", service=Service(settings)))


async def outcomes(root: Path, requests: object, **options: object) -> list[Outcome]:
    return [one async for one in make_all(requests, root=str(root), **options)]  # type: ignore[arg-type]


def test_many_come_in_the_order_in_which_they_end(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults(
        [
            {"at": "task", "prompt": "slow", "latency": 4},
            {"at": "task", "prompt": "bad", "fail": 1027},
        ]
    )
    wrong = [*prompts("slow one", "bad one", "quick one"), TextToVideoRequest(prompt="[Push inn]")]
    found = asyncio.run(outcomes(tmp_path, wrong))
    assert {one.number for one in found} == {0, 1, 2, 3}
    ended = [Path(one.clip.path).stat().st_mtime_ns for one in found if one.clip is not None]
    assert len(ended) == 2
    assert ended == sorted(ended)
    by_number = {one.number: one for one in found}
    assert isinstance(by_number[1].error, GenerationFailed)
    assert isinstance(by_number[3].error, InvalidRequest)
    assert by_number[2].is_made
    assert by_number[2].clip is not None
    assert by_number[2].request == wrong[2]
    assert not by_number[1].is_made


def test_input_is_read_as_places_come_free(sandbox: Sandbox, tmp_path: Path) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[TextToVideoRequest]:
        for number in range(1_000_000):
            read.append(number)
            yield TextToVideoRequest(prompt=f"A lighthouse, {number}")

    async def five() -> int:
        taken = 0
        async with contextlib.aclosing(make_all(endless(), root=str(tmp_path), max_in_flight=3)) as made:
            async for one in made:
                assert one.is_made
                taken += 1
                assert len(read) <= taken + 3
                if taken == 5:
                    break
        return taken

    assert asyncio.run(five()) == 5
    assert len(read) <= 8
    assert len(sandbox.ledger()) <= 8


def test_the_limit_is_kept_for_ordinary_iterables_too(sandbox: Sandbox, tmp_path: Path) -> None:
    under_way = 0
    most = 0

    def given() -> Iterator[TextToVideoRequest]:
        nonlocal under_way, most
        for number in range(6):
            under_way += 1
            most = max(most, under_way)
            yield TextToVideoRequest(prompt=f"A pier, {number}")

    async def run() -> None:
        nonlocal under_way
        async for one in make_all(given(), root=str(tmp_path), max_in_flight=2):
            assert one.is_made
            under_way -= 1

    asyncio.run(run())
    assert most <= 3  # two places, and the one whose outcome is being taken
    assert len(sandbox.ledger()) == 6


def test_what_reading_the_input_raises_comes_after_the_clips_under_way(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    def given() -> Iterator[TextToVideoRequest]:
        yield LIGHTHOUSE
        raise OSError("the table is gone")

    async def run() -> list[Outcome]:
        found = []
        made = make_all(given(), root=str(tmp_path))
        found.append(await anext(made))
        with pytest.raises(OSError, match="the table is gone"):
            await anext(made)
        return found

    (only,) = asyncio.run(run())
    assert only.is_made


def test_an_account_that_refuses_ends_the_submits(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "submit", "code": 1008}])
    found = asyncio.run(outcomes(tmp_path, prompts(*(f"A pier, {n}" for n in range(20))), max_in_flight=1))
    assert len(found) == 20
    assert not any(one.is_made for one in found)
    assert len(list(tmp_path.glob("clips/*/claim.*"))) == 1


def test_two_services_live_side_by_side(tmp_path: Path) -> None:
    async def both(one: Sandbox, other: Sandbox) -> None:
        async with (
            Service(service_settings(one.url, budget=0.3, root=str(tmp_path / "one"))) as tight,
            Service(service_settings(other.url, root=str(tmp_path / "other"))) as free,
        ):
            requests = prompts("A pier, 1", "A pier, 2")

            async def all_of(service: Service) -> list[Outcome]:
                return [made async for made in make_all(requests, service=service)]

            of_tight, of_free = await asyncio.gather(all_of(tight), all_of(free))
        assert sorted(made.is_made for made in of_tight) == [False, True]
        assert all(made.is_made for made in of_free)

    with Sandbox(latency=0.0, scale="90P") as one, Sandbox(latency=0.0, scale="90P") as other:
        before = dict(os.environ)
        asyncio.run(both(one, other))
        assert dict(os.environ) == before
        assert len(one.ledger()) == 1
        assert len(other.ledger()) == 2


@pytest.mark.parametrize("way", ["make", "make_all"])
def test_cancelling_in_mid_post_keeps_the_task_id(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    sandbox.add_faults([{"at": "submit", "delay": 2.0, "most": 1}])

    async def run() -> None:
        work = make(LIGHTHOUSE, root=str(tmp_path)) if way == "make" else outcomes(tmp_path, [LIGHTHOUSE])
        task = asyncio.ensure_future(work)
        while not await asyncio.to_thread(sandbox.ledger):
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    (entry,) = sandbox.ledger()
    (submission,) = tmp_path.glob("clips/*/submission.json")
    assert json.loads(submission.read_text())["task_id"] == entry["task_id"]
    assert asyncio.run(make(LIGHTHOUSE, root=str(tmp_path))).task_id == entry["task_id"]
    assert len(sandbox.ledger()) == 1


KILLED = """
import asyncio, sys
from minimax_tasks import TextToVideoRequest, make_all

async def main():
    requests = (TextToVideoRequest(prompt=f"A pier, {number}") for number in range(4))
    async for outcome in make_all(requests, root=sys.argv[1]):
        print(outcome, flush=True)

asyncio.run(main())
"""


def test_killed_and_run_again_each_is_paid_once(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "latency": 600}])
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    try:
        for _ in range(600):
            if len(list(tmp_path.glob("clips/*/submission.json"))) == 4:
                break
            assert process.poll() is None
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    paid = {entry["task_id"] for entry in sandbox.ledger()}
    assert len(paid) == 4

    async def again() -> None:
        requests = prompts(*(f"A pier, {number}" for number in range(4)))
        async with Service(service_settings(sandbox.url, generation_timeout=0.2)) as service:
            found = [one async for one in make_all(requests, root=str(tmp_path), service=service)]
        assert [type(one.error).__name__ for one in found] == ["GenerationTimeout"] * 4

    asyncio.run(again())
    assert {entry["task_id"] for entry in sandbox.ledger()} == paid
