"""A whole film, heard and looked at frame by frame, in two shapes, and cut again without paying."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.loudness import measure
from tests.conftest import point_at
from tests.storyboard.test_film_audio import RATE, strength
from tests.storyboard.whole_film import write_film
from tests.video.test_film_sound import heard

pytestmark = pytest.mark.slow

FPS = 24
SECONDS = 90
WIDE, TALL = "the-last-ferry", "the-last-ferry-9x16"
STILL = {"005", "090", "160"}
"""Shots that stand for a while: cards, and one that is held."""


@dataclass(frozen=True)
class Cut:
    """A film with the sandbox that drew its clips; `sight` has each of its frames as 32 x 18 small lights."""

    folder: Path
    board: str
    sandbox: Sandbox

    def render(self, *options: str) -> int:
        return main(["render", self.board, *options, "--root", str(self.folder / "out")])

    def film(self, name: str) -> Path:
        return self.folder / "out/films" / name / "film.mp4"

    def manifest(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.film(name).with_name("manifest.json").read_text(encoding="utf-8")))

    def sight(self, name: str) -> list[Any]:
        return seen(self.film(name))


def seen(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [
            frame.reformat(32, 18, "rgb24").to_ndarray().astype(float) for frame in container.decode(video=0)
        ]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    folder = tmp_path_factory.mktemp("whole")
    with Sandbox(latency=0.0, scale="90P") as sandbox, pytest.MonkeyPatch.context() as patch:
        point_at(patch, sandbox.url)
        made = Cut(folder, write_film(folder), sandbox)
        assert made.render() == 0
        assert made.render("--aspect", "9:16") == 0
        yield made


@pytest.fixture(autouse=True)
def _the_sandbox_of_the_film(cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, cut.sandbox.url)


def far(one: Any, other: Any) -> float:
    return float(np.abs(one - other).mean())


def places(manifest: dict[str, Any]) -> list[tuple[dict[str, Any], int, int, int]]:
    """Each shot with the frames of its beginning, of the end of its transition, and of the next shot."""
    shots = manifest["shots"]
    begins = [round(shot["starts_at"] * FPS) for shot in shots] + [manifest["frames"]]
    found = []
    for shot, (begin, end) in zip(shots, pairwise(begins), strict=True):
        name, _, seconds = shot["join"].partition(" ")
        mixed = float(seconds.removesuffix(" s")) if seconds.endswith(" s") and name != "continues" else 0.0
        found.append((shot, begin, begin + round(mixed * FPS), end))
    return found


@pytest.mark.parametrize(("name", "size"), [(WIDE, (160, 90)), (TALL, (90, 160))])
def test_the_film_is_as_long_as_the_plan_says_in_pictures_and_sound(
    cut: Cut, capsys: pytest.CaptureFixture[str], name: str, size: tuple[int, int]
) -> None:
    assert main(["plan", cut.board, "--root", str(cut.folder / "out")]) == 0
    assert f"{SECONDS} s in all" in capsys.readouterr().out
    with av.open(str(cut.film(name))) as film:
        pictures, sound = film.streams.video[0], film.streams.audio[0]
        assert (pictures.width, pictures.height) == size
        lengths = [float(one.duration * one.time_base) for one in (pictures, sound)]  # type: ignore[operator]
    assert lengths[0] == pytest.approx(SECONDS, abs=0.05)
    assert lengths[1] == pytest.approx(lengths[0], abs=0.04)
    assert len(cut.sight(name)) == cut.manifest(name)["frames"] == round(lengths[0] * FPS)


def test_each_shot_shows_its_own_clip(cut: Cut) -> None:
    frames, manifest = cut.sight(WIDE), cut.manifest(WIDE)
    clips = {}
    for shot in manifest["shots"]:
        found = cut.folder / f"out/clips/{shot['clip']}/video.mp4"
        if found.exists():
            clips[shot["id"]] = seen(found)
    assert len(clips) >= 11
    for shot, _, mixed, end in places(manifest):
        if shot["id"] in clips and shot["id"] != "140":  # a title lies over it
            frame = frames[(mixed + end) // 2]
            apart = {other: min(far(frame, one) for one in clip) for other, clip in clips.items()}
            assert apart[shot["id"]] == min(apart.values()), (shot["id"], apart)
            assert apart[shot["id"]] < 5


@pytest.mark.parametrize("name", [WIDE, TALL])
def test_twelve_transitions_mix_what_they_join(cut: Cut, name: str) -> None:
    frames, mixes = cut.sight(name), 0
    for shot, begin, mixed, _ in places(cut.manifest(name)):
        if mixed > begin:
            mixes += 1
            middle = frames[(begin + mixed) // 2]
            assert far(middle, frames[begin - 1]) > 3, shot["id"]
            assert far(middle, frames[mixed + 1]) > 3, shot["id"]
    assert mixes == 12


@pytest.mark.parametrize("name", [WIDE, TALL])
def test_no_picture_is_black_or_stands_still_unless_the_board_says_so(cut: Cut, name: str) -> None:
    frames = cut.sight(name)
    for shot, begin, mixed, end in places(cut.manifest(name)):
        if shot["id"] in STILL:
            continue
        black = [n for n in range(begin, end) if frames[n].max() < 24]
        assert not [n for n in black if "black" not in shot["join"] or n >= mixed], shot["id"]
        stands = [far(frames[n], frames[n + FPS // 2]) for n in range(mixed, end - FPS // 2)]
        assert min(stands) > 0.02, shot["id"]


@pytest.mark.parametrize("name", [WIDE, TALL])
def test_voices_begin_on_their_frame_over_a_bed_that_makes_way(cut: Cut, name: str) -> None:
    samples, rate = heard(cut.film(name))
    assert rate == RATE
    begins = {shot["id"]: shot["starts_at"] for shot in cut.manifest(name)["shots"]}
    for hertz, at, lasts in ((900, begins["010"] + 1, 2.0), (1500, begins["120"] + 3, 1.5)):
        loud = strength(samples, at + 0.2, at + lasts - 0.2, hertz)
        assert strength(samples, at - 3 / FPS, at - 1 / FPS, hertz) < loud / 20
        assert strength(samples, at + 1 / FPS, at + 3 / FPS, hertz) > loud / 2
        under = strength(samples, at + 0.4, at + lasts - 0.2, 300)
        assert 20 * np.log10(under / strength(samples, at + lasts + 2, at + lasts + 4, 300)) < -9
    parts = (samples[:, place : place + RATE] for place in range(0, samples.shape[1], RATE))
    assert measure(parts, RATE).lufs == pytest.approx(-16, abs=1)


def test_captions_in_two_languages_and_chapters(cut: Cut) -> None:
    with av.open(str(cut.film(WIDE))) as film:
        assert [one.metadata["language"] for one in film.streams.subtitles] == ["eng", "zho"]
        assert any(one.disposition == Disposition.attached_pic for one in film.streams.video)
        chapters = [float(one["start"] * one["time_base"]) for one in film.chapters()]
    shots = cut.manifest(WIDE)["shots"]
    assert chapters == pytest.approx([shot["starts_at"] for shot in shots], abs=0.02)
    begins = {shot["id"]: shot["starts_at"] for shot in shots}
    lines = {begins["010"]: "We should", begins["120"] + 0.5: "Is she", begins["120"] + 3: "No, not"}
    for ending, mark in (("srt", ","), ("vtt", ".")):
        assert (
            main(["export", cut.board, str(cut.folder / f"film.{ending}"), "--root", str(cut.folder / "out")])
            == 0
        )
        english = (cut.folder / f"film.en.{ending}").read_text(encoding="utf-8")
        chinese = (cut.folder / f"film.zh.{ending}").read_text(encoding="utf-8")
        for at, line in lines.items():
            time = f"{int(at // 60):02}:{int(at % 60):02}{mark}"
            assert any(time in cue and line in cue for cue in english.split("\n\n")), (time, english)
            assert time in chinese
        assert "她会回来吗？" in chinese


AGAIN = [
    ("trim: 0.5..7.5", "trim: 1..3"),
    ("trim: 1..5.5", "trim: ..-2"),
    ("cut: wipeleft 0.5", "cut: horzopen 0.75"),
    ("cut: dissolve 1", "cut: true"),
    ("text: The End", "text: Fin"),
    ("speed: 0.5", "speed: 2"),
    ("hold: 1.5", "hold: 0.5"),
    ("We should have left at noon.", "We left too late."),
    ("duck: 12", "duck: 6"),
    ("camera: pull out", "camera: tilt up"),
]
"""What an editor changes, one after the other."""


def test_ten_more_cuts_pay_nothing(cut: Cut) -> None:
    paid, films = cut.sandbox.ledger(), [cut.film(WIDE).read_bytes()]
    assert len(paid) == 11
    path = Path(cut.board)
    before = path.read_text(encoding="utf-8")
    text = before
    try:
        for old, new in AGAIN:
            assert old in text
            text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
            assert cut.render("--name", "again") == 0
            films.append(cut.film("again").read_bytes())
    finally:
        path.write_text(before, encoding="utf-8")
    assert len(set(films)) == 1 + len(AGAIN), "each cut is another film"
    assert cut.sandbox.ledger() == paid
