"""A sandbox with hundreds of tasks at once goes on answering."""

import asyncio
import os
import time
from pathlib import Path

import httpx
import pytest

from tests.sandbox.conftest import KEY, T2V, Serve

pytestmark = pytest.mark.slow

TASKS = 500


def test_hundreds_at_once(serve: Serve, tmp_path: Path) -> None:
    """On a connection each: every one is a task of its own, and queries are answered as ever."""
    api = serve(idle=True, state=tmp_path)

    async def run() -> tuple[set[str], list[float]]:
        waits: list[float] = []
        limits = httpx.Limits(max_connections=TASKS)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(
            base_url=api.sandbox.url,
            headers=headers,
            limits=limits,
            timeout=60,
            trust_env=False,
            verify=False,
        ) as http:
            answers = await asyncio.gather(
                *(
                    http.post("/v1/video_generation", json={**T2V, "prompt": f"Boat {number}"})
                    for number in range(TASKS)
                )
            )
            ids = {answer.json()["task_id"] for answer in answers}
            for task_id in sorted(ids)[:20]:
                began = time.monotonic()
                answer = await http.get("/v1/query/video_generation", params={"task_id": task_id})
                waits.append(time.monotonic() - began)
                assert answer.json()["base_resp"]["status_code"] == 0
        return ids, waits

    ids, waits = asyncio.run(run())
    assert len(ids) == TASKS
    assert "" not in ids
    assert sorted(waits)[len(waits) // 2] < 5.0
    assert {entry["task_id"] for entry in api.sandbox.ledger()} == ids
    journal = (tmp_path / "journal.jsonl").stat().st_size
    assert journal < TASKS * 2000, "what is kept of a task is small"
    open_files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert open_files < TASKS, "connections are closed when their client has gone"
    began = time.monotonic()
    api.sandbox.stop()
    assert time.monotonic() - began < 60
