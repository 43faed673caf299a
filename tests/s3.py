"""A real S3 server on loopback, as a process of its own, and fsspec pointed at it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import httpx

REPOSITORY = Path(__file__).parent.parent
BUCKET = "minimax-test"


def find_server() -> str:
    """The S3 server that `make test` installs. Raises RuntimeError when there is none."""
    found = shutil.which("moto_server", path=str(REPOSITORY / ".venv-s3/bin")) or shutil.which("moto_server")
    if found is None:
        raise RuntimeError("the storage tests need an S3 server: run `make test`, which installs it")
    return found


@contextlib.contextmanager
def s3_server(*, keeps_connections: bool = False) -> Iterator[dict[str, str]]:
    """Run a server with one bucket; yields the environment that points fsspec at it.

    `keeps_connections`: as S3 does. The server by itself closes each after its answer, which is the harder case.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    program = [find_server()]
    if keeps_connections:
        program = [str(Path(program[0]).with_name("python")), str(REPOSITORY / "tests/s3_keeping.py")]
    server = subprocess.Popen(
        [*program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    )
    try:
        _wait_for(url, server)
        environment = {"FSSPEC_S3_ENDPOINT_URL": url, "FSSPEC_S3_KEY": "test", "FSSPEC_S3_SECRET": "test"}
        before = fsspec.config.conf.get("s3")
        fsspec.config.conf["s3"] = {"endpoint_url": url, "key": "test", "secret": "test"}
        try:
            fsspec.filesystem("s3").mkdir(BUCKET)
            yield environment
        finally:
            fsspec.config.conf.pop("s3")
            if before is not None:
                fsspec.config.conf["s3"] = before
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url + "/moto-api/", trust_env=False, verify=False)
            return
        time.sleep(0.1)
    raise RuntimeError("the S3 server does not answer")
