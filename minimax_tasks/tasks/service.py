"""The service that the tasks of one event loop share: one connection pool, one rate limit."""

import asyncio
import contextvars
import functools
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

from minimax_tasks.clips.rate_limit import RateLimiter
from minimax_tasks.clips.service import Service
from minimax_tasks.settings import Settings

_services: WeakKeyDictionary[asyncio.AbstractEventLoop, Service] = WeakKeyDictionary()


def current_service() -> Service:
    """The service of the running event loop. Raises `ConfigurationError` when there is no key."""
    loop = asyncio.get_running_loop()
    if loop not in _services:
        settings = Settings.load()
        client = settings.client()
        _services[loop] = Service(
            client,
            _rate_limiter(client.host, settings.requests_per_minute, bool(settings.submit_resource)),
            poll_interval=settings.poll_interval,
            generation_timeout=settings.generation_timeout,
            budget=settings.budget,
            paid_attempts=settings.paid_attempts,
            retry_failed_before=settings.retry_failed_before,
            receiver_url=settings.receiver_url,
        )
    return _services[loop]


async def close_service() -> None:
    """Close the connections of the running event loop."""
    service = _services.pop(asyncio.get_running_loop(), None)
    if service is not None:
        await service.client.aclose()


def run_alone(work: Coroutine[Any, Any, None]) -> None:
    """Run one task's coroutine in an event loop of its own, as the plain Luigi worker does.

    Where a loop runs in this thread already (a notebook, an async web handler), that is a loop in another thread,
    and this one waits for it.
    """

    async def alone() -> None:
        try:
            await work
        finally:
            await close_service()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(alone())
        return
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="minimax-alone") as threads:
        threads.submit(context.run, asyncio.run, alone()).result()


@functools.cache
def _rate_limiter(host: str, per_minute: float, evenly: bool) -> RateLimiter:
    """One limiter per host and process, since the limit counts for the account and not for a run."""
    return RateLimiter(per_minute, evenly=evenly)
