"""The rate of submits, on a clock that the test drives."""

import asyncio
import heapq
import logging
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minimax_tasks.clips.rate_limit import RateLimiter, account_limiter
from minimax_tasks.settings import Settings


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("minimax_tasks.clips.rate_limit.asyncio.sleep", clock.sleep)
    return clock


def about(seconds: list[float]) -> Any:
    """To a hundredth: a window that ends in this very millisecond counts as not over."""
    return pytest.approx(seconds, abs=0.01)


def submits(limiter: RateLimiter, clock: Clock, count: int) -> list[float]:
    """Seconds at which this many submits are allowed, one after the other."""
    began, at = clock.now, []

    async def run() -> None:
        for _ in range(count):
            await limiter.acquire()
            at.append(clock.now - began)

    asyncio.run(run())
    return at


def test_a_window_holds_as_many_submits_as_the_rate(clock: Clock) -> None:
    assert submits(RateLimiter(3, clock=clock), clock, 7) == about([0, 0, 0, 61, 61, 61, 122])


def test_submits_of_a_shared_rate_are_spaced(clock: Clock) -> None:
    assert submits(RateLimiter(120, evenly=True, clock=clock), clock, 5) == about([0, 0.5, 1, 1.5, 2])


def test_without_a_rate_nothing_waits(clock: Clock) -> None:
    assert submits(RateLimiter(0, clock=clock), clock, 100) == [0] * 100


@pytest.mark.parametrize("rate", [0, 60])
def test_a_refusal_for_the_rate_stops_all_submits_for_a_window(clock: Clock, rate: float) -> None:
    limiter = RateLimiter(rate, clock=clock)
    waits = limiter.slow_down()
    assert 60 <= waits <= 72
    assert submits(limiter, clock, 2) == about([waits, waits])


def one_after_the_other(limiters: list[RateLimiter], clock: Clock, count: int) -> list[float]:
    """The same for limiters that take turns, as those of several processes do."""
    began, at = clock.now, []

    async def run() -> None:
        for number in range(count):
            await limiters[number % len(limiters)].acquire()
            at.append(clock.now - began)

    asyncio.run(run())
    return at


def limiters(
    clock: Clock, count: int, rate: float = 4, account: str = "ours", **options: Any
) -> list[RateLimiter]:
    return [RateLimiter(rate, clock=clock, account=account, **options) for _ in range(count)]


def test_all_processes_of_a_machine_keep_to_one_rate(clock: Clock) -> None:
    at = one_after_the_other(limiters(clock, 8), clock, 12)
    assert at == about([0] * 4 + [61] * 4 + [122] * 4)
    later = one_after_the_other(limiters(clock, 2), clock, 2)
    assert later == about([61, 61]), "those that come later find what was submitted before"


def test_accounts_do_not_count_for_each_other(clock: Clock) -> None:
    both = limiters(clock, 1) + limiters(clock, 1, account="theirs")
    assert one_after_the_other(both, clock, 8) == about([0] * 8)


@pytest.mark.parametrize("evenly", [False, True])
def test_a_refusal_for_the_rate_stops_all_processes(clock: Clock, evenly: bool) -> None:
    first, second = limiters(clock, 2, rate=20, evenly=evenly)
    waits = first.slow_down()
    assert one_after_the_other([second], clock, 1) == about([waits])
    assert one_after_the_other([first], clock, 1) == about([3 if evenly else 0])


def test_a_clock_that_was_put_back_stops_nobody_for_long(clock: Clock) -> None:
    one_after_the_other(limiters(clock, 1), clock, 4)
    clock.now -= 86_400
    assert one_after_the_other(limiters(clock, 1), clock, 1) == about([0])


def test_a_connection_is_not_taken_into_a_child(clock: Clock) -> None:
    (limiter,) = limiters(clock, 1)
    assert submits(limiter, clock, 3) == about([0, 0, 0])
    child = os.fork()
    if not child:
        os._exit(0 if submits(limiter, clock, 2) == about([0, 61]) else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("trouble", ["no folder", "of another", "damaged"])
def test_where_there_can_be_no_file_the_process_counts_and_says_so(
    clock: Clock,
    trouble: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / f"minimax-rates-{os.getuid()}"
    if trouble == "no folder":
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "is not there"))
    elif trouble == "of another":
        folder.symlink_to(tmp_path.parent)
    else:
        folder.mkdir()
        (folder / "ours.sqlite").write_bytes(b"no database" * 1000)
    with caplog.at_level(logging.WARNING):
        assert submits(limiters(clock, 1, rate=2)[0], clock, 3) == about([0, 0, 61])
    (told,) = [record.getMessage() for record in caplog.records]
    assert "is that of this process alone" in told


def test_a_file_that_breaks_meanwhile_stops_nobody(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (limiter,) = limiters(clock, 1, rate=2)
    submits(limiter, clock, 1)

    def full(*arguments: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("minimax_tasks.clips.rate_limit.SQLiteBucket.put", full)
    assert submits(limiter, clock, 3) == about([0, 0, 61])
    assert "disk is full" in caplog.text


def test_the_file_is_the_user_s_and_shows_no_key(clock: Clock, tmp_path: Path) -> None:
    settings = Settings(api_key="sk-planted", base_url="https://api.minimax.io/v1")
    asyncio.run(account_limiter(settings).acquire())
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert "planted" not in path.name
        assert b"planted" not in path.read_bytes()


@pytest.mark.parametrize("account", ["", "shared"])
def test_those_who_wait_are_served_in_their_order_and_look_once_each(clock: Clock, account: str) -> None:
    """A hundred who all look each time that one may go would leave no time for anything else."""
    looks = 0

    def looked() -> float:
        nonlocal looks
        looks += 1
        clock.now += 0.001  # a look takes a moment, so the window's submits end one after the other
        return clock.now

    limiter, began, order = RateLimiter(100, clock=looked, account=account), clock.now, []

    async def one(number: int) -> None:
        await limiter.acquire()
        order.append((number, clock.now - began))

    async def run() -> None:
        await asyncio.gather(*(one(number) for number in range(250)))

    asyncio.run(run())
    assert [number for number, _ in order] == list(range(250))
    assert looks < 6 * 250
    for (_, before), (_, after) in zip(order, order[100:], strict=False):
        assert after - before > 60


def test_who_gives_up_leaves_the_place_to_the_next(clock: Clock) -> None:
    limiter = RateLimiter(2, clock=clock)

    async def run() -> float:
        began = clock.now
        waiting = [asyncio.ensure_future(limiter.acquire()) for _ in range(4)]
        waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.wait(waiting)
        return clock.now - began

    assert asyncio.run(run()) == 0


def test_a_place_that_nobody_took_is_not_used_later(clock: Clock) -> None:
    """The service counts a submit when it comes: one that was counted long before would be one too many."""
    limiter = RateLimiter(2, clock=clock, account="shared")

    async def run() -> list[float]:
        first, second = (asyncio.ensure_future(limiter.acquire()) for _ in range(2))
        await first
        second.cancel()
        await asyncio.wait([second])
        at = []
        clock.now += 30
        for _ in range(2):
            await limiter.acquire()
            at.append(clock.now - 1_000_000.0)
        return at

    assert asyncio.run(run()) == about([61, 61])


class Service:
    """Counts what comes to it somewhere between being allowed and its answer, and answers while others sleep."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.came: list[float] = []
        self._clock = clock
        self._answers: list[tuple[float, int, Callable[[], None]]] = []
        monkeypatch.setattr("minimax_tasks.clips.rate_limit.asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.pass_until(self._clock.now + seconds)

    def pass_until(self, moment: float) -> None:
        while self._answers and self._answers[0][0] <= moment:
            self._clock.now, _, answer = heapq.heappop(self._answers)
            answer()
        self._clock.now = moment

    def post(self, way: float, back: float, answer: Callable[[], None]) -> None:
        """It takes so many seconds until the service counts it, and until its answer is here."""
        self.came.append(self._clock.now + way)
        heapq.heappush(self._answers, (self._clock.now + way + back, len(self.came), answer))

    def most_in_a_window(self) -> int:
        came = sorted(self.came)
        return max(sum(1 for other in came if 0 <= other - one < 60) for one in came)


def test_who_is_answered_is_counted_a_window_from_then(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    service, limiter, at = Service(clock, monkeypatch), RateLimiter(3, clock=clock), []

    async def run() -> None:
        for _ in range(9):
            counted = await limiter.acquire()
            at.append(clock.now - 1_000_000.0)
            service.post(0.2, 0.05, partial(limiter.answered, counted))
            service.pass_until(clock.now + 1)

    asyncio.run(run())
    assert at == about([0, 1, 2, 60.25, 61.25, 62.25, 120.5, 121.5, 122.5])


def test_beside_others_a_window_is_as_long_as_ever(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    service, at = Service(clock, monkeypatch), []
    ours, theirs = limiters(clock, 2, rate=3)

    async def run() -> None:
        for limiter in (ours, theirs, ours, ours, ours, ours):
            counted = await limiter.acquire()
            at.append(clock.now - 1_000_000.0)
            service.post(0.2, 0.05, partial(limiter.answered, counted))
            service.pass_until(clock.now + 0.5)

    asyncio.run(run())
    assert at == about([0, 0.5, 1, 61, 61.5, 62])


_WAYS = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 3), st.floats(0, 30)), min_size=1, max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(limit=st.integers(1, 5), posts=_WAYS)
def test_the_service_never_counts_more_than_the_rate_however_long_a_claim_takes(
    limit: int, posts: list[tuple[float, float, float]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, limiter = Service(clock, monkeypatch), RateLimiter(limit, clock=clock)

    async def run() -> None:
        for way, back, pause in posts:
            counted = await limiter.acquire()
            service.post(way, back, partial(limiter.answered, counted))
            service.pass_until(clock.now + pause)

    asyncio.run(run())
    assert service.most_in_a_window() <= limit


def test_one_answer_that_never_comes_does_not_hold_up_all_others(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, limiter, at = Service(clock, monkeypatch), RateLimiter(2, clock=clock), []

    async def run() -> None:
        for back in (55.0, 0.1, 0.1):
            counted = await limiter.acquire()
            at.append(clock.now - 1_000_000.0)
            service.post(0.1, back, partial(limiter.answered, counted))
            service.pass_until(clock.now + 1)

    asyncio.run(run())
    assert at == about([0, 1, 70])
