"""Clips of other rates than the film, and what a clip means whose frames do not come evenly."""

from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.video.probe import probe
from minimax_tasks.video.rates import USUAL_RATES, meant_rate, nearest_usual
from tests.joining import Piece, join


@given(st.sampled_from(USUAL_RATES), st.floats(-0.0004, 0.0004))
def test_near_to_a_usual_rate_is_that_rate(usual, off):
    assert nearest_usual(usual * (1 + Fraction(off))) == usual


@given(st.fractions(Fraction(1, 100), 100_000))
def test_every_rate_has_a_nearest_one(rate):
    assert nearest_usual(rate) in USUAL_RATES


@given(
    usual=st.sampled_from([rate for rate in USUAL_RATES if rate.denominator == 1]),
    frames=st.integers(6, 200),
    stray=st.integers(0, 5),
    longer=st.fractions(2, 40),
    ticks=st.sampled_from([10_000, 12_800, 90_000]),
)
def test_one_odd_frame_does_not_change_what_is_meant(usual, frames, stray, longer, ticks):
    moments = [Fraction(number) / usual for number in range(frames)]
    moved = [one + (longer / usual if number > stray else 0) for number, one in enumerate(moments)]
    times = [round(one * ticks) for one in moved]
    average = frames * ticks / Fraction(times[-1] + round(ticks / usual))
    assert meant_rate([average], times, Fraction(1, ticks)) == usual


def rewritten(source, path, *, duration_of_first=None, **muxing):
    """The same packets in another file; with the first frame on screen for another time, in ticks."""
    with av.open(source) as container, av.open(str(path), "w", options=muxing) as out:
        stream = out.add_stream_from_template(container.streams.video[0])
        later = 0
        for number, packet in enumerate(container.demux(video=0)):
            if not packet.size:
                continue
            if duration_of_first and number == 0:
                later, packet.duration = duration_of_first - packet.duration, duration_of_first
            elif number:
                packet.pts += later
                packet.dts += later
            packet.stream = stream
            out.mux(packet)
    return str(path)


def test_one_odd_frame_in_each_clip_does_not_change_the_rate_of_the_film(make_clip, shown, tmp_path):
    clips = []
    for place, (frames, ticks) in enumerate(((3, 700), (40, 900), (1, 620))):
        whole = make_clip(f"whole{place}.mp4", frames=frames, first=place * 3)
        clips.append(rewritten(whole, tmp_path / f"odd{place}.mp4", duration_of_first=ticks))
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    assert film.fps == 24
    seen = shown(film_path := str(tmp_path / "film.mp4"))
    # No picture is lost: the odd first ones are only seen longer.
    assert set(seen) == {*range(3), *range(3, 43), 6}
    assert probe(film_path, "decode").fps == 24


@pytest.mark.parametrize("ending", ["mkv", "ts"])
def test_b_frames_in_other_containers(make_clip, shown, tmp_path, ending):
    whole = make_clip("whole.mp4", frames=30, b_frames=True)
    other = rewritten(whole, tmp_path / f"clip.{ending}")
    film = join(str(tmp_path / "film.mp4"), [Piece(other), Piece(whole)])
    assert (film.method, film.fps, film.frames) == ("encode", 24, 60)
    assert shown(str(tmp_path / "film.mp4")) == [*range(30), *range(30)]


@pytest.mark.parametrize("fps", [50, 60])
def test_clips_of_a_high_rate_are_copied(make_clip, shown, tmp_path, fps):
    clips = [make_clip(f"{number}.mp4", fps=fps, frames=20, first=20 * number) for number in range(2)]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    assert (film.method, film.fps, film.frames, film.notes) == ("copy", fps, 40, ())
    assert shown(str(tmp_path / "film.mp4")) == list(range(40))


@pytest.mark.parametrize(("fps", "told"), [(50, "left out"), (60, "left out"), (12, "shown twice")])
def test_a_clip_of_another_rate_keeps_its_length_and_the_film_says_so(make_clip, shown, tmp_path, fps, told):
    clips = [make_clip(f"{number}.mp4", frames=24) for number in range(2)]
    other = make_clip("other.mp4", fps=fps, frames=fps // 2)
    film = join(
        str(tmp_path / "film.mp4"),
        [*(Piece(clip, title=f"Shot {n}") for n, clip in enumerate(clips)), Piece(other, title="Shot 9")],
    )
    assert (film.fps, film.frames, film.seconds) == (24, 60, 2.5)
    assert film.notes == (f"the film has 24 frames a second: of Shot 9 ({fps} fps) some frames are {told}",)
    seen = shown(str(tmp_path / "film.mp4"))[48:]
    assert all(abs(number - place * fps / 24) <= 1 for place, number in enumerate(seen[:-1]))
    assert seen[-1] == fps // 2 - 1


def test_many_clips_of_another_rate_are_counted(make_clip, tmp_path):
    usual, other = make_clip("usual.mp4", frames=2), make_clip("other.mp4", frames=2, fps=25)
    pieces = [Piece(usual)] * 10 + [Piece(other, title=f"Shot {number}") for number in range(9)]
    film = join(str(tmp_path / "film.mp4"), pieces)
    assert film.notes == (
        "the film has 24 frames a second: of Shot 0, Shot 1, Shot 2, Shot 3, Shot 4 and 4 more (25 fps) some frames "
        "are left out",
    )
