"""The video service as values: settings, connections, the rate of submits, what was learnt while waiting."""

import asyncio
import contextlib
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from minimax_tasks.api.client import MiniMaxClient
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.clips.account import Account
from minimax_tasks.clips.callbacks import CallbackWatch
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.line import Line
from minimax_tasks.clips.poll_start import FirstPollEstimate
from minimax_tasks.clips.rate_limit import RateLimiter, account_limiter
from minimax_tasks.clips.root import check_payable, is_drawn_small
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.clips.turns import Turns
from minimax_tasks.settings import Settings
from minimax_tasks.storage.disk_work import leave_the_disk
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.s3_here import leave_s3
from minimax_tasks.storage.temporary import new_temporary_folder

SUBMITS_AT_ONCE = 16
"""POSTs under way to an endpoint at once; they are short, and more would only wait for each other."""

PREPARED_AT_ONCE = 32
"""Clips that are being submitted at once: each holds the bytes of its pictures."""

BEGUN_AT_ONCE = 8 * PREPARED_AT_ONCE
"""Clips of a table that are looked at, or wait to be submitted, at once: many calls deep, each holds more then than while
it is waited for."""

FETCHED_AT_ONCE = 64
"""Clips that are being fetched at once: each may lie on the local disk, and more would only wait for each other."""


ANSWERED_AT_ONCE = 2 * FETCHED_AT_ONCE
"""Clips of which it is asked whether they are ready, or that are and are not fetched yet: each holds more than while it
is waited for, and more of them would only wait for the others to be fetched."""


@dataclass(frozen=True)
class InFlightLimits:
    """Places for clips in flight, and for those among them that are being submitted.

    A clip keeps its place in `flight` until its video is on storage, so a new submit never gets ahead of a
    download.
    """

    flight: asyncio.Semaphore
    submits: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    begun: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def begun_for(self, endpoint: str) -> asyncio.Semaphore:
        """The places of clips for an endpoint, by its name, that are begun and not yet submitted."""
        return self.begun.setdefault(endpoint, asyncio.Semaphore(BEGUN_AT_ONCE))

    def submits_to(self, endpoint: Endpoint) -> asyncio.Semaphore:
        """The places of those that are being submitted to an endpoint: one that makes them wait holds up no other."""
        return self.submits.setdefault(endpoint.name, asyncio.Semaphore(PREPARED_AT_ONCE))


class Service:
    """The video service with these settings, for one event loop. Times in seconds, money in the price table's USD.

    An async context manager: its connections are closed at the end. Two services with other settings live side by
    side in one process, and nothing of one reaches the other. The rate of submits is that of the account:
    all processes of this user on this machine keep to it together.

    >>> service = Service(Settings(base_url="http://127.0.0.1:9", api_key="any"))
    >>> service.settings.max_in_flight
    100
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        timing: Timing = USUAL,
        rate_limiter: RateLimiter | None = None,
        shared: bool = False,
    ) -> None:
        """`settings` are those of this process when they are left out. Raises `ConfigurationError` for those.

        `shared`: others work on the same clips, given to them by the same scheduler.
        """
        self.settings = settings if settings is not None else Settings.load()
        self.timing = timing
        self.rate_limiter = rate_limiter or account_limiter(
            self.settings, evenly=shared or bool(self.settings.submit_resource), window=timing.rate_window
        )
        self._limiters = {"requests_per_minute": self.rate_limiter}
        self.account = Account(in_flight=self.settings.h3_in_flight, pause=self.settings.poll_interval)
        self.turns = Turns()
        self.began = datetime.now(UTC)
        """What was taken back after this moment is for another run to submit again."""
        self._submitting: dict[str, asyncio.Semaphore] = {}
        self._lines: dict[str, Line] = {}
        self.fetching = asyncio.Semaphore(FETCHED_AT_ONCE)
        self.counting = asyncio.Lock()
        """Held from a claim until its price is known to be in the budget, so that concurrent attempts do not
        count as spent."""
        self.watch = CallbackWatch(timing, asks_for_them=bool(self.settings.receiver_url))
        self.first_poll = FirstPollEstimate()
        self.claims: set[asyncio.Task[Any]] = set()
        """Those that are being made, or taken back."""
        self.posts: set[asyncio.Task[Any]] = set()
        """Those under way, up to the task id that is written down."""
        self.shared = shared
        self._payable: set[tuple[str, str]] = set()
        """Root and working directory where everything holds that must before something is paid."""
        self._small: dict[tuple[str, str], bool] = {}
        """Root and working directory -> whether its clips are drawn small, which is settled before the first of them."""
        self._client: MiniMaxClient | None = None
        self._limits: dict[int, InFlightLimits] = {}
        self._scratch: Path | None = None
        self._numbers = itertools.count()

    @classmethod
    def from_settings(cls, **arguments: Any) -> Self:
        """A service with the settings of this process; arguments win over them, and None counts as absent.

        Raises `ConfigurationError` naming the setting, its value and where it was read.
        """
        return cls(Settings.load(**arguments))

    @property
    def client(self) -> MiniMaxClient:
        """The client, made when it is first needed. Raises `ConfigurationError` when there is no key."""
        if self._client is None:
            self._client = self.settings.client()
        return self._client

    def limiter(self, endpoint: Endpoint) -> RateLimiter:
        """The pace of the requests to an endpoint: each generation of the API has its own."""
        name = endpoint.rate_setting
        if name not in self._limiters:
            self._limiters[name] = account_limiter(self.settings, name, window=self.timing.rate_window)
        return self._limiters[name]

    def submits_to(self, endpoint: Endpoint) -> asyncio.Semaphore:
        """The places of submits on their way to an endpoint: one that makes them wait holds up no other."""
        return self._submitting.setdefault(endpoint.name, asyncio.Semaphore(SUBMITS_AT_ONCE))

    def line(self, endpoint: Endpoint) -> Line:
        """The places of clips of which an endpoint is asked whether they are ready, until they are fetched."""
        if endpoint.name not in self._lines:
            self._lines[endpoint.name] = Line(ANSWERED_AT_ONCE)
        return self._lines[endpoint.name]

    async def pace_read(self, endpoint: Endpoint) -> None:
        """Wait until one more question may be asked, where these count as well."""
        if endpoint.paces_reads:
            await self.limiter(endpoint).acquire()

    @property
    def base_url(self) -> str:
        """Address of the service, known without a key."""
        return self.settings.base_url.strip()

    def folder(self, root: Storage, key: str) -> ClipFolder:
        """The folder of a clip, with the patience of this service."""
        return ClipFolder(root, key, self.timing)

    async def check_root(self, root: Storage) -> None:
        """Raise `ConfigurationError` for a root on which nothing must be paid; marks a new one."""
        if (place := (root.url, os.getcwd())) not in self._payable:
            await root.run(check_payable, root, self.base_url, shared=self.shared)
            self._payable.add(place)

    async def draws_small(self, root: Storage) -> bool:
        """Whether a sandbox draws the clips of a root small on purpose."""
        if (place := (root.url, os.getcwd())) not in self._small:
            self._small[place] = await root.run(is_drawn_small, root, self.client.base_url)
        return self._small[place]

    def limits(self, max_in_flight: int | None = None) -> InFlightLimits:
        """The places for that many clips in flight (setting `max_in_flight`), shared by all who ask for as many."""
        wanted = max_in_flight or self.settings.max_in_flight
        if wanted not in self._limits:
            self._limits[wanted] = InFlightLimits(asyncio.Semaphore(wanted))
        return self._limits[wanted]

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Callable[[str], Path]]:
        """Paths of local files, by any names, that are gone at the end of the block."""
        if (
            self._scratch is None or not self._scratch.is_dir()
        ):  # somebody tidies up temporary files, in a long run
            self._scratch = new_temporary_folder()
        folder, number, files = self._scratch, next(self._numbers), set[Path]()

        def path(name: str) -> Path:
            files.add(file := folder / f"{number}-{name}")
            return file

        try:
            yield path
        finally:
            for file in files:
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)

    async def see_claims_through(self) -> None:
        """Wait a while for claims that are being made or taken back: one that is there and open is a clip in doubt."""
        await self._see_through(self.claims)

    async def aclose(self) -> None:
        """Let what is under way come to its end, close the connections, and remove what is left of downloads."""
        await self._see_through(self.claims | self.posts)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        await leave_the_disk()
        await leave_s3()

    async def _see_through(self, tasks: set[asyncio.Task[Any]]) -> None:
        if tasks:
            await asyncio.wait(set(tasks), timeout=self.timing.stop_patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


@dataclass
class _Shared:
    service: Service
    users: int = 0


_of_callers_without_one: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Settings, _Shared]] = (
    WeakKeyDictionary()
)
"""The service that calls without one share while they run at the same time in one event loop with the same settings: one
account has one rate, however many calls there are. It is closed with the last of them."""


@contextlib.asynccontextmanager
async def service_or_shared(service: Service | None) -> AsyncIterator[Service]:
    """The service that a caller holds; else that of all calls of this event loop that run now without one."""
    if service is not None:
        yield service
        return
    async with shared_service(Settings.load()) as shared:
        yield shared


@contextlib.asynccontextmanager
async def shared_service(settings: Settings) -> AsyncIterator[Service]:
    """The service that all callers of this event loop share while they use it with these settings."""
    by_settings = _of_callers_without_one.setdefault(asyncio.get_running_loop(), {})
    shared = by_settings.setdefault(settings, _Shared(Service(settings)))
    shared.users += 1
    try:
        yield shared.service
    finally:
        shared.users -= 1
        if not shared.users:
            del by_settings[settings]
            await shared.service.aclose()
