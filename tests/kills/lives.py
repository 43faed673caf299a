"""Real kills of real processes over both generations of the API: what is paid for is delivered or in doubt, once.

`python -m tests.kills --kills 300 --seed 1` kills that many workers with SIGKILL and prints what came of it.

A life is a root and a sandbox. Two workers at a time make the same clips there, answers to submits are lost, the list
of tasks lags, is short, unsorted, in pages or silent, and others use the account. Workers die at random moments, new
ones take their place, and the last run is left to end. Then the sandbox's ledger says what was paid.
"""

import asyncio
import json
import multiprocessing
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from minimax_tasks import ClipRequest, HeldBack, TextToVideoRequest, UncertainSubmit
from minimax_tasks.clips.make import ClipMaker
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.timing import Timing
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage

TIMING = Timing(
    settle_window=6.0, settle_look=0.05, settle_pause=0.2, claim_look=0.05, claim_patience=3.0, stop_patience=0.5,
    write_tries=1, rate_window=0.1, download_pause=0.05,
)  # fmt: skip
LAG = 0.4
FEW_A_PAGE = 3
"""Tasks that a page of the list has at most, whatever is asked for."""

CLIPS = (
    *(ClipRequest(TextToVideoRequest(prompt=f"old {number}")) for number in range(3)),
    *(
        ClipRequest(
            TextToVideoRequest(
                prompt=f"new {number}", model="MiniMax-H3", ratio="16:9", duration=4 + number // 3
            )
        )
        for number in range(5)
    ),
)
"""Three of the first generation; of the second three of one shape, and two of another."""


@dataclass
class Tally:
    """What came of the lives so far."""

    lives: int = 0
    kills: int = 0
    paid: int = 0
    delivered: int = 0
    in_doubt: int = 0
    """Clips whose POST may have been paid for, as the last run says."""
    paid_in_doubt: int = 0
    """Those of them that were."""
    held_back: int = 0
    adopted: int = 0
    """Clips whose POST was in doubt and whose task the list named."""
    faults: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        struck = ", ".join(f"{count} {what}" for what, count in sorted(self.faults.items()))
        return (
            f"{self.kills} kills in {self.lives} lives of {len(CLIPS)} clips: {self.paid} tasks paid for = "
            f"{self.delivered} delivered + {self.paid_in_doubt} in doubt; no clip twice. {self.adopted} were found in "
            f"the list; {self.in_doubt - self.paid_in_doubt} in doubt were not paid for, {self.held_back} were held "
            f"back. Faults: {struck}"
        )


async def make_clips(url: str, root: str, dice: int) -> list[BaseException | None]:
    """What came of each clip, made side by side in random order: None for one that is there."""
    settings = Settings.model_validate(
        {"api_key": "any", "base_url": url, "requests_per_minute": 0, "poll_interval": 0.05}
    )
    order = random.Random(dice).sample(range(len(CLIPS)), len(CLIPS))
    async with Service(settings, timing=TIMING) as service:
        maker = ClipMaker(Storage(root), service)
        await maker.check_root()
        making = {number: asyncio.ensure_future(maker.make(CLIPS[number])) for number in order}
        outcomes = await asyncio.gather(*making.values(), return_exceptions=True)
    found = dict(zip(making, outcomes, strict=True))
    return [found[number] for number in range(len(CLIPS))]


def work(url: str, root: str, dice: int) -> None:
    """A worker's whole life."""
    asyncio.run(make_clips(url, root, dice))


def faults(dice: random.Random) -> list[dict[str, Any]]:
    """Answers to submits that say nothing of a task that was created or was not, and a list that cannot be relied on."""

    def some(most: int | None = None, **fault: Any) -> dict[str, Any]:
        limit = {} if most is None else {"most": most}
        return {"seed": dice.randint(0, 10_000)} | limit | fault

    silent: list[dict[str, Any]] = [
        {"lost": True},
        {"cut": 3},
        {"http": 502, "accepted": True},
        {"http": 502},
        {"code": 1000, "accepted": True},
    ]
    return [
        *(some(2, at="submit", prompt="^(old|new)", share=0.2, **dice.choice(silent)) for _ in range(2)),
        some(at="submit", prompt="^(old|new)", share=0.4, delay=0.3),
        some(at="list", share=0.15, http=503),
        some(at="list", share=0.15, shuffle=True),
        some(at="list", share=0.15, late=1.0),
        some(at="list", share=0.5, short=FEW_A_PAGE),
        some(at="query", share=0.3, delay=0.3),
        some(4, at="download", share=0.3, cut=2000),
    ]


def strangers(url: str, dice: random.Random) -> None:
    """Others use the account, for clips of shapes that are none of ours."""
    for _ in range(dice.randint(0, 4)):
        body = {
            "model": "MiniMax-H3",
            "content": [{"type": "text", "text": "a stranger's"}],
            "duration": dice.randint(7, 9),
            "resolution": "768P",
            "ratio": "16:9",
        }
        headers = {"Authorization": "Bearer another"}
        httpx.post(
            f"{url}/v2/video_generation",
            json=body,
            headers=headers,
            trust_env=False,
            verify=False,
            timeout=30,
        )


def live(seed: int, folder: Path, kills: int, tally: Tally) -> None:
    """One life with so many kills, and what must be true of it at its end."""
    dice = random.Random(seed)
    root = str(folder / f"root-{seed}")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    with Sandbox(latency=0.1, scale="90P", list_lag=LAG, faults=faults(dice)) as sandbox:

        def start() -> Any:
            one = processes.Process(target=work, args=(sandbox.url, root, dice.randint(0, 10**9)))
            one.start()
            return one

        killed = 0
        workers = [start(), start()]
        while killed < kills:
            strangers(sandbox.url, dice)
            time.sleep(dice.uniform(0.02, 0.7))
            victim = workers.pop(dice.randrange(2))
            victim.kill()
            victim.join()
            killed += victim.exitcode == -signal.SIGKILL
            workers.append(start())
            if victim.exitcode == 0:  # all is made, or nobody can go on: no kill is left to be made here
                break
        for one in workers:
            one.join()
        outcomes = asyncio.run(make_clips(sandbox.url, root, seed))
        struck = httpx.get(f"{sandbox.url}/sandbox/faults", trust_env=False, verify=False).json()
        _check(sandbox.ledger(), Path(root), outcomes, tally)
    for fault in struck:
        what = " ".join(
            name for name in fault if name not in ("at", "prompt", "share", "seed", "most", "struck")
        )
        tally.faults[f"{fault['at']} {what}"] += fault["struck"]
    tally.kills += killed
    tally.lives += 1


def _check(
    ledger: list[dict[str, Any]], root: Path, outcomes: Sequence[BaseException | None], tally: Tally
) -> None:
    """Paid for is delivered or in doubt, once, and each clip has the task of its own request."""
    prompts = {entry["task_id"]: _prompt(entry["request"]) for entry in ledger}
    for clip, outcome in zip(CLIPS, outcomes, strict=True):
        prompt = str(clip.request.prompt_text)
        tasks = [task_id for task_id, asked in prompts.items() if asked == prompt]
        assert len(tasks) <= 1, f"{prompt} was paid for {len(tasks)} times"
        folder = root / "clips" / clip.key
        if outcome is None:
            assert (folder / "video.mp4").stat().st_size > 1000
            submission = json.loads((folder / "submission.json").read_text())
            assert [submission["task_id"]] == tasks, f"{prompt} has the task of another request"
            tally.adopted += _was_adopted(folder)
        else:
            assert isinstance(outcome, UncertainSubmit | HeldBack), f"{prompt}: {outcome!r}"
            assert not (folder / "video.mp4").exists()
            if isinstance(outcome, HeldBack):
                assert tasks == [], f"{prompt} was held back and paid for"
        tally.paid += len(tasks)
        tally.delivered += outcome is None
        tally.in_doubt += isinstance(outcome, UncertainSubmit)
        tally.paid_in_doubt += isinstance(outcome, UncertainSubmit) and bool(tasks)
        tally.held_back += isinstance(outcome, HeldBack)
    assert tally.paid == tally.delivered + tally.paid_in_doubt


def _prompt(request: dict[str, Any]) -> str:
    content = request.get("content")
    return str(content[0]["text"] if content else request["prompt"])


def _was_adopted(folder: Path) -> bool:
    return any(folder.glob("doubt.*.json"))


def run(kills: int, seed: int, folder: Path, *, a_life: int = 6) -> Tally:
    """Lives until so many workers were killed. Raises `AssertionError` for what must not be."""
    tally = Tally()
    while tally.kills < kills:
        live(seed + tally.lives, folder, min(a_life, kills - tally.kills), tally)
        shutil.rmtree(folder / f"root-{seed + tally.lives - 1}")
    return tally
