"""What a shard holds while its clips are generated, and what it leaves behind when it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks.api.requests import TextToVideoRequest
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.dataset.outcomes import ShardResult
from minimax_tasks.dataset.shard import ClipNews, ShardRun
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage

CLIPS = 30


def clips() -> dict[str, ClipRequest]:
    found = (ClipRequest(TextToVideoRequest(prompt=f"A pier, {number}")) for number in range(CLIPS))
    return {clip.key: clip for clip in found}


class Shard:
    """A run of a shard, and what it tells."""

    def __init__(self, root: Path, service: Service) -> None:
        self.submitted = asyncio.Event()
        self.news: list[ClipNews] = []
        self.limits = service.limits(CLIPS)
        run = ShardRun(
            clips(), Storage(str(root)), service, self.limits, lambda *_: None, self.submitted.set, self._hear
        )
        self.making = asyncio.create_task(run.make())

    def _hear(self, key: str, news: ClipNews, text: str) -> None:
        self.news.append(news)

    async def rest(self) -> None:
        """Until all are submitted, and have nothing to do for a moment."""
        await asyncio.wait_for(self.submitted.wait(), 60)
        for _ in range(600):
            if len(asyncio.all_tasks()) < 10:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("clips that wait have tasks")


def with_service(url: str, work: Callable[[Service], Awaitable[Any]], interval: float) -> Any:
    async def run() -> Any:
        settings = Settings(base_url=url, api_key="k", requests_per_minute=0, poll_interval=interval)
        async with Service(settings) as service:
            return await work(service)

    return asyncio.run(run())


def test_clips_that_are_waited_for_rest_without_a_task(tmp_path: Path) -> None:
    async def work(service: Service) -> ShardResult:
        shard = Shard(tmp_path, service)
        await shard.rest()
        assert not shard.making.done()
        return await shard.making

    with Sandbox(latency=3.0, scale="90P") as sandbox:
        result = with_service(sandbox.url, work, interval=1.0)
    assert list(result.made) == list(clips())
    assert not result.failed


def test_clips_that_are_all_ready_stand_in_line_without_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minimax_tasks.clips.service.ANSWERED_AT_ONCE", 2)

    async def work(service: Service) -> tuple[ShardResult, int]:
        shard = Shard(tmp_path, service)
        await shard.rest()
        most = 0
        while not shard.making.done():
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.wait([shard.making], timeout=0.01)
        return await shard.making, most

    with Sandbox(latency=2.0, scale="90P") as sandbox:
        result, most = with_service(sandbox.url, work, interval=0.5)
    assert len(result.made) == CLIPS
    assert most < 15


def test_a_shard_that_is_stopped_leaves_its_places_and_nothing_that_goes_on(tmp_path: Path) -> None:
    async def work(service: Service) -> None:
        shard = Shard(tmp_path, service)
        await shard.rest()
        shard.making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await shard.making
        for _ in range(CLIPS):
            await asyncio.wait_for(shard.limits.flight.acquire(), 1)
        told = list(shard.news)
        await asyncio.sleep(1.0)  # several times the interval, and the clips are ready
        assert shard.news == told

    with Sandbox(latency=2.0, scale="90P") as sandbox:
        with_service(sandbox.url, work, interval=0.3)
        again = with_service(sandbox.url, lambda service: Shard(tmp_path, service).making, interval=0.3)
    assert len(again.made) == CLIPS


def test_a_clip_that_fails_is_told_and_the_others_are_made(tmp_path: Path) -> None:
    failing = {"at": "task", "prompt": "A pier, 7$", "fail": 1027}

    with Sandbox(latency=1.0, scale="90P", faults=[failing]) as sandbox:
        result = with_service(sandbox.url, lambda service: Shard(tmp_path, service).making, interval=0.3)
    assert len(result.made) == CLIPS - 1
    (failure,) = result.failed.values()
    assert failure.error == "GenerationFailed"
