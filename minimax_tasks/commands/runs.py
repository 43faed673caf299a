"""What `render` and `dataset` share: the options of a run, what is judged before it, the private sandbox."""

import argparse
import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from minimax_tasks.api.client import check_access, readable_key
from minimax_tasks.clips.layout import SANDBOX
from minimax_tasks.clips.root import check_lasting
from minimax_tasks.commands.values import amount, whole_number
from minimax_tasks.console.messages import NO_KEY
from minimax_tasks.console.output import Output
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import clean, shown
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.run import Run


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of everything that makes clips."""
    parser.add_argument(
        "--sandbox", action="store_true", help="draw the clips in a private sandbox: no key, no cost"
    )
    parser.add_argument("--scale", metavar="90P", help="with --sandbox: draw small, for a quick look")
    parser.add_argument(
        "--budget",
        metavar="USD",
        type=amount,
        help="stop before the submit that would pass it (setting budget)",
    )
    parser.add_argument(
        "--workers", metavar="N", type=whole_number, help="clips in flight at once (setting max_in_flight)"
    )
    parser.add_argument(
        "--scheduler-url", metavar="URL", help="Luigi's central scheduler; without it, one in this process"
    )


def check_scale_is_drawn(scale: str | None, *, sandbox: bool) -> None:
    """Raise `ConfigurationError` for a scale of clips that are not drawn."""
    if scale and not sandbox:
        raise ConfigurationError("--scale is for drawn clips: it needs --sandbox")


def check_root_lasts(storage: Storage, settings: Settings) -> None:
    """Raise `ConfigurationError` for a root that would not keep what was paid for."""
    try:
        check_lasting(storage, settings.base_url)
    except ConfigurationError as error:
        raise ConfigurationError(error.advised(f"{error.advice}, or --sandbox")) from None


def check_key(settings: Settings, what: str, console: Output) -> None:
    """Raise `ConfigurationError` when there is no key to pay with, or none that the service takes."""
    if not settings.api_key.get_secret_value():
        raise ConfigurationError(f"there is no API key: {NO_KEY}; --sandbox draws the {what} without one")
    check_access(settings.api_key.get_secret_value(), settings.base_url)
    if readable := readable_key(settings.base_url):
        console.warn(readable)


def check_scheduler(url: str) -> None:
    """Raise `ConfigurationError` now rather than after the minutes for which Luigi tries."""
    try:
        httpx.get(url, timeout=10, trust_env=False).close()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigurationError(
            f"--scheduler-url {shown(url)}: no scheduler answers there ({clean(error, 200)}); start one with `luigid`"
        ) from None


@contextlib.contextmanager
def current_run(
    settings: Settings, at_once: int, *, sandbox: bool, scale: str | None, retry_failed: bool
) -> Iterator[Run]:
    """The run of which all tasks are that are made here, with as many clips `at_once`."""
    with contextlib.ExitStack() as stack:
        if sandbox:
            settings = stack.enter_context(private_sandbox(settings, scale, at_once))
        if retry_failed:
            settings = settings.having(retry_failed_before=datetime.now(UTC))
        yield stack.enter_context(Run(settings.having(max_in_flight=at_once)).current())


_FILES_BESIDE, _FILES_PER_CLIP = 40, 6
"""Open files of a process that draws its clips itself: both ends of three connections for each clip under way."""
_CONNECTIONS_PER_CLIP = 6
"""A submit, a poll and a download, and those that the clip before has closed while the server has not seen it yet."""


def drawn_at_once(wanted: int, console: Output) -> int:
    """How many clips a private sandbox draws at once: as many as files may be open for."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    at_once = max(1, min(wanted, (soft - _FILES_BESIDE) // _FILES_PER_CLIP))
    if at_once < wanted and soft < _FEW_FILES:
        console.warn(
            f"only {soft} files may be open at once (ulimit -n): {at_once} clips are drawn at a time"
        )
    return at_once


_FEW_FILES = 256
"""Fewer are worth a word: it is the lowest default of any system."""


@contextlib.contextmanager
def private_sandbox(settings: Settings, scale: str | None, at_once: int) -> Iterator[Settings]:
    """Run a sandbox for this process, with so many clips `at_once`; gives the settings that point at it.

    Its tasks are kept under the root, so that a run that was killed finds them again.
    """
    from minimax_tasks.sandbox import Sandbox

    root = settings.root
    with contextlib.ExitStack() as stack:
        try:
            sandbox = stack.enter_context(
                Sandbox(
                    latency=0.0,
                    scale=scale,
                    state=_state_folder(root),
                    connections=at_once * _CONNECTIONS_PER_CLIP,
                )
            )
        except OSError as error:
            raise ConfigurationError(f"root = {shown(root)!r} cannot be used: {error}") from error
        yield settings.having(
            base_url=sandbox.url,
            api_key="sandbox",
            requests_per_minute=0,
            poll_interval=settings.poll_interval if "poll_interval" in settings.model_fields_set else 0.25,
            language=settings.bracket_language,
        )


def _state_folder(root: str) -> str:
    storage = Storage(root)
    if storage.local:
        return str(Path(storage.path()) / SANDBOX)
    name = hashlib.sha256(root.encode()).hexdigest()[:16]
    return str(Path(tempfile.gettempdir()) / f"minimax-sandbox-{name}")
