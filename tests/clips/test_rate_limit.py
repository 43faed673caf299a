"""The rate of submits, on a clock that the test drives."""

import asyncio

import pytest

from minimax_tasks.clips.rate_limit import RateLimiter


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("minimax_tasks.clips.rate_limit.asyncio.sleep", clock.sleep)
    return clock


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
    assert submits(RateLimiter(3, clock=clock), clock, 7) == [0, 0, 0, 60, 60, 60, 120]


def test_submits_of_a_shared_rate_are_spaced(clock: Clock) -> None:
    assert submits(RateLimiter(120, evenly=True, clock=clock), clock, 5) == [0, 0.5, 1, 1.5, 2]


def test_without_a_rate_nothing_waits(clock: Clock) -> None:
    assert submits(RateLimiter(0, clock=clock), clock, 100) == [0] * 100


@pytest.mark.parametrize("rate", [0, 60])
def test_a_refusal_for_the_rate_stops_all_submits_for_a_window(clock: Clock, rate: float) -> None:
    limiter = RateLimiter(rate, clock=clock)
    waits = limiter.slow_down()
    assert 60 <= waits <= 72
    assert submits(limiter, clock, 2) == pytest.approx([waits, waits])
