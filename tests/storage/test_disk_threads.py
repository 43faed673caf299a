"""What waits for the disk does so beside the event loop, and comes back with what it gave or raised."""

import asyncio
import contextlib
import gc
import threading
import time
from pathlib import Path

import pytest

from minimax_tasks.storage import disk_threads, disk_work
from minimax_tasks.storage.disk_work import at_the_disk, when_the_disk_rests
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.flushing import FLUSHES_AT_ONCE


def test_each_call_has_its_own_outcome() -> None:
    def work(number: int) -> int:
        if number % 7 == 0:
            raise ValueError(number)
        return number * number

    async def run() -> list[int | BaseException]:
        return await asyncio.gather(*(at_the_disk(work, n) for n in range(500)), return_exceptions=True)

    for number, outcome in enumerate(asyncio.run(run())):
        if number % 7 == 0:
            assert isinstance(outcome, ValueError)
            assert outcome.args == (number,)
        else:
            assert outcome == number * number


def test_the_event_loop_goes_on_and_calls_wait_beside_each_other() -> None:
    together = threading.Barrier(FLUSHES_AT_ONCE)

    async def run() -> None:
        calls = [asyncio.ensure_future(at_the_disk(together.wait, 60)) for _ in range(FLUSHES_AT_ONCE)]
        await asyncio.sleep(0)  # a call on the event loop would hold it, and none would ever meet another
        await asyncio.gather(*calls)

    asyncio.run(asyncio.wait_for(run(), 60))


def test_what_may_wait_lets_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_work, "STARTS", 0)  # another process could not tell in which order
    ended: list[str] = []

    def work(name: str) -> None:
        time.sleep(0.02)
        ended.append(name)

    async def run() -> None:
        patient = [asyncio.ensure_future(when_the_disk_rests(work, "patient")) for _ in range(100)]
        await asyncio.sleep(0.05)
        await at_the_disk(work, "urgent")
        await asyncio.gather(*patient)

    asyncio.run(run())
    assert len(ended) == 101
    assert ended.index("urgent") < 50, "it stands behind those alone that are under way"


def test_who_is_cancelled_stops_no_write_and_disturbs_nobody(tmp_path: Path) -> None:
    storage, begun, may_end = Storage(str(tmp_path)), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        may_end.wait(60)
        storage.write("a.json", b"{}")

    async def run() -> None:
        writing = asyncio.ensure_future(at_the_disk(slow))
        await asyncio.to_thread(begun.wait, 60)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
        may_end.set()
        for _ in range(FLUSHES_AT_ONCE * 3):
            assert await at_the_disk(int, "7") == 7
        await storage.write_json_async("b.json", {})

    asyncio.run(asyncio.wait_for(run(), 60))
    assert storage.read_json("b.json") == {}


def test_each_event_loop_has_its_threads_and_one_that_has_ended_holds_up_no_other() -> None:
    for _ in range(20):
        assert asyncio.run(at_the_disk(int, "7")) == 7

    async def left_behind() -> None:
        asyncio.ensure_future(at_the_disk(threading.Event().wait, 0.05))  # noqa: RUF006 - nobody waits for it
        await asyncio.sleep(0)

    asyncio.run(left_behind())
    assert asyncio.run(at_the_disk(int, "8")) == 8


def test_the_threads_of_an_event_loop_go_with_it() -> None:
    before = set(threading.enumerate())  # of the tests before this one
    for _ in range(10):
        asyncio.run(at_the_disk(int, "7"))
    gc.collect()
    ours = [one for one in threading.enumerate() if one.name.startswith("minimax-disk") and one not in before]
    for one in ours[FLUSHES_AT_ONCE:]:
        one.join(60)
    assert sum(one.is_alive() for one in ours) <= FLUSHES_AT_ONCE


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_in_a_thread_reaches_who_waits(kind: type[BaseException]) -> None:
    def leave() -> None:
        raise kind

    with pytest.raises(kind):
        asyncio.run(at_the_disk(leave))


def test_no_thread_waits_longer_than_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `SimpleQueue` of CPython 3.11 lets one wait for ever, from time to time, where several wait for a moment."""
    monkeypatch.setattr(disk_threads, "LINGER", 0.0003)
    before = set(threading.enumerate())

    async def run() -> None:
        for _ in range(400):
            await asyncio.gather(*(at_the_disk(int) for _ in range(2)))

    for _ in range(4):
        asyncio.run(run())
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
