"""Kills and lost answers over both generations of the API, with a list that lags: what is paid for is delivered.

A process dies at a random change of a file, several times over, while answers to submits are lost. Whatever comes,
no clip is paid for twice. Of the second generation, whose list can say what a lost answer would have said, nothing
that was paid for stays in doubt.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import ClipRequest, HeldBack, TextToVideoRequest, UncertainSubmit
from minimax_tasks.clips.ledger import payments
from minimax_tasks.clips.make import ClipMaker
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.timing import Timing
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.clips.test_life import service_settings
from tests.dying import Killed, killed_at, operations_below

TIMING = Timing(
    settle_window=3.0, settle_look=0.05, settle_pause=0.1, claim_look=0.02, claim_patience=0.3, stop_patience=0.5,
    write_tries=1, rate_window=0.1,
)  # fmt: skip
LAG = 0.4

CLIPS = (
    *(ClipRequest(TextToVideoRequest(prompt=f"old {n}")) for n in range(2)),
    *(
        ClipRequest(
            TextToVideoRequest(prompt=f"new {n}", model="MiniMax-H3", ratio="16:9", duration=4 + n // 3)
        )
        for n in range(4)
    ),
)
"""Two of the first generation; of the second three of one shape, and one of another."""


def run(url: str, root: Path) -> list[Any]:
    async def work() -> list[Any]:
        async with Service(service_settings(url), timing=TIMING) as service:
            maker = ClipMaker(Storage(str(root)), service)
            await maker.check_root()
            making = [asyncio.ensure_future(maker.make(one)) for one in CLIPS]
            return await asyncio.gather(*making, return_exceptions=True)

    return asyncio.run(work())


@contextlib.contextmanager
def dying(root: Path, dice: random.Random) -> Iterator[None]:
    with operations_below(root, killed_at(dice.randint(1, 150))), contextlib.suppress(Killed):
        yield


def faults(dice: random.Random) -> list[dict[str, Any]]:
    """Answers that say nothing, to POSTs that created a task and to such that did not."""
    kinds: list[dict[str, Any]] = [
        {"lost": True},
        {"http": 502, "accepted": True},
        {"http": 502},
        {"code": 1000, "accepted": True},
    ]
    return [
        {"at": "submit", "share": 0.15, "seed": dice.randint(0, 10_000), "most": 2} | dice.choice(kinds),
        {"at": "list", "share": 0.2, "seed": dice.randint(0, 10_000), "http": 503},
        {"at": "list", "share": 0.2, "seed": dice.randint(0, 10_000), "shuffle": True},
    ]


def check(sandbox: Sandbox, root: Path, outcomes: list[Any]) -> None:
    ledger = sandbox.ledger()
    by_prompt: dict[str, list[str]] = {}
    for entry in ledger:
        content = entry["request"].get("content")
        prompt = content[0]["text"] if content else entry["request"]["prompt"]
        by_prompt.setdefault(prompt, []).append(entry["task_id"])
    known = {payment.task_id for payment in payments(Storage(str(root)))}
    for one, outcome in zip(CLIPS, outcomes, strict=True):
        tasks = by_prompt.get(str(one.request.prompt_text), [])
        assert len(tasks) <= 1, "paid for twice"
        made = (root / "clips" / one.key / "video.mp4").exists()
        assert made is (outcome is None), outcome
        if made:
            assert tasks, "a video of nothing"
            assert set(tasks) <= known
        else:
            assert isinstance(outcome, UncertainSubmit | HeldBack), outcome
            if one.request.endpoint.list_path:
                assert tasks == [], "paid for, and the list could have said so"


def lives(seed: int, root: Path) -> None:
    dice = random.Random(seed)
    with Sandbox(latency=0.0, scale="90P", list_lag=LAG, faults=faults(dice)) as sandbox:
        for _ in range(dice.randint(1, 3)):
            with dying(root, dice):
                run(sandbox.url, root)
        check(sandbox, root, run(sandbox.url, root))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_paid_for_is_delivered(tmp_path: Path, seed: int) -> None:
    lives(seed, tmp_path / "root")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 220))
def test_what_is_paid_for_is_delivered_over_hundreds_of_kills(tmp_path: Path, seed: int) -> None:
    lives(seed, tmp_path / "root")
