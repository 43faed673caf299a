"""Calls into the event loop of an asynchronous file system: each has its own outcome, and nobody waits in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from minimax_tasks.storage.fs_loop import in_fs_loop


@dataclass
class FileSystem:
    """What is needed of one: where its coroutines run."""

    loop: asyncio.AbstractEventLoop


@pytest.fixture
def fs() -> Iterator[FileSystem]:
    loop = asyncio.new_event_loop()
    running = threading.Thread(target=loop.run_forever)
    running.start()
    yield FileSystem(loop)
    loop.call_soon_threadsafe(loop.stop)
    running.join()
    loop.close()


def test_each_call_has_its_own_outcome(fs: FileSystem) -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        if number % 7 == 0:
            raise ValueError(number)
        assert asyncio.get_running_loop() is fs.loop
        return number * number

    async def run() -> list[int | BaseException]:
        calls = (in_fs_loop(fs, lambda number=number: work(number)) for number in range(500))  # type: ignore[misc]
        return await asyncio.gather(*calls, return_exceptions=True)

    for number, outcome in enumerate(asyncio.run(run())):
        if number % 7 == 0:
            assert isinstance(outcome, ValueError)
            assert outcome.args == (number,)
        else:
            assert outcome == number * number


def test_calls_from_two_event_loops_do_not_mix(fs: FileSystem) -> None:
    async def echo(text: str) -> str:
        await asyncio.sleep(0)
        return text

    def run(text: str) -> None:
        async def ask() -> None:
            for _ in range(200):
                assert await in_fs_loop(fs, lambda: echo(text)) == text
            heard.append(text)

        asyncio.run(ask())

    heard: list[str] = []
    askers = [threading.Thread(target=run, args=(text,)) for text in "ab"]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert sorted(heard) == ["a", "b"]


def test_who_is_cancelled_stops_no_call_and_disturbs_nobody(fs: FileSystem) -> None:
    begun, may_end, ended = threading.Event(), asyncio.Event(), threading.Event()

    async def slow() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    async def seven() -> int:
        return 7

    async def run() -> None:
        call = asyncio.ensure_future(in_fs_loop(fs, slow))
        await asyncio.to_thread(begun.wait, 60)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        fs.loop.call_soon_threadsafe(may_end.set)
        assert await asyncio.to_thread(ended.wait, 60)
        assert await in_fs_loop(fs, seven) == 7

    asyncio.run(run())
