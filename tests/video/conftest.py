"""Small real clips whose frames can be told apart by their grey."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from PIL import Image

from tests.decoded import pictures_in

DARKEST = 20
STEP = 4
"""Frame n of a clip is a flat picture of grey DARKEST + n * STEP."""

NO_B_FRAMES = {"bf": "0", "g": "12", "threads": "1"}
B_FRAMES = {"bf": "3", "b-adapt": "0", "g": "250", "threads": "1"}


def grey(number: int, size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", size, (DARKEST + STEP * number,) * 3)


def number_of(image: Image.Image) -> int:
    across, down = image.width // 2, image.height // 2
    (middle,) = image.crop((across, down, across + 1, down + 1)).convert("L").tobytes()
    return round((middle - DARKEST) / STEP)


def written_clip(
    path: Path,
    frames: int = 24,
    fps: int = 24,
    size: tuple[int, int] = (96, 54),
    first: int = 0,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    tagged: bool = True,
    b_frames: bool = False,
    options: dict[str, str] | None = None,
    movflags: str = "+faststart",
    picture: Callable[[int, tuple[int, int]], Image.Image] = grey,
    matrix: str = "ITU709",
    audio: bool = False,
) -> str:
    """Writes a clip of `frames` pictures, numbered from `first`, and gives its path."""
    asked = (
        path.suffix, frames, fps, size, first, codec, pix_fmt, tagged, b_frames, str(options), movflags, picture, matrix, audio
    )  # fmt: skip
    if asked not in _WRITTEN:
        _write(path, *asked[1:9], options, *asked[10:])
        _WRITTEN[asked] = path.read_bytes()
    else:
        path.write_bytes(_WRITTEN[asked])
    return str(path)


_WRITTEN: dict[tuple[Any, ...], bytes] = {}
"""What was asked for -> the clip."""


def _write(
    path: Path,
    frames: int,
    fps: int,
    size: tuple[int, int],
    first: int,
    codec: str,
    pix_fmt: str,
    tagged: bool,
    b_frames: bool,
    options: dict[str, str] | None,
    movflags: str,
    picture: Callable[[int, tuple[int, int]], Image.Image],
    matrix: str,
    audio: bool,
) -> None:
    encoding = {**(B_FRAMES if b_frames else NO_B_FRAMES), **(options or {})}
    with av.open(
        str(path), "w", options={"movflags": movflags} if path.suffix == ".mp4" else {}
    ) as container:
        stream = container.add_stream(codec, rate=fps, options=encoding)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        sound = container.add_stream("aac", rate=32000) if audio else None
        if tagged:
            stream.codec_context.color_range = 1
            stream.codec_context.colorspace = 1
            stream.codec_context.color_primaries = 1
            stream.codec_context.color_trc = 1
        reformatter = VideoReformatter()  # each of its own would take longer than the rest of the frame
        for number in range(frames):
            rgb = av.VideoFrame.from_ndarray(np.asarray(picture(first + number, size)), format="rgb24")
            frame = reformatter.reformat(
                rgb, format=pix_fmt, dst_colorspace=matrix, dst_color_range="MPEG", threads=1
            )
            frame.pts = number
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate = 32000
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., str]:
    """Writes a clip, as `written_clip` does, and gives its path."""

    def make(name: str = "clip.mp4", *args: Any, **how: Any) -> str:
        return written_clip(tmp_path / name, *args, **how)

    return make


@pytest.fixture
def out(tmp_path: Path) -> str:
    """Where a film is to be written."""
    return str(tmp_path / "film.mp4")


@pytest.fixture
def shown() -> Callable[[str], list[int]]:
    """Gives the numbers of the pictures of a film, in the order in which they are shown."""

    def numbers(path: str) -> list[int]:
        return [number_of(picture) for picture in pictures_in(path)]

    return numbers


@pytest.fixture
def number() -> Callable[[Image.Image], int]:
    """Gives the number of a single picture."""
    return number_of


@pytest.fixture
def packets() -> Callable[[str], list[bytes]]:
    """Gives the packets of a film as they are in the file."""

    def read(path: str) -> list[bytes]:
        with av.open(path) as container:
            return [bytes(packet) for packet in container.demux(video=0) if packet.size]

    return read
