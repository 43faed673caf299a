"""Runs a sandbox: inside this process for tests and scripts, or until stopped for the command."""

import asyncio
import contextlib
import importlib
import itertools
import shutil
import signal
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn
from PIL import Image

from minimax_tasks.connections import BATCH, Bounds, bounded, listen
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.sandbox.drawing.draw_clip import clip_size
from minimax_tasks.sandbox.http.app import SandboxApp, SandboxOptions, digest_key
from minimax_tasks.sandbox.http.broken_responses import CuttableConnection
from minimax_tasks.sandbox.http.faults import Fault, read_faults
from minimax_tasks.storage.temporary import new_temporary_folder

BOUNDS = Bounds(head=10.0, body=60.0, connections=5000)
"""A body can be 64 MB, and of hundreds that are sent at once most have to wait."""

_BACKLOG = 2048
_KEEP_ALIVE = 75
"""Seconds; longer than a poll interval, since a connection that closes under a request looks like a fault."""

_TICK = 0.1
"""Seconds between two looks of uvicorn at the clock, and as long it waits for connections to end."""
_LOOKS = 20

_LOADED_LATE = (
    "resource",
    "anyio._backends._asyncio",
    "anyio._core._fileio",
    "numpy.random",
    "_sha2",
    "PIL.ImageFile",
    "av.subtitles.stream",
    "av.subtitles.codeccontext",
    "certifi",
)
"""What the libraries below the server and the drawing load at their first use."""


class Sandbox:
    """The video API on a port of this machine, in a thread of this process.

    `latency` is how many seconds a task takes, `scale` ("90P") draws the clips small while the sizes that are
    told stay true, `rpm` limits submits per minute, `key` is the only API key that is accepted (any other
    than an empty one by default), `faults` is a file of faults or a list of them (see
    `minimax_tasks.sandbox.http.faults`), `url_lifetime` is how many seconds a download URL is good for.
    In the second generation of the API a task is in the list only `list_lag` seconds after it was created, at most
    `in_flight` tasks are taken at once, and `former_remembers` says that the first generation's query knows what the
    second has forgotten after seven days (`set_clock`). At least so many `connections` are served at once, however few
    files this process may have open. With
    `state`, a folder, the tasks are known again by the next sandbox on it; without, nothing is left behind.

    Raises `ConfigurationError` for invalid options and faults, `OSError` when the port is
    taken or the folder cannot be used.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 2.0,
        scale: str | None = None,
        rpm: int | None = None,
        key: str | None = None,
        faults: str | Path | Sequence[Any] | None = None,
        state: str | Path | None = None,
        url_lifetime: float = 3600,
        list_lag: float = 0.0,
        in_flight: int | None = None,
        former_remembers: bool = False,
        connections: int = 8,
    ) -> None:
        _check_options(
            port=port, latency=latency, url_lifetime=url_lifetime, list_lag=list_lag, scale=scale, rpm=rpm
        )
        self._address = (host, port)
        self._options = SandboxOptions(
            latency, scale, rpm, digest_key(key) if key else None, url_lifetime, list_lag,
            in_flight=in_flight, former_remembers=former_remembers,
        )  # fmt: skip
        self._faults: tuple[Fault, ...] = read_faults(faults) if faults is not None else ()
        self._state = Path(state) if state is not None else None
        self._bounds = replace(BOUNDS, at_least=connections)
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serve; returns when the port answers."""
        if self._running is None:
            self._running = _Running(self._address, self._state, self._options, self._faults, self._bounds)

    def stop(self) -> None:
        """Stop serving; a temporary folder is removed."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    @property
    def url(self) -> str:
        """The base URL, such as `http://127.0.0.1:40001`."""
        if self._running is None:
            raise RuntimeError("the sandbox is not running: use it in a with statement")
        return self._running.url

    def ledger(self) -> list[dict[str, Any]]:
        """Every task that was accepted, oldest first, as `GET /sandbox/ledger` gives it."""
        return list(self._own("GET", "/sandbox/ledger"))

    def add_faults(self, faults: str | Path | Sequence[Any]) -> None:
        """Add faults, from a file or as a list; they count from now on."""
        declared = [fault.model_dump(exclude_unset=True) for fault in read_faults(faults)]
        self._own("POST", "/sandbox/faults", json=declared)

    def set_clock(self, ahead: float) -> None:
        """Let the window in which tasks of the second generation are known be that many seconds ahead."""
        self._own("POST", "/sandbox/clock", json={"ahead": ahead})

    def _own(self, method: str, path: str, **arguments: Any) -> Any:
        # Certificates, which plain http has no use for, would take longer to load than the request.
        with httpx.Client(trust_env=False, timeout=30.0, verify=False) as http:
            response = http.request(method, self.url + path, **arguments)
        return response.raise_for_status().json()


class _Server(uvicorn.Server):
    """Uvicorn, but it ends when it is told to: not at its next look, and not a while after its last connection.

    That is a tenth of a second each, and there may be a sandbox for each of hundreds of tests.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def end(self) -> None:
        """Serve no longer. For another thread than that of the server."""
        self.should_exit = True
        if self._told is not None:
            loop, told = self._told
            with contextlib.suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(told.set)

    async def main_loop(self) -> None:
        """Wait for the end."""
        told = asyncio.Event()
        self._told = asyncio.get_running_loop(), told
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the connections, give them a moment for it, and give up what is not answered by then."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_LOOKS):
            if not self.server_state.connections:
                break
            await asyncio.sleep(_TICK / _LOOKS)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


class _Running:
    def __init__(
        self,
        address: tuple[str, int],
        state: Path | None,
        options: SandboxOptions,
        faults: tuple[Fault, ...],
        bounds: Bounds,
    ) -> None:
        self._socket = listen(*address, _BACKLOG)
        self.url = f"http://{_reachable(address[0])}:{self._socket.getsockname()[1]}"
        self._temporary = state is None
        self._folder = state or new_temporary_folder()
        try:
            self._app = SandboxApp(self._folder, options, faults, served=address[0])
        except (OSError, ConfigurationError):
            self._socket.close()
            raise
        config = uvicorn.Config(
            self._app.asgi,
            http=bounded(bounds, CuttableConnection),
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            backlog=BATCH,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=0,
        )
        self._server = _Server(config)
        _load_what_threads_would()
        self._thread = threading.Thread(target=self._serve, name="minimax-sandbox", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._server.started:
            raise RuntimeError("the sandbox could not be started")
        # As many as before may wait for the server, however few it takes at once.
        self._socket.listen(_BACKLOG)

    def stop(self) -> None:
        self._server.end()
        self._thread.join()
        self._app.close()
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()


def _load_what_threads_would() -> None:
    """Load here what the threads of a sandbox would load when they first need it.

    The process may fork (Luigi's own worker does), and a child waits for ever for a module that a thread, which it
    does not have, was loading.
    """
    Image.preinit()
    for name in _LOADED_LATE:
        with contextlib.suppress(ImportError):  # Windows has no limits, and others keep their rooms elsewhere
            importlib.import_module(name)


def serve(host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
    """Run a sandbox until SIGINT or SIGTERM; `options` are those of `Sandbox`. For the main thread.

    The first line on stdout ends with the base URL. Raises `ConfigurationError` for options that make no
    sense, an address that cannot be used and a `state` that is no folder of a sandbox.
    """
    stops: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: stops.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        sandbox = Sandbox(host=host, port=port, **options)
        _start(sandbox, host, port, options.get("state"))
        with sandbox:
            print(f"MiniMax sandbox listening on {sandbox.url}", flush=True)  # noqa: T201
            # The system may hand a signal to any thread, which does not wake this one: it has to look.
            while not stops:
                time.sleep(0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(sandbox: Sandbox, host: str, port: int, state: str | Path | None) -> None:
    try:
        sandbox.start()
    except OSError as error:
        reason = error.strerror or str(error)
        if state is not None and error.filename is not None:
            raise ConfigurationError(f"state = {str(state)!r}: {error.filename}: {reason}") from None
        raise ConfigurationError(f"host = {host!r}, port = {port}: {reason}", setting="host") from error


def _check_options(
    *, port: int, latency: float, url_lifetime: float, list_lag: float, scale: str | None, rpm: int | None
) -> None:
    if not 0 <= port <= 65_535:
        raise ConfigurationError(f"port = {port}: allowed: 0 to 65535")
    for name, seconds in (("latency", latency), ("url_lifetime", url_lifetime), ("list_lag", list_lag)):
        if not seconds >= 0:
            raise ConfigurationError(f"{name} = {seconds}: allowed: 0 seconds and more")
    if rpm is not None and rpm < 1:
        raise ConfigurationError(f"rpm = {rpm}: allowed: 1 submit a minute and more")
    try:
        clip_size(scale or "768P", None)
    except ValueError as error:
        raise ConfigurationError(f"scale = {scale!r}: {error}") from None


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
