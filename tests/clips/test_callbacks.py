"""Callbacks from end to end: the sandbox calls the receiver's command, and that wakes whoever waits."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minimax_tasks import ClipRequest, GenerationFailed, TemplateRequest, TextToVideoRequest
from minimax_tasks.clips.callbacks import APART
from minimax_tasks.clips.poll import poll
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import submit
from minimax_tasks.commands.receive import receiving
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.sandbox.http import callbacks
from tests.clips.test_life import folder_of, with_service

TEXT = ClipRequest(TextToVideoRequest(prompt="A lighthouse [Push in]"))
TEMPLATE = ClipRequest(TemplateRequest(template="Helpless Moments", text="a cat at work"))
LONG = 60.0
"""Seconds between two polls: longer than any test, so that only a callback can end the wait."""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[str]:
    """A receiver on the root of the test."""
    with receiving(str(tmp_path)) as url:
        yield url


@pytest.fixture
def receiver_command(tmp_path: Path) -> Iterator[str]:
    """The command, in a process of its own, on the root of the test."""
    with subprocess.Popen(
        [sys.executable, "-m", "minimax_tasks", "receive", "--root", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        yield running.stdout.readline().split()[-1]
        running.terminate()


def sandbox_with(*faults: dict[str, Any], latency: float = 2.0) -> Sandbox:
    return Sandbox(latency=latency, scale="90P", faults=faults)


def finish(
    sandbox: Sandbox, root: Path, receiver: str, *clips: ClipRequest, poll_interval: float = LONG
) -> float:
    """Submit and wait for the clips, at the same time; seconds that it took."""

    async def work(service: Service) -> float:
        async def one(clip: ClipRequest) -> None:
            folder = folder_of(clip, root)
            await submit(clip, folder, service)
            await poll(folder, service)

        began = time.monotonic()
        await asyncio.gather(*(one(clip) for clip in clips or (TEXT,)))
        return time.monotonic() - began

    return float(with_service(sandbox.url, work, receiver_url=receiver, poll_interval=poll_interval))


def queries(sandbox: Sandbox) -> int:
    """How often the service was asked for a status, of the fault that strikes every query."""
    faults = httpx.get(sandbox.url + "/sandbox/faults", trust_env=False, verify=False).json()
    return next(int(fault["struck"]) for fault in faults if fault["at"] == "query")


def sent(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(each["status"], each["outcome"]) for each in sandbox.ledger()[0]["callbacks"]]


def test_a_clip_is_done_when_the_callback_comes(tmp_path: Path, receiver_command: str) -> None:
    with sandbox_with() as sandbox:
        assert finish(sandbox, tmp_path, receiver_command) < LONG
        assert ("challenge", "HTTP 200") in sent(sandbox)
        assert len(sandbox.ledger()) == 1


def test_a_template_as_well(tmp_path: Path, receiver: str) -> None:
    with sandbox_with() as sandbox:
        assert finish(sandbox, tmp_path, receiver, TEMPLATE) < LONG


def test_a_failure_as_well(tmp_path: Path, receiver: str) -> None:
    with sandbox_with({"at": "task", "fail": 1027}) as sandbox:
        began = time.monotonic()
        with pytest.raises(GenerationFailed, match="1027"):
            finish(sandbox, tmp_path, receiver)
        assert time.monotonic() - began < LONG


@pytest.mark.slow
def test_many_clips_are_each_woken(tmp_path: Path, receiver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those whose callback comes while they are asking because of the one before."""
    # A busy machine may take longer over thirty challenges than the service waits for one.
    monkeypatch.setattr(callbacks, "CHALLENGE_SECONDS", LONG)
    clips = [ClipRequest(TextToVideoRequest(prompt=f"Boat {number}")) for number in range(30)]
    slow = {"at": "query", "delay": 1.0}
    with sandbox_with(slow, latency=1.5) as sandbox:
        assert finish(sandbox, tmp_path, receiver, *clips) < LONG


def test_a_callback_wakes_once(tmp_path: Path, receiver: str) -> None:
    """However long a query takes, one that found the task still running is not followed by another."""
    with sandbox_with({"at": "query", "delay": 0.4}, latency=2.5) as sandbox:
        finish(sandbox, tmp_path, receiver)
        assert queries(sandbox) <= 3


def test_without_callbacks_the_polls_go_on(tmp_path: Path, receiver: str) -> None:
    with sandbox_with({"at": "callback", "times": 0}, latency=0.0) as sandbox:
        assert finish(sandbox, tmp_path, receiver, poll_interval=0.3) < LONG
    with sandbox_with(latency=0.0) as sandbox:
        other = ClipRequest(TextToVideoRequest(prompt="Nobody listens"))
        assert finish(sandbox, tmp_path, "http://127.0.0.1:9", other, poll_interval=0.3) < LONG


def test_callbacks_that_come_often_or_late(tmp_path: Path, receiver: str) -> None:
    with sandbox_with({"at": "callback", "status": "success", "times": 5, "delay": 0.5}) as sandbox:
        assert finish(sandbox, tmp_path, receiver) < LONG
        assert len(sandbox.ledger()) == 1


def test_a_flood_of_forged_callbacks_is_not_believed_and_asks_little(tmp_path: Path, receiver: str) -> None:
    faults = {"at": "callback", "times": 0}, {"at": "query", "delay": 0}
    with sandbox_with(*faults, latency=2.5) as sandbox:
        began = time.monotonic()

        async def work(service: Service) -> dict[str, Any]:
            folder = folder_of(TEXT, tmp_path)
            submission = await submit(TEXT, folder, service)
            waiting = asyncio.create_task(poll(folder, service))
            forged = {"task_id": submission["task_id"], "status": "success", "file_id": "1"}
            async with httpx.AsyncClient(trust_env=False, verify=False) as anybody:
                while not waiting.done():
                    assert (await anybody.post(receiver, json=forged)).status_code == 200
                    await asyncio.sleep(0.05)
            return await waiting

        result = with_service(sandbox.url, work, poll_interval=LONG)
        assert result["file_id"] == sandbox.ledger()[0]["file_id"]
        assert queries(sandbox) <= 4 + (time.monotonic() - began) / APART
