"""Titles and burnt captions of a board: judged before anything is paid, in the film, and never in a clip's key."""

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from minimax_tasks import BoardError
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.delivery import delivered
from minimax_tasks.storyboard.edit import asked_lengths, make_edit
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.frames import frame_at
from minimax_tasks.video.slate import write_slate
from tests.storyboard.boards import write_board

BOARD = """\
    title: Titled
    shots:
      - id: card
        title: {text: The Last Ferry, over: black, seconds: 2}
      - id: a
        prompt: A pier.
        dialogue: {en: We should have left at noon., fr: Trop tard.}
        title: {text: Mara, subtitle: Captain, look: lower third, from: 0.5, to: 1.5, fade: 0}
      - {id: b, prompt: Gulls., cut: true}
    """


def planned(folder: Path, text: str) -> Plan:
    return make_plan(write_board(folder, text), root=str(folder / "out"), language="en")


@pytest.fixture
def made(tmp_path: Path) -> Plan:
    """The plan of the board, whose clips, of two seconds each, are there."""
    plan = planned(tmp_path, BOARD)
    root = Storage(str(tmp_path / "out"))
    for shot in plan.shots:
        if shot.own is None:
            write_slate(tmp_path / f"{shot.shot.id}.mp4", (320, 180), Fraction(24), 2.0, "", ())
            root.put(tmp_path / f"{shot.shot.id}.mp4", f"clips/{shot.key}/video.mp4")
    return plan


def white(film: Path, seconds: float, foot: bool = True) -> int:
    """How many pixels of a frame are white, in its lower half or in its middle."""
    pixels = np.asarray(frame_at(str(film), seconds).convert("L"), int)
    part = pixels[100:, :] if foot else pixels[50:130, :]
    return int((part > 225).sum())


def test_a_film_shows_titles_at_their_times(made: Plan, tmp_path: Path) -> None:
    FilmMaker(Storage(str(tmp_path / "out")), made).make()
    film = tmp_path / "out/films/titled/film.mp4"
    assert white(film, 1.2, foot=False) > 50, "the card"
    assert white(film, 0.05, foot=False) == 0, "the card before its words"
    assert white(film, 3.0) > 50, "the lower third"
    assert white(film, 2.3) == white(film, 3.7) == 0
    manifest = json.loads((film.parent / "manifest.json").read_text())
    assert "the title of Shot a over Shot a" in manifest["reason"]
    assert manifest["copied_frames"] >= 48, "shot b is copied"
    page = (film.parent / "report.html").read_text()
    assert "Mara – Captain" in page
    assert "The Last Ferry" in page


def test_titles_are_in_no_key_and_make_the_film_again(tmp_path: Path) -> None:
    plan = planned(tmp_path, BOARD)
    other = planned(tmp_path, BOARD.replace("text: Mara", "text: Marta"))
    bare = planned(tmp_path, "\n".join(line for line in BOARD.splitlines() if "lower third" not in line))
    assert [s.key for s in plan.segments] == [s.key for s in other.segments] == [s.key for s in bare.segments]
    assert len({plan.digest, other.digest, bare.digest}) == 3


def test_a_card_costs_nothing_and_its_look_is_in_its_key(tmp_path: Path) -> None:
    board = "title: T\nshots:\n  - {id: c, title: {text: Hello, over: white}}\n"
    plan = planned(tmp_path, board)
    assert plan.segments == ()
    assert plan.shots[0].seconds == 4
    assert planned(tmp_path, board.replace("white", "black")).shots[0].key != plan.shots[0].key


@pytest.mark.parametrize(
    ("title", "told"),
    [
        (
            "{text: Hello, look: fancy}",
            "look = 'fancy'; allowed: classic, wide, bold, chapter, place, lower third",
        ),
        ("{text: Hello, over: red}", "over = 'red'; allowed: picture, black, white"),
        ("{text: Hello, from: 3, to: 2}", "to = 2: that is not behind its `from`"),
        ("{text: Hello, seconds: 3}", "`seconds` is how long a card stays"),
        ("{text: Hello, over: black, from: 1}", "a card over black has `seconds`"),
        (f"{{text: {'long ' * 20}}}", "text has 99 letters; allowed: at most 80"),
        (f"{{text: {'长' * 41}}}", "text has 82 letters; allowed: at most 80"),
        (f"{{text: Hi, subtitle: {'long ' * 30}}}", "subtitle has 149 letters; allowed: at most 120"),
        ('{text: "Hi \\U00012000"}', "the Cuneiform letters of it"),
        ("{text: Hello, font: Arial}", "unknown key 'font'. Known keys: text, subtitle, look, over"),
        ("{text: Hello, fade: 9}", "fade = 9; allowed: seconds from 0 to 5"),
    ],
)
def test_a_wrong_title_is_told_before_anything_is_paid(tmp_path: Path, title: str, told: str) -> None:
    with pytest.raises(BoardError) as caught:
        planned(tmp_path, f"title: T\nshots:\n  - id: a\n    prompt: A pier.\n    title: {title}\n")
    assert told in str(caught.value)


def test_titles_that_are_not_seen_or_too_short_are_warnings(tmp_path: Path) -> None:
    text = "title: T\nshots:\n  - id: a\n    prompt: A pier.\n    title: [{text: Late, from: 7}, {text: The harbour at night, to: 0.5}]\n"
    warnings = " ".join(planned(tmp_path, text).warnings)
    assert "begins when the shot is over" in warnings
    assert "seen for 0.5 s; to be read it needs 1.5 s" in warnings


def test_the_plan_names_what_titles_have_encoded(tmp_path: Path) -> None:
    plan = planned(tmp_path, BOARD)
    assert [cut.reencodes for cut in make_edit(plan, asked_lengths(plan)).cuts] == ["", "title", ""]


def test_burnt_captions_are_a_second_film_that_pays_nothing(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board, root = write_board(tmp_path, BOARD), str(tmp_path / "root")
    assert main(["render", board, "--root", root]) == 0
    paid = len(list((tmp_path / "root/clips").glob("*/claim.*")))
    capsys.readouterr()
    for option, folder in (
        ("--burn-captions", "titled-captions"),
        ("--burn-captions=fr", "titled-captions-fr"),
    ):
        assert main(["render", board, "--root", root, option]) == 0
        assert f"films/{folder}/film.mp4" in capsys.readouterr().out.replace("\n", "")
    assert len(list((tmp_path / "root/clips").glob("*/claim.*"))) == paid
    films = tmp_path / "root/films"
    assert {path.name for path in films.iterdir()} == {"titled", "titled-captions", "titled-captions-fr"}
    plain, burnt = (
        np.asarray(frame_at(str(films / name / "film.mp4"), 7).convert("L"), int)
        for name in ("titled", "titled-captions-fr")
    )
    half = plain.shape[0] // 2
    changed = np.abs(plain - burnt)
    assert changed[half:].max() > 60, "the words at the foot"
    assert changed[: half // 2].max() < 12, "the rest as it was"
    with av.open(str(films / "titled-captions-fr/film.mp4")) as film:
        assert [track.language for track in film.streams.subtitles] == ["eng"], (
            "the burnt ones are not shown twice"
        )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--burn-captions=de"], "captions in 'de' cannot be burnt in; `dialogue` has en, fr"),
        (["--burn-captions=x.yaml"], "no language such as en, zh or pt-BR"),
    ],
)
def test_a_language_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    try:
        code = main(
            ["render", write_board(tmp_path, BOARD), "--root", str(tmp_path / "out"), "--sandbox", *options]
        )
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    assert code == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_captions_without_a_font_are_told_before_anything_is_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(tmp_path, 'title: T\nshots:\n  - {id: a, prompt: A pier., dialogue: "\\U00012000"}\n')
    assert main(["render", board, "--root", str(tmp_path / "out"), "--burn-captions", "--sandbox"]) == 2
    assert "the Cuneiform letters" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out/clips").exists()


def test_exports_carry_titles(made: Plan, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    write: Callable[[str], int] = lambda name: main(  # noqa: E731
        ["export", made.path, str(tmp_path / name), "--root", str(tmp_path / "out")]
    )
    assert write("cut.otio") == write("cut.csv") == 0
    timeline = otio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    markers = {marker.name: marker for clip in timeline.find_clips() for marker in clip.markers}
    span = markers["title: Mara – Captain"].marked_range
    assert (span.start_time.value, span.duration.value) == (12, 24)
    with (tmp_path / "cut.csv").open(encoding="utf-8-sig") as file:
        assert [row["title"] for row in csv.DictReader(file)] == ["The Last Ferry", "Mara – Captain", ""]


@pytest.mark.parametrize(
    ("captions", "language", "other", "folder"),
    [
        ("burn", "fra", "fr", "titled-captions-fr"),
        ("{burn: fr}", "eng", "en", "titled-captions-en"),
    ],
)
def test_a_board_may_have_its_captions_in_its_pictures(
    made: Plan, tmp_path: Path, captions: str, language: str, other: str, folder: str
) -> None:
    root = Storage(str(tmp_path / "out"))
    plan = planned(tmp_path, f"{BOARD}captions: {captions}\n")
    assert [s.key for s in plan.segments] == [s.key for s in made.segments]
    assert plan.digest != made.digest
    FilmMaker(root, plan).make()
    film = tmp_path / "out/films/titled/film.mp4"
    with av.open(str(film)) as opened:
        assert [track.language for track in opened.streams.subtitles] == [language]
    reason = json.loads((film.parent / "manifest.json").read_text())["reason"]
    assert "the title of Shot a and captions over Shot a" in reason
    own = "en" if captions == "burn" else "fr"
    assert delivered(plan, burnt=own).slug == plan.slug
    assert delivered(plan, burnt=other).slug == folder


def test_a_film_that_shape_and_words_have_encoded_says_both(made: Plan, tmp_path: Path) -> None:
    plan = delivered(made, aspect="1:1", burnt="")
    cuts = {cut.shot: cut.reencodes for cut in make_edit(plan, asked_lengths(plan)).cuts}
    assert cuts["a"] == "crop to 1:1 from 16:9 and title and captions"
    FilmMaker(Storage(str(tmp_path / "out")), plan).make()
    manifest = json.loads((tmp_path / "out/films/titled-1x1-captions/manifest.json").read_text())
    assert (
        "Shot a is 320 x 180, and the film 180 x 180; the title of Shot a and captions over Shot a"
        in manifest["reason"]
    )


def test_the_plan_of_a_second_film_says_what_its_captions_have_encoded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(tmp_path, BOARD)
    for options, told in (([], "title (a)"), (["--burn-captions=fr"], "title and captions (a)")):
        assert main(["plan", board, "--root", str(tmp_path / "out"), *options]) == 0
        assert told in " ".join(capsys.readouterr().out.split())


def test_captions_of_a_board_are_told_by_its_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for captions, code, told in (
        ("burn", 0, "title and captions (a)"),
        ("{burn: de}", 2, "captions in 'de' cannot be burnt in; `dialogue` has en, fr"),
        ("{burnt: fr}", 2, "unknown key 'burnt'; did you mean 'burn'?"),
        ("on", 2, "burn, which writes what is spoken into the pictures"),
    ):
        board = write_board(tmp_path, f"{BOARD}captions: {captions}\n")
        assert main(["plan", board, "--root", str(tmp_path / "out")]) == code
        heard = capsys.readouterr()
        assert told in " ".join((heard.out + heard.err).split())
