"""Runs to measure, each in a process of its own that prints one JSON object: wall, CPU, memory, counts.

python -m tests.benchmarks.runs WHAT COUNT URL
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.stub import SCALE


def draws_small(root: str) -> None:
    """Say of a root that its clips are small on purpose, so that they are what was asked for, as those of the service."""
    from minimax_tasks.clips.root import check_scale
    from minimax_tasks.storage.files import Storage

    check_scale(Storage(root), SCALE)


def dataset(count: int, url: str) -> dict[str, Any]:
    """`count` clips from a table, as many in flight as the setting allows."""
    import minimax_tasks as mm

    draws_small("out")
    rows = "".join(json.dumps({"prompt": f"wave {number}"}) + "\n" for number in range(count))
    Path("waves.jsonl").write_text(rows)
    good = mm.build([mm.VideoDataset(table="waves.jsonl", root="out")])
    return {"good": good}


def callbacks(count: int, url: str) -> dict[str, Any]:
    """`dataset` with `minimax-tasks receive` beside it."""
    words = [sys.executable, "-m", "minimax_tasks", "receive", "--root", "out"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        os.environ["MINIMAX_RECEIVER_URL"] = receiver.stdout.readline().split()[-1]
        try:
            return dataset(count, url)
        finally:
            receiver.terminate()


def board(count: int, url: str) -> dict[str, Any]:
    """A storyboard of `count` shots, up to the film and its report."""
    import minimax_tasks as mm

    shots = "".join(f'  - {{id: "{n:04}", cut: true, action: Shot {n}.}}\n' for n in range(count))
    Path("board.yaml").write_text("title: Long\nshots:\n" + shots)
    good = mm.build([mm.RenderStoryboard(storyboard="board.yaml", root="out")])
    return {"good": good}


def bare(count: int, url: str) -> dict[str, Any]:
    """The barest loop: aiohttp, one coroutine for each clip, requests, polls and files as ours, and no promise at all."""
    import aiohttp

    interval = float(os.environ["MINIMAX_POLL_INTERVAL"])

    async def one(http: aiohttp.ClientSession, number: int) -> None:
        body = {
            "model": "MiniMax-Hailuo-2.3",
            "prompt": f"wave {number}",
            "duration": 6,
            "resolution": "768P",
        }
        folder = Path(f"out/clips/{number}")
        folder.mkdir()
        (folder / "request.json").write_text(json.dumps(body))
        async with http.post("/v1/video_generation", json=body) as answered:
            submission = await answered.json()
        (folder / "submission.json").write_text(json.dumps(submission))
        while True:
            await asyncio.sleep(interval)
            params = {"task_id": submission["task_id"]}
            async with http.get("/v1/query/video_generation", params=params) as answered:
                result = await answered.json()
            if result["status"] == "Success":
                break
        (folder / "result.json").write_text(json.dumps(result))
        async with http.get("/v1/files/retrieve", params={"file_id": result["file_id"]}) as answered:
            file = (await answered.json())["file"]
        draft = folder / "part"
        with draft.open("wb") as out:
            async with http.get(file["download_url"]) as answered:
                async for chunk in answered.content.iter_any():
                    out.write(chunk)
        draft.rename(folder / "video.mp4")

    async def run() -> None:
        Path("out/clips").mkdir(parents=True)
        connections = aiohttp.TCPConnector(limit=24)
        headers = {"Authorization": "Bearer k"}
        async with aiohttp.ClientSession(url, headers=headers, connector=connections) as http:
            await asyncio.gather(*(one(http, number) for number in range(count)))

    asyncio.run(run())
    return {"good": len(list(Path("out").glob("clips/*/video.mp4"))) == count}


def blocking(count: int, url: str) -> dict[str, Any]:
    """What people write today: plain Luigi, three blocking stages, 64 workers."""
    import luigi

    from tests.benchmarks import glue

    good = luigi.build(
        [glue.Fetch(number=number, url=url) for number in range(count)],
        local_scheduler=True,
        workers=64,
        log_level="CRITICAL",
    )
    return {"good": good}


def peak_mb(process: int | str = "self") -> float:
    """Greatest resident memory of a process; `ru_maxrss` would count what its parent had before the fork."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu() -> float:
    """CPU seconds of this process and of all that it started, those that still run among them."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    running = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return sum(one.ru_utime + one.ru_stime for one in used) + sum(one.user + one.system for one in running)


def _delays(url: str) -> dict[str, Any]:
    """Seconds between a clip being ready and being on storage, and polls for each clip."""
    import httpx

    ready, polls = (httpx.get(url + path, trust_env=False).json() for path in ("/ready", "/polls"))
    delays = []
    for folder in Path("out/clips").iterdir():
        if folder.is_dir():
            task_id = json.loads((folder / "submission.json").read_text())["task_id"]
            delays.append((folder / "video.mp4").stat().st_mtime - ready[task_id])
    return {"median_delay": statistics.median(delays), "polls": polls / len(delays)}


class _Threads:
    """CPU seconds of the threads of this process by their names, and the processes that it starts, looked at while
    they live.
    """

    def __init__(self) -> None:
        self._spent: dict[int, tuple[str, float]] = {}
        self._helpers: dict[int, float] = {}
        threading.Thread(target=self._watch, daemon=True, name="watching").start()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            names = {one.native_id: one.name for one in threading.enumerate()}
            for one in process.threads():
                name = names.get(one.id)
                if name:
                    self._spent[one.id] = (name.rstrip("0123456789_"), one.user_time + one.system_time)
            for helper in process.children(recursive=True):
                with contextlib.suppress(psutil.Error, OSError, IndexError):
                    self._helpers[helper.pid] = peak_mb(helper.pid)
                    used = helper.cpu_times()
                    self._spent[helper.pid] = ("minimax-disk", used.user + used.system)
            time.sleep(0.25)

    @property
    def helpers_mb(self) -> float:
        """Greatest resident memory of the processes that were started, what they share with this one counted again."""
        return sum(self._helpers.values())

    @property
    def by_name(self) -> dict[str, float]:
        """Threads of a pool are one, and the process that does their work is one of them."""
        found: dict[str, float] = {}
        for name, spent in list(self._spent.values()):
            found[name] = found.get(name, 0.0) + spent
        return found


RUNS = {"dataset": dataset, "callbacks": callbacks, "board": board, "bare": bare, "blocking": blocking}


def main() -> None:
    """Run one, in a folder that stays, and print what it took."""
    what, count, url = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    os.chdir(tempfile.mkdtemp())
    threads = _Threads()
    began = time.perf_counter()
    outcome = RUNS[what](count, url)
    wall = time.perf_counter() - began
    outcome |= {
        "wall": wall,
        "peak_mb": peak_mb() + threads.helpers_mb,
        "cpu": cpu(),
        "threads": threads.by_name,
    }
    if Path("out/clips").is_dir():
        outcome |= _delays(url)
    print(json.dumps(outcome))


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
