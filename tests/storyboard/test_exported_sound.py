"""Beds, voices, takes and a folder that travels, read back as editing programs read them."""

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote

import av
import pytest

from minimax_tasks.commands.main import main
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.exports.exported_cut import exported_cut
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.slate import write_slate
from tests.storyboard.boards import write_board
from tests.storyboard.test_film_audio import tone
from tests.video.test_film_sound import loud_clip

otio = pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")

BOARD = """\
    title: Heard
    audio:
      - {file: bed.wav, loop: true, gain: -6, fade_in: 0.5, fade_out: 1, duck: 12}
      - {file: wind.wav, from: b}
    shots:
      - {id: a, action: Rain., takes: 2, voice: line.wav, dialogue: Go.}
      - {id: b, action: Sun., cut: fade 0.5, voice: {file: line.wav, at: 0.25, gain: 3}}
      - {id: c, action: Snow., cut: true, trim: 0.5.., speed: 0.5}
    """


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    for name, seconds in (("bed", 2), ("wind", 9), ("line", 1)):
        tone(tmp_path / f"{name}.wav", seconds, 440)
    board = write_board(tmp_path, BOARD)
    root = Storage(str(tmp_path / "out"))
    plan = make_plan(board, root=root.url, language="en")
    loud_clip(tmp_path / "clip.mp4", 48, size=(64, 36))
    write_slate(str(tmp_path / "slate.mp4"), (64, 36), Fraction(24), 2.0, "x", ())
    for number, segment in enumerate(plan.segments):
        root.put(tmp_path / ("slate.mp4" if number else "clip.mp4"), f"clips/{segment.key}/video.mp4")

    def write(name: str, *words: str) -> Path:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert main(["export", board, str(tmp_path / name), "--root", root.url, *words]) == 0
        return tmp_path / name

    return write


def timeline_of(path: Path):  # type: ignore[no-untyped-def]
    found = otio.adapters.read_from_file(str(path))
    return found[0] if isinstance(found, otio.schema.SerializableCollection) else found


def placed(track) -> list[tuple[str, int, int, int]]:  # type: ignore[no-untyped-def]
    """Name, first frame of the film, first frame of the file, and frames of each clip of a track."""
    found = []
    for clip in track.find_clips():
        begins = round(clip.trimmed_range_in_parent().start_time.to_seconds() * 24)
        source = clip.source_range
        frames = round(source.duration.to_seconds() * 24)
        found.append((clip.name, begins, round(source.start_time.to_seconds() * 24), frames))
    return found


BEDS = [("bed.wav", 0, 0, 48), ("bed.wav", 48, 0, 48), ("bed.wav", 96, 0, 48), ("bed.wav", 144, 0, 12)]
VOICES = [("line.wav", 0, 0, 24), ("line.wav", 42, 0, 24)]


@pytest.mark.parametrize("ending", ["otio", "otioz", "xml"])
def test_beds_and_voices_are_tracks_of_their_own(
    export: Callable[..., Path], tmp_path: Path, ending: str
) -> None:
    path = export(f"film.{ending}")
    timeline = timeline_of(path)
    beds, wind, voices = timeline.audio_tracks()[-3:]
    assert placed(beds) == BEDS
    assert placed(wind) == [("wind.wav", 36, 0, 120)]
    assert placed(voices) == VOICES
    cut = exported_cut(
        Storage(str(tmp_path / "out")),
        make_plan(str(tmp_path / "board.yaml"), root=str(tmp_path / "out"), language="en"),
    )
    assert sum(clip.source_range.duration.to_seconds() for clip in beds.find_clips()) == cut.edit.seconds
    assert [round(float(sound.starts_at) * 24) for sound in cut.edit.sounds if sound.track == "voice"] == [
        0,
        42,
    ]
    if ending != "xml":
        told = [clip.metadata["minimax_tasks"] for clip in beds.find_clips()]
        assert [(one["gain"], one["fade_in"], one["fade_out"]) for one in told] == [
            (-6, 0.5, 0), (-6, 0, 0), (-6, 0, 0), (-6, 0, 1)
        ]  # fmt: skip
        assert [list(one) for one in told[0]["ducks"]] == [[0, 1], [1.75, 2.75]]
        assert [clip.metadata["minimax_tasks"]["gain"] for clip in voices.find_clips()] == [0, 3]


def test_final_cut_pro_7_gets_levels_and_speeds_as_its_own_filters(export: Callable[..., Path]) -> None:
    root = ET.parse(export("film.xml")).getroot()
    levels = {
        item.findtext("name"): [
            (int(key.findtext("when") or -1), float(key.findtext("value") or -1))
            for key in item.iter("keyframe")
        ]
        for item in root.iter("clipitem")
        if item.findtext("filter/effect/effectid") == "audiolevels"
    }
    assert levels["wind.wav"] == []
    speeds = [
        parameter.findtext("value")
        for effect in root.iter("effect")
        if effect.findtext("effectid") == "timeremap"
        for parameter in effect.iter("parameter")
        if parameter.findtext("parameterid") == "speed"
    ]
    assert speeds[0] == "50"
    first = next(item for item in root.iter("clipitem") if item.findtext("name") == "bed.wav")
    points = [
        (int(k.findtext("when") or -1), float(k.findtext("value") or -1)) for k in first.iter("keyframe")
    ]
    assert points == [
        (0, 0.0),
        (12, pytest.approx(0.12589, abs=1e-4)),  # the first voice is heard by then
        (24, pytest.approx(0.12589, abs=1e-4)),
        (31, pytest.approx(0.50119, abs=1e-4)),
        (35, pytest.approx(0.50119, abs=1e-4)),
        (42, pytest.approx(0.12589, abs=1e-4)),
        (48, pytest.approx(0.12589, abs=1e-4)),
    ]


def test_takes_are_alternates(export: Callable[..., Path]) -> None:
    first = next(iter(timeline_of(export("film.otio")).video_tracks()[0].find_clips()))
    media = first.media_references()
    assert set(media) == {"DEFAULT_MEDIA", "take_2"}
    assert first.active_media_reference_key == "DEFAULT_MEDIA"
    paths = [reference.target_url for reference in media.values()]
    assert len(set(paths)) == 2
    assert all(Path(path).exists() for path in paths)
    assert media["take_2"].available_range.duration.to_frames() == 48


@pytest.mark.parametrize("ending", ["otio", "xml", "fcpxml"])
def test_a_folder_that_travels(export: Callable[..., Path], tmp_path: Path, ending: str) -> None:
    path = export(f"cut/film.{ending}", "--relative")
    shutil.move(tmp_path / "cut", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "out")
    timeline = timeline_of(tmp_path / "elsewhere" / path.name)
    files = [clip.media_reference for clip in timeline.find_clips()]
    urls = {file.target_url for file in files if isinstance(file, otio.schema.ExternalReference)}
    takes = [reference.target_url for clip in timeline.find_clips() for reference in _takes(clip)]
    assert len(urls | set(takes)) == 3 + 3 + (ending != "xml")
    urls |= set(takes)
    for url in urls:
        name = unquote(url)
        assert name.startswith("film-media/")
        with av.open(str(tmp_path / "elsewhere" / name)) as media:
            assert media.streams


def _takes(clip):  # type: ignore[no-untyped-def]
    return [reference for name, reference in clip.media_references().items() if name.startswith("take")]


def test_what_names_no_media_does_not_travel(
    export: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path / "board.yaml"), str(tmp_path / "a.srt"), "--relative"]) == 2
    assert "media can lie beside files that name them; allowed: .otio, .xml" in capsys.readouterr().err
