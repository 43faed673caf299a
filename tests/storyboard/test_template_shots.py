"""Shots from the service's own video templates: priced, paid once, and beside any other shot."""

import json
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import BoardError, TemplateRequest
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.probe import probe
from tests.storyboard.boards import write_board

CATS = """\
    title: Cats
    frames: {cat: cat.png}
    shots:
      - {id: "010", video_template: {name: Diving, image: cat}, takes: 2, pick: 2, trim: 0.5..}
      - {id: "020", action: The cat climbs out.}
      - {id: "030", video_template: {id: "393769180141805569", image: cat.png, text: Lion}, cut: fade 0.5}
    """


@pytest.fixture
def cats(tmp_path: Path) -> str:
    Image.new("RGB", (768, 768), "teal").save(tmp_path / "cat.png")
    return write_board(tmp_path, CATS)


def test_a_template_is_a_shot_that_is_priced_and_paid_once(
    cats: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", cats, "--root", "out", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"] == {"usd": round(2 * 0.40 + 0.45 + 0.28, 2), "clips_to_pay": 4, "without_price": 0}
    segment = told["shots"][0]["segments"][0]
    assert (segment["mode"], segment["model"], segment["usd"]) == ("template", "template Diving", 0.40)
    assert not any("not used" in warning for warning in told["warnings"])
    assert main(["plan", cats, "--root", "out"]) == 0
    assert "Diving: cat" in capsys.readouterr().out

    assert main(["render", cats, "--root", "out"]) == 0
    assert len(list(Path("out/clips").glob("*/submission.json"))) == 4
    plan = make_plan(cats, root="out", language="en")
    request = json.loads(Path(f"out/clips/{plan.shots[1].key}/request.json").read_text())
    assert request["pictures"]["first_frame_image"]["is"] == f"clip:{plan.shots[0].key}#last"
    assert probe("out/films/cats/film.mp4").frames > 24

    capsys.readouterr()
    assert main(["plan", cats, "--root", "out", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["total"]["clips_to_pay"] == 0
    assert main(["export", cats, "shots.csv", "--root", "out"]) == 0
    assert "template Diving" in Path("shots.csv").read_text(encoding="utf-8-sig")


def test_its_key_is_that_of_the_same_template_anywhere_else(cats: str, tmp_path: Path) -> None:
    plan = make_plan(cats, root="out", language="en")
    alone = TemplateRequest(template="Diving", image=str(tmp_path / "cat.png"))
    assert plan.shots[0].keys == [known_clip(Storage("out"), alone, take).key for take in (1, 2)]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{name: Divin, image: cat}", "video_template: name = Divin: no such template, did you mean Diving?"),
        ('{id: "1", image: cat}', "video_template: id = 1: no such template"),
        ("Diving", "video_template: image = (none): the template Diving needs it; allowed: a photo"),
        ("{name: Diving, image: cat, text: Hop}", "the template Diving takes no text"),
        ("{name: Diving, image: dog}", "there is no frame"),
        ("{name: Diving, image: gone.png}", "gone.png"),
        ('{name: Diving, id: "392753057216684038", image: cat}', "allowed: a template of the service"),
        ("{image: cat}", "allowed: a template of the service"),
        ("{name: Diving, image: cat, pose: up}", "unknown key 'pose'"),
        ("{name: Diving, image: cat}, prompt: Rain.", "takes no `prompt`"),
        ("{name: Diving, image: cat}, still: cat.png", "not both"),
        ("{name: Diving, image: cat}, pick: 2", "pick = 2; allowed: 1 to 1"),
    ],
)
def test_a_template_that_cannot_be_made_is_told_before_anything_is_paid(
    template: str, why: str, cats: str, tmp_path: Path
) -> None:
    board = "title: Bad\nframes: {cat: cat.png}\nshots: [{id: a, video_template: %s}]\n"
    with pytest.raises(BoardError) as caught:
        make_plan(write_board(tmp_path, board % template), root="out", language="en")
    assert why in str(caught.value)
