"""`make bench`: each figure as a ratio of two runs on this machine, one after the other.

python -m tests.benchmarks [NAME …] [--clips 5000] [--shots 200]
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tests.benchmarks.kept import new_folder
from tests.benchmarks.stub import SCALE
from tests.benchmarks.timing import least

LATENCY = 20.0
POLL = 5.0
"""Seconds that a clip takes in these runs, and between two polls."""

RATE = 1500
"""Submits a minute where they are paced: what keeps one core of this size busy, but not more."""


@contextmanager
def stub(folder: Path, seconds: float, spread: float) -> Iterator[str]:
    """A bare server in a process of its own; yields its URL."""
    from minimax_tasks.sandbox.drawing.draw_clip import draw_clip

    clip = folder / "clip.mp4"
    draw_clip(clip, prompt="[Push in] sea", resolution="768P", seconds=6, scale=SCALE)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.stub", str(clip), str(seconds), str(spread)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def run(
    what: str, count: int, *, seconds: float = LATENCY, spread: float = 0.0, **settings: float
) -> dict[str, Any]:
    """One run against a fresh server; adds the greatest unshared memory of the whole process tree."""
    with tempfile.TemporaryDirectory() as folder, stub(Path(folder), seconds, spread) as url:
        given = {"requests_per_minute": 0, "poll_interval": POLL, "max_in_flight": count} | settings
        environment = os.environ | {f"MINIMAX_{name.upper()}": str(value) for name, value in given.items()}
        environment |= {"MINIMAX_API_KEY": "k", "MINIMAX_BASE_URL": url, "TMPDIR": str(new_folder())}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.runs", what, str(count), url],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
        watcher.start()
        out, _ = process.communicate()
        outcome: dict[str, Any] = json.loads(out.splitlines()[-1])
        if not outcome["good"]:
            raise RuntimeError(f"the run {what} {count} did not finish its work")
        return outcome | {"tree_mb": peak[0]}


def _watch(pid: int, peak: list[float]) -> None:
    while psutil.pid_exists(pid):
        try:
            parent = psutil.Process(pid)
            tree = [parent, *parent.children(recursive=True)]
            peak[0] = max(peak[0], sum(one.memory_full_info().uss for one in tree) / 1e6)
        except psutil.Error:
            pass
        time.sleep(0.25)


Row = tuple[str, str, float, str]


def makespan_board(options: argparse.Namespace) -> list[Row]:
    """A storyboard, whose report and film are made at the end, over the ideal."""
    return [_makespan("board", options.shots, f"makespan, {options.shots} shots", seconds=60.0)[0]]


def makespan_dataset(options: argparse.Namespace) -> list[Row]:
    """A dataset over the ideal, and how long a clip that is ready waits for its place on storage."""
    row, taken = _makespan("dataset", options.clips, f"makespan, {options.clips} clips", seconds=60.0)
    delay = taken["median_delay"]
    return [row, ("ready to stored, median", "poll interval", delay / POLL, f"{delay:.2f} / {POLL:.0f} s")]


def burst(options: argparse.Namespace) -> list[Row]:
    """As many clips at once as there are, over the barest loop: who has no CPU left ends late and notices late."""
    count, interval = min(2000, options.clips), 2.0
    ours, bare = (run(what, count, poll_interval=interval) for what in ("dataset", "bare"))
    name = f"{count} clips at once"
    delay, least = ours["median_delay"], bare["median_delay"]
    return [
        (
            f"makespan, {name}",
            "barest aiohttp loop",
            ours["wall"] / bare["wall"],
            f"{ours['wall']:.1f} / {bare['wall']:.1f} s",
        ),
        (
            f"ready to stored, median, {name}",
            "2 s",
            delay / 2,
            f"{delay:.2f} s, the barest loop {least:.2f} s",
        ),
        (
            f"polls for each clip, {name}",
            "one an interval",
            ours["polls"] / (LATENCY / interval),
            f"{ours['polls']:.1f} / {LATENCY / interval:.0f}",
        ),
    ]


def _makespan(what: str, count: int, name: str, *, seconds: float) -> tuple[Row, dict[str, Any]]:
    """The ideal is the larger of two, plus the longest generation: when the last submit may be sent, at most so
    many in any minute, and the time that the client needs when it has nothing to wait for.
    """
    spread = 0.4
    taken = run(what, count, seconds=seconds, spread=spread, requests_per_minute=RATE)
    floor = run(what, count, seconds=0.0, poll_interval=1)["wall"]
    last_submit = 60.0 * ((count - 1) // RATE)
    ideal = max(last_submit, floor) + seconds * (1 + spread / 2)
    shown = f"{taken['wall']:.1f} / {ideal:.1f} s (submits {last_submit:.1f}, client {floor:.1f})"
    return (name, "ideal", taken["wall"] / ideal, shown), taken


def callbacks(options: argparse.Namespace) -> list[Row]:
    """How long a clip that is ready waits for its place on storage when the service calls back."""
    taken = run("callbacks", 500, spread=1.0, poll_interval=10, requests_per_minute=300)["median_delay"]
    return [("ready to stored with callbacks, median", "0.2 s", taken / 0.2, f"{taken:.3f} / 0.2 s")]


def memory(options: argparse.Namespace) -> list[Row]:
    """Many in flight over few. All are submitted before the first one is ready."""
    count = 2 * options.clips
    many = run("dataset", count, seconds=max(30.0, count / 50), poll_interval=10)
    few = run("dataset", 100)
    shown = f"{many['peak_mb']:.0f} / {few['peak_mb']:.0f} MB"
    return [(f"memory, {count} in flight", "100 in flight", many["peak_mb"] / few["peak_mb"], shown)]


_WORK_OF = {
    "minimax-in-flight": "requests, answers and the life of a clip",
    "minimax-disk": "writing and flushing files, looking through the video",
    "MainThread": "start, table, Luigi, dataset folder",
}
"""What each kind of thread does."""


def processor(options: argparse.Namespace) -> list[Row]:
    """CPU for each clip over the barest loop's, and which part of it is whose."""
    count = min(1000, options.clips)
    # Before and after, because other work on the machine makes the same instructions take more CPU.
    before, ours, after = (run(what, count) for what in ("bare", "dataset", "bare"))
    bare = (before["cpu"] + after["cpu"]) / 2
    shown = f"{1000 * ours['cpu'] / count:.1f} / {1000 * bare / count:.1f} ms"
    rows = [(f"CPU per clip, {count} clips", "barest aiohttp loop", ours["cpu"] / bare, shown)]
    for name, work in _WORK_OF.items():
        spent = ours["threads"].get(name, 0.0)
        rows.append((f"of it: {work}", "all", spent / ours["cpu"], f"{1000 * spent / count:.1f} ms"))
    return rows


def connections(options: argparse.Namespace) -> list[Row]:
    """Polls over one HTTP/2 connection over the same through kept HTTP/1.1 connections."""
    from tests.benchmarks.connections import polls, server

    count = min(2000, options.clips)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (url, trust):
        rounds = [[polls(url, trust, count, http2=http2) for http2 in (True, False)] for _ in range(5)]
    multiplexed, kept = zip(*rounds, strict=True)
    rows = []
    for number, figure in enumerate(("time", "CPU")):
        one, other = (min(taken[number] for taken in way) for way in (multiplexed, kept))
        shown = f"{1000 * one / count:.2f} / {1000 * other / count:.2f} ms"
        rows.append((f"{figure} of a poll over HTTP/2", "kept connections", one / other, shown))
    return rows


def blocking(options: argparse.Namespace) -> list[Row]:
    """Plain Luigi with blocking tasks and 64 workers over ours, 500 clips."""
    ours, theirs = run("dataset", 500), run("blocking", 500)
    return [
        (
            "plain Luigi's time, 500 clips",
            "ours",
            theirs["wall"] / ours["wall"],
            f"{theirs['wall']:.1f} / {ours['wall']:.1f} s",
        ),
        (
            "plain Luigi's memory",
            "ours",
            theirs["tree_mb"] / ours["tree_mb"],
            f"{theirs['tree_mb']:.0f} / {ours['tree_mb']:.0f} MB",
        ),
    ]


def joining(options: argparse.Namespace) -> list[Row]:
    """Joining 100 matching clips over copying their bytes, over FFmpeg's own concatenation without encoding, and over
    ffmpeg where it is; a film that is encoded over the encoder alone; memory of many clips over few.
    """
    from minimax_tasks.sandbox.drawing.draw_clip import draw_clip
    from tests.benchmarks.films import concatenated, encoder_alone, joined_memory, with_sound
    from tests.joining import Piece, join

    with tempfile.TemporaryDirectory() as folder:
        clips = [str(Path(folder) / f"{number}.mp4") for number in range(4)]
        for number, clip in enumerate(clips):
            draw_clip(clip, prompt=f"[Push in] sea {number}", resolution="768P", seconds=6)
        pieces = [Piece(clips[number % 4]) for number in range(100)]
        film, copy = str(Path(folder) / "film.mp4"), Path(folder) / "copy"
        ours = least(lambda: join(film, pieces))
        copied = least(lambda: copy.write_bytes(b"".join(Path(piece.path).read_bytes() for piece in pieces)))
        rows = [("joining 100 clips", "copying their bytes", ours / copied, f"{ours:.2f} / {copied:.2f} s")]
        names = [piece.path for piece in pieces]
        theirs = least(lambda: concatenated(names, film))
        rows.append(("joining 100 clips", "FFmpeg's concat", ours / theirs, f"{ours:.2f} / {theirs:.2f} s"))
        heard = with_sound(clips, folder)
        pieces_heard = [Piece(heard[number % 4], title=f"shot {number}") for number in range(100)]
        with_all = least(lambda: join(film, pieces_heard))
        theirs_heard = least(lambda: concatenated([piece.path for piece in pieces_heard], film))
        rows.append(
            (
                "joining 100 clips with sound and chapters",
                "FFmpeg's concat",
                with_all / theirs_heard,
                f"{with_all:.2f} / {theirs_heard:.2f} s",
            )
        )
        faded = [Piece(clip, transition="fade", transition_seconds=0.5) for clip in clips * 2]
        faded = [Piece(clips[0], hold=0.04), *faded[1:]]
        smart = least(lambda: join(film, faded), 1)
        rows.append(("8 clips with 7 fades", "their length", smart / 44.5, f"{smart:.2f} / 44.5 s"))
        slow = [Piece(clip, speed=0.99) for clip in clips]
        encoded = least(lambda: join(film, slow), 2)
        alone = least(lambda: encoder_alone(clips, film), 2)
        rows.append(
            ("encoding 4 clips", "the encoder alone", encoded / alone, f"{encoded:.2f} / {alone:.2f} s")
        )
        many, few = (joined_memory(heard, count) for count in (200, 20))
        rows.append(
            ("memory, joining 200 clips with sound", "20 clips", many / few, f"{many:.0f} / {few:.0f} MB")
        )
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg:
            names = Path(folder) / "names"
            names.write_text("".join(f"file '{piece.path}'\n" for piece in pieces))
            words = [ffmpeg, "-y", "-loglevel", "error", "-f", "concat", "-safe", "0", "-i", str(names)]
            theirs = least(
                lambda: subprocess.run([*words, "-c", "copy", "-movflags", "+faststart", film], check=True)
            )
            rows.append(
                ("joining 100 clips", "ffmpeg -c copy", ours / theirs, f"{ours:.2f} / {theirs:.2f} s")
            )
        return rows


def planning(options: argparse.Namespace) -> list[Row]:
    """Storage requests for the plan of 500 shots whose clips exist on S3, over those of 50; CPU of a plan over that of
    reading its YAML.
    """
    from tests.benchmarks.large import planning_over_yaml
    from tests.benchmarks.planning import requests_to_plan

    many, few = requests_to_plan(500), requests_to_plan(50)
    plan, pure, libyaml = planning_over_yaml(1000)
    return [
        ("S3 requests to plan 500 shots", "50 shots", many / few, f"{many} / {few}"),
        ("planning 1,000 shots, CPU", "PyYAML", plan / pure, f"{plan:.2f} / {pure:.2f} s"),
        ("planning 1,000 shots, CPU", "libyaml", plan / libyaml, f"{plan:.2f} / {libyaml:.3f} s"),
    ]


def tables(options: argparse.Namespace) -> list[Row]:
    """The plan of 100,000 rows, each judged and priced, over that of 10,000."""
    from tests.benchmarks.large import table_planned

    many, few = table_planned(100_000), table_planned(10_000)
    return [
        (
            f"{name} of 100,000 planned rows",
            "10,000",
            many[figure] / few[figure],
            f"{many[figure]:.1f} / {few[figure]:.1f} {unit}",
        )
        for name, figure, unit in (("memory", "mb", "MB"), ("CPU", "cpu", "s"))
    ]


def report(options: argparse.Namespace) -> list[Row]:
    """The report of a film of 200 shots whose clips are all made."""
    from tests.benchmarks.large import report_of

    seconds, megabytes = report_of(200)
    return [
        ("report of 200 shots", "2 s", seconds / 2, f"{seconds:.2f} / 2 s"),
        ("its size", "15 MB", megabytes / 15, f"{megabytes:.1f} / 15 MB"),
    ]


def kills(options: argparse.Namespace) -> list[Row]:
    """A dataset of twice `--clips`, killed with -9 twice and SIGTERM once, then finished: made or in doubt over all, and what was paid."""
    from tests.benchmarks.large import killed_and_finished

    found = killed_and_finished(2 * options.clips)
    known = found["made"] + found["in_doubt"]
    shown = (
        f"{found['paid']} paid, {found['made']} made, {found['in_doubt']} in doubt; exits {found['exits']}; "
        f"{found['seconds']:.0f} s"
    )
    name = f"made or in doubt, {found['rows']} clips and three kills"
    return [(name, "rows", known / found["rows"], shown)]


def shared(options: argparse.Namespace) -> list[Row]:
    """How much faster two processes are than one, for clips that are ready at once."""
    from tests.benchmarks.large import shared_by_two

    rows = []
    for name, a_core_each in (("a core each", True), ("all cores for each", False)):
        one, two = shared_by_two(options.clips, a_core_each=a_core_each)
        rows.append((f"speed of two processes, {name}", "one", one / two, f"{two:.1f} / {one:.1f} s"))
    return rows


def growth(options: argparse.Namespace) -> list[Row]:
    """What a clip, a row and a shot cost at the largest of three sizes over the smallest; draws the picture of the docs."""
    from tests.benchmarks.growth import PICTURE, measured, picture

    curves = measured(options)
    PICTURE.write_text(picture(curves))
    rows = []
    for name, costs in curves.items():
        (few, least), *_, (many, most) = costs.items()
        rows.append((f"{name}, {many:,}", f"{few:,}", most / least, f"{most:.3g} / {least:.3g}"))
    return rows


def storage(options: argparse.Namespace) -> list[Row]:
    """Requests that a clip of a dataset of 200 rows takes on S3, and its CPU over that on a local disk."""
    from tests.benchmarks.storage import requests_of_dataset, uploads_of_videos

    rows = min(200, options.clips)
    first, again, cpu = requests_of_dataset(rows)
    total = sum(first.values())
    return [
        (f"S3 requests for a clip, {rows} clips", "10", total / rows / 10, f"{total / rows:.1f} / 10"),
        (
            "uploads of a video",
            "one",
            uploads_of_videos(first) / rows,
            f"{uploads_of_videos(first)} / {rows}",
        ),
        (f"CPU of a clip on S3, {rows} clips", "on a local disk", cpu, f"{cpu:.2f}"),
        ("S3 requests of the next run", "3", sum(again.values()) / 3, f"{sum(again.values())} / 3"),
    ]


def rendering(options: argparse.Namespace) -> list[Row]:
    """Drawing a clip in the sandbox over its length."""
    from minimax_tasks.sandbox.drawing.draw_clip import draw_clip

    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for scale in (None, "90P"):
            taken = least(
                lambda scale=scale: draw_clip(  # type: ignore[misc]
                    Path(folder) / "c.mp4", prompt="[Push in] sea", resolution="768P", seconds=6, scale=scale
                )
            )
            rows.append((f"drawing 6 s at {scale or '768P'}", "6 s", taken / 6, f"{taken:.2f} / 6 s"))
        return rows


def start(options: argparse.Namespace) -> list[Row]:
    """CPU of `minimax-tasks --help` over that of a Python that only loads argparse."""
    ours, least = (
        _processor_seconds(*words) for words in (("-m", "minimax_tasks", "--help"), ("-c", "import argparse"))
    )
    measured = f"{ours * 1000:.0f} / {least * 1000:.0f} ms"
    return [("start: CPU of --help", "import argparse", ours / least, measured)]


def _processor_seconds(*words: str) -> float:
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    seconds = []
    for _ in range(5):
        before = spent()
        subprocess.run([sys.executable, *words], check=True, capture_output=True, timeout=60)
        seconds.append(spent() - before)
    return min(seconds)


ALL: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "start": start,
    "rendering": rendering,
    "joining": joining,
    "planning": planning,
    "tables": tables,
    "report": report,
    "storage": storage,
    "processor": processor,
    "connections": connections,
    "blocking": blocking,
    "board": makespan_board,
    "dataset": makespan_dataset,
    "burst": burst,
    "callbacks": callbacks,
    "memory": memory,
    "kills": kills,
    "shared": shared,
    "growth": growth,
}


def main() -> None:
    """Run the benchmarks named, or all, and print their ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--shots", type=int, default=200)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in ALL]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(ALL)}")
    table = Table("figure", "over", "ratio", "measured")
    for name in options.names or ALL:
        for figure, over, ratio, measured in ALL[name](options):
            table.add_row(figure, over, f"{ratio:.2f}", measured)
            print(f"{figure} over {over}: {ratio:.2f} ({measured})", flush=True)
    Console().print(table)


if __name__ == "__main__":
    main()
