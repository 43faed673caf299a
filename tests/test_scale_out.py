"""Many workers: a real luigid, two workers as processes, one S3 root, and a worker killed at any moment."""

import configparser
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.probe import probe
from tests.conftest import Picture, point_at
from tests.storyboard.boards import write_board

pytestmark = pytest.mark.scale_out

CONFIGURATION = Path(__file__).parent.parent / "pipelines/scale_out/luigi.cfg"
COMMAND = [sys.executable, "-m", "minimax_tasks"]
BOARD = """\
    title: Run {run}
    frames: {{pier: pier.png}}
    defaults: {{model: MiniMax-Hailuo-02}}
    shots:
      - {{id: "010", from: pier, action: Mist of run {run}.}}
      - {{id: "020", action: She walks on.}}
      - {{id: "030", cut: true, action: Rain of run {run}., takes: 2, pick: 2}}
    """


@pytest.fixture(scope="module")
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
            httpx.get(url, trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield url
    luigid.terminate()
    luigid.wait()


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    with Sandbox(latency=0.5, scale="90P") as running:
        yield running


@pytest.mark.parametrize("run", range(20))
def test_a_worker_is_killed_and_the_film_is_finished(
    run: int,
    scheduler: str,
    service: Sandbox,
    s3_root: str,
    tmp_path: Path,
    picture: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_at(monkeypatch, service.url)
    monkeypatch.setenv("LUIGI_CONFIG_PATH", str(tmp_path / "luigi.cfg"))
    (tmp_path / "luigi.cfg").write_text("[core]\nautoload_range = false\n[worker]\nping_interval = 0.5\n")
    picture("pier.png")
    board = write_board(tmp_path, BOARD.format(run=run))
    before = len(service.ledger())

    def start() -> subprocess.Popen[str]:
        words = ["render", board, "--root", s3_root, "--scheduler-url", scheduler]
        return subprocess.Popen(
            [*COMMAND, *words],
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    victim, other = start(), start()
    time.sleep(random.Random(run).uniform(1.0, 4.0))
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    told, _ = other.communicate(timeout=120)
    accepted = service.ledger()[before:]
    if other.returncode:
        _settle_as_a_person_would(told, s3_root, accepted)
        last = start()
        told, _ = last.communicate(timeout=120)
        assert last.returncode == 0, told
    entries = service.ledger()[before:]
    paid = Counter(json.dumps(entry["request"], sort_keys=True) for entry in entries)
    assert sum(paid.values()) == 4, "one submit for each clip"
    assert max(paid.values()) <= 2, "two takes are the same request"
    film = mm.FsspecTarget(f"{s3_root}/films/run-{run}/film.mp4")
    with film.as_local() as path:
        assert probe(path, "decode").frames == 3 * 144 - 1


def _settle_as_a_person_would(told: str, root: str, accepted: list[dict[str, Any]]) -> None:
    """A kill in the middle of a POST leaves a doubt. The person looks for the prompt among the service's tasks."""
    keys = set(re.findall(r"minimax-tasks resolve ([0-9a-f]{32})", told))
    assert keys, told
    storage = mm.storage.files.Storage(root)
    known = {
        storage.read_json(f"clips/{key}/submission.json")["task_id"]  # type: ignore[index]
        for key in storage.folders("clips")
        if storage.exists(f"clips/{key}/submission.json")
    }
    for key in keys:
        what = storage.read_json(f"clips/{key}/claim.1.json")["what"]  # type: ignore[index]
        orphans = [
            entry["task_id"]
            for entry in accepted
            if entry["task_id"] not in known and what.endswith(entry["request"]["prompt"][:80])
        ]
        known |= set(orphans[:1])
        words = ["--task-id", orphans[0]] if orphans else ["--resubmit"]
        done = subprocess.run(
            [*COMMAND, "resolve", key, "--root", root, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_one_resource_paces_all_submits(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "120")
    monkeypatch.setenv("MINIMAX_SUBMIT_RESOURCE", "minimax_submits")
    tasks = [mm.TextToVideo(prompt=f"wave {number}", root="out") for number in range(5)]
    began = time.time()
    assert mm.build(tasks)
    at = sorted(entry["created_at"] for entry in sandbox.ledger())
    assert all(later - began > 0.5 * number - 0.05 for number, later in enumerate(at)), "two a second"
    assert luigi.configuration.get_config().get("minimax", "submit_resource", None) is None


def test_shards_take_turns_at_submitting_and_wait_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Sandbox(latency=8.0, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "120")
        monkeypatch.setenv("MINIMAX_SUBMIT_RESOURCE", "minimax_submits")
        rows = "".join(json.dumps({"prompt": f"wave {number}"}) + "\n" for number in range(6))
        (tmp_path / "waves.jsonl").write_text(rows)
        began = time.time()
        assert mm.build([mm.VideoDataset(table="waves.jsonl", root="out", shard_size=2)])
        at = sorted(entry["created_at"] for entry in sandbox.ledger())
    assert all(later - began > 0.5 * number - 0.05 for number, later in enumerate(at)), "two a second"
    assert at[-1] - at[0] < 8.0, "the last shard submits before the first has its clips"
