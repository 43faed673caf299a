"""Frames from outside a board: of a film, or of another board's shot, found and judged before anything is paid."""

import json
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import BoardError
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from tests.storyboard.boards import write_board
from tests.storyboard.test_own_shots import footage
from tests.video.conftest import number_of

OTHER = 'title: Other\nshots: [{id: "040", action: Rain.}, {id: "050", clip: sea.mp4}]\n'


def planned(folder: Path, text: str) -> Plan:
    return make_plan(write_board(folder, text), root="out", language="en")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(BoardError) as caught:
        planned(folder, text)
    return str(caught.value)


@pytest.fixture
def sea(tmp_path: Path) -> Path:
    return footage(tmp_path / "sea.mp4", 48, size=(640, 360))


def sent(key: str) -> str:
    request = json.loads(Path(f"out/clips/{key}/request.json").read_text())
    return str(request["pictures"]["first_frame_image"]["is"])


@pytest.mark.parametrize(
    ("place", "number"), [("@0.5", 12), ("@1.99", 47), ("#first", 0), ("#last", 47), ("@0", 0)]
)
def test_a_shot_starts_from_a_moment_of_a_film_and_is_paid_once(
    place: str, number: int, sea: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    board = f'title: Here\nshots: [{{id: a, from: "sea.mp4{place}", action: Waves.}}]\n'
    path = write_board(tmp_path, board)
    assert main(["render", path, "--root", "out"]) == 0
    key = make_plan(path, root="out", language="en").segments[0].key
    named = sent(key)
    own = named.removeprefix("clip:").partition("#")[0]
    kept = next(Path(f"out/own/{own}").glob("frame-*.png"))
    with Image.open(kept) as image:
        assert number_of(image) == number
    sea.rename(tmp_path / "moved.mp4")
    moved = planned(tmp_path, board.replace("sea.mp4", "moved.mp4"))
    assert moved.segments[0].key == key, "where the film lies is not in the key"


def test_a_frame_of_a_film_may_have_a_name_and_be_the_end_of_a_shot(sea: Path, tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        """\
        title: Here
        frames: {wave: sea.mp4@1, calm: sea.mp4#first}
        defaults: {model: MiniMax-Hailuo-02}
        shots:
          - {id: a, from: wave, to: calm, action: The sea lies down.}
          - {id: b, action: It stays so.}
        """,
    )
    one, two = plan.shots
    assert one.first is not None
    assert one.last is not None
    assert (one.first.label, one.last.label) == ("sea.mp4 at 1 s", "first frame of sea.mp4")
    assert two.first is not None
    assert two.first.label == "continues a: first frame of sea.mp4"
    assert plan.warnings == ()


def test_a_shot_starts_where_another_board_ends_once_that_is_made(
    sea: Path, tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_board(tmp_path, OTHER, "other.yaml")
    board = 'title: Here\nshots: [{id: a, from: "other.yaml#040.last", action: Waves.}]\n'
    assert "its clip is not made yet; render the board " in refusal(tmp_path, board)
    assert main(["render", str(tmp_path / "board.yaml"), "--root", "out"]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert f"its clip is not made yet; make it first: minimax-tasks render {other} --root out" in text
    assert not Path("out/clips").exists()
    assert main(["render", other, "--root", "out"]) == 0
    path = write_board(tmp_path, board)
    assert main(["render", path, "--root", "out"]) == 0
    key = make_plan(other, root="out", language="en").shots[0].key
    assert sent(planned(tmp_path, board).segments[0].key) == f"clip:{key}#last"
    assert len(list(Path("out/clips").glob("*/submission.json"))) == 2
    capsys.readouterr()
    assert main(["plan", path, "--root", "out", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["shots"][0]["first"] == "last frame of other.yaml 040"
    assert told["total"]["clips_to_pay"] == 0


def test_a_shot_starts_from_footage_of_another_board(sea: Path, tmp_path: Path) -> None:
    write_board(tmp_path, OTHER, "other.yaml")
    plan = planned(tmp_path, 'title: Here\nshots: [{id: a, from: "other.yaml#050@1", action: Waves.}]\n')
    assert [(own.label, place) for own, place in plan.own_frames] == [("sea.mp4", "1")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sea.mp4@2", "it ends at 2 s; allowed: under 2"),
        ("sea.mp4", "it names no frame; allowed: ferry.mp4@2.5"),
        ("sea.mp4@1,5", "it names no frame"),
        ("sea.mp4.last", "it names no frame"),
        ("gone.mp4@1", "there is no such file"),
        ("text.mp4@1", "not a readable video"),
        ("https://example.com/sea.mp4@1", "it is on the web"),
        ("zip://sea.mp4::https://example.com/a.mp4@1", "chain of protocols"),
        ("small.mp4@0.1", "its pictures are 96 x 54 px; the service takes frames with a short side over 300"),
        ("wide.mp4@0.1", "its pictures are 960 x 302 px; the service takes frames with an aspect ratio from"),
        ("other.yaml#041.last", "there is no shot 041 in other.yaml; its shots: 040, 050"),
        ("other.yaml", "it names no frame"),
        ("other.yaml#040", "it names no frame"),
        ("gone.yaml#040.last", "that board cannot be planned"),
        ("broken.yaml#040.last", "that board cannot be planned"),
        ("https://example.com/other.yaml#040.last", "that board is on the web"),
        ("board.yaml#b.last", "names a frame of a board that names a frame of this one"),
        ("circle.yaml#x.last", "names a frame of a board that names a frame of this one"),
    ],
)
def test_a_frame_that_cannot_be_had_is_told_before_anything_is_paid(
    name: str, why: str, sea: Path, tmp_path: Path
) -> None:
    footage(tmp_path / "small.mp4", 24, size=(96, 54))
    footage(tmp_path / "wide.mp4", 24, size=(960, 302))
    (tmp_path / "text.mp4").write_text("no video")
    write_board(tmp_path, OTHER, "other.yaml")
    write_board(tmp_path, "title: Broken\nshots: [{id: x, wrong: 1}]\n", "broken.yaml")
    circle = 'title: Circle\nshots: [{id: x, from: "board.yaml#a.last", action: Round.}]\n'
    write_board(tmp_path, circle, "circle.yaml")
    text = refusal(
        tmp_path, f'title: Bad\nshots: [{{id: a, from: "{name}", action: Waves.}}, {{id: b, action: Sun.}}]\n'
    )
    assert why in text
    assert "board.yaml:2: shot a: from" in text


def test_a_subject_is_no_frame_of_a_film(sea: Path, tmp_path: Path) -> None:
    board = "title: Bad\nshots: [{id: a, model: S2V-01, subject: sea.mp4@1, action: She waits.}]\n"
    assert "subject = 'sea.mp4@1': it is no picture; a subject is one" in refusal(tmp_path, board)


def test_the_model_of_a_shot_says_how_small_a_frame_of_footage_may_be(sea: Path, tmp_path: Path) -> None:
    footage(tmp_path / "low.mp4", 24, size=(480, 270))
    board = "title: Low\ndefaults: {model: %s}\nshots: [{id: a, from: low.mp4@0.1, action: Waves.}]\n"
    assert planned(tmp_path, board % "MiniMax-H3").shots[0].key
    with pytest.raises(BoardError, match="270 px; the service takes frames with a short side over 300 px"):
        planned(tmp_path, board % "MiniMax-Hailuo-02")
