"""What the stages of a clip need besides its folder: the client, the rate of submits, patience, limits."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from minimax_tasks.api.client import MiniMaxClient
from minimax_tasks.clips.callbacks import CallbackWatch
from minimax_tasks.clips.poll_start import FirstPollEstimate
from minimax_tasks.clips.rate_limit import RateLimiter

SUBMITS_AT_ONCE = 16
"""POSTs under way in one process; they are short, and more would only wait for each other."""


@dataclass(frozen=True)
class Service:
    """The video service as this process uses it. Times in seconds, money in the price table's USD."""

    client: MiniMaxClient
    rate_limiter: RateLimiter
    poll_interval: float = 10.0
    generation_timeout: float = 1800.0
    budget: float | None = None
    """Most that may be spent under a root, counting what was spent before."""
    paid_attempts: int = 1
    """How many times to pay for a clip whose generation fails for reasons unrelated to the input."""
    retry_failed_before: datetime | None = None
    """Clips that failed for good before this moment are submitted once more, because a person said so."""
    receiver_url: str = ""
    """Public address of a running `minimax-tasks receive`; each submit gets its own address below it."""
    submitting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SUBMITS_AT_ONCE))
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from the claim to the budget check, so that concurrent attempts are not counted as spent."""
    watch: CallbackWatch = field(default_factory=CallbackWatch)
    first_poll: FirstPollEstimate = field(default_factory=FirstPollEstimate)
