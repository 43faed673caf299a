"""Polls over kept HTTP/1.1 connections and over HTTP/2, both through TLS, as the service has them.

The server answers after what a round trip to it takes, in a process of its own.
"""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ROUND_TRIP = 0.05
AT_ONCE = 24
"""As many reads as `MiniMaxClient` has under way: connections, or streams of one connection."""

_ANSWER = {
    "task_id": "1",
    "status": "Processing",
    "file_id": "",
    "base_resp": {"status_code": 0, "status_msg": "success"},
}


async def _poll(request: Request) -> JSONResponse:
    await asyncio.sleep(ROUND_TRIP)
    return JSONResponse(_ANSWER)


app = Starlette(routes=[Route("/v1/query/video_generation", _poll)])
"""Answers every poll that it is not ready."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Yields the URL of a server that speaks both, and what trusts it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    port = free_port()
    settings = {
        "bind": f"127.0.0.1:{port}",
        "certfile": str(folder / "server.pem"),
        "keyfile": str(folder / "server.pem"),
        "keep_alive_max_requests": 10**9,
        "workers": 0,
    }
    (folder / "server.toml").write_text(
        "".join(f"{name} = {json.dumps(v)}\n" for name, v in settings.items())
    )
    words = ["hypercorn", "--config", str(folder / "server.toml"), f"{__name__}:app"]
    process = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"https://localhost:{port}/v1/query/video_generation", trust
    finally:
        process.kill()
        process.wait()


def polls(url: str, trust: ssl.SSLContext, count: int, *, http2: bool) -> tuple[float, float]:
    """Seconds, and seconds of CPU, for so many polls."""

    async def run() -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with httpx.AsyncClient(
            http1=not http2, http2=http2, verify=trust, limits=limits, trust_env=False
        ) as client:

            async def one(number: int) -> None:
                async with turns:
                    answer = await client.get(url, params={"task_id": str(number)})
                if answer.http_version != ("HTTP/2" if http2 else "HTTP/1.1") or not answer.json():
                    raise RuntimeError(f"answered over {answer.http_version}")

            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    group.create_task(one(number))

    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(run())
    return time.perf_counter() - began, time.process_time() - cpu
