"""What a film does with the sound of its clips."""

import json
from pathlib import Path

import av
import numpy as np

from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.colour import frame_of
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
