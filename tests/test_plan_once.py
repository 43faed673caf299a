"""A board, its stills, and a table are read once: counted by the file system that they lie on."""

import io
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import luigi
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from minimax_tasks import RenderStoryboard, Settings, VideoDataset, build
from minimax_tasks.clips.pictures import forget_pictures
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.tasks.film import hand_on, plan_board
from minimax_tasks.tasks.run import Run

FOLDER = "memory://scenes"

BOARD = """\
title: Counted
defaults: {model: MiniMax-Hailuo-02, resolution: 768P}
frames: {pier: pier.png, boat: boat.jpg}
shots:
- {id: one, from: pier, to: boat, prompt: Mist.}
- {id: two, prompt: Rain.}
- {id: three, from: pier, cut: true, takes: 2, prompt: Sun.}
"""


class Counting(MemoryFileSystem):
    """A storage in memory that counts how often each file is read."""

    reads: ClassVar[Counter[str]] = Counter()

    def cat_file(self, path: str, **options: Any) -> bytes:
        Counting.reads[path.rpartition("/")[2]] += 1
        return bytes(super().cat_file(path, **options))

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode == "rb":
            Counting.reads[path.rpartition("/")[2]] += 1
        return super()._open(path, mode, **options)


@pytest.fixture
def reads() -> Iterator[Counter[str]]:
    """How often each file was read, by its name."""
    fsspec.register_implementation("memory", Counting, clobber=True)
    forget_pictures()
    Counting.reads = Counter()
    yield Counting.reads
    fsspec.register_implementation("memory", MemoryFileSystem, clobber=True)
    MemoryFileSystem().rm(FOLDER, recursive=True)


def write(name: str, data: bytes | str) -> None:
    MemoryFileSystem().pipe_file(f"{FOLDER}/{name}", data.encode() if isinstance(data, str) else data)


def picture(colour: str, *, turned: bool = False) -> bytes:
    image, file, exif = Image.new("RGB", (1366, 768), colour), io.BytesIO(), Image.Exif()
    if turned:
        exif[0x0112] = 3
    image.save(file, "JPEG" if turned else "PNG", exif=exif)
    return file.getvalue()


def write_board(text: str = BOARD) -> str:
    write("pier.png", picture("teal"))
    write("boat.jpg", picture("orange", turned=True))
    write("board.yaml", text)
    return f"{FOLDER}/board.yaml"


@pytest.mark.parametrize("fit", [False, True])
def test_planning_reads_the_board_and_each_still_once(reads: Counter[str], tmp_path: Path, fit: bool) -> None:
    board = write_board(BOARD.replace("768P}", f"768P, fit: {str(fit).lower()}}}"))
    plan = make_plan(board, root=str(tmp_path / "out"), language="en")
    assert len(plan.segments) == 4
    assert plan.shots[0].last is not None
    assert reads == {"board.yaml": 1, "pier.png": 1, "boat.jpg": 1}


def test_a_render_reads_the_board_once_and_a_still_once_more_for_each_clip_that_sends_it(
    sandbox: Sandbox, reads: Counter[str]
) -> None:
    board = write_board()
    assert main(["render", board, "--root", "out"]) == 0
    assert reads["board.yaml"] == 1
    sent = {"pier.png": 3, "boat.jpg": 1}
    for name, clips in sent.items():
        assert reads[name] <= 1 + clips + 1, f"{name}: planned, sent, and looked at for the frame after it"
    reads.clear()
    assert main(["render", board, "--root", "out"]) == 0
    assert not reads, "nothing has changed"


def test_a_build_reads_the_board_once(sandbox: Sandbox, reads: Counter[str]) -> None:
    board = write_board(
        "title: Words\nshots:\n- {id: a, prompt: Rain.}\n- {id: b, prompt: Sun., cut: true}\n"
    )
    assert build([RenderStoryboard(storyboard=board, root="out")])
    assert reads == {"board.yaml": 1}


def test_a_table_is_read_once(sandbox: Sandbox, reads: Counter[str]) -> None:
    write("pier.png", picture("teal"))
    write("rows.csv", "prompt,first_frame_image\nRain.,pier.png\nSun.,\n")
    assert build([VideoDataset(table=f"{FOLDER}/rows.csv", root="out")])
    assert reads["rows.csv"] == 1


@pytest.mark.parametrize("changed", ["board.yaml", "refs/pier.png", "prompt_templates/own.j2"])
def test_what_was_edited_is_planned_anew(sandbox: Sandbox, tmp_path: Path, changed: str) -> None:
    (tmp_path / "refs").mkdir()
    (tmp_path / "prompt_templates").mkdir()
    (tmp_path / "refs/pier.png").write_bytes(picture("teal"))
    (tmp_path / "prompt_templates/own.j2").write_text("{{ action }} at night")
    (tmp_path / "board.yaml").write_text(
        "title: Edited\nframes: {pier: refs/pier.png}\n"
        "shots:\n- {id: a, from: pier, template: own, action: Rain}\n"
    )
    board = str(tmp_path / "board.yaml")
    task = RenderStoryboard(storyboard=board, root="out")
    before = task.plan
    assert task.plan.segments == before.segments
    edited = tmp_path / changed
    edited.write_bytes(
        picture("navy")
        if changed.endswith("png")
        else edited.read_bytes().replace(b"ai", b"ui").replace(b"night", b"dawn")
    )
    later = edited.stat().st_mtime_ns + 1_000_000
    os.utime(edited, ns=(later, later))
    assert task.plan.segments != before.segments
    luigi.task_register.Register.clear_instance_cache()
    assert RenderStoryboard(storyboard=board, root="out").plan.segments == task.plan.segments


def test_a_run_works_on_the_plan_that_was_handed_on_and_the_next_on_what_the_board_says(
    tmp_path: Path,
) -> None:
    board = tmp_path / "board.yaml"
    board.write_text("title: Words\nshots:\n- {id: a, prompt: Rain.}\n")
    before, run = plan_board(str(board), "out"), Run(Settings.load())
    board.write_text("title: Words\nshots:\n- {id: a, prompt: Sunshine.}\n")
    hand_on(before, "out", run)
    with run.current():
        assert RenderStoryboard(storyboard=str(board), root="out").plan == before
    assert plan_board(str(board), "out").shots[0].prompt == "Sunshine."


@pytest.mark.slow
def test_a_sound_is_read_once_while_it_stays(sandbox: Sandbox, reads: Counter[str]) -> None:
    from tests.storyboard.test_film_audio import tone

    write("bed.wav", tone(Path("bed.wav"), 1.0, 440).read_bytes())
    board = write_board("title: Heard\naudio: [{file: bed.wav}]\nshots:\n- {id: a, prompt: Rain.}\n")
    for _ in range(2):
        make_plan(board, root="out", language="en")
    assert reads["bed.wav"] == 1
    write("bed.wav", tone(Path("bed.wav"), 2.0, 440).read_bytes())
    assert make_plan(board, root="out", language="en").sounds["bed.wav"].seconds == pytest.approx(2)
    assert reads["bed.wav"] == 2
