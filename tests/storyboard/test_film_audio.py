"""Beds under a film and voices over its shots."""

import json
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from minimax_tasks.commands.main import main
from minimax_tasks.errors import BoardError, VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.storyboard.planning.sounds import local_sound
from minimax_tasks.video.loudness import levelled, measure
from tests.storyboard.boards import write_board
from tests.video.test_film_sound import Samples, heard

RATE = 48_000


def tone(path: Path, seconds: float, hertz: float, level: float = 0.2, rate: int = 44_100) -> Path:
    """A WAV of one tone, in mono."""
    times = np.arange(int(seconds * rate)) / rate
    samples = (level * np.sin(2 * np.pi * hertz * times) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return path


def encoded(recording: Path, path: Path, codec: str) -> Path:
    with av.open(str(recording)) as source, av.open(str(path), "w") as made:
        stream = made.add_stream(codec, rate=source.streams.audio[0].rate)
        stream.codec_context.layout = "mono"
        for frame in source.decode(audio=0):
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


@pytest.fixture
def film(tmp_path: Path, make_silent: Callable[[str], Path]) -> Callable[[str], tuple[Samples, int]]:
    """Gives the sound of the film of a board's text, whose three shots have two seconds each."""

    def made(text: str) -> tuple[Samples, int]:
        path = write_board(tmp_path, text)
        root = Storage(str(tmp_path / "out"))
        plan = make_plan(path, root=root.url, language="en")
        for shot in plan.shots:
            root.put(make_silent(shot.shot.id), f"clips/{shot.picked.key}/video.mp4")
        FilmMaker(root, plan).make()
        return heard(tmp_path / "out/films/audio/film.mp4")

    return made


@pytest.fixture
def make_silent(tmp_path: Path) -> Callable[[str], Path]:
    from fractions import Fraction

    from minimax_tasks.video.slate import write_slate

    def make(name: str) -> Path:
        path = tmp_path / f"silent-{name}.mp4"
        write_slate(str(path), (64, 36), Fraction(24), 2.0, name, ())
        return path

    return make


def test_a_local_sound_is_heard_where_it_lies_unless_it_was_touched(tmp_path: Path) -> None:
    write_board(
        tmp_path, "    title: Audio\n    audio: [{file: bed.wav}]\n    shots: [{id: a, action: Rain.}]\n"
    )
    bed = tone(tmp_path / "bed.wav", 1, 440)
    (sound,) = make_plan(str(tmp_path / "board.yaml"), root="out", language="en").sounds.values()
    assert local_sound(sound, tmp_path / "copy") == str(bed)
    bed.touch()
    assert local_sound(sound, tmp_path / "copy") == str(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == bed.read_bytes()
    tone(bed, 2, 440)
    with pytest.raises(VideoError, match="has changed"):
        local_sound(sound, tmp_path / "copy")


SHOTS = """\
    shots:
      - {{id: a, action: Rain.{a}}}
      - {{id: b, action: Sun., cut: true{b}}}
      - {{id: c, action: Snow., cut: true{c}}}
    """


def board(audio: str, **keys: str) -> str:
    shots = SHOTS.format(**{name: f", {keys[name]}" if name in keys else "" for name in "abc"})
    return f"    title: Audio\n    audio: {audio}\n{shots}"


def strength(samples: Samples, begin: float, end: float, hertz: float) -> float:
    """How strong a tone is between two times: its amplitude."""
    part = samples[0, int(begin * RATE) : int(end * RATE)]
    turning = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / RATE)
    return float(2 * abs((part * turning * np.hanning(len(part)) * 2).mean()))


def test_beds_and_voices_are_heard_where_the_board_says(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]]
) -> None:
    tone(tmp_path / "bed.wav", 20, 300)
    tone(tmp_path / "rain.wav", 0.7, 900)
    tone(tmp_path / "voice.wav", 1.0, 1500)
    audio = "{beds: [{file: bed.wav, from: b, to: c, start: 3}, {file: rain.wav, from: 0.5, to: 3, loop: true, gain: -6}], loudness: off}"
    samples, rate = film(board(audio, a="voice: {file: voice.wav, at: 0.5}", c="voice: voice.wav"))
    assert rate == RATE
    assert strength(samples, 0.1, 1.9, 300) < 0.005
    assert strength(samples, 2.1, 5.9, 300) == pytest.approx(0.2, rel=0.1)
    assert strength(samples, 0.1, 0.45, 900) < 0.01
    assert strength(samples, 0.7, 2.8, 900) == pytest.approx(0.1, rel=0.15)
    assert strength(samples, 3.1, 5.9, 900) < 0.005
    assert strength(samples, 0.6, 1.4, 1500) == pytest.approx(0.2, rel=0.1)
    assert strength(samples, 1.6, 3.9, 1500) < 0.01
    assert strength(samples, 4.1, 4.9, 1500) == pytest.approx(0.2, rel=0.1)
    assert samples.shape[1] == pytest.approx(6 * RATE, abs=2048)


def test_a_looped_bed_keeps_its_level_where_it_begins_again(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]]
) -> None:
    tone(tmp_path / "rain.wav", 0.7, 900)
    samples, _ = film(board("{beds: [{file: rain.wav, loop: true}], loudness: off}"))
    for again in range(1, 8):
        middle = int(again * 0.7 * RATE)
        for place in range(middle - RATE // 50, middle + RATE // 50, RATE // 450):
            level = np.sqrt(np.mean(samples[0, place : place + RATE // 450] ** 2))
            assert level == pytest.approx(0.2 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize(("ending", "codec", "rate"), [
    ("mp3", "libmp3lame", 44_100),
    ("m4a", "aac", 44_100),
    ("opus", "libopus", 48_000),
])  # fmt: skip
def test_a_loop_has_no_hole_where_it_begins_again(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]], ending: str, codec: str, rate: int
) -> None:
    """Encoders put samples in front of a sound that are not heard; in some formats they take time all the same."""
    encoded(tone(tmp_path / "rain.wav", 0.7, 900, rate=rate), tmp_path / f"bed.{ending}", codec)
    samples, _ = film(board(f"{{beds: [{{file: bed.{ending}, loop: true}}], loudness: off}}"))
    for again in range(1, 8):
        middle = int(again * 0.7 * RATE)
        for place in range(middle - RATE // 25, middle + RATE // 25, RATE // 450):
            level = np.sqrt(np.mean(samples[0, place : place + RATE // 450] ** 2))
            assert level == pytest.approx(0.2 / np.sqrt(2), rel=0.25), (again, place - middle)


@pytest.mark.parametrize("phase", [0.25, 0.5])
def test_a_bed_that_is_no_loop_does_not_click_where_it_begins_again(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]], phase: float
) -> None:
    hertz = (630 + phase) / 0.7
    tone(tmp_path / "rain.wav", 0.7, hertz)
    samples, _ = film(board("{beds: [{file: rain.wav, loop: true}], loudness: off}"))
    own = 0.2 * 2 * np.pi * hertz / RATE
    assert np.abs(np.diff(samples[0])).max() < 2.5 * own
    assert strength(samples, 0.75, 1.35, hertz) == pytest.approx(0.2, rel=0.05)
    assert strength(samples, 4.95, 5.55, hertz) == pytest.approx(0.2, rel=0.05), "none is longer or shorter"
    assert samples.shape[1] == pytest.approx(6 * RATE, abs=2048)


def test_a_bed_fades_and_makes_way_for_a_voice(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]]
) -> None:
    tone(tmp_path / "bed.wav", 20, 300)
    tone(tmp_path / "voice.wav", 1.0, 1500)
    audio = "{beds: [{file: bed.wav, fade_in: 1, fade_out: 1, duck: 12}], loudness: off}"
    samples, _ = film(board(audio, b="voice: {file: voice.wav, at: 0.5}"))
    assert strength(samples, 0.0, 0.2, 300) < 0.06
    assert strength(samples, 1.1, 2.0, 300) == pytest.approx(0.2, rel=0.1)
    assert strength(samples, 2.6, 3.4, 300) == pytest.approx(0.05, rel=0.1)
    assert strength(samples, 4.0, 4.9, 300) == pytest.approx(0.2, rel=0.1)
    assert strength(samples, 5.8, 6.0, 300) < 0.06
    assert np.abs(np.diff(samples, axis=1)).max() < 0.08


@pytest.mark.parametrize(("audio", "lufs"), [("bed.wav", -16.0), ("{beds: bed.wav, loudness: -23}", -23.0)])
def test_a_film_with_beds_is_levelled(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]], audio: str, lufs: float
) -> None:
    tone(tmp_path / "bed.wav", 20, 1000, level=0.02)
    samples, _ = film(board(audio))
    found = measure([samples], RATE)
    assert found.lufs == pytest.approx(lufs, abs=0.5)
    assert found.peak < 0.9


def test_what_would_be_too_loud_at_its_peaks_is_held_down() -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, (2, 5 * RATE)).astype(np.float32)
    noise[:, :: RATE // 2] = 0.9
    found = measure(levelled(lambda: iter(np.split(noise, 50, axis=1)), RATE, -12.0), RATE)
    assert found.peak <= 0.9
    assert found.lufs == pytest.approx(-12, abs=1.5)


def test_silence_is_not_levelled() -> None:
    silence = np.zeros((2, RATE), np.float32)
    assert not np.concatenate(list(levelled(lambda: iter([silence]), RATE, -16.0)), axis=1).any()


@pytest.mark.slow
def test_another_music_is_another_film_and_pays_nothing(
    tmp_path: Path, film: Callable[[str], tuple[Samples, int]]
) -> None:
    digests = []
    for hertz in (300, 400, 300):
        tone(tmp_path / "bed.wav", 20, hertz)
        film(board("bed.wav"))
        manifest = json.loads((tmp_path / "out/films/audio/manifest.json").read_text())
        digests.append(manifest["digest"])
        assert manifest["sound_reason"] == "there is other sound with that of the clips"
    assert digests[0] == digests[2] != digests[1]


@pytest.mark.parametrize(
    ("audio", "keys", "told"),
    [
        ("none.wav", {}, ":2: file: sound none.wav: there is no such file"),
        ("http://127.0.0.1:9/bed.wav", {}, "it is on the web, from where nothing is fetched"),
        (
            "bed.wav",
            {"b": "voice: https://example.com/v.wav"},
            "it is on the web, from where nothing is fetched",
        ),
        ("[{file: text.wav}]", {}, "sound text.wav: it cannot be read"),
        ("[{file: bed.wav, from: x}]", {}, "from = 'x'"),
        ("[{file: bed.wav, from: c, to: a}]", {}, "that is before its `from`"),
        ("[{file: bed.wav, gain: 99}]", {}, "gain = 99; allowed: decibels from -60 to 20"),
        ("bed.wav", {"b": "voice: gone.wav"}, "shot b: voice: sound gone.wav: there is no such file"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], audio: str, keys: dict[str, str], told: str
) -> None:
    tone(tmp_path / "bed.wav", 2, 300)
    (tmp_path / "text.wav").write_text("no sound")
    path = write_board(tmp_path, board(audio, **keys))
    with pytest.raises(BoardError) as raised:
        make_plan(path, root=str(tmp_path / "out"), language="en")
    assert told in str(raised.value)
    assert main(["plan", path, "--root", str(tmp_path / "out")]) == 2
    assert "Traceback" not in capsys.readouterr().err
