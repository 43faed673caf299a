"""What the stages of a clip need besides its folder: the client, the pace of submits, patience, limits."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from minimax_tasks.api.client import MiniMaxClient
from minimax_tasks.clips.callbacks import CallbackWatch
from minimax_tasks.clips.poll_start import Expectation
from minimax_tasks.clips.rate_limit import Pace

SUBMITS_AT_ONCE = 16
"""POSTs under way in one process; they are short, and more would only wait for each other."""


@dataclass(frozen=True)
class Service:
    """The video service as this process uses it. Times in seconds, money in the price table's USD."""

    client: MiniMaxClient
    pace: Pace
    poll_interval: float = 10.0
    generation_timeout: float = 1800.0
    budget: float | None = None
    """Most that may be spent under a root, counting what was spent before."""
    paid_attempts: int = 1
    """Paid attempts at a clip whose generation failed inside the service, without a reason of the input's."""
    retry_failed_before: datetime | None = None
    """Clips that failed for good before this moment are submitted once more, because a person said so."""
    receiver_url: str = ""
    """Public address of a running `minimax-tasks receive`; each submit gets its own address below it."""
    submitting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SUBMITS_AT_ONCE))
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from a claim until its price is known to be in the budget, so that a sum is never of tries."""
    watch: CallbackWatch = field(default_factory=CallbackWatch)
    expectation: Expectation = field(default_factory=Expectation)
