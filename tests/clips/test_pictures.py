"""What becomes of pictures between the request and the wire."""

import asyncio
import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import (
    ImageToVideoRequest,
    PictureError,
    StartEndToVideoRequest,
)
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.pictures import known_clip, sendable
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import submit
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.planning.make import make_plan
from tests.api.scripted import answer, scripted
from tests.clips.test_life import service_settings
from tests.conftest import Picture
from tests.storyboard.boards import write_board

GOOD = {"task_id": "1", "base_resp": {"status_code": 0, "status_msg": "success"}}


def sent(request: AnyRequest, root: Path) -> dict[str, Image.Image | str]:
    """The pictures of one submit as the service gets them."""

    async def run() -> dict[str, str]:
        async with scripted() as server, Service(service_settings(server.url)) as service:
            server.next = answer(GOOD)
            storage = Storage(str(root))
            clip = known_clip(storage, request, 1)
            await submit(clip, ClipFolder(storage, clip.key), service)
            return {name: value for name, value in server.sent.items() if name.endswith("_image")}

    return {
        name: Image.open(io.BytesIO(base64.b64decode(value.partition(",")[2])))
        if value.startswith("data:")
        else value
        for name, value in asyncio.run(run()).items()
    }


def test_frames_of_different_shape_are_sent_alike_with_a_warning(picture: Picture, tmp_path: Path) -> None:
    first, last = picture("wide.png", size=(1366, 768)), picture("square.png", "navy", size=(900, 900))
    request = StartEndToVideoRequest(first_frame_image=str(first), last_frame_image=str(last))
    with pytest.warns(UserWarning, match="1366 x 768 and the last 900 x 900: the last is cropped"):
        pictures = sent(request, tmp_path / "out")
    assert [image.size for image in pictures.values() if not isinstance(image, str)] == [
        (1366, 768),
        (900, 506),
    ]


def test_remote_pictures_are_passed_through(picture: Picture, tmp_path: Path) -> None:
    url = "https://example.com/wide.png?Signature=s"
    request = StartEndToVideoRequest(
        first_frame_image=url, last_frame_image=str(picture("a.png", size=(900, 900)))
    )
    pictures = sent(request, tmp_path / "out")
    assert pictures["first_frame_image"] == url
    assert pictures["last_frame_image"].size == (900, 900)  # type: ignore[union-attr]


def test_a_picture_is_fitted_on_request_only(picture: Picture, tmp_path: Path) -> None:
    panorama = str(picture("panorama.png", size=(3000, 700)))
    with pytest.raises(PictureError, match=r"first_frame_image .*or `fit`"):
        sent(ImageToVideoRequest(first_frame_image=panorama), tmp_path / "out")
    fitted = sent(ImageToVideoRequest(first_frame_image=panorama, fit=True), tmp_path / "out")
    assert fitted["first_frame_image"].size == (1750, 700)  # type: ignore[union-attr]


def test_a_board_can_ask_for_it(
    sandbox: Sandbox, picture: Picture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture("panorama.png", size=(3000, 700))
    text = "title: Wide\n{}shots:\n  - {{id: a, from: panorama.png, prompt: Wind.}}\n"
    assert main(["plan", write_board(tmp_path, text.format(""))]) == 2
    assert "an aspect ratio from 2:5 to 5:2, or `fit`" in capsys.readouterr().err
    board = write_board(tmp_path, text.format("defaults: {fit: true}\n"))
    assert main(["render", board, "--root", "out"]) == 0


def test_a_cropped_end_frame_starts_the_next_shot_on_the_same_crop(picture: Picture, tmp_path: Path) -> None:
    picture("wide.png", size=(1366, 768))
    picture("square.png", "navy", size=(900, 900))
    text = "title: Shapes\nshots:\n  - {{id: a, from: {}, to: square.png, action: x}}\n  - {{id: b, action: y}}\n"
    for first, shapes in (("wide.png", {"first_frame_image": (1366, 768)}), ("square.png", {})):
        plan = make_plan(write_board(tmp_path, text.format(first)), root="out", language="en")
        one, two = plan.shots
        assert two.join.kind == "continues"
        assert two.join.repeats_frame
        assert two.segments[0].clip.shapes == shapes
        assert any("is cropped to the shape of the first" in told for told in one.warnings) is bool(shapes)
        ends, starts = asyncio.run(sendable(one.segments[0].clip, None)), two.segments[0].clip
        assert (
            ends.pictures()["last_frame_image"]
            == asyncio.run(sendable(starts, None)).pictures()["first_frame_image"]
        )
