"""What is spoken becomes subtitles, and the cut goes out to where people finish."""

import csv
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from minimax_tasks.commands.main import main
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.slate import write_slate
from tests.storyboard.boards import write_board
from tests.video.test_film_sound import loud_clip

BOARD = """\
    title: Words
    shots:
      - {id: a, action: Rain., dialogue: {en: "We should go.", zh: "我们该走了。"}, notes: Softer.}
      - {id: b, action: Sun., cut: fade 0.5, dialogue: {en: [{text: "Now!", from: 0.5, to: 1}, {text: "Or <never> & nowhere.", from: 1.25}]}}
      - {id: c, action: Snow., cut: true, trim: 0.5.., speed: 0.5}
    """


def test_a_mistake_of_the_board_is_told_before_a_package_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    for text, said in ((BOARD, "pip install opentimelineio"), (BOARD.replace("cut:", "cutt:"), "cutt")):
        board = write_board(tmp_path, text)
        assert main(["export", str(board), str(tmp_path / "cut.otio"), "--root", str(tmp_path / "out")]) == 2
        assert said in capsys.readouterr().err


@pytest.fixture
def made(tmp_path: Path) -> Plan:
    """The plan of a board whose clips, of two seconds each, are there; the first one has sound."""
    plan = make_plan(write_board(tmp_path, BOARD), root=str(tmp_path / "out"), language="en")
    root = Storage(str(tmp_path / "out"))
    loud_clip(tmp_path / "a.mp4", 48, size=(64, 36))
    for name in "bc":
        write_slate(str(tmp_path / f"{name}.mp4"), (64, 36), Fraction(24), 2.0, name, ())
    for shot in plan.shots:
        root.put(tmp_path / f"{shot.shot.id}.mp4", f"clips/{shot.picked.key}/video.mp4")
    return plan


@pytest.fixture
def export(made: Plan, tmp_path: Path) -> Callable[[str], Path]:
    def write(name: str) -> Path:
        out = tmp_path / name
        assert main(["export", made.path, str(out), "--root", str(tmp_path / "out")]) == 0
        return out

    return write


def test_a_film_has_subtitles_in_each_language_at_their_times(made: Plan, tmp_path: Path) -> None:
    FilmMaker(Storage(str(tmp_path / "out")), made).make()
    with av.open(str(tmp_path / "out/films/words/film.mp4")) as film:
        tracks = film.streams.subtitles
        assert [track.language for track in tracks] == ["eng", "zho"]
        found: list[list[tuple[float, float, str]]] = []
        for track in tracks:
            packets = [packet for packet in film.demux(track) if packet.size > 2]
            found.append(
                [
                    (
                        float(packet.pts * packet.time_base),
                        float(packet.duration * packet.time_base),
                        bytes(packet)[2:].decode().partition("\0")[0],
                    )
                    for packet in packets
                ]
            )
            film.seek(0)
    english, chinese = found
    assert [(round(at, 2), round(length, 2), text) for at, length, text in english] == [
        (0.0, 1.5, "We should go."),
        (2.0, 0.5, "Now!"),
        (2.75, 0.75, "Or <never> & nowhere."),
    ]
    assert [text for _, _, text in chinese] == ["我们该走了。"]


def test_captions_are_written_as_players_read_them(export: Callable[[str], Path], tmp_path: Path) -> None:
    export("film.srt")
    assert sorted(path.name for path in tmp_path.glob("film*.srt")) == ["film.en.srt", "film.zh.srt"]
    with av.open(str(tmp_path / "film.en.srt")) as read:
        assert len([packet for packet in read.demux() if packet.size]) == 3
    export("film.vtt")
    text = (tmp_path / "film.en.vtt").read_text()
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nWe should go.")
    assert "Or &lt;never&gt; &amp; nowhere." in text
    with av.open(str(tmp_path / "film.zh.vtt")) as read:
        assert len([packet for packet in read.demux() if packet.size]) == 1


def test_the_shot_list_is_a_table(export: Callable[[str], Path]) -> None:
    with export("film.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["shot"], row["starts_at"], row["length"], row["dialogue"]) for row in rows] == [
        ("a", "00:00:00:00", "2.000", "We should go."),
        ("b", "00:00:01:12", "2.000", "Now! Or <never> & nowhere."),
        ("c", "00:00:03:12", "3.000", ""),
    ]
    assert rows[2]["source_in"] == "0.500"


def test_the_contact_sheet_shows_every_shot(export: Callable[[str], Path]) -> None:
    data = export("film.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1


@pytest.mark.parametrize("ending", ["otio", "otioz", "xml", "fcpxml", "edl"])
def test_editing_programs_read_the_cut(export: Callable[[str], Path], ending: str) -> None:
    otio = pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")
    found = otio.adapters.read_from_file(str(export(f"film.{ending}")))
    timeline = found[0] if isinstance(found, otio.schema.SerializableCollection) else found
    clips = list(timeline.video_tracks()[0].find_clips())
    lengths = [round(clip.source_range.duration.to_seconds() * 24) for clip in clips]
    assert len(clips) == 3
    if ending in ("otio", "otioz", "xml"):
        assert lengths == [42, 42, 72]
        assert len(timeline.audio_tracks()) == 1
    if ending == "otio":
        assert clips[2].effects[0].time_scalar == 0.5
        assert [marker.name for marker in clips[0].markers] == [
            "dialogue: We should go.",
            "dialogue zh: 我们该走了。",
            "notes: Softer.",
        ]
        (transition,) = [one for one in timeline.video_tracks()[0] if isinstance(one, otio.schema.Transition)]
        assert transition.in_offset.value + transition.out_offset.value == 12
    if ending in ("xml", "fcpxml"):
        assert all(clip.media_reference.target_url.startswith("file:///") for clip in clips)


def test_a_line_that_nobody_can_read_in_time_is_a_warning(tmp_path: Path) -> None:
    line = "A line of words that goes on and on, much longer than anybody could read it. " * 3
    board = f"    title: Fast\n    shots: [{{id: a, action: Rain., dialogue: '{line}'}}]\n"
    (warning,) = make_plan(write_board(tmp_path, board), root=str(tmp_path / "out"), language="en").warnings
    assert warning.startswith("shot a: its line has 38 characters a second; at most 20")


@pytest.mark.parametrize(
    ("dialogue", "told"),
    [
        ("{en: [{text: x, frm: 1}]}", "a line, a list of lines with their times, or either by language"),
        ("{English: x}", "a line, a list of lines with their times, or either by language"),
        ("[{from: 1}]", "a line, a list of lines with their times, or either by language"),
    ],
)
def test_wrong_dialogue_is_told(
    tmp_path: Path, dialogue: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    board = f"    title: Wrong\n    shots: [{{id: a, action: Rain., dialogue: {dialogue}}}]\n"
    assert main(["plan", write_board(tmp_path, board), "--root", str(tmp_path / "out")]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_no_words_make_no_captions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_board(tmp_path, "    title: None\n    shots: [{id: a, action: Rain.}]\n")
    assert main(["export", path, str(tmp_path / "film.srt"), "--root", str(tmp_path / "out")]) == 2
    assert "no shot of the board has `dialogue`" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("*.srt"))
