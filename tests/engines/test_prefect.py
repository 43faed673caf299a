"""Prefect as its users run it: a server, a process worker, the files and commands of the page."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from minimax_tasks.sandbox import Sandbox
from tests.engines.conftest import HeldService
from tests.engines.pages import commands, write_files
from tests.engines.running import REPOSITORY, Engine, environment_of, free_port, kill_all, missing, running

pytestmark = pytest.mark.skipif(environment_of("prefect") is None, reason=missing("prefect"))

CLIPS = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server; the settings that lead others to it."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    settings = {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    with running(Engine("prefect", folder, **settings)) as engine:
        engine.start("prefect", "server", "start", "--port", str(port), log="server.log")
        engine.until(lambda: _answers(f"{settings['PREFECT_API_URL']}/health"), "the server")
        yield settings


@pytest.fixture
def prefect(server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A folder with the page's files, and an absolute root."""
    folder = tmp_path / "prefect"
    folder.mkdir()
    write_files("prefect", folder)
    (folder / "pipelines").symlink_to(REPOSITORY / "pipelines")
    monkeypatch.setenv("MINIMAX_ROOT", str(tmp_path / "root"))
    quick = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
    with running(Engine("prefect", folder, **quick, **server)) as engine:
        yield engine


@pytest.mark.parametrize("victim", ["the run", "its worker too"])
def test_what_is_killed_is_run_again_and_pays_each_clip_once(
    held: HeldService, prefect: Engine, victim: str
) -> None:
    automations = prefect.folder / "automations.yaml"
    automations.write_text(automations.read_text().replace("within: 90", "within: 45"))
    worker = _work(prefect, pool=f"studio-{len(victim)}")
    requests = json.dumps([{"prompt": f"A pier at {hour} o'clock"} for hour in range(CLIPS)])
    asked = ("--param", f"requests={requests}")
    prefect.run("prefect", "deployment", "run", "MiniMax clips/clips", *asked)
    prefect.until(lambda: held.submitted == CLIPS, "20 clips under way")
    runs = psutil.Process(worker.pid).children(recursive=True)
    assert runs
    if victim == "the run":
        kill_all(runs)
    else:
        prefect.kill(worker)
    assert held.made == 0
    held.let_go()
    if victim != "the run":
        prefect.start(*map(str, worker.args), log="worker.log")
    prefect.until(lambda: _last_run(prefect)["state_type"] == "COMPLETED", "the second try")
    assert _last_run(prefect)["run_count"] >= 2
    held.check(CLIPS)


def test_the_files_of_the_page_do_what_it_says(
    sandbox: Sandbox, prefect: Engine, server: dict[str, str], tmp_path: Path
) -> None:
    for name in ("clips.py", "account.py", "spring.py"):
        told = prefect.run("python", name)
    assert "report.html" in told
    artifacts = _found(prefect, "artifacts")
    kept = {artifact["key"]: artifact["data"] for artifact in artifacts}
    cards = [kept[f"clip-{folder.name}"] for folder in (tmp_path / "root/clips").iterdir() if folder.is_dir()]
    assert len(cards) == len(sandbox.ledger()) == 27
    assert all("](data:image/jpeg;base64," in card and "| USD 0." in card for card in cards)
    assert "report.html" in kept["film-morning"]
    rows = json.loads(kept["minimax-clips"])
    assert [row["price"] for row in rows] == ["USD 0.28"] * 20
    database = Path(server["PREFECT_HOME"], "prefect.db")
    assert database.stat().st_size
    assert b"test-key" not in b"".join(path.read_bytes() for path in database.parent.glob("prefect.db*"))


REFUSED = """
import asyncio
from minimax_tasks.engines.prefect import make_clips
asyncio.run(make_clips([{"prompt": "a pier"}, {"prompt": "blood"}, {"prompt": "a boat"}]))
"""


def test_a_clip_that_nobody_can_make_is_not_tried_again_and_the_others_are_made(
    sandbox: Sandbox, prefect: Engine, tmp_path: Path
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "blood", "fail": 1027}])
    with pytest.raises(AssertionError, match="GenerationFailed"):
        prefect.run("python", "-c", REFUSED)
    assert len(sandbox.ledger()) == 3
    assert len(list((tmp_path / "root").glob("clips/*/video.mp4"))) == 2
    failed = [
        run
        for run in _found(prefect, "task_runs")
        if run["state_type"] == "FAILED" and "blood" in run["name"]
    ]
    assert [run["run_count"] for run in failed] == [1]


MISTAKES = """
import asyncio, sys
from minimax_tasks import ConfigurationError, InvalidRequest
from minimax_tasks.engines.prefect import MiniMaxCredentials, make_clips
for asked, account in (
    ([{"prompt": "a pier"}, {"prompt": "a pier", "duration": 7}], None),
    ([{"prompt": "a pier", "prmpt": "a boat"}], None),
    ([{"prompt": "a pier"}], MiniMaxCredentials(root="videos")),
    ([{"prompt": "a pier"}], MiniMaxCredentials(root="memory://videos")),
):
    try:
        asyncio.run(make_clips(asked, credentials=account))
    except (InvalidRequest, ConfigurationError) as error:
        print(type(error).__name__, error)
assert "luigi" not in sys.modules
"""


def test_mistakes_are_told_before_anything_is_paid(sandbox: Sandbox, prefect: Engine) -> None:
    told = prefect.run("python", "-c", MISTAKES)
    lines = [line for line in told.splitlines() if line.startswith(("InvalidRequest", "ConfigurationError"))]
    named = ["duration = 7", "did you mean prompt?", "give the whole path", "cannot be shared"]
    assert all(name in line for name, line in zip(named, lines, strict=True)), told
    assert not sandbox.ledger()


def _work(prefect: Engine, *, pool: str) -> subprocess.Popen[bytes]:
    """Follow the page from the work pool to the worker, in a pool of one's own."""
    for line in commands("prefect", beginning="prefect "):
        words = [pool if word == "studio" else word for word in shlex.split(line)]
        if words[1] == "worker":
            return prefect.start(*words, log="worker.log")
        prefect.run(*words)
    raise AssertionError("the page starts no worker")


def _last_run(prefect: Engine) -> dict[str, Any]:
    return max(_found(prefect, "flow_runs"), key=lambda run: str(run["created"]))


def _found(prefect: Engine, what: str) -> list[dict[str, Any]]:
    url = f"{prefect.environment['PREFECT_API_URL']}/{what}/filter"
    return list(httpx.post(url, json={}, trust_env=False, verify=False, timeout=60).raise_for_status().json())


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, verify=False).is_success
    except httpx.HTTPError:
        return False
