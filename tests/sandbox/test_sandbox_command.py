"""The sandbox as a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.sandbox import Sandbox
from tests.sandbox.conftest import T2V

pytestmark = pytest.mark.slow

SERVE = "from minimax_tasks.sandbox.server import serve; serve(latency=0.0)"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def base_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("MiniMax sandbox listening on http://127.0.0.1:")
    return line.rstrip("\n").removeprefix("MiniMax sandbox listening on ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_stops_in_the_middle_of_its_work(
    process: subprocess.Popen[str], number: signal.Signals
) -> None:
    url = base_url(process)
    headers = {"Authorization": "Bearer x"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False) as http:
        for prompt in "abc":
            body = {**T2V, "prompt": prompt, "resolution": "1080P"}
            assert http.post("/v1/video_generation", json=body).json()["task_id"]
        time.sleep(0.3)
        process.send_signal(number)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (0, "", "")


def test_a_port_that_is_taken() -> None:
    with Sandbox() as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=port).start()


@pytest.mark.parametrize("options", [{"latency": -1}, {"url_lifetime": -1}, {"scale": "small"}, {"rpm": 0}])
def test_options_that_make_no_sense(options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Sandbox(**options)  # type: ignore[arg-type]


def test_it_has_no_url_before_it_runs() -> None:
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url


def test_it_can_be_started_again() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert sandbox.ledger() == []


def test_importing_the_package_loads_no_server() -> None:
    code = "import sys, minimax_tasks.sandbox; sys.exit('uvicorn' in sys.modules or 'av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
