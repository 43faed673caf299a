"""The semaphore at connections: urgency first, then order; a waiter that gives up loses nobody a place."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.api.priority_semaphore import PrioritySemaphore


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=20))
def test_waiters_are_served_by_urgency_and_no_place_is_lost(
    places: int, waiters: list[tuple[int, bool]]
) -> None:
    served: list[tuple[int, int]] = []

    async def run() -> None:
        turns, open_ = PrioritySemaphore(places), asyncio.Event()

        async def hold() -> None:
            await turns.acquire()
            await open_.wait()
            turns.release()

        async def one(number: int, urgency: int) -> None:
            await turns.acquire(urgency)
            served.append((urgency, number))
            turns.release()

        holders = [asyncio.create_task(hold()) for _ in range(places)]
        await asyncio.sleep(0)
        tasks = [asyncio.create_task(one(number, urgency)) for number, (urgency, _) in enumerate(waiters)]
        await asyncio.sleep(0)
        for task, (_, gives_up) in zip(tasks, waiters, strict=True):
            if gives_up:
                task.cancel()
        open_.set()
        await asyncio.gather(*holders)
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(1):
            await asyncio.gather(*(one(-1, 0) for _ in range(places)))

    asyncio.run(run())
    stayed = [(urgency, number) for number, (urgency, gives_up) in enumerate(waiters) if not gives_up]
    assert served[:-places] == sorted(stayed)


def test_a_waiter_that_gives_up_as_its_turn_comes_passes_it_on() -> None:
    async def run() -> None:
        turns = PrioritySemaphore(1)
        await turns.acquire()
        waiter = asyncio.create_task(turns.acquire())
        await asyncio.sleep(0)
        turns.release()
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        async with asyncio.timeout(1):
            await turns.acquire()

    asyncio.run(run())
