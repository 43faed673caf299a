"""Limits the submits in any minute, and pauses them for a while after the service answered “too many”.

An account has one rate, however many processes of a machine use it: what was submitted is counted in a file
(pyrate-limiter's bucket in SQLite, under a file lock) that all processes of a user share. Where there can be no such
file a process counts for itself, and says so.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import random
import sqlite3
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from minimax_tasks.clips.rate_margin import Counted, Margin
from minimax_tasks.clips.timing import USUAL
from minimax_tasks.settings import Settings
from minimax_tasks.storage.temporary import ABANDONED_SECONDS

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 1.2
"""Windows that a pause lasts at most. What lies further ahead was written by a clock that was put back."""

_KEPT = 1000
"""Milliseconds for which somebody may follow who was counted with another one, before the service counts it too late."""

_LOCK_PATIENCE = 30.0
"""Seconds to wait for another process, which needs milliseconds; one that was halted holds the lock for ever."""


class RateLimiter:
    """Allows at most `per_minute` submits in any 60 seconds; 0 means no limit.

    `evenly` spaces them, for machines that share one rate: none begins with a burst. All limiters of one `account` on
    this machine keep to one rate together. One object serves all threads and event loops of a process.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        evenly: bool = False,
        window: float = USUAL.rate_window,
        clock: Callable[[], float] = time.time,
        account: str = "",
    ) -> None:
        self._window = window
        self._clock = clock
        self._account = account
        self._lock = threading.Lock()
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()
        self._not_before = 0.0
        self._rate: Rate | None = None
        if per_minute:
            limit = 1 if evenly else max(1, int(per_minute))
            self._rate = Rate(limit, max(1, round(1000 * window * limit / per_minute)))
            self._shortest = self._rate.interval
        self._margin = Margin(0 if evenly else round(1000 * window))
        self._bucket: SQLiteBucket | InMemoryBucket | None = None
        self._opened_by = 0

    async def acquire(self) -> Counted:
        """Wait until one more submit is allowed. Of one event loop those who came first go first.

        Who says when it is over (`answered`) lets the next follow as soon as the service surely counts it no more.
        """
        line = self._lines.setdefault(asyncio.get_running_loop(), _Line())
        line.waiting += 1
        try:
            async with line.first:
                may_follow = self._clock() >= self._not_before and line.follow(self._now())
                wait = 0.0 if may_follow else await self._try(line)
                while wait:
                    await asyncio.sleep(wait)
                    wait = await self._try(line)
                return line.counted.go()
        finally:
            line.waiting -= 1

    def answered(self, counted: Counted) -> None:
        """A submit that was allowed came to its end, however it did."""
        counted.over(self._now())

    def slow_down(self) -> float:
        """The service refused for the rate: nobody submits until a window has passed; returns the seconds."""
        wait = self._window * random.uniform(1.0, _LONGEST_PAUSE)
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + wait)
            if self._rate is not None:
                self._with_bucket(lambda bucket, rate: self._fill(bucket, rate, wait))
        return wait

    async def _try(self, line: "_Line") -> float:
        if self._rate is None or not self._account:
            return self._take(line)
        return await asyncio.to_thread(self._take, line)

    def _take(self, line: "_Line") -> float:
        """Seconds until one more submit may be allowed; 0 when it is, and is counted with those who may follow it."""
        with self._lock:
            wait = self._not_before - self._clock()
            if wait > 0:
                return wait
            if self._rate is None:
                return 0.0
            return self._with_bucket(partial(self._take_from, line))

    def _with_bucket(self, use: "Callable[[SQLiteBucket | InMemoryBucket, Rate], float]") -> float:
        assert self._rate is not None
        if self._bucket is None or self._opened_by != os.getpid():  # a connection does not outlive a fork
            self._opened_by = os.getpid()
            self._margin.forget_all()
            self._bucket = self._open(self._rate)
        try:
            return use(self._bucket, self._rate)
        except (OSError, sqlite3.Error) as error:
            self._bucket = self._alone(self._rate, error)
            return use(self._bucket, self._rate)

    def _open(self, rate: Rate) -> SQLiteBucket | InMemoryBucket:
        if not self._account:
            return InMemoryBucket([rate])
        try:
            file = _rates_folder() / f"{self._account}.sqlite"
            bucket = SQLiteBucket.init_from_file([rate], db_path=str(file), use_file_lock=True)
        except (OSError, sqlite3.Error) as error:
            return self._alone(rate, error)
        bucket.lock.timeout = _LOCK_PATIENCE  # type: ignore[attr-defined]  # it is a FileLock
        return bucket

    def _alone(self, rate: Rate, error: Exception) -> InMemoryBucket:
        log.warning(
            "the rate of %d submits in %g s is that of this process alone (%s); other processes with the same key do not "
            "count for it",
            rate.limit,
            rate.interval / 1000,
            error,
        )
        self._account = ""
        return InMemoryBucket([rate])

    def _take_from(self, line: "_Line", bucket: SQLiteBucket | InMemoryBucket, rate: Rate) -> float:
        with _held(bucket):
            now = self._now()
            item = RateItem("submit", now)
            rate.interval = self._shortest + self._margin.of(now, bucket.count())
            self._margin.forget(now - rate.interval)
            bucket.leak(now)
            for many in dict.fromkeys((min(line.waiting, rate.limit), 1)):
                if bucket.put(RateItem("submit", now, weight=many)):
                    line.lead(self._margin.add(now, many))
                    return 0.0
            wait = max(1, int(bucket.waiting(item)))  # type: ignore[arg-type]  # a coroutine with other buckets
            if wait > 1000 * _LONGEST_PAUSE * self._window + rate.interval:
                bucket.flush()
                self._margin.forget_all()
                wait = 1
            return wait / 1000

    def _fill(self, bucket: SQLiteBucket | InMemoryBucket, rate: Rate, wait: float) -> float:
        """Let the others wait as well, by a bucket that is full until then."""
        with _held(bucket):
            bucket.flush()
            self._margin.forget_all()
            counted_for = self._shortest + self._margin.usual  # by the others
            begun = self._now() + round(1000 * wait) - counted_for
            bucket.put(RateItem("pause", begun, weight=rate.limit))
        return wait

    def _now(self) -> int:
        return round(1000 * self._clock())


class _Line:
    """Those of one event loop who wait. The first asks for all, since to ask takes longer than to submit."""

    def __init__(self) -> None:
        self.first = asyncio.Lock()
        self.waiting = 0
        self.counted = Counted()
        """Those who were counted with the one who went last."""
        self._followers = 0

    def lead(self, counted: Counted) -> None:
        """The first of those who were counted together goes."""
        self.counted, self._followers = counted, counted.many - 1

    def follow(self, now: int) -> bool:
        """Go with the one before, if that was a moment ago: a place that somebody left behind is not kept."""
        if not self._followers or not 0 <= now - self.counted.at < _KEPT:
            return False
        self._followers -= 1
        return True


def _held(bucket: SQLiteBucket | InMemoryBucket) -> contextlib.AbstractContextManager[object]:
    """The lock of a bucket in a file, which other processes wait for."""
    return bucket.lock if isinstance(bucket, SQLiteBucket) else contextlib.nullcontext()


def account_limiter(
    settings: Settings,
    rate: str = "requests_per_minute",
    *,
    evenly: bool = False,
    window: float = USUAL.rate_window,
) -> RateLimiter:
    """The limiter of the account of these settings, for all processes of this user on this machine.

    `rate` is the setting that says how many. Where `requests_per_minute` is 0 nothing is paced.
    """
    per_minute = float(getattr(settings, rate)) if settings.requests_per_minute else 0.0
    account = f"{rate} {urlsplit(settings.base_url).netloc.lower()} {settings.api_key.get_secret_value()}"
    digest = hashlib.blake2b(account.encode(), digest_size=8, person=b"minimax-rate")  # it gives no key away
    return RateLimiter(per_minute, evenly=evenly, window=window, account=digest.hexdigest())


def _rates_folder() -> Path:
    """The folder of this user's files. Raises OSError."""
    user = os.getuid() if hasattr(os, "getuid") else None
    folder = Path(tempfile.gettempdir()) / f"minimax-rates-{'own' if user is None else user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    told = folder.lstat()
    if not stat.S_ISDIR(told.st_mode) or user not in (None, told.st_uid):
        raise PermissionError(f"{folder} belongs to somebody else")
    _sweep(folder)
    return folder


def _sweep(folder: Path) -> None:
    """Remove the files of accounts that nobody has used for days."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
