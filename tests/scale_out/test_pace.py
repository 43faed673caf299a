"""The pace of submits is that of the account, however many tasks or shards ask."""

import json
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
