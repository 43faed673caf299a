"""A real luigid and a sandbox for the workers that are killed, and the marker of all these tests."""

import configparser
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from minimax_tasks.sandbox import Sandbox
from tests.conftest import Picture, point_at
from tests.scale_out.killing import kill_one_of_two

HERE = Path(__file__).parent
CONFIGURATION = HERE.parent.parent / "pipelines/scale_out/luigi.cfg"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.scale_out)


@pytest.fixture(scope="session")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A luigid that gives up on a silent worker soon."""
    folder = tmp_path_factory.mktemp("luigid")
    ready = configparser.ConfigParser()
    ready.read(CONFIGURATION)
    ready["scheduler"]["worker_disconnect_delay"] = "3"
    ready["scheduler"]["retry_delay"] = "1"
    ready["worker"]["ping_interval"] = "0.5"
    with (folder / "luigi.cfg").open("w") as out:
        ready.write(out)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    luigid = subprocess.Popen(
        [str(Path(sys.executable).with_name("luigid")), "--port", str(port), "--address", "127.0.0.1"],
        cwd=folder,
        env=os.environ | {"LUIGI_CONFIG_PATH": str(folder / "luigi.cfg")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            httpx.get(url, trust_env=False, verify=False)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield url
    luigid.terminate()
    luigid.wait()


@pytest.fixture(scope="session")
def service() -> Iterator[Sandbox]:
    with Sandbox(latency=0.5, scale="90P") as running:
        yield running


@pytest.fixture
def kill_after(
    scheduler: str,
    service: Sandbox,
    s3_root: str,
    tmp_path: Path,
    picture: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[float], None]:
    """Has two workers render a board, kills one so many seconds after its start, and checks the film."""
    point_at(monkeypatch, service.url)
    monkeypatch.setenv("LUIGI_CONFIG_PATH", str(tmp_path / "luigi.cfg"))
    (tmp_path / "luigi.cfg").write_text("[core]\nautoload_range = false\n[worker]\nping_interval = 0.5\n")
    picture("pier.png")
    return lambda seconds: kill_one_of_two(seconds, scheduler, service, s3_root, tmp_path)
