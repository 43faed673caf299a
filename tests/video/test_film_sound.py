"""The sound of a film, heard and seen: a flash and a beep must stay together, and no cut may click."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.reformatter import VideoReformatter

from minimax_tasks.errors import VideoError
from minimax_tasks.video import join as video
from minimax_tasks.video.stream_layout import read_layout
from tests.drawn_once import written_once
from tests.joining import Piece, join

RATE = 32_000
FLASH = 10
"""The frame in which a clip flashes and beeps."""

Samples = npt.NDArray[np.float32]


def loud_clip(
    path: Path,
    frames: int = 48,
    *,
    tone: float = 300.0,
    rate: int = RATE,
    layout: str = "stereo",
    size: tuple[int, int] = (96, 54),
    fps: int = 24,
    level: float = 0.3,
    beep: bool = True,
    movflags: str = "+faststart",
) -> str:
    """A clip like those of MiniMax-H3: a steady tone, and in frame `FLASH` a white picture and a loud beep."""
    asked = ("loud", frames, tone, rate, layout, size, fps, level, beep, movflags)
    written_once(path, asked, lambda: _write_loud(path, *asked[1:]))
    return str(path)


def _write_loud(
    path: Path,
    frames: int,
    tone: float,
    rate: int,
    layout: str,
    size: tuple[int, int],
    fps: int,
    level: float,
    beep: bool,
    movflags: str,
) -> None:
    with av.open(str(path), "w", options={"movflags": movflags}) as container:
        pictures = container.add_stream("libx264", rate=fps, options={"bf": "0"})
        pictures.width, pictures.height = size
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=rate, layout=layout)
        sound.bit_rate = 128_000
        reformatter = VideoReformatter()
        for number in range(frames):
            level_of_grey = 255 if beep and number == FLASH else 40
            frame = av.VideoFrame.from_ndarray(
                np.full((size[1], size[0]), level_of_grey, np.uint8), format="gray"
            )
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(pictures.encode(reformatter.reformat(frame, format="yuv420p", threads=1)))
        container.mux(pictures.encode(None))
        # Whole packets, as a service's encoder writes them: the tone goes on for a moment after the last picture.
        time = np.arange(-(-frames * rate // fps // 1024) * 1024) / rate
        heard = level * np.sin(2 * np.pi * tone * time)
        if beep:
            begin = FLASH * rate // fps
            length = rate // fps
            heard[begin : begin + length] = 0.9 * np.sin(2 * np.pi * 2000 * time[:length])
        channels = np.stack([heard] * (2 if layout == "stereo" else 1)).astype(np.float32)
        for place in range(0, channels.shape[1], 1024):
            part = np.ascontiguousarray(channels[:, place : place + 1024])
            block = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            block.sample_rate, block.pts, block.time_base = rate, place, Fraction(1, rate)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))


def heard(path: Path | str) -> tuple[Samples, int]:
    """The sound of a film, decoded by FFmpeg as any player would, and its sample rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        placed = [(frame.pts or 0, frame.to_ndarray()) for frame in container.decode(stream)]
        samples = np.zeros((2, placed[-1][0] + placed[-1][1].shape[1]), np.float32)
        for place, part in placed:
            low = max(place, 0)
            samples[:, low : place + part.shape[1]] = part[:, low - place :]
        return samples, stream.rate


def flashes(path: Path | str) -> list[float]:
    """When the film is white, in seconds."""
    with av.open(str(path)) as container:
        return [
            float(frame.time)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 180
        ]


def beeps(path: Path | str) -> list[float]:
    """When the beeps begin, in seconds."""
    samples, rate = heard(path)
    loud = np.abs(samples[0]) > 0.6
    starts = np.flatnonzero(loud)
    begins = starts[np.insert(np.diff(starts) > rate // 4, 0, True)]
    return [float(place / rate) for place in begins]


@pytest.mark.parametrize("joins", [6, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("differing", "chained"), [(False, True), (True, False)])
def test_a_flash_and_a_beep_stay_together_over_a_hundred_joins(tmp_path, differing, chained, joins):
    clips = [
        loud_clip(tmp_path / f"{number}.mp4", frames, rate=44_100 if differing and number else RATE)
        for number, frames in enumerate((41, 53, 31))
    ]
    pieces = [Piece(clips[number % 3], repeats_frame=chained and number > 0) for number in range(joins + 1)]
    film = join(str(tmp_path / "film.mp4"), pieces)
    assert (film.method, film.sound) == ("copy", "encode" if differing else "copy")
    seen, listened = flashes(tmp_path / "film.mp4"), beeps(tmp_path / "film.mp4")
    assert len(seen) == len(listened) == joins + 1
    assert max(abs(flash - beep) for flash, beep in zip(seen, listened, strict=True)) < 1 / 24


def test_sound_is_as_long_as_the_film(tmp_path):
    clips = [loud_clip(tmp_path / f"{number}.mp4", 30 + number) for number in range(5)]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.audio[0]
        assert abs(float(stream.duration * stream.time_base) - film.seconds) < 0.01


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_no_seam_clicks(tmp_path, rate, chained):
    tones = (220.0, 310.0, 410.0)
    clips = [
        loud_clip(tmp_path / f"{n}.mp4", 31 + n, tone=tone, beep=False, rate=rate)
        for n, tone in enumerate(tones)
    ]
    pieces = [Piece(clips[number % 3], repeats_frame=chained and number > 0) for number in range(12)]
    film = join(str(tmp_path / "film.mp4"), pieces)
    assert film.sound == "copy"
    samples, _ = heard(tmp_path / "film.mp4")
    # A tone of 410 Hz and 0.3 never changes faster than this from one sample to the next.
    steepest = 0.3 * 2 * np.pi * 410 / rate
    assert np.abs(np.diff(samples, axis=1)).max() < 1.6 * steepest
    assert np.abs(samples).max() < 0.36


def tone_at(path: Path, begin: float, end: float) -> float:
    """The tone that is loudest between two times, in Hz."""
    samples, rate = heard(path)
    part = samples[0, int(begin * rate) : int(end * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    return float(np.argmax(spectrum) * rate / len(part))


def test_each_clip_is_heard_in_its_place(tmp_path):
    tones = (300.0, 500.0, 700.0)
    clips = [loud_clip(tmp_path / f"{n}.mp4", 48, tone=tone, beep=False) for n, tone in enumerate(tones)]
    join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    found = [tone_at(tmp_path / "film.mp4", 2 * n + 0.2, 2 * n + 1.8) for n in range(3)]
    assert found == pytest.approx(tones, abs=3)


def test_a_transition_fades_sound_across(tmp_path):
    clips = [loud_clip(tmp_path / f"{n}.mp4", 48, tone=400.0 + 200 * n, beep=False) for n in range(2)]
    film = join(
        str(tmp_path / "film.mp4"),
        [Piece(clips[0]), Piece(clips[1], transition="fade", transition_seconds=1)],
    )
    assert (film.method, film.sound) == ("encode", "encode")
    samples, rate = heard(tmp_path / "film.mp4")
    assert rate == 48_000
    middle = samples[0, int(1.25 * rate) : int(1.75 * rate)]
    strength = np.abs(np.fft.rfft(middle))
    at = [round(hertz * len(middle) / rate) for hertz in (400, 600)]
    assert 0.5 < strength[at[0]] / strength[at[1]] < 2
    power = [
        np.sqrt((samples[0, int(a * rate) : int((a + 0.3) * rate)] ** 2).mean()) for a in (0.3, 1.35, 2.3)
    ]
    assert max(power) / min(power) < 1.25
    assert np.abs(np.diff(samples, axis=1)).max() < 0.12


def test_a_clip_without_sound_is_silent_in_a_film_with_sound(tmp_path, make_clip):
    clips = [loud_clip(tmp_path / "loud.mp4", 48, beep=False), make_clip("still.mp4", 48)]
    film = join(str(tmp_path / "film.mp4"), [Piece(clips[1]), Piece(clips[0]), Piece(clips[1])])
    assert film.sound == "encode"
    samples, rate = heard(tmp_path / "film.mp4")
    loudest = [
        float(np.abs(samples[:, int(a * rate) : int(b * rate)]).max())
        for a, b in ((0, 1.9), (2.1, 3.9), (4.1, 5.9))
    ]
    assert loudest[0] < 0.01 > loudest[2]
    assert 0.25 < loudest[1] < 0.35


@pytest.mark.slow
def test_sizes_and_sounds_of_all_generations_in_one_film(tmp_path, make_clip):
    clips = [
        loud_clip(tmp_path / "a.mp4", size=(1344, 768)),
        loud_clip(tmp_path / "b.mp4", size=(2560, 1440), rate=48_000, layout="mono"),
        make_clip("c.mp4", 25, fps=25, size=(1366, 768)),
        loud_clip(tmp_path / "d.mp4", size=(1344, 768)),
    ]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    assert (film.width, film.height, film.sound) == (1344, 768, "encode")
    seen, listened = flashes(tmp_path / "film.mp4"), beeps(tmp_path / "film.mp4")
    assert len(seen) == len(listened) == 3
    assert seen == pytest.approx(listened, abs=1 / 24)


def test_volume(tmp_path):
    clip = loud_clip(tmp_path / "clip.mp4", beep=False)
    film = join(str(tmp_path / "film.mp4"), [Piece(clip), Piece(clip, volume=0.5), Piece(clip, volume=0)])
    assert film.sound_reason == "clip.mp4 is heard at another volume"
    samples, rate = heard(tmp_path / "film.mp4")
    loudest = [
        float(np.abs(samples[:, int((2 * n + 0.2) * rate) : int((2 * n + 1.8) * rate)]).max())
        for n in range(3)
    ]
    assert loudest == pytest.approx([0.3, 0.15, 0], abs=0.03)
    silent = join(str(tmp_path / "silent.mp4"), [Piece(clip, volume=0)] * 2)
    assert silent.sound == "none"
    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert not container.streams.audio


def test_films_of_the_same_clips_are_the_same_bytes(tmp_path):
    clip = loud_clip(tmp_path / "clip.mp4")
    files = [tmp_path / f"{number}.mp4" for number in range(2)]
    for path in files:
        join(str(path), [Piece(clip)] * 3)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("lost", range(4))
def test_a_clip_that_is_lost_while_sound_is_joined_leaves_no_film(tmp_path, lost):
    clips = [read_layout(loud_clip(tmp_path / f"{number}.mp4")) for number in range(4)]
    (tmp_path / f"{lost}.mp4").unlink()
    pieces = [video.Piece(clip, starts_at=48 * number, frames=48) for number, clip in enumerate(clips)]
    with pytest.raises(VideoError, match=f"{lost}.mp4"):
        video.join(str(tmp_path / "film.mp4"), pieces, Fraction(24))
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize("frames", [1, 3, 8])
def test_very_short_clips_with_sound(tmp_path, frames):
    clips = [loud_clip(tmp_path / f"{n}.mp4", frames, beep=False) for n in range(4)]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    assert film.frames == 4 * frames
    assert film.sound in ("copy", "encode")
    heard(tmp_path / "film.mp4")


@pytest.mark.slow
def test_many_joins_with_trims_and_retimes_stay_in_step(tmp_path: Path) -> None:
    clip = loud_clip(tmp_path / "clip.mp4")
    edits: list[dict[str, Any]] = [{}, {"trim": "0.1.."}, {"trim": "..-0.25"}, {"speed": 0.8}, {"hold": 0.2}]
    pieces = [Piece(clip, **edits[number % len(edits)]) for number in range(16)]
    film = join(str(tmp_path / "film.mp4"), pieces)
    seen, listened = flashes(tmp_path / "film.mp4"), beeps(tmp_path / "film.mp4")
    for begins in film.starts:
        flash = next(time for time in seen if time >= begins - 0.001)
        beep = min(listened, key=lambda time: abs(time - flash))
        assert abs(beep - flash) <= 1 / 24, f"at {begins:.2f} s"
