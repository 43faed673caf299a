"""The progress of a render, at any height and width and in any encoding."""

import io
import re
from pathlib import Path

import luigi
import pytest
from rich.cells import cell_len

from minimax_tasks.clips.state import clip_states
from minimax_tasks.commands.main import main
from minimax_tasks.commands.render import render
from minimax_tasks.console.output import READABLE, Output
from minimax_tasks.console.progress import RenderProgress
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.tasks.events import Event
from minimax_tasks.tasks.film import RenderStoryboard, download_of
from minimax_tasks.tasks.follow import following
from tests.storyboard.boards import write_board


def board_of(folder: Path, shots: int) -> str:
    lines = "".join(f'  - {{id: "{n:03}0", cut: true, action: "Wave {n}."}}\n' for n in range(shots))
    return write_board(folder, "title: 海浪 Waves\nshots:\n" + lines)


class Run:
    """The events of a render, told by hand."""

    def __init__(self, board: str, width: int, height: int, encoding: str = "utf-8") -> None:
        self.plan: Plan = make_plan(board, root="out", language="en")
        self.states = clip_states(Storage("out"), [segment.key for segment in self.plan.segments])
        self._board = board
        self._film = RenderStoryboard(storyboard=board, root="out")
        self._size = {"width": width, "height": height, "force_terminal": True}
        self._encoding = encoding
        self.progress = RenderProgress(self._terminal()[1], self.plan, self.states)

    def _terminal(self) -> tuple[io.BytesIO, Output]:
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding=self._encoding, errors=READABLE, write_through=True)
        return raw, Output(stream, **self._size)  # type: ignore[arg-type]

    def tell(self, number: int, *events: str) -> None:
        download = download_of(self.plan.segments[number], self._board, "out", self._film)
        poll = download.requires()
        submit = poll.requires()
        for event in events:
            match event:
                case "submit":
                    submit.trigger_event(luigi.Event.START, submit)
                    submit.trigger_event(Event.STATUS, submit, "task 7")
                    submit.trigger_event(luigi.Event.SUCCESS, submit)
                case "poll":
                    poll.trigger_event(luigi.Event.START, poll)
                    poll.trigger_event(Event.STATUS, poll, "Processing")
                case "fail":
                    poll.trigger_event(luigi.Event.FAILURE, poll, RuntimeError("1027 too\nmuch 海"))
                case "made":
                    download.trigger_event(luigi.Event.SUCCESS, download)

    def lines(self) -> list[str]:
        raw, terminal = self._terminal()
        terminal.print(self.progress.screen())
        return [line.rstrip() for line in _without_styles(raw.getvalue().decode(self._encoding)).splitlines()]


def _without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("height", [8, 14, 24, 50])
def test_what_runs_stays_in_sight_at_any_height_and_width(tmp_path: Path, width: int, height: int) -> None:
    run = Run(board_of(tmp_path, 100), width, height)
    with run.progress, following(run.progress):
        for number in range(60):
            run.tell(number, "submit", "poll", "made")
        for number in range(60, 63):
            run.tell(number, "submit", "poll", "fail")
        for number in (63, 64):
            run.tell(number, "submit", "poll")
        lines = run.lines()
        assert len(lines) <= height - 1
        assert max(map(cell_len, lines)) <= width
        assert any("0630" in line and "generating" in line for line in lines)
        assert any("0640" in line and "generating" in line for line in lines)
        assert lines[-2].startswith("· film")
        assert lines[-1].startswith("60 of 100 · 0:0"), "the sum is last"
        if width >= 80:
            assert lines[-1].endswith(" · $18.20 of $28.00")
        assert any(line.startswith("✓ 60 made") for line in lines)
        assert any("35 to make" in line for line in lines) or height == 50
        for number in range(65, 100):
            run.tell(number, "submit")
        lines = run.lines()
        assert len(lines) <= height - 1
        assert lines[-1].startswith("60 of 100 · ")
        assert any("more" in line for line in lines) or height == 50


def test_a_small_film_is_shown_shot_by_shot(tmp_path: Path) -> None:
    run = Run(board_of(tmp_path, 4), 80, 24)
    with run.progress, following(run.progress):
        run.tell(1, "submit", "poll", "made")
        run.tell(2, "submit", "poll", "fail")
        lines = run.lines()
    assert [line.split()[0] for line in lines] == ["✓", "✗", "·", "·", "·", "1"]
    assert "shot 0020" in lines[1]
    assert "failed: 1027 too much 海" in lines[1]


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "cp1252"])
def test_marks_that_the_encoding_has(tmp_path: Path, encoding: str) -> None:
    run = Run(board_of(tmp_path, 3), 80, 24, encoding)
    with run.progress, following(run.progress):
        run.tell(0, "submit", "poll", "made")
        run.tell(1, "submit", "poll", "fail")
        lines = run.lines()
    assert lines[0].startswith("+ 1 made")
    assert lines[1].startswith("x shot 0010")


def test_two_lines_a_shot_when_it_is_no_terminal(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "Wave 1", "fail": 1027}])
    assert main(["render", board_of(tmp_path, 3), "--root", "out"]) == 1
    lines = capsys.readouterr().out.splitlines()
    for shot, end in (("0000", "made"), ("0010", "failed: "), ("0020", "made")):
        one, two = (line for line in lines if line.startswith(f"shot {shot}: "))
        assert one.startswith(f"shot {shot}: submitted, task ")
        assert two.startswith(f"shot {shot}: {end}")
    assert any(line.startswith("2 of 3 · 0:") for line in lines)


def test_a_terminal_sees_the_same_film_made(sandbox: Sandbox, tmp_path: Path) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors=READABLE, write_through=True)
    terminal = Output(stream, width=60, height=14, force_terminal=True)
    options = {"sandbox": False, "scale": None, "budget": None, "workers": None, "partial": False}
    code = render(
        board_of(tmp_path, 3),
        root="out",
        name=None,
        retry_failed=False,
        scheduler_url=None,
        console=terminal,
        errors=terminal,
        **options,  # type: ignore[arg-type]
    )
    assert code == 0
    last = _without_styles(raw.getvalue().decode("ascii")).rpartition("+ 3 made")[2]
    assert "0000, 0010, 0020" in last
    assert "+ film" in last
    assert "3 of 3 - 0:" in last
