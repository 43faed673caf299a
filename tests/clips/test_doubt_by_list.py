"""A doubt that the account's list can settle, and everything that it must not settle: paid is delivered, once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from minimax_tasks import ClipRequest, HeldBack, QuotaExhausted, TextToVideoRequest, UncertainSubmit
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.make import ClipMaker
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.timing import Timing
from minimax_tasks.commands.receive import receiving
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.clips.test_life import service_settings

QUICK = Timing(settle_window=60.0, settle_look=0.05, settle_pause=0.2, claim_look=0.05, claim_patience=2.0)
BRIEF = Timing(settle_window=1.0, settle_look=0.05, settle_pause=0.2, claim_look=0.05, claim_patience=2.0)


def clip(prompt: str = "A pier", **given: Any) -> ClipRequest:
    fields: dict[str, Any] = {"model": "MiniMax-H3", "ratio": "16:9", "duration": 4} | given
    return ClipRequest(TextToVideoRequest(prompt=prompt, **fields))


def run(url: str, root: Path, *clips: ClipRequest, timing: Timing = QUICK) -> list[Any]:
    """What came of each clip, made side by side by one service: None for one that is there."""

    async def all_of_them() -> list[Any]:
        async with Service(service_settings(url), timing=timing) as service:
            maker = ClipMaker(Storage(str(root)), service)
            await maker.check_root()
            return await asyncio.gather(*(maker.make(one) for one in clips), return_exceptions=True)

    return asyncio.run(all_of_them())


def files(root: Path, one: ClipRequest) -> list[str]:
    return sorted(path.name for path in (root / "clips" / one.key).iterdir())


def lost(**given: Any) -> dict[str, Any]:
    return {"at": "submit", "nth": 1, "lost": True} | given


def elsewhere(sandbox: Sandbox, **given: Any) -> str:
    """Somebody else's task in the same account."""
    body = {
        "model": "MiniMax-H3",
        "content": [{"type": "text", "text": "Another"}],
        "resolution": "768P",
        "duration": 4,
        "ratio": "16:9",
    } | given
    answer = httpx.post(
        f"{sandbox.url}/v2/video_generation",
        json=body,
        headers={"Authorization": "Bearer any"},
        trust_env=False,
        verify=False,
    )
    return str(answer.json()["task_id"])


@pytest.mark.parametrize("lag", [0.0, 1.0])
def test_a_lost_answer_is_found_in_the_list_however_late(tmp_path: Path, lag: float) -> None:
    with Sandbox(latency=0.0, scale="90P", list_lag=lag, faults=[lost(prompt="pier")]) as sandbox:
        elsewhere(sandbox, duration=5)
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert len(sandbox.ledger()) == 2
        assert "video.mp4" in files(tmp_path, clip())


@pytest.mark.parametrize(
    "fault",
    [
        {"lost": True},
        {"cut": 3},
        {"http": 504, "accepted": True},
        {"code": 1000, "accepted": True},
        {"in_ok": 504, "accepted": True},
        {"http": 502, "accepted": True},
    ],
)
def test_every_answer_that_says_nothing_is_settled(tmp_path: Path, fault: dict[str, Any]) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[{"at": "submit", "nth": 1} | fault]) as sandbox:
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert len(sandbox.ledger()) == 1


def test_what_the_account_had_before_is_never_taken(tmp_path: Path) -> None:
    with Sandbox(latency=0.0, scale="90P") as sandbox:
        before = elsewhere(sandbox)
        sandbox.add_faults([{"at": "submit", "nth": 1, "http": 502}])
        (doubt,) = run(sandbox.url, tmp_path, clip(), timing=BRIEF)
        assert isinstance(doubt, UncertainSubmit)
        assert before not in str(doubt)
        (claim,) = (tmp_path / "clips" / clip().key).glob("claim.*.json")
        assert before in json.loads(claim.read_text())["account"]["tasks"]


def test_two_that_may_be_it_leave_the_doubt_to_a_person(tmp_path: Path) -> None:
    """Somebody else submits the same shape between the claim and the first look."""
    with Sandbox(latency=0.0, scale="90P", list_lag=0.8, faults=[lost(delay=3.0)]) as sandbox:

        async def both() -> list[Any]:
            other = asyncio.get_running_loop().run_in_executor(None, _later, sandbox)
            async with Service(service_settings(sandbox.url), timing=BRIEF) as service:
                maker = ClipMaker(Storage(str(tmp_path)), service)
                await maker.check_root()
                found = await asyncio.gather(maker.make(clip()), return_exceptions=True)
            return [*found, await other]

        doubt, other = asyncio.run(both())
        assert isinstance(doubt, UncertainSubmit)
        assert "2 tasks that may be it" in str(doubt)
        assert other in str(doubt)
        assert "submission.json" not in files(tmp_path, clip())
        assert len(sandbox.ledger()) == 2
        (again,) = run(sandbox.url, tmp_path, clip(), timing=BRIEF)
        assert isinstance(again, UncertainSubmit)
        assert len(sandbox.ledger()) == 2


def _later(sandbox: Sandbox) -> str:
    import time

    end = time.monotonic() + 60
    while not sandbox.ledger() and time.monotonic() < end:
        time.sleep(0.02)
    return elsewhere(sandbox)


def test_a_doubt_of_one_shape_holds_back_that_shape_alone(tmp_path: Path) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[lost(prompt="first", lost=False, http=502)]) as sandbox:
        first, second, third = clip("first"), clip("second"), clip("third", duration=5)
        (doubt,) = run(sandbox.url, tmp_path, first, timing=BRIEF)
        assert isinstance(doubt, UncertainSubmit)
        held, made = run(sandbox.url, tmp_path, second, third, timing=BRIEF)
        assert isinstance(held, HeldBack)
        assert (held.keys, made) == ((second.key, first.key), None)
        assert len(sandbox.ledger()) == 1
        assert (
            "claim.1.json" not in files(tmp_path, second)
            if (tmp_path / "clips" / second.key).exists()
            else True
        )
        folder = ClipFolder(Storage(str(tmp_path)), first.key)
        asyncio.run(folder.release(1, "a person said that nothing was created", settled=True))
        assert run(sandbox.url, tmp_path, first, second) == [None, None]
        assert len(sandbox.ledger()) == 3


@pytest.mark.parametrize(
    "fault",
    [
        {"http": 503},
        {"code": 1000},
        {"lost": True},
        {"short": 0},
        {"http": 404},
    ],
)
def test_a_list_that_says_nothing_never_leads_to_a_second_payment(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    with Sandbox(latency=0.0, scale="90P", faults=[lost(), {"at": "list"} | fault]) as sandbox:
        for _ in range(2):
            (doubt,) = run(sandbox.url, tmp_path, clip(), timing=BRIEF)
            assert isinstance(doubt, UncertainSubmit)
            assert len(sandbox.ledger()) == 1


def test_an_unsorted_list_of_several_pages_settles_as_well(tmp_path: Path) -> None:
    faults = [{"at": "list", "shuffle": True}, {"at": "task", "prompt": "Another", "stuck": "Preparing"}]
    with Sandbox(latency=0.0, scale="90P", faults=faults) as sandbox:
        for number in range(110):
            elsewhere(sandbox, duration=5 + number % 4)
        sandbox.add_faults([lost()])
        assert run(sandbox.url, tmp_path, clip()) == [None]
        assert len(sandbox.ledger()) == 111


def test_many_lost_answers_of_one_shape_are_told_apart(tmp_path: Path) -> None:
    clips = [clip(f"shot {number}") for number in range(6)]
    with Sandbox(latency=0.0, scale="90P", list_lag=0.2, faults=[lost(nth=[1, 3, 4])]) as sandbox:
        assert run(sandbox.url, tmp_path, *clips) == [None] * 6
        ledger = sandbox.ledger()
        assert len(ledger) == 6
        for one in clips:
            submission = json.loads((tmp_path / "clips" / one.key / "submission.json").read_text())
            (entry,) = [entry for entry in ledger if entry["task_id"] == submission["task_id"]]
            assert entry["request"]["content"][0]["text"] == one.request.prompt_text


def test_an_overload_and_a_rate_limit_are_waited_out(tmp_path: Path) -> None:
    timing = Timing(rate_window=0.2, settle_look=0.05, claim_look=0.05)
    faults = [{"at": "submit", "nth": 1, "code": 529}, {"at": "submit", "nth": 2, "code": 1002}]
    with Sandbox(latency=0.0, scale="90P", faults=faults) as sandbox:
        assert run(sandbox.url, tmp_path, clip(), timing=timing) == [None]
        assert len(sandbox.ledger()) == 1


def test_no_more_tasks_are_under_way_than_the_account_may_have(tmp_path: Path) -> None:
    async def work(url: str) -> list[Any]:
        settings = service_settings(url, h3_in_flight=2)
        async with Service(settings, timing=QUICK) as service:
            maker = ClipMaker(Storage(str(tmp_path)), service)
            await maker.check_root()
            clips = [clip(f"shot {number}", duration=4 + number % 3) for number in range(6)]
            return await asyncio.gather(*(maker.make(one) for one in clips), return_exceptions=True)

    with Sandbox(latency=0.6, scale="90P", in_flight=2) as sandbox:
        assert asyncio.run(work(sandbox.url)) == [None] * 6
        assert len(sandbox.ledger()) == 6


def test_a_callback_to_the_address_of_the_submit_settles_it_where_the_list_is_silent(tmp_path: Path) -> None:
    async def work(url: str, receiver: str) -> list[Any]:
        settings = service_settings(url, receiver_url=receiver)
        async with Service(settings, timing=QUICK) as service:
            maker = ClipMaker(Storage(str(tmp_path)), service)
            await maker.check_root()
            return await asyncio.gather(maker.make(clip()), return_exceptions=True)

    faults = [lost(), {"at": "list", "http": 503}]
    with Sandbox(latency=0.2, scale="90P", faults=faults) as sandbox, receiving(str(tmp_path)) as receiver:
        assert asyncio.run(work(sandbox.url, receiver)) == [None]
        assert len(sandbox.ledger()) == 1


def test_a_plan_key_that_may_not_use_it_reads_so_and_the_first_generation_goes_on(tmp_path: Path) -> None:
    plan = {
        "at": "submit",
        "prompt": "pier",
        "code": 2013,
        "message": "your TokenPlan does not support MiniMax-H3",
    }
    former = ClipRequest(TextToVideoRequest(prompt="A lighthouse"))
    with Sandbox(latency=0.0, scale="90P", faults=[plan]) as sandbox:
        refused, made = run(sandbox.url, tmp_path, clip(), former)
        assert isinstance(refused, QuotaExhausted)
        assert "TokenPlan" in str(refused)
        assert "pay-as-you-go" in str(refused)
        assert made is None
        assert [entry["kind"] for entry in sandbox.ledger()] == ["text-to-video"]
