"""S3 from the event loop that asks.

fsspec does its asynchronous work in an event loop of its own, in a thread. That thread and ours take turns at Python's
lock: it is given away and got back for each of the twenty system calls of a request. So each event loop that writes many
files gets a file system that is like the first, and whose coroutines run right there.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Here:
    """What talks to S3 in one event loop."""

    def __init__(self) -> None:
        self.under_way: set[asyncio.Task[Any]] = set()
        self.life = self._live()
        self._file_systems: dict[Any, Any] = {}

    def like(self, fs: Any) -> Any:
        """The file system that does here what another one does elsewhere."""
        found = self._file_systems.get(fs)
        if found is None:
            options = {**fs.storage_options, **_shared_session(fs)}
            options |= {"asynchronous": True, "loop": asyncio.get_running_loop(), "skip_instance_cache": True}
            found = self._file_systems[fs] = type(fs)(**options)
        return found

    async def _live(self) -> AsyncGenerator[None, None]:
        """Runs to its first stop when there is something to close. An event loop that ends sees it through."""
        try:
            yield
        finally:
            if self.under_way:
                await asyncio.wait(self.under_way, timeout=_PATIENCE)
            for fs in self._file_systems.values():
                client = getattr(fs, "_s3creator", None)
                if client is not None:
                    with contextlib.suppress(Exception):  # nobody needs it any more
                        await client.__aexit__(None, None, None)


_PATIENCE = 8.0
"""Seconds that requests under way get when nobody needs the connections any more."""

_of_loops: dict[asyncio.AbstractEventLoop, _Here] = {}
"""Each keeps its event loop, so it goes when that is left or found closed."""


async def in_this_loop(fs: Any, work: Callable[[Any], Awaitable[_Result]]) -> _Result:
    """Do work with S3 in the running event loop; it is given a file system like `fs`. Returns and raises what it does.

    A caller that is cancelled does not stop work that has begun, as with `asyncio.to_thread`.
    """
    here = await _here()
    task = asyncio.ensure_future(work(here.like(fs)))
    here.under_way.add(task)
    task.add_done_callback(here.under_way.discard)
    return await asyncio.shield(task)


async def _here() -> _Here:
    loop = asyncio.get_running_loop()
    here = _of_loops.get(loop)
    if here is None:
        for other in [other for other in list(_of_loops) if other.is_closed()]:
            _of_loops.pop(other, None)
        here = _of_loops[loop] = _Here()
        await anext(here.life)
    return here


async def leave_s3() -> None:
    """Wait for the requests of the running event loop, and close its connections; who needs one later gets another."""
    here = _of_loops.pop(asyncio.get_running_loop(), None)
    if here is not None:
        await here.life.aclose()


def _shared_session(fs: Any) -> dict[str, Any]:
    """What a file system has read of the API and the user's settings, if another thread can use it, too.

    Credentials that are renewed are renewed behind a lock of one event loop.
    """
    from botocore.credentials import RefreshableCredentials

    client = getattr(fs, "_s3", None)
    if client is None or getattr(fs, "session", None) is None:
        return {}
    is_renewed = isinstance(client._get_credentials(), RefreshableCredentials)
    return {} if is_renewed else {"session": fs.session}
