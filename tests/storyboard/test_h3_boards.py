"""Boards for models of the second generation, alone and beside the first."""

import json
import re
from pathlib import Path

import av
import pytest

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.commands.main import main
from minimax_tasks.errors import BoardError
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from tests.conftest import Picture
from tests.storyboard.boards import write_board

HEAD = """\
    title: Both
    ratio: "16:9"
    defaults: {model: MiniMax-H3, resolution: 768P, seconds: 4}
    cast:
      mara: {desc: a woman in a yellow coat, pictures: mara.png}
    frames: {pier: pier.png}
    shots:
"""


def planned(folder: Path, *shots: str, head: str = HEAD) -> Plan:
    text = head + "".join(f"      - {shot}\n" for shot in shots)
    return make_plan(write_board(folder, text), root=str(folder / "out"), language="en")


@pytest.fixture(autouse=True)
def _pictures(picture: Picture) -> None:
    picture("mara.png", "teal", (512, 512))
    picture("pier.png", "maroon", (1344, 768))


def test_a_shot_is_made_from_what_it_has(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        "{id: a, characters: [mara], action: She looks up.}",
        "{id: b, from: pier, action: Rain.}",
        "{id: c, characters: [mara], action: She goes.}",
        "{id: d, cut: true, action: Sun., ratio: '9:16'}",
        "{id: e, cut: true, references: [pier, 'mara.png'], action: A dance., seconds: 15}",
        "{id: f, cut: true, model: MiniMax-Hailuo-02, seconds: 6, characters: [mara], action: Snow.}",
    )
    requests = [shot.picked.request for shot in plan.shots]
    assert [request.mode for request in requests] == [
        Mode.REFERENCE, Mode.IMAGE, Mode.IMAGE, Mode.TEXT, Mode.REFERENCE, Mode.TEXT,
    ]  # fmt: skip
    assert [request.sent_ratio for request in requests] == [
        "16:9", "adaptive", "adaptive", "9:16", "16:9", None,
    ]  # fmt: skip
    assert [len(request.pictures()) for request in requests] == [1, 1, 1, 0, 2, 0]
    assert "a woman in a yellow coat as in <Picture 1>" in plan.shots[0].prompt.lower().replace(
        "picture", "Picture"
    )
    assert "Picture" not in plan.shots[2].prompt, "a clip with frames has no references"
    assert plan.shots[4].picked.request.usd == pytest.approx(15 * 0.08)


def test_a_frame_of_another_shot_can_be_a_reference(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{id: a, action: Rain.}", "{id: b, cut: true, references: a.last, action: Sun.}")
    assert [segment.shot for segment in plan.shots[1].picked.after] == ["a"]


@pytest.mark.parametrize(
    ("shot", "told"),
    [
        ("{id: a, action: x, seconds: 16}", "seconds = 16"),
        ("{id: a, action: x, ratio: '5:4'}", "ratio = 5:4: there is no such ratio"),
        ("{id: a, action: x, references: [pier], from: pier}", "frames or references, not both"),
        ("{id: a, action: x, references: ['nothing.png']}", "picture nothing.png: there is no such file"),
        ("{id: a, action: x, references: [pierr]}", "there is no frame 'pierr'; did you mean 'pier'?"),
        ("{id: a, action: x, references: ['gone.mp4']}", ": video gone.mp4: there is no such file"),
        ("{id: a, action: x, references: ['mara.png', 'gone.wav']}", ": sound gone.wav: there is no such"),
        ("{id: a, action: x, model: MiniMax-Hailuo-02, references: [pier]}", "a shot with references"),
        ("{id: a, action: x, model: MiniMax-Hailuo-02, seconds: 6, ratio: '16:9'}", "ratio = 16:9"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_paid(tmp_path: Path, shot: str, told: str) -> None:
    with pytest.raises(BoardError) as raised:
        planned(tmp_path, shot)
    assert told in str(raised.value)


def test_a_text_shot_needs_a_shape(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="needs one for a clip from text alone"):
        planned(tmp_path, "{id: a, action: x}", head=HEAD.replace('    ratio: "16:9"\n', ""))


def test_a_picture_of_the_cast_that_cannot_be_used_is_told_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"board.yaml:5: .*picture none.png: there is no such file"):
        planned(tmp_path, "{id: a, action: x}", head=HEAD.replace("mara.png", "none.png"))


@pytest.mark.slow
def test_both_generations_in_one_film_with_sound(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = [
        "{id: a, characters: [mara], action: She looks up., dialogue: We should have left.}",
        "{id: b, from: pier, action: Rain.}",
        "{id: c, action: She goes., sound: drop}",
        "{id: d, cut: fade 0.5, model: MiniMax-Hailuo-02, seconds: 6, action: Snow.}",
    ]
    path = write_board(tmp_path, HEAD + "".join(f"      - {shot}\n" for shot in shots))
    assert main(["render", path, "--root", str(tmp_path / "out")]) == 0
    film = tmp_path / "out/films/both"
    manifest = json.loads((film / "manifest.json").read_text())
    assert manifest["sound"] == "encode"
    with av.open(str(film / "film.mp4")) as container:
        pictures, sound = container.streams.video[0], container.streams.audio[0]
        assert float(pictures.duration * pictures.time_base) == pytest.approx(
            float(sound.duration * sound.time_base), abs=0.05
        )
    assert len(sandbox.ledger()) == 4
    monkeypatch.setenv("COLUMNS", "120")
    capsys.readouterr()
    assert main(["plan", path, "--root", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "4 s -> 4.4" in told, "a clip of 4 s has 107 frames"
    (length,) = re.findall(r"([0-9.]+) s in all", told)
    assert float(length) == pytest.approx(manifest["seconds"], abs=0.1)


FIRST_GENERATION = HEAD.replace("MiniMax-H3", "MiniMax-Hailuo-02").replace("seconds: 4", "seconds: 6")


def test_a_reference_is_judged_by_the_limits_of_the_model_that_gets_it(
    tmp_path: Path, picture: Picture
) -> None:
    picture("small.png", "teal", (280, 280))
    plan = planned(
        tmp_path, "{id: a, references: [small.png], action: A dance., seconds: 4}", head=FIRST_GENERATION
    )
    assert plan.shots[0].picked.request.model == "MiniMax-H3"
    with pytest.raises(BoardError, match=r"small\.png"):
        planned(tmp_path, "{id: a, from: small.png, action: A dance.}", head=FIRST_GENERATION)


def test_what_a_crop_leaves_is_judged_by_the_limits_of_the_model_that_gets_it(
    tmp_path: Path, picture: Picture
) -> None:
    picture("tall.png", "teal", (576, 1024))
    picture("square.png", "maroon", (500, 500))
    shot = "{id: a, from: tall.png, to: square.png, action: Dusk falls.}"
    assert planned(tmp_path, shot).shots[0].picked.request.mode is Mode.START_END
    with pytest.raises(BoardError, match="only 281 x 500 would be left"):
        planned(tmp_path, shot, head=FIRST_GENERATION)
