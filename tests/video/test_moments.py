"""The frame at a moment is that frame, whatever the container, the order of coding and the clock of the file."""

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimax_tasks.video.colour import frame_of
from minimax_tasks.video.frames import first_frame, frame_at, last_frame
from tests.video.conftest import grey, number_of

pytestmark = pytest.mark.slow

SIZE = (64, 36)
MP4S = {
    "usual": {},
    "fragmented": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "no edit list": {"use_editlist": "0"},
    "negative offsets": {"movflags": "negative_cts_offsets"},
    "index in front": {"movflags": "faststart"},
}
OTHERS = ("mkv",)
CODINGS = {
    "no b": ("libx264", {"bf": "0"}),
    "b": ("libx264", {"bf": "3", "b-adapt": "0"}),
    "pyramid": ("libx264", {"bf": "5", "b-adapt": "0", "b-pyramid": "normal", "refs": "5"}),
    "open": ("libx264", {"bf": "3", "b-adapt": "0", "x264-params": "open-gop=1"}),
    "hevc": ("libx265", {"x265-params": "log-level=none:pools=1:frame-threads=1"}),
    "hevc closed": ("libx265", {"x265-params": "log-level=none:pools=1:frame-threads=1:open-gop=0"}),
}


def write(path, frames, *, fps=24, coding="no b", keyframe_each=12, ticks=None, container=None):
    """Writes numbered pictures; `ticks` of the file in a second, where the container lets one choose."""
    codec, options = CODINGS[coding]
    options = {**options, "g": str(keyframe_each), "preset": "ultrafast", "crf": "12", "threads": "1"}
    if codec == "libx264":
        options["preset"] = "superfast"
    muxing = {**(container or {}), **({"video_track_timescale": str(ticks)} if ticks else {})}
    with av.open(str(path), "w", options=muxing) as out:
        stream = out.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = 1 / Fraction(fps)
        for number in range(frames):
            frame = frame_of(grey(number % 55, SIZE))
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("container", MP4S)
def test_every_moment_of_an_mp4(tmp_path, coding, container):
    clip = write(tmp_path / "clip.mp4", 40, coding=coding, container=MP4S[container])
    for number in range(0, 40, 3):
        for within in (0.0, 0.7):
            assert number_of(frame_at(clip, (number + within) / 24)) == number
    assert number_of(frame_at(clip, 40 / 24)) == 39


@pytest.mark.parametrize("ticks", [24, 48, 600, 90_000])
def test_a_clock_that_ticks_once_a_frame(tmp_path, ticks):
    clip = write(tmp_path / "clip.mp4", 48, ticks=ticks, coding="b")
    for number in range(48):
        for within in (0.0, 0.3, 0.5, 0.7, 0.98):
            assert number_of(frame_at(clip, (number + within) / 24)) == number


@settings(max_examples=30)
@given(
    place=st.floats(0, 1, exclude_max=True),
    within=st.floats(0.1, 0.9),
    frames=st.integers(1, 50),
    fps=st.sampled_from([Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(50), Fraction(60)]),
    coding=st.sampled_from(sorted(CODINGS)),
    keyframe_each=st.integers(1, 20),
    ticks=st.sampled_from([None, 1_000, 90_000, 60_000]),
    container=st.sampled_from([*MP4S, *OTHERS]),
)
def test_any_moment_of_any_clip(place, within, frames, fps, coding, keyframe_each, ticks, container):
    with tempfile.TemporaryDirectory() as folder:
        ending = container if container in OTHERS else "mp4"
        clip = write(
            Path(folder, f"clip.{ending}"),
            frames,
            fps=fps,
            coding=coding,
            keyframe_each=keyframe_each,
            ticks=ticks if ending == "mp4" else None,
            container=MP4S.get(container),
        )
        assert number_of(first_frame(clip)) == 0
        assert number_of(last_frame(clip)) == frames - 1
        number = int(place * frames)
        # Matroska's clock ticks in thousandths, so the moment is well within the time of a frame.
        assert number_of(frame_at(clip, float((number + Fraction(within)) / fps))) == number


@given(st.integers(1, 3), st.sampled_from(sorted(CODINGS)))
@settings(max_examples=6)
def test_a_clip_of_a_few_frames(frames, coding):
    with tempfile.TemporaryDirectory() as folder:
        clip = write(Path(folder, "clip.mp4"), frames, coding=coding)
        assert [number_of(frame_at(clip, number / 24)) for number in range(frames)] == list(range(frames))
