"""How long work takes: the least of several times, since other work only ever adds to it."""

import time
from collections.abc import Callable


def least(
    work: Callable[[], object], times: int = 3, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Seconds by a clock: `time.perf_counter`, or `time.process_time` for those of the processor."""
    taken = []
    for _ in range(times):
        began = clock()
        work()
        taken.append(clock() - began)
    return min(taken)
