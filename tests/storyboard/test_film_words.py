"""What a film does with the sound of its clips."""

import json
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.colour import frame_of
from minimax_tasks.video.encode import h264_mp4
from tests.storyboard.test_film_folder import board, plan_of
from tests.video.conftest import grey


def loud_clip(path: Path) -> Path:
    """Twelve frames and a little sound."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=24)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 36, "yuv420p"
        sound = container.add_stream("aac", rate=32_000)
        for number in range(12):
            container.mux(pictures.encode(frame_of(grey(number, (64, 36)))))
        container.mux(pictures.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 32_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    return path


def test_a_film_of_clips_with_sound_has_their_sound(sandbox: Sandbox, tmp_path: Path) -> None:
    path = board(tmp_path / "b.yaml", "Rain.", "Sun.")
    plan_of(path, Storage(str(tmp_path / "out")), loud_clip(tmp_path / "loud.mp4"))
    assert main(["render", path, "--root", str(tmp_path / "out")]) == 0
    (manifest,) = (tmp_path / "out/films").glob("*/manifest.json")
    assert json.loads(manifest.read_text())["sound"] == "encode"
    with av.open(str(manifest.with_name("film.mp4"))) as film:
        assert film.streams.audio[0].rate == 48_000


def test_a_film_has_its_title_and_a_picture_of_its_first_shot_as_its_cover(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(
        """
title: Höhe 高
picture: "9:16"
defaults: {model: MiniMax-Hailuo-02}
shots:
  - {id: "005", title: {text: Sun, over: black, seconds: 2}}
  - {id: "010", clip: red.mp4, cut: wipeleft 0.2}
  - {id: "020", clip: red.mp4, cut: true, dialogue: {en: Go., zh: 走。}}
""",
        encoding="utf-8",
    )
    with h264_mp4(str(tmp_path / "red.mp4"), (64, 36), Fraction(24), {}) as clip:
        for _ in range(24):
            clip.write(frame_of(Image.new("RGB", (64, 36), (200, 30, 30))))
    assert main(["render", str(path), "--root", str(tmp_path / "out")]) == 0
    (film,) = (tmp_path / "out/films").glob("*/film.mp4")
    with av.open(str(film)) as container:
        assert container.metadata["title"] == "Höhe 高"
        pictures, cover = container.streams.video
        assert (pictures.codec_context.name, pictures.frames) == ("h264", 48 + 24 + 24 - 5)
        assert cover.disposition == Disposition.attached_pic
        assert [one.metadata["language"] for one in container.streams.subtitles] == ["eng", "zho"]
        image = next(container.decode(cover)).to_image()
    assert image.width / image.height == pytest.approx(pictures.width / pictures.height, abs=0.02)
    red, green, blue = image.getpixel((image.width // 2, image.height // 2))
    assert red > 180
    assert max(green, blue) < 60
    report = film.with_name("report.html").read_text(encoding="utf-8")
    assert re.search(r'<video controls [^>]*poster="data:image/webp', report)
