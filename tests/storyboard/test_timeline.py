"""The cut as editing programs read it."""

from pathlib import Path

import pytest

from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.probe import probe
from tests.conftest import Picture
from tests.storyboard.boards import HARBOUR, write_board

otio = pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")


@pytest.mark.slow
def test_the_timeline_has_the_film_s_length_and_links_the_picked_takes(
    sandbox: Sandbox, tmp_path: Path, picture: Picture, capsys: pytest.CaptureFixture[str]
) -> None:
    picture("refs/pier.png", size=(1366, 768))
    picture("refs/boat.png", "orange", size=(1366, 768))
    board = write_board(tmp_path, HARBOUR)
    assert main(["timeline", board, "cut.otio", "--root", "out"]) == 1
    assert "left out: 010, 020, 025, 030, 040" in capsys.readouterr().err
    assert main(["render", board, "--root", "out"]) == 0
    assert main(["timeline", board, "cut.otio", "--root", "out"]) == 0
    track = otio.adapters.read_from_file("cut.otio").video_tracks()[0]
    clips = [item for item in track if isinstance(item, otio.schema.Clip)]
    assert [clip.name for clip in clips] == ["Shot 010", "Shot 020", "Shot 025", "Shot 030", "Shot 040"]
    assert all(Path(clip.media_reference.target_url).exists() for clip in clips)
    assert [clip.source_range.duration.value for clip in clips] == [144, 143, 137, 138, 144]
    (transition,) = [item for item in track if isinstance(item, otio.schema.Transition)]
    assert transition.in_offset.value + transition.out_offset.value == 12
    film = probe("out/films/harbour/film.mp4", "decode")
    assert otio.opentime.to_frames(track.duration()) == film.frames
    shown = otio.algorithms.track_with_expanded_transitions(track)
    for clip in (part for item in shown for part in (item if isinstance(item, tuple) else (item,))):
        if isinstance(clip, otio.schema.Transition):
            continue
        there, asked = clip.media_reference.available_range, clip.source_range
        assert there.start_time <= asked.start_time
        assert asked.end_time_exclusive() <= there.end_time_exclusive()


def test_a_clip_that_differs_from_what_was_asked_is_kept_and_told_of(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(tmp_path, "title: Small\nshots:\n  - {id: a, action: Rain.}\n")
    assert main(["render", board, "--root", "out"]) == 0
    assert "asked for 768P, got 160 x 90" in (tmp_path / "out/films/small/report.html").read_text()
    capsys.readouterr()
    assert main(["plan", board, "--root", "out"]) == 0
    assert "shot a take 1: asked for 768P, got 160 x 90" in " ".join(capsys.readouterr().out.split())
