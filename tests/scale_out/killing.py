"""Two workers render one board on one S3 root, and one of them is killed."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.probe import probe
from tests.storyboard.boards import write_board

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


def kill_one_of_two(seconds: float, scheduler: str, service: Sandbox, s3_root: str, tmp_path: Path) -> None:
    """Kill a worker some seconds after its start: the other one, or the next run, finishes the film, and each clip is
    paid once.
    """
    run = secrets.token_hex(4)
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
    time.sleep(seconds)
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
