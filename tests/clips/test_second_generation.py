"""Clips of the second generation, from the request to the file: the same functions as for the first."""

import asyncio
import io
import json
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from minimax_tasks import (
    ImageToVideoRequest,
    InvalidRequest,
    ReferenceToVideo,
    ReferenceToVideoRequest,
    StartEndToVideoRequest,
    SubjectToVideo,
    SubjectToVideoRequest,
    TextToVideo,
    TextToVideoRequest,
    build,
    make,
)
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.probe import probe
from tests.conftest import Picture, point_at

H3 = "MiniMax-H3"


def wav(path: Path, seconds: float = 3.0) -> str:
    data = io.BytesIO()
    with wave.open(data, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\0" * int(8000 * seconds))
    path.write_bytes(data.getvalue())
    return str(path)


def mp4(path: Path, seconds: float = 3.0, size: tuple[int, int] = (320, 320), kind: str = "mp4") -> str:
    with av.open(str(path), "w", format=kind) as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(int(24 * seconds)):
            frame = np.full((size[1], size[0], 3), number % 255, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
    return str(path)


def test_a_clip_from_text(sandbox: Sandbox, tmp_path: Path) -> None:
    request = TextToVideoRequest(prompt="A pier", model=H3, ratio="9:16", duration=4)
    clip = asyncio.run(make(request, root=str(tmp_path)))
    found = probe(Path(clip.path))
    assert (found.ok, found.frames, found.width < found.height) == (True, 107, True)
    assert clip.usd == 0.32
    (entry,) = sandbox.ledger()
    assert entry["request"]["ratio"] == "9:16"
    folder = Path(clip.path).parent
    assert json.loads((folder / "submission.json").read_text())["endpoint"] == "v2/video_generation"
    assert json.loads((folder / "result.json").read_text())["usage"]["output_seconds"] == 4


@pytest.mark.slow
def test_a_full_size_clip_has_the_size_that_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=0.0) as full:
        point_at(monkeypatch, full.url)
        clip = asyncio.run(
            make(TextToVideoRequest(prompt="A pier", model=H3, ratio="16:9", duration=4), root=str(tmp_path))
        )
    found = probe(Path(clip.path))
    assert ((found.width, found.height), clip.warnings) == ((1344, 768), ())


def test_frames_and_subjects_go_as_contents(sandbox: Sandbox, tmp_path: Path, picture: Picture) -> None:
    one, two = str(picture("a.png")), str(picture("b.png", "red"))
    for request in (
        ImageToVideoRequest(prompt="She waves", model=H3, first_frame_image=one, duration=4),
        StartEndToVideoRequest(
            prompt="She waves", model=H3, first_frame_image=one, last_frame_image=two, duration=4
        ),
        SubjectToVideoRequest(prompt="She waves", model=H3, subject_image=(one, two), duration=4),
    ):
        asyncio.run(make(request, root=str(tmp_path)))
    roles = [[item.get("role") for item in entry["request"]["content"][1:]] for entry in sandbox.ledger()]
    assert roles == [["first_frame"], ["first_frame", "last_frame"], ["reference_image"] * 2]
    assert [entry["request"]["ratio"] for entry in sandbox.ledger()] == ["adaptive"] * 3


def test_a_task_with_references_of_every_kind(sandbox: Sandbox, tmp_path: Path, picture: Picture) -> None:
    task = ReferenceToVideo(
        prompt="A dance",
        reference_images=[str(picture("a.png"))],
        reference_videos=[mp4(tmp_path / "moves.mp4")],
        reference_audios=[wav(tmp_path / "music.wav")],
        duration=4,
        root=str(tmp_path / "out"),
    )
    assert build([task])
    (entry,) = sandbox.ledger()
    kinds = [(item["type"], item.get("role")) for item in entry["request"]["content"]]
    assert kinds == [
        ("text", None),
        ("image_url", "reference_image"),
        ("video_url", "reference_video"),
        ("audio_url", "reference_audio"),
    ]
    asked = json.loads((Path(task.output().path).parent / "request.json").read_text())
    assert asked["usd"] == pytest.approx(0.08 * (4 + 3))
    assert asked["recordings"]["reference_audios[0]"]["is"].startswith("sha256:")
    result = json.loads((Path(task.output().path).parent / "result.json").read_text())
    assert (result["usage"]["input_seconds"], result["usage"]["input_audio_seconds"]) == (3, 3)


def test_a_mov_is_uploaded_since_it_cannot_go_as_data(sandbox: Sandbox, tmp_path: Path) -> None:
    video = mp4(tmp_path / "moves.mov", kind="mov")
    request = ReferenceToVideoRequest(prompt="A dance", reference_videos=(video,), duration=4)
    asyncio.run(make(request, root=str(tmp_path / "out")))
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reference_audios": ["SHORT"], "reference_images": ["https://a/b.png"]}, "2 to 15 s"),
        ({"reference_videos": ["SMALL"]}, "sides of 256 to 5760 px"),
        ({"reference_videos": ["SOUND"]}, "another kind"),
        ({"reference_videos": ["LONG", "LONG2"]}, "at most 15 s together"),
        ({"reference_videos": ["nowhere.mp4"]}, "reference_videos[0]"),
    ],
)  # fmt: skip
def test_references_are_judged_before_anything_is_paid(
    sandbox: Sandbox, tmp_path: Path, fields: dict[str, list[str]], says: str
) -> None:
    files: dict[str, Any] = {
        "SHORT": lambda: wav(tmp_path / "short.wav", 1),
        "SMALL": lambda: mp4(tmp_path / "small.mp4", size=(128, 128)),
        "SOUND": lambda: wav(tmp_path / "sound.wav"),
        "LONG": lambda: mp4(tmp_path / "long.mp4", 8, (256, 256)),
        "LONG2": lambda: mp4(tmp_path / "long2.mp4", 8, (256, 258)),
    }
    given = {
        name: tuple(files.get(one, lambda one=one: one)() for one in ones) for name, ones in fields.items()
    }
    request = ReferenceToVideoRequest(prompt="A dance", **given)
    with pytest.raises(InvalidRequest) as told:
        asyncio.run(make(request, root=str(tmp_path / "out")))
    assert says in str(told.value)
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: TextToVideoRequest(prompt="a", model=H3), "needs one for a clip from text alone"),
        (lambda: TextToVideoRequest(prompt="a", model=H3, ratio="adaptive"), "21:9, 16:9"),
        (lambda: TextToVideoRequest(prompt="a", model=H3, ratio="2:1"), "no such ratio"),
        (lambda: TextToVideoRequest(prompt="a", model=H3, ratio="1:1", duration=16), "allowed: 4, 5"),
        (lambda: TextToVideoRequest(prompt="a", model=H3, ratio="1:1", resolution="1080P"), "768P, 2K"),
        (lambda: TextToVideoRequest(prompt="a" * 7001, model=H3, ratio="1:1"), "at most 7000"),
        (lambda: TextToVideoRequest(prompt="a", ratio="1:1"), "one shape"),
        (lambda: ImageToVideoRequest(model=H3, first_frame_image="https://a/b.png"), "always needs one"),
        (lambda: ImageToVideoRequest(first_frame_image="mm_file://1"), "no uploaded files"),
        (lambda: ReferenceToVideoRequest(prompt="a"), "at least one picture or video"),
        (lambda: ReferenceToVideoRequest(prompt="a", reference_audios=("https://a/b.mp3",)), "sounds need"),
        (
            lambda: ReferenceToVideoRequest(
                prompt="a",
                reference_images=("https://a/b.png",) * 9,
                reference_videos=("https://a/b.mp4",) * 3,
                reference_audios=("https://a/b.mp3",),
            ),
            "at most 12 files",
        ),
        (
            lambda: SubjectToVideoRequest(prompt="a", model=H3, subject_image=("https://a/b.png",) * 10),
            "1 to 9 pictures",
        ),
        (lambda: TextToVideoRequest(prompt="a", model="MiniMax-H3-Max", ratio="1:1", duration=4), "5, 6"),
        (lambda: ReferenceToVideo(prompt="a"), "at least one picture"),
        (lambda: SubjectToVideo(prompt="", model=H3, subject_image="https://a/b.png"), "always needs one"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(wrong: Any, says: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        wrong()
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("request_", "usd"),
    [
        (TextToVideoRequest(prompt="a", model=H3, ratio="1:1", duration=15, resolution="2K"), 1.95),
        (ReferenceToVideoRequest(prompt="a", reference_images=("https://a/b",) * 7, duration=10), 0.88),
        (ReferenceToVideoRequest(prompt="a", reference_videos=("https://a/b",), duration=5), 1.6),
        (
            ReferenceToVideoRequest(
                prompt="a", reference_videos=("https://a/b",), reference_seconds=4.0, duration=5
            ),
            0.72,
        ),
        (TextToVideoRequest(prompt="a", model="MiniMax-H3-Lite", ratio="1:1"), None),
        (TextToVideoRequest(prompt="a", model="MiniMax-H3-Next", ratio="1:1"), None),
    ],
)
def test_prices_count_seconds_pictures_and_references(request_: Any, usd: float | None) -> None:
    assert request_.usd == usd


def test_what_nobody_knows_is_taken_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="not in the catalogue"):
        TextToVideoRequest(prompt="a", model="MiniMax-H3-Next", ratio="1:1")
    with pytest.warns(UserWarning, match="shape of its frame"):
        ImageToVideoRequest(prompt="a", model=H3, first_frame_image="https://a/b.png", ratio="1:1")
    with pytest.warns(UserWarning, match="last frame alone"):
        StartEndToVideoRequest(prompt="a", model=H3, last_frame_image="https://a/b.png")


def test_the_keys_of_the_first_generation_stay(tmp_path: Path) -> None:
    """Written down before there was a second one."""
    clip = known_clip(Storage(str(tmp_path)), TextToVideoRequest(prompt="A lighthouse"), 1)
    assert clip.key == "8e6a4e5af230da085e00138f7174316c"


def test_a_task_from_text_takes_a_ratio(sandbox: Sandbox, tmp_path: Path) -> None:
    task = TextToVideo(prompt="Sea", model=H3, ratio="1:1", duration=4, root=str(tmp_path))
    assert build([task])
    found = probe(Path(task.output().path))
    assert found.width == found.height
