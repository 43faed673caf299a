"""What was paid is kept: another wrapping beside the place, a damaged clip fetched again."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from minimax_tasks import DownloadFailed, MiniMaxClient, UncheckedVideo
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.clips.timing import Timing
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.probe import probe
from minimax_tasks.video.wrapping import extension_of
from tests.clips.test_life import TEXT, folder_of, make, names

Serve = Callable[[list[bytes]], list[str]]


QUICK = Timing(download_pause=0.001)


def film(path: Path, codec: str, pix_fmt: str, frames: int = 144, **options: str) -> bytes:
    """At 24 a second, a moving gradient with grain."""
    grain = np.random.default_rng(7).normal(0, 6, (192, 320, 3))
    with av.open(
        str(path), "w", options={"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
    ) as out:
        stream = out.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 192, pix_fmt
        stream.options = options
        for number in range(frames):
            pixels = np.linspace(0, 200, 320 * 192 * 3).reshape(192, 320, 3) + number % 50
            noisy = np.clip(pixels + np.roll(grain, 7919 * number), 0, 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path.read_bytes()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return film(tmp_path_factory.mktemp("films") / "good.mp4", "libx264", "yuv420p")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """What the download host sends, one after the other, the last one from then on; returns what was fetched."""
    fetched: list[str] = []

    def serving(bodies: list[bytes]) -> list[str]:
        async def fetch(self: MiniMaxClient, url: str, file: Path) -> int:
            body = bodies[min(len(fetched), len(bodies) - 1)]
            fetched.append(url)
            return file.write_bytes(body)

        monkeypatch.setattr(MiniMaxClient, "fetch", fetch)
        return fetched

    return serving


@pytest.mark.parametrize(
    ("file", "codec", "pix_fmt"),
    [
        ("clip.mov", "prores_ks", "yuv422p10le"),
        ("clip.mov", "mjpeg", "yuvj420p"),
        ("clip.mp4", "mjpeg", "yuvj420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.mkv", "libx264", "yuv420p"),
        ("clip.ts", "libx264", "yuv420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
    ],
)
def test_a_video_in_another_wrapping_is_kept_and_fetched_once(
    sandbox: Sandbox, tmp_path: Path, serve: Serve, file: str, codec: str, pix_fmt: str, capsys: Any
) -> None:
    sent = film(tmp_path / file, codec, pix_fmt, frames=24)
    fetched = serve([sent])
    root = tmp_path / "root"
    for _ in range(2):
        with pytest.raises(UncheckedVideo, match="When it plays") as told:
            make(sandbox.url, TEXT, root, QUICK)
    folder = folder_of(TEXT, root)
    kept = f"video.unchecked.{file.rpartition('.')[2]}"
    assert (root / "clips" / folder.key / kept).read_bytes() == sent
    assert len(fetched) == 1
    assert kept in str(told.value)
    assert isinstance(told.value, DownloadFailed)
    state = clip_states(Storage(str(root)), [folder.key])[folder.key]
    assert state.status is ClipStatus.UNCHECKED
    assert f"ffmpeg -i {kept}" in state.reason
    assert main(["resume", "--root", str(root)]) == 1
    (root / "clips" / folder.key / "video.mp4").write_bytes(b"what a person made of it")
    make(sandbox.url, TEXT, root, QUICK)
    assert clip_states(Storage(str(root)), [folder.key])[folder.key].status is ClipStatus.MADE
    assert len(sandbox.ledger()) == 1


def flipped(data: bytes) -> bytes:
    """200 bytes of the pictures are others."""
    dice = random.Random(3)
    begin = data.index(b"mdat") + 8
    damaged = bytearray(data)
    for at in dice.sample(range(begin, len(data)), 200):
        damaged[at] ^= dice.randrange(1, 256)
    return bytes(damaged)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "200 flipped bytes": flipped,
    "the end is zero": lambda data: data[:-3000] + bytes(3000),
    "the last bytes are zero": lambda data: data[:-40] + bytes(40),
    "cut in the middle": lambda data: data[: len(data) // 2],
    "zeros in the middle": lambda data: data[: len(data) // 2] + bytes(4096) + data[len(data) // 2 + 4096 :],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_video_is_fetched_again(
    sandbox: Sandbox, tmp_path: Path, serve: Serve, good: bytes, damage: str
) -> None:
    fetched = serve([DAMAGES[damage](good)] * 2 + [good])
    folder = make(sandbox.url, TEXT, tmp_path, QUICK)
    assert len(fetched) == 3
    assert (tmp_path / "clips" / folder.key / "video.mp4").read_bytes() == good
    assert not [name for name in names(folder) if "unchecked" in name]


def test_a_video_that_stays_damaged_is_kept_and_asked_for_by_the_next_run(
    sandbox: Sandbox, tmp_path: Path, serve: Serve, good: bytes
) -> None:
    damaged = DAMAGES["the end is zero"](good)
    fetched = serve([damaged])
    with pytest.raises(UncheckedVideo, match="damaged"):
        make(sandbox.url, TEXT, tmp_path, QUICK)
    folder = folder_of(TEXT, tmp_path)
    assert len(fetched) == QUICK.download_tries
    assert (tmp_path / "clips" / folder.key / "video.unchecked.mp4").read_bytes() == damaged
    assert "video.mp4" not in names(folder)
    fetched.clear()
    serve([good])
    make(sandbox.url, TEXT, tmp_path, QUICK)
    assert "video.mp4" in names(folder)
    result = json.loads((tmp_path / "clips" / folder.key / "result.json").read_text())
    assert result["video"]["frames"] == 144


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b'{"error": "gone"}', b"#EXTM3U\n#EXTINF:6,\na.ts\n"]
)
def test_a_page_is_not_kept(sandbox: Sandbox, tmp_path: Path, serve: Serve, body: bytes) -> None:
    fetched = serve([body])
    with pytest.raises(DownloadFailed, match="The next run fetches it"):
        make(sandbox.url, TEXT, tmp_path, QUICK)
    assert len(fetched) == QUICK.download_tries
    assert not [name for name in names(folder_of(TEXT, tmp_path)) if name.startswith("video")]


@pytest.mark.slow
def test_good_videos_are_good_at_every_level(tmp_path: Path, good: bytes) -> None:
    film(tmp_path / "hevc.mp4", "libx265", "yuv420p")
    film(tmp_path / "intra.mp4", "libx264", "yuv420p", g="1")
    (tmp_path / "good.mp4").write_bytes(good)
    for name in ("hevc.mp4", "intra.mp4", "good.mp4"):
        for level in ("header", "packets", "keyframes", "decode"):
            found = probe(tmp_path / name, level)  # type: ignore[arg-type]
            assert (name, level, found.problems, found.frames) == (name, level, (), 144)


def test_unknown_bytes_have_a_name_too(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)))
    assert extension_of(tmp_path / "x") == "bin"


def test_resume_verify_finds_what_a_disk_has_damaged_and_fetches_it_again(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(sandbox.url, TEXT, tmp_path, QUICK)
    video = tmp_path / "clips" / folder.key / "video.mp4"
    whole = video.read_bytes()
    damaged = flipped(whole)
    video.write_bytes(damaged)
    assert main(["resume", "--root", str(tmp_path)]) == 0
    assert video.read_bytes() == damaged, "only on request is everything decoded"
    assert main(["resume", "--verify", "--root", str(tmp_path)]) == 0
    assert "damaged, so fetched again" in capsys.readouterr().err
    assert video.read_bytes() == whole
    assert (video.parent / "video.unchecked.mp4").read_bytes() == damaged
    assert main(["resume", "--verify", "--root", str(tmp_path)]) == 0
    assert len(sandbox.ledger()) == 1
