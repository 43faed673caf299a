"""What a film shows of its clips: trimmed, slowed, held, left out, and never paid for again."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks import BoardError
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.storyboard.trims import TRIM, read_trim
from minimax_tasks.video.colour import frame_of
from tests.decoded import pictures_in
from tests.storyboard.boards import write_board
from tests.video.conftest import grey, number_of
from tests.video.test_film_sound import beeps, flashes, heard, loud_clip

TWO = """\
    title: Two
    shots:
      - {{id: a, action: Rain.{a}}}
      - {{id: b, action: Sun., cut: true{b}}}
    """


def film_of(folder: Path, clips: list[str], a: str = "", b: str = "") -> Path:
    """The film of a board with two shots, made from clips that are there already."""
    path = write_board(folder, TWO.format(a=f", {a}" if a else "", b=f", {b}" if b else ""))
    root = Storage(str(folder / "out"))
    plan = make_plan(path, root=root.url, language="en")
    for shot, clip in zip(plan.shots, clips, strict=True):
        root.put(Path(clip), f"clips/{shot.picked.key}/video.mp4")
    FilmMaker(root, plan).make()
    return folder / "out/films/two/film.mp4"


@pytest.fixture
def numbered(tmp_path: Path) -> list[str]:
    """Two clips of 24 frames each, whose pictures say their number: 0 to 23, and 24 to 47."""
    paths = []
    for first in (0, 24):
        path = tmp_path / f"numbered-{first}.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=24, options={"bf": "0"})
            stream.width, stream.height, stream.pix_fmt = 96, 54, "yuv420p"
            for number in range(24):
                container.mux(stream.encode(frame_of(grey(first + number, (96, 54)))))
            container.mux(stream.encode(None))
        paths.append(str(path))
    return paths


def numbers(path: Path) -> list[int]:
    return [number_of(picture) for picture in pictures_in(path)]


ALL = list(range(24))


@pytest.mark.parametrize(
    ("edit", "shown", "method"),
    [
        ("trim: ..0.5", ALL[:12], "copy"),
        ("trim: 0.5..", ALL[12:], "encode"),
        ("trim: 0.25..-0.25", ALL[6:18], "encode"),
        ("trim: -0.25..", ALL[18:], "encode"),
        ("hold: 0.5", ALL + [23] * 12, "encode"),
        ("speed: 2", [*ALL[::2][:11], 23], "encode"),
        ("speed: 0.5", sorted(ALL * 2), "encode"),
        ("trim: ..0.5, speed: 0.5, hold: 0.25", sorted(ALL[:12] * 2) + [11] * 6, "encode"),
    ],
)
def test_exactly_these_frames_are_shown(
    numbered: list[str], tmp_path: Path, edit: str, shown: list[int], method: str
) -> None:
    film = film_of(tmp_path, numbered, edit)
    found = numbers(film)
    assert found[len(shown) :] == list(range(24, 48))
    assert len(found) == len(shown) + 24
    assert all(abs(one - two) <= 1 for one, two in zip(found, shown, strict=False)), found[: len(shown)]
    assert json.loads(film.with_name("manifest.json").read_text())["joined"] == method


@pytest.mark.slow
def test_sound_goes_with_the_pictures_that_are_shown(tmp_path: Path) -> None:
    clips = [loud_clip(tmp_path / f"{number}.mp4") for number in range(2)]
    for edits in (("trim: 0.25..", "trim: 0.1..1.5"), ("speed: 0.5", ""), ("hold: 0.7", "speed: 0.75")):
        film = film_of(tmp_path, clips, *edits)
        seen, listened = flashes(film), beeps(film)
        beginnings = [seen[0], next(time for time in seen if time - seen[0] > 0.5)]
        assert beginnings == pytest.approx(listened[:1] + listened[-1:], abs=1.5 / 24), edits


def test_the_sound_of_a_shot_can_be_dropped_and_a_held_frame_is_silent(tmp_path: Path) -> None:
    clips = [loud_clip(tmp_path / f"{number}.mp4", beep=False) for number in range(2)]
    samples, rate = heard(film_of(tmp_path, clips, "hold: 1", "sound: drop"))
    assert np.abs(samples[:, : 2 * rate - 2000]).max() > 0.2
    assert np.abs(samples[:, 2 * rate + 2000 :]).max() < 0.01


def test_cutting_again_pays_nothing_and_makes_another_film(sandbox: Sandbox, tmp_path: Path) -> None:
    edits = ["", "trim: 1..2", "speed: 2", "hold: 1", "skip: true", "sound: drop", "trim: ..-1, speed: 0.5"]
    films = set()
    for edit in edits:
        path = write_board(tmp_path, TWO.format(a=f", {edit}" if edit else "", b=""))
        assert main(["render", path, "--root", str(tmp_path / "out")]) == 0
        films.add((tmp_path / "out/films/two/film.mp4").read_bytes())
    assert len(sandbox.ledger()) == 2
    assert len(films) == len(edits) - 1, "the sandbox's clips have no sound that could be dropped"


CHAIN = """\
    title: Chain
    shots:
      - {{id: a, action: Rain.{a}}}
      - {{id: b, action: Sun.{b}}}
      - {{id: c, action: Snow.{c}}}
    """


def chain(folder: Path, a: str = "", b: str = "", c: str = "") -> str:
    keys = {"a": a, "b": b, "c": c}
    return write_board(
        folder, CHAIN.format(**{name: f", {key}" if key else "" for name, key in keys.items()})
    )


def keys(path: str) -> list[str]:
    return [shot.picked.key for shot in make_plan(path, root="memory://none", language="en").shots]


def test_a_chain_goes_on_from_the_whole_clip_unless_it_is_told_to_go_on_from_the_cut(tmp_path: Path) -> None:
    whole = keys(chain(tmp_path))
    assert keys(chain(tmp_path, a="trim: ..3")) == whole
    out = keys(chain(tmp_path, a="trim: ..3", b="continue: out"))
    assert out[0] == whole[0]
    assert out[1] != whole[1]
    assert keys(chain(tmp_path, a="trim: 2..", b="continue: out")) == whole, "it ends where the clip ends"


def test_a_skipped_shot_is_made_only_for_others(tmp_path: Path) -> None:
    def made(**edits: str) -> list[str]:
        plan = make_plan(chain(tmp_path, **edits), root="memory://none", language="en")
        return [segment.shot for segment in plan.segments]

    assert made(a="skip: true") == ["a", "b", "c"]
    assert made(c="skip: true") == ["a", "b"]
    assert made(c="skip: true, takes: 2") == ["a", "b"]
    assert made(a="skip: true, takes: 2") == ["a", "b", "c"]


def test_the_plan_says_what_is_shown_and_what_has_to_be_encoded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    path = chain(tmp_path, a="trim: 1..3.5", b="speed: 0.5", c="skip: true")
    assert main(["plan", path, "--root", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "6 s -> 2.5 s" in told
    assert "6 s -> 12 s" in told
    assert "14.5 s in all" in told
    assert "skipped" in told
    assert "encoded again for: its trimmed beginning (a), speed 0.5 (b)" in " ".join(told.split())


@pytest.mark.parametrize("pick", [1, 2])
def test_of_a_skipped_shot_the_plan_shows_the_take_that_others_are_made_from(
    pick: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = chain(tmp_path, a=f"skip: true, takes: 2, pick: {pick}")
    assert main(["plan", path, "--root", str(tmp_path / "out")]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "skipped" in line]
    assert row.startswith("a *")
    assert main(["render", path, "--root", str(tmp_path / "out"), "--sandbox", "--scale", "90P"]) == 0


def test_a_film_of_which_nothing_is_shown_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="every shot is skipped"):
        make_plan(
            write_board(tmp_path, TWO.format(a=", skip: true", b=", skip: true")),
            root="memory://n",
            language="en",
        )


times = st.one_of(st.none(), st.decimals(-20, 20, places=2).map(lambda time: f"{time:f}"))


@given(times, times, st.integers(1, 20))
def test_a_trim_is_a_part_of_the_clip(begin: str | None, end: str | None, seconds: int) -> None:
    text = f"{begin or ''}..{end or ''}"
    if begin is None and end is None:
        with pytest.raises(ValueError, match="trim"):
            read_trim(text)
        return
    shown_from, shown_to = read_trim(text).of(Fraction(seconds))
    assert 0 <= shown_from <= shown_to <= seconds
    if begin is not None and not begin.startswith("-") and shown_from < shown_to:
        assert shown_from == Fraction(begin)


@given(st.text(max_size=12))
def test_any_other_text_is_no_trim(text: str) -> None:
    if not TRIM.fullmatch(text):
        with pytest.raises(ValueError, match="trim"):
            read_trim(text)
