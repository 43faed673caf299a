"""Tables of ten and a hundred thousand rows, films of hundreds of shots: their plans, their reports, and how they end
after kills.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.benchmarks.connections import free_port
from tests.benchmarks.kept import new_folder
from tests.benchmarks.runs import peak_mb
from tests.benchmarks.timing import least


def waves(folder: Path, rows: int) -> Path:
    """A table of prompts."""
    table = folder / "waves.jsonl"
    with table.open("w") as out:
        out.writelines(json.dumps({"prompt": f"wave {number} of the sea"}) + "\n" for number in range(rows))
    return table


def table_planned(rows: int) -> dict[str, float]:
    """`minimax-tasks dataset TABLE --plan --json`: seconds, CPU and greatest memory; it names every row's price."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = waves(folder, rows)
        words = [sys.executable, "-m", "tests.benchmarks.large", "plan", str(table), str(folder / "out")]
        began = time.perf_counter()
        told = subprocess.run(
            words, stdout=subprocess.PIPE, text=True, check=True, env=_keyed("http://x.test")
        )
        found: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
        return found | {"seconds": time.perf_counter() - began}


def planning_over_yaml(shots: int) -> tuple[float, float, float]:
    """CPU seconds of the plan of a board, of PyYAML reading it, and of libyaml reading it."""
    text = _board(shots)
    return (
        planning_seconds(shots),
        least(lambda: yaml.load(text, Loader=yaml.SafeLoader), clock=time.process_time),
        least(lambda: yaml.load(text, Loader=yaml.CSafeLoader), clock=time.process_time),
    )


def planning_seconds(shots: int) -> float:
    """CPU seconds of the plan of a board."""
    from minimax_tasks.storyboard.planning.make import make_plan

    with tempfile.TemporaryDirectory() as name:
        board = Path(name) / "board.yaml"
        board.write_text(_board(shots))
        return least(
            lambda: make_plan(str(board), root=f"{name}/out", language="en"), clock=time.process_time
        )


def _board(shots: int) -> str:
    return "title: Long\nshots:\n" + "".join(
        f'  - {{id: "{n:05}", cut: true, action: Shot {n} of the sea at dusk., camera: push in}}\n'
        for n in range(shots)
    )


def report_of(shots: int) -> tuple[float, float]:
    """Seconds that the report of a film takes whose clips are all made and looked at, and its megabytes."""
    from minimax_tasks.clips.layout import PREVIEWS, VIDEO, clip_file
    from minimax_tasks.clips.state import clip_states
    from minimax_tasks.sandbox.drawing.draw_clip import draw_clip
    from minimax_tasks.storage.files import Storage
    from minimax_tasks.storyboard.edit import asked_lengths, make_edit
    from minimax_tasks.storyboard.planning.make import make_plan
    from minimax_tasks.storyboard.report.gather import film_report
    from minimax_tasks.storyboard.report.page import render_report
    from minimax_tasks.storyboard.report.previews import prepare

    with tempfile.TemporaryDirectory() as name:
        board, root = Path(name) / "board.yaml", Storage(f"{name}/out")
        board.write_text(_board(shots))
        clips = []
        for number in range(4):
            clips.append(Path(name) / f"{number}.mp4")
            draw_clip(clips[-1], prompt=f"[Push in] sea {number}", resolution="768P", seconds=6)
        plan = make_plan(str(board), root=root.url, language="en")
        seen: list[bytes] = []
        for number, segment in enumerate(plan.segments):
            root.write(clip_file(segment.key, VIDEO), clips[number % 4].read_bytes(), durable=False)
            if number < len(clips):
                prepare(root, segment.key)
                seen.append(root.read(clip_file(segment.key, PREVIEWS)))
            root.write(clip_file(segment.key, PREVIEWS), seen[number % 4], durable=False)
        keys = [segment.key for segment in plan.segments]
        places = {key: str(Path(root.url) / clip_file(key, VIDEO)) for key in keys}

        began = time.perf_counter()
        edit, states = make_edit(plan, asked_lengths(plan)), clip_states(root, keys)
        text = render_report(film_report(root, plan, edit, places, states, None, "", "2026-11-26T00:00:00Z"))
        return time.perf_counter() - began, len(text.encode()) / 1e6


def killed_and_finished(rows: int) -> dict[str, Any]:
    """A dataset whose process is killed with -9 twice and with SIGTERM once, and then left alone.

    `paid` is how many videos the service made; each should be one row's. Those whose submit was killed under way are `in_doubt`:
    paid or not, and never sent again.
    """
    from tests.benchmarks.__main__ import stub

    folder = new_folder()
    with stub(folder, 20.0, 0.4) as url:
        table = waves(folder, rows)
        began, runs = time.perf_counter(), []
        for share, sign in (
            (0.25, signal.SIGKILL),
            (0.5, signal.SIGKILL),
            (0.75, signal.SIGTERM),
            (2.0, None),
        ):
            with _running(table, folder / "out", url, rows) as process:
                while process.poll() is None and len(_ready(url)) < share * rows:
                    time.sleep(0.2)
                if sign is not None and process.poll() is None:
                    time.sleep(3)
                    process.send_signal(sign)
                runs.append(process.wait())
        clips = [clip for clip in (folder / "out" / "clips").iterdir() if (clip / "claim.1.json").exists()]
        made = sum((clip / "video.mp4").exists() for clip in clips)
        doubts = sum(not (clip / "submission.json").exists() for clip in clips)
        return {
            "rows": rows,
            "paid": len(_ready(url)),
            "made": made,
            "in_doubt": doubts,
            "exits": runs,
            "seconds": time.perf_counter() - began,
        }


def shared_by_two(rows: int, *, a_core_each: bool) -> tuple[float, float]:
    """Seconds that one process takes for a table whose clips are ready at once, and that two take together.

    With `a_core_each` one has one core and two have two; otherwise each has all, and one alone uses two already.
    """
    return _shared(rows, 1, a_core_each=a_core_each), _shared(rows, 2, a_core_each=a_core_each)


def _shared(rows: int, processes: int, *, a_core_each: bool) -> float:
    from tests.benchmarks.__main__ import stub

    folder = new_folder()
    with stub(folder, 0.0, 0.0) as url, _scheduler(str(folder)) as port:
        table = waves(folder, rows)
        words = ["--scheduler-url", f"http://127.0.0.1:{port}"]
        began = time.perf_counter()
        running = []
        for core in islice(cycle(sorted(os.sched_getaffinity(0))), processes):
            running.append(_process(table, folder / "out", url, rows, *words, poll_interval=1.0))
            if a_core_each:  # at once, before there is another process that it starts
                os.sched_setaffinity(running[-1].pid, {core})
        if any(process.wait() for process in running):
            raise RuntimeError("the dataset was not made")
        return time.perf_counter() - began


@contextmanager
def _scheduler(folder: str) -> Iterator[int]:
    port = free_port()
    luigid = Path(sys.executable).with_name("luigid")
    words = [str(luigid), "--port", str(port), "--address", "127.0.0.1", "--logdir", folder]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        try:
            yield port
        finally:
            process.terminate()


def _process(
    table: Path, root: Path, url: str, in_flight: int, *words: str, poll_interval: float = 5.0
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "minimax_tasks", "dataset", str(table), "--root", str(root), *words]
    environment = _keyed(url) | {
        "MINIMAX_MAX_IN_FLIGHT": str(in_flight),
        "MINIMAX_POLL_INTERVAL": str(poll_interval),
    }
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=table.parent
    )


@contextmanager
def _running(table: Path, root: Path, url: str, in_flight: int) -> Iterator[subprocess.Popen[bytes]]:
    process = _process(table, root, url, in_flight)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _keyed(url: str) -> dict[str, str]:
    given = {"API_KEY": "k", "BASE_URL": url, "REQUESTS_PER_MINUTE": "0"}
    return os.environ | {f"MINIMAX_{name}": value for name, value in given.items()}


def _ready(url: str) -> dict[str, float]:
    found: dict[str, float] = httpx.get(f"{url}/ready", trust_env=False, timeout=60).json()
    return found


def _plan(table: str, root: str) -> None:
    """The run that `table_planned` measures."""
    from minimax_tasks.commands.main import main

    with open(os.devnull, "w") as nowhere:
        shown, sys.stdout = sys.stdout, nowhere
        code = main(["dataset", table, "--root", root, "--plan", "--json"])
        sys.stdout = shown
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"mb": peak_mb(), "cpu": used.ru_utime + used.ru_stime, "code": code}))


if __name__ == "__main__":
    _plan(*sys.argv[2:])
