import os
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from minimax_tasks.errors import VideoError
from minimax_tasks.video import join as video
from minimax_tasks.video.frames import first_frame, last_frame
from minimax_tasks.video.join import TRANSITIONS
from minimax_tasks.video.probe import probe
from minimax_tasks.video.stream_layout import read_layout
from tests.decoded import pictures_in
from tests.joining import Piece, join


def rate_of(path):
    with av.open(path) as container:
        return Fraction(container.streams.video[0].average_rate)


def times_of(path):
    with av.open(path) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def is_faststart(path):
    data = Path(path).read_bytes()
    return data.index(b"moov") < data.index(b"mdat")


def assert_plays_everywhere(path, frames, fps=24):
    found = probe(path, "decode")
    assert found.ok, found.problems
    assert (found.codec, found.pix_fmt) == ("h264", "yuv420p")
    assert (found.frames, found.fps) == (frames, Fraction(fps))
    assert found.seconds == pytest.approx(frames / fps)
    assert is_faststart(path)
    assert times_of(path) == [Fraction(number, fps) for number in range(frames)]


def test_copied_packets_are_bit_identical(make_clip, packets, out):
    clips = [make_clip(f"{number}.mp4", first=8 * number) for number in range(3)]
    film = join(out, [Piece(clip) for clip in clips])
    assert film.method == "copy"
    assert film.starts == (0.0, 1.0, 2.0)
    assert (film.frames, film.seconds, film.fps, film.width, film.height) == (72, 3.0, 24, 96, 54)
    assert packets(out) == [packet for clip in clips for packet in packets(clip)]
    assert_plays_everywhere(out, 72)


def test_a_doubled_frame_is_dropped_by_copying(make_clip, packets, shown, out):
    clips = [make_clip("a.mp4", frames=10), make_clip("b.mp4", frames=10, first=9)]
    film = join(out, [Piece(clips[0]), Piece(clips[1], repeats_frame=True)])
    assert film.method == "copy"
    assert shown(out) == list(range(19))
    assert packets(out) == packets(clips[0])[:-1] + packets(clips[1])
    # As when the film is encoded: the frame that both show belongs to the first.
    assert film.starts == (0.0, 10 / 24)
    assert_plays_everywhere(out, 19)


def test_clips_with_b_frames_are_copied(make_clip, packets, shown, out):
    clips = [make_clip(f"{number}.mp4", frames=20, first=20 * number, b_frames=True) for number in range(2)]
    film = join(out, [Piece(clip) for clip in clips])
    assert film.method == "copy"
    assert shown(out) == list(range(40))
    assert packets(out) == [packet for clip in clips for packet in packets(clip)]
    assert_plays_everywhere(out, 40)


@pytest.mark.parametrize("frames", range(6, 12))
def test_a_doubled_frame_is_dropped_whatever_the_b_frames(make_clip, shown, out, frames):
    """By the count of frames, x264 ends on the frame that is shown last or on one that is shown earlier."""
    first = make_clip("a.mp4", frames=frames, b_frames=True)
    second = make_clip("b.mp4", frames=10, first=frames - 1, b_frames=True)
    with av.open(first) as container:
        order = [packet.pts for packet in container.demux(video=0) if packet.size]
    film = join(out, [Piece(first), Piece(second, repeats_frame=True)])
    assert film.method == ("copy" if order[-1] == max(order) else "encode")
    assert shown(out) == list(range(frames + 9))
    assert_plays_everywhere(out, frames + 9)


def test_a_frame_that_cannot_be_popped_is_skipped_by_encoding(make_clip, shown, out):
    # Open-ended: a B-frame is decoded after the frame that is shown last.
    def trails(path):
        with av.open(path) as container:
            order = [packet.pts for packet in container.demux(video=0) if packet.size]
        return order[-1] != max(order)

    first = next(
        clip
        for clip in (make_clip(f"a{n}.mp4", frames=n, b_frames=True) for n in range(6, 14))
        if trails(clip)
    )
    count = probe(first).frames
    second = make_clip("b.mp4", frames=10, first=count - 1, b_frames=True)
    film = join(out, [Piece(first), Piece(second, title="Two", repeats_frame=True)])
    assert film.method == "encode"
    assert "Two repeats" in film.reason
    assert shown(out) == list(range(count + 9))


def test_one_piece_is_copied(make_clip, packets, out):
    clip = make_clip(audio=True)
    assert join(out, [Piece(clip)]).method == "copy"
    assert packets(out) == packets(clip)
    assert probe(out).audio


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fps": 25}, "frame rate"),
        ({"size": (64, 54)}, "size"),
        ({"tagged": False}, "colour tags"),
        ({"options": {"refs": "5", "bf": "2"}}, "encoder parameters"),
        ({"codec": "libx265"}, "hevc"),
        ({"pix_fmt": "yuv444p"}, "yuv444p"),
        ({"name": "other.mkv"}, "not an MP4"),
    ],
)
def test_clips_that_are_not_alike_are_encoded(make_clip, out, change, reason):
    one, two = make_clip("one.mp4"), make_clip("two.mp4")
    other = make_clip(**{"name": "other.mp4", **change})
    film = join(out, [Piece(one), Piece(other), Piece(two)])
    assert film.method == "encode"
    assert reason in film.reason
    assert_plays_everywhere(out, 72 if "fps" not in change else 71)


@pytest.mark.parametrize("change", [{"codec": "libx265"}, {"pix_fmt": "yuv444p"}])
def test_like_clips_that_browsers_do_not_play_are_encoded(make_clip, shown, out, change):
    clips = [make_clip("a.mp4", frames=10, **change), make_clip("b.mp4", frames=10, first=10, **change)]
    assert join(out, [Piece(clip) for clip in clips]).method == "encode"
    assert shown(out) == list(range(20))
    assert_plays_everywhere(out, 20)


def test_a_variable_frame_rate_comes_out_constant(make_clip, tmp_path, shown, out):
    even, uneven = make_clip("even.mp4", frames=12), str(tmp_path / "uneven.mp4")
    with av.open(even) as source, av.open(uneven, "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                late = packet.duration * (packet.pts > 5 * packet.duration)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                packet.stream = stream
                copy.mux(packet)
    film = join(out, [Piece(uneven)])
    assert "constant frame rate" in film.reason
    assert rate_of(out) == film.fps
    assert set(shown(out)) == set(range(12))
    assert {later - earlier for earlier, later in pairwise(times_of(out))} == {1 / film.fps}


def test_most_pieces_decide_the_size_and_others_get_bars(make_clip, out):
    def bright(number, size):
        return Image.new("RGB", size, (200, 200, 200))

    clips = [
        make_clip("tall.mp4", frames=4, size=(54, 96), picture=bright),
        make_clip("a.mp4", frames=4, picture=bright),
        make_clip("b.mp4", frames=4, picture=bright),
    ]
    film = join(out, [Piece(clip) for clip in clips])
    assert (film.width, film.height) == (96, 54)
    row = np.asarray(first_frame(out).convert("L"))[27].astype(int)
    assert row[:30].max() <= 3
    assert row[-30:].max() <= 3
    assert abs(row[48] - 200) <= 3
    assert np.asarray(last_frame(out).convert("L")).min() >= 195


@pytest.mark.parametrize("tagged", [True, False])
def test_encoding_keeps_the_colours(make_clip, out, tagged):
    colours = [(200, 40, 40), (40, 180, 60)]
    clips = [
        make_clip(
            f"{number}.mp4",
            frames=4,
            size=size,
            tagged=tagged,
            matrix="ITU709" if tagged else "ITU601",
            picture=lambda _, size, colour=colour: Image.new("RGB", size, colour),
        )
        for number, (colour, size) in enumerate(zip(colours, [(96, 54), (192, 108)], strict=True))
    ]
    assert join(out, [Piece(clip) for clip in clips]).method == "encode"
    for image, colour in ((first_frame(out), colours[0]), (last_frame(out), colours[1])):
        assert all(abs(one - two) <= 3 for one, two in zip(image.getpixel((48, 27)), colour, strict=True))


def test_a_fade_overlaps(make_clip, shown, out):
    clips = [
        make_clip("a.mp4", picture=lambda *_: Image.new("RGB", (96, 54), (40,) * 3)),
        make_clip("b.mp4", picture=lambda *_: Image.new("RGB", (96, 54), (200,) * 3)),
    ]
    film = join(out, [Piece(clips[0]), Piece(clips[1], transition="fade", transition_seconds=0.5)])
    assert film.method == "encode"
    assert film.frames == 24 + 24 - 12
    assert film.starts == (0.0, 0.5)
    assert_plays_everywhere(out, 36)
    levels = shown(out)
    assert len(set(levels[:12])) == len(set(levels[24:])) == 1
    assert all(earlier < later for earlier, later in pairwise(levels[11:25]))


def test_a_transition_leaves_the_doubled_frame_alone(make_clip, out):
    clips = [make_clip("a.mp4"), make_clip("b.mp4", first=23)]
    film = join(
        out,
        [Piece(clips[0]), Piece(clips[1], transition="fade", transition_seconds=0.25, repeats_frame=True)],
    )
    assert film.frames == 48 - 6


@pytest.mark.parametrize("kind", TRANSITIONS)
def test_every_transition_works(make_clip, shown, out, kind):
    clips = [make_clip("a.mp4", frames=10, first=0), make_clip("b.mp4", frames=10, first=30)]
    join(out, [Piece(clips[0]), Piece(clips[1], transition=kind, transition_seconds=0.25)])
    film = shown(out)
    assert len(film) == 14
    assert film[:4] == [0, 1, 2, 3]
    assert film[-4:] == [36, 37, 38, 39]
    assert_plays_everywhere(out, 14)


@pytest.mark.parametrize("colour", [(230, 40, 30), (30, 60, 200), (240, 200, 60)])
def test_a_transition_begins_with_the_colours_of_its_clip(make_clip, out, colour):
    one, other = (
        make_clip(name, 8, size=(320, 180), picture=lambda _, size: Image.new("RGB", size, colour))
        for name in ("1.mp4", "2.mp4")
    )
    pieces = [Piece(one)]
    pieces += [Piece(other, transition=name, transition_seconds=1 / 12) for name in TRANSITIONS]
    joined = join(str(out), pieces)
    colours = [np.asarray(picture).mean(axis=(0, 1)) for picture in pictures_in(out)]
    for name, start in zip(TRANSITIONS, joined.starts[1:], strict=True):
        first = round(start * 24)
        assert colours[first] == pytest.approx(colours[0], abs=3), name


def test_transitions_at_both_ends_of_a_piece(make_clip, out):
    clips = [make_clip(f"{number}.mp4", frames=12) for number in range(3)]
    film = join(
        out,
        [
            Piece(clips[0]),
            Piece(clips[1], transition="wipeleft", transition_seconds=0.25),
            Piece(clips[2], transition="dissolve", transition_seconds=0.25),
        ],
    )
    assert film.frames == 36 - 12
    assert film.starts == (0.0, 0.25, 0.5)


def test_a_transition_longer_than_its_clips(make_clip, out):
    clips = [make_clip("a.mp4", frames=12), make_clip("b.mp4", frames=48)]
    with pytest.raises(
        VideoError, match=r"The pier: it has 0\.50 s, but its transitions take 1\.00 s.*The boat"
    ):
        join(
            out,
            [
                Piece(clips[0], title="The pier"),
                Piece(clips[1], title="The boat", transition="fade", transition_seconds=1.0),
            ],
        )
    assert not os.path.exists(out)


def test_transitions_that_do_not_fit_together(make_clip, out):
    clips = [make_clip(f"{number}.mp4", frames=24) for number in range(3)]
    with pytest.raises(VideoError, match="Middle: it has"):
        join(
            out,
            [
                Piece(clips[0]),
                Piece(clips[1], title="Middle", transition="fade", transition_seconds=0.75),
                Piece(clips[2], transition="fade", transition_seconds=0.5),
            ],
        )


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        ({"transition": "wibble", "transition_seconds": 0.5}, "no transition 'wibble'; there are cut, fade"),
        ({"transition": "fade", "transition_seconds": -1}, "cannot last -1 s"),
    ],
)
def test_transitions_that_make_no_sense(make_clip, out, piece, message):
    clip = make_clip()
    with pytest.raises(VideoError, match=message):
        join(out, [Piece(clip), Piece(clip, **piece)])


def test_nothing_to_join(out):
    with pytest.raises(VideoError, match="nothing to join"):
        join(out, [])


def test_a_clip_that_is_no_video(make_clip, tmp_path, out):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"<html>")
    with pytest.raises(VideoError, match=r"bad\.mp4"):
        join(out, [Piece(make_clip()), Piece(str(bad))])
    assert not os.path.exists(out)


def test_a_clip_that_only_repeats(make_clip, out):
    with pytest.raises(VideoError, match="Still: no frame of it is left"):
        join(
            out,
            [
                Piece(make_clip("a.mp4", frames=5, b_frames=True)),
                Piece(make_clip("b.mp4", frames=1), title="Still", repeats_frame=True),
            ],
        )


@pytest.mark.parametrize("transition", ["cut", "fade"])
def test_chapters_are_named_by_titles(make_clip, out, transition):
    clips = [make_clip(f"{number}.mp4") for number in range(3)]
    pieces = [
        Piece(clips[0], title="Pier"),
        Piece(clips[1], transition=transition, transition_seconds=0.25),
        Piece(clips[2], title="渔港"),
    ]
    film = join(out, pieces)
    with av.open(out) as container:
        chapters = container.chapters()
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["Pier", "2", "渔港"]
    begins = [float(chapter["start"] * chapter["time_base"]) for chapter in chapters]
    assert begins == pytest.approx(film.starts, abs=0.001)

    join(out, pieces, chapters=False)
    with av.open(out) as container:
        assert not container.chapters()


MEASURE = """
import sys
from tests.benchmarks.runs import peak_mb
from tests.joining import Piece, join
out, one, two = sys.argv[1:]
for count in (2, 12):
    join(out, [Piece(one), *[Piece(two)] * count])
    print(round(peak_mb()))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(make_clip, out):
    one, two = make_clip("one.mp4", size=(640, 360)), make_clip("two.mp4", size=(638, 360))
    command = [sys.executable, "-c", MEASURE, out, one, two]
    short, long = map(int, subprocess.run(command, check=True, capture_output=True).stdout.split())
    assert long < 1.25 * short


def test_a_piece_has_its_frames_whatever_its_file_turns_out_to_hold(make_clip, shown, out):
    clip = read_layout(make_clip("a.mp4", frames=10))
    pieces = [
        video.Piece(clip, starts_at=0, frames=12, title="Long"),
        video.Piece(clip, starts_at=12, frames=8, title="Short"),
    ]
    film = video.join(out, pieces, Fraction(24))
    assert (film.method, film.frames) == ("encode", 20)
    assert shown(out) == [*range(10), 9, 9, *range(8)]
    assert film.notes == ("Long: fewer pictures than the file promises; the last one is held",)
