"""The pace of submits is that of the account, however many tasks or shards ask."""

import json
import subprocess
import sys
import time
from pathlib import Path

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from tests.conftest import point_at


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
    with Sandbox(latency=20.0, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "120")
        monkeypatch.setenv("MINIMAX_SUBMIT_RESOURCE", "minimax_submits")
        rows = "".join(json.dumps({"prompt": f"wave {number}"}) + "\n" for number in range(6))
        (tmp_path / "waves.jsonl").write_text(rows)
        began = time.time()
        assert mm.build([mm.VideoDataset(table="waves.jsonl", root="out", shard_size=2)])
        at = sorted(entry["created_at"] for entry in sandbox.ledger())
    assert all(later - began > 0.5 * number - 0.05 for number, later in enumerate(at)), "two a second"
    assert at[-1] - at[0] < 20.0, "the last shard submits before the first has its clips"


@pytest.mark.parametrize("worker", ["ours", "Luigi's"])
def test_a_central_scheduler_paces_all_submits_without_being_asked(
    sandbox: Sandbox, scheduler: str, worker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "60")
    tasks = [mm.TextToVideo(prompt=f"{worker} {number}", root=str(tmp_path / "out")) for number in range(4)]
    if worker == "ours":
        assert mm.build(tasks, scheduler_url=scheduler)
    else:
        assert luigi.build(tasks, scheduler_url=scheduler, workers=4, log_level="CRITICAL")
    at = sorted(entry["created_at"] for entry in sandbox.ledger())
    assert at[3] - at[0] > 2.9, "one a second; the machine alone would allow all at once"


def test_the_run_says_that_nothing_keeps_the_rate(
    sandbox: Sandbox,
    scheduler: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "60")
    monkeypatch.setenv("MINIMAX_SUBMIT_RESOURCE", "none")
    assert mm.build([mm.TextToVideo(prompt="unpaced", root=str(tmp_path))], scheduler_url=scheduler)
    assert "nothing keeps all workers of the central scheduler to it" in caplog.text


PROCESS = """
import sys
import luigi, minimax_tasks as mm
if __name__ == "__main__":
    tasks = [mm.TextToVideo(prompt=f"{sys.argv[1]} {number}", root=sys.argv[2]) for number in range(6)]
    sys.exit(not luigi.build(tasks, local_scheduler=True, workers=8, log_level="CRITICAL"))
"""


@pytest.mark.slow
def test_two_processes_of_eight_workers_keep_to_one_rate(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "8")
    running = [
        subprocess.Popen([sys.executable, "-c", PROCESS, name, str(tmp_path / "out")])
        for name in ("one", "two")
    ]
    assert [process.wait(300) for process in running] == [0, 0]
    at = sorted(entry["created_at"] for entry in sandbox.ledger())
    assert len(at) == 12
    # Between being allowed and the POST lies the claim, which takes its time on a busy machine.
    assert all(later - earlier > 45 for earlier, later in zip(at, at[8:], strict=False)), (
        "eight in any minute"
    )
