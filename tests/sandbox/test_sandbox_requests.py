"""What the sandbox takes and what it refuses, in the words of the live service where they are recorded."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from minimax_tasks.sandbox import Sandbox
from tests.sandbox.conftest import Api, Serve, data_url, still

H23, FAST, H02 = "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"
FRAME = data_url(still())
SUBJECT = [{"type": "character", "image": [FRAME]}]


@pytest.fixture(scope="module")
def idle() -> Iterator[Api]:
    """A sandbox that draws nothing."""
    with Sandbox(faults=[{"at": "task", "stuck": "Preparing"}]) as sandbox:
        headers = {"Authorization": "Bearer x"}
        with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False, verify=False) as http:
            yield Api(sandbox, http)


def refusal(answer: dict[str, Any]) -> str:
    assert answer["task_id"] == ""
    assert answer["base_resp"]["status_code"] == 2013
    message = answer["base_resp"]["status_msg"]
    assert message.startswith("invalid params, ")
    return str(message).removeprefix("invalid params, ")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": H02, "prompt": "x", "resolution": "720p"},
         "param 'resolution' only support 512P, 768P and 1080P"),
        ({"model": H02, "prompt": "x", "resolution": "768p"},
         "param 'resolution' only support 512P, 768P and 1080P"),
        ({"model": H02, "prompt": "x", "resolution": "1080P", "duration": 10},
         "param 'duration' only support 6s for model MiniMax-Hailuo-02 1080P"),
        ({"model": FAST, "prompt": "x"},
         "model MiniMax-Hailuo-2.3-Fast does not support Text-to-Video mode"),
        ({"model": H23, "first_frame_image": FRAME, "last_frame_image": FRAME},
         "model MiniMax-Hailuo-2.3 does not support First-and-Last-Frame-Video mode"),
        ({"model": H02, "prompt": "x", "subject_reference": SUBJECT},
         "param 'subject_reference' is incompatible with model MiniMax-Hailuo-02"),
        ({"model": "I2V-01", "prompt": "x"}, "I2V-01: first_frame_image is required"),
        ({"prompt": "x"}, "binding: expr_path=model, cause=missing required parameter"),
    ],
)  # fmt: skip
def test_recorded_messages(api: Api, body: dict[str, Any], message: str) -> None:
    assert refusal(api.send(body)) == message


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"model": "Hailuo"}, "model Hailuo is not supported"),
        ({"model": H23}, "expr_path=prompt, cause=missing"),
        ({"model": H23, "prompt": " "}, "expr_path=prompt, cause=missing"),
        ({"model": H23, "prompt": "x" * 2001}, "2000 characters"),
        ({"model": H23, "prompt": ["x"]}, "expr_path=prompt, cause=parameter type"),
        ({"model": H23, "prompt": "x", "duration": "6"}, "expr_path=duration, cause=parameter type"),
        ({"model": H23, "prompt": "x", "duration": True}, "expr_path=duration, cause=parameter type"),
        ({"model": H23, "prompt": "x", "duration": 0}, "'duration' only support 6s and 10s"),
        ({"model": H23, "prompt": "x", "duration": 8}, "'duration' only support 6s and 10s"),
        ({"model": H23, "prompt": "x", "resolution": "512P"}, "only support 768P and 1080P"),
        ({"model": H02, "first_frame_image": FRAME, "last_frame_image": FRAME, "resolution": "512P"},
         "only support 768P and 1080P"),
        ({"model": "T2V-01", "prompt": "x", "resolution": "1080P"}, "only support 720P"),
        ({"model": "T2V-01", "first_frame_image": FRAME}, "does not support Image-to-Video mode"),
        ({"model": "S2V-01", "prompt": "x"}, "S2V-01: subject_reference is required"),
        ({"model": "video-01-live2d", "prompt": "x"}, "video-01-live2d: first_frame_image is required"),
        ({"model": "video-01", "last_frame_image": FRAME}, "does not support First-and-Last-Frame-Video"),
        ({"model": "S2V-01", "prompt": "x", "first_frame_image": FRAME}, "subject_reference is required"),
        ({"model": H23, "prompt": "x", "prompt_optimizer": "yes"}, "expr_path=prompt_optimizer"),
        ({"model": H23, "prompt": "x", "fast_pretreatment": 1}, "expr_path=fast_pretreatment"),
        ({"model": H23, "prompt": "x", "callback_url": "me"}, "callback_url"),
    ],
)  # fmt: skip
def test_refused(api: Api, body: dict[str, Any], word: str) -> None:
    assert word in refusal(api.send(body))


@pytest.mark.parametrize(
    "subject",
    [{}, "x", [{"type": "person", "image": [FRAME]}], [{"type": "character", "image": FRAME}],
     [{"type": "character", "image": []}], [{"type": "character"}], SUBJECT * 2],
)  # fmt: skip
def test_the_shape_of_a_subject(api: Api, subject: Any) -> None:
    body = {"model": "S2V-01", "prompt": "x", "subject_reference": subject}
    assert "'subject_reference' must be" in refusal(api.send(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"seed": ' + b"[" * 960 + b"]" * 960 + b"}",
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "\xed\xa0\x80"}',
        b'{"seed": NaN}',
        b'{"seed": 1e999}',
        '{"prompt": "x"}'.encode("utf-16"),
    ],
    ids=range(11),
)
def test_bodies_that_are_no_object(api: Api, body: bytes) -> None:
    assert "JSON" in refusal(api.http.post("/v1/video_generation", content=body).json())
    assert api.http.get("/sandbox/ledger").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"model": H02, "prompt": "x", "resolution": "512P", "duration": 10},
        {"model": H23, "prompt": "雨" * 2000},
        {"model": H23, "first_frame_image": FRAME, "duration": 10},
        {"model": FAST, "first_frame_image": FRAME, "resolution": "1080P", "fast_pretreatment": True},
        {"model": H02, "last_frame_image": FRAME},
        {"model": H02, "first_frame_image": FRAME, "last_frame_image": FRAME, "fast_pretreatment": True},
        {"model": H23, "prompt": "x", "first_frame_image": None, "subject_reference": None},
        {"model": H23, "prompt": "x", "subject_reference": [], "first_frame_image": ""},
        {"model": H23, "prompt": "x", "aigc_watermark": True, "prompt_optimizer": False, "seed": 7},
        {"model": "S2V-01", "subject_reference": SUBJECT, "duration": 6, "resolution": "1080P"},
        {"model": "S2V-01", "subject_reference": [{"type": "character", "image": [FRAME, FRAME]}]},
        {"model": "T2V-01", "prompt": "x", "duration": 6, "resolution": "720P"},
        {"model": "video-01", "prompt": "x"},
        {"model": "video-01", "prompt": "x", "duration": 10, "resolution": "1080P"},
        {"model": "video-01", "first_frame_image": FRAME},
        {"model": "video-01-live2d", "first_frame_image": FRAME},
    ],
)
def test_taken(idle: Api, body: dict[str, Any]) -> None:
    assert idle.send(body)["base_resp"]["status_code"] == 0


def damaged() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((640, 360), 90).save(out, "JPEG")
    return out.getvalue()[:5000]


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (data_url(still(), "GIF"), "only support JPG, JPEG, PNG and WebP"),
        (data_url(b"not a picture"), "not a readable image"),
        (data_url(damaged()), "not a readable image"),
        (data_url(still(300, 600)), "greater than 300px"),
        (data_url(still(1000, 399)), "between 2:5 and 5:2"),
        (data_url(still(301, 753)), "between 2:5 and 5:2"),
        (data_url(b"\xff" * 20_000_000), "less than 20MB"),
        ("data:image/png;base64,%%%", "not valid base64"),
        ("data:image/png,abc", "URL or a base64 data URL"),
        ("/home/me/picture.png", "URL or a base64 data URL"),
    ],
    ids=["gif", "text", "damaged", "small", "wide", "tall", "heavy", "no base64", "plain", "path"],
)
def test_pictures_that_are_refused(api: Api, picture: str, word: str) -> None:
    message = refusal(api.send({"model": H23, "first_frame_image": picture}))
    assert word in message
    assert "'first_frame_image'" in message


@pytest.mark.parametrize(
    "picture",
    [
        data_url(still(301, 752)),
        data_url(still(1000, 400)),
        data_url(still(), "WEBP"),
        data_url(still(), "JPEG").replace("image/jpeg", "image/png"),
        data_url(still().convert("RGBA")),
        data_url(Image.fromarray(np.full((400, 600), 900, np.uint16))),
        "data:image/png;base64," + base64.encodebytes(base64.b64decode(FRAME.partition(",")[2])).decode(),
        "https://example.invalid/never-fetched.png",
    ],
    ids=["tall", "wide", "webp", "wrong label", "alpha", "16 bit", "line breaks", "url"],
)
def test_pictures_that_are_taken(api: Api, picture: str) -> None:
    task_id = api.send({"model": H23, "first_frame_image": picture})["task_id"]
    assert api.wait(task_id)["status"] == "Success"


def test_a_picture_is_seen_upright(api: Api) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    lying = still(800, 400)
    lying.paste("red", (0, 0, 400, 400))
    body = {"model": H23, "first_frame_image": data_url(lying, "JPEG", exif=turned.tobytes())}
    done = api.wait(api.send(body)["task_id"])
    assert (done["video_width"], done["video_height"]) == (768, 1536)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "expr_path=template_id, cause=missing"),
        ({"template_id": 394246956137422856}, "expr_path=template_id, cause=parameter type"),
        ({"template_id": "1"}, "template_id 1 does not exist"),
        ({"template_id": "394246956137422856"}, "'media_inputs' is required"),
        ({"template_id": "394246956137422856", "media_inputs": [FRAME]}, "expr_path=media_inputs"),
        ({"template_id": "394125185182695432"}, "'text_inputs' is required"),
        ({"template_id": "394125185182695432", "text_inputs": [{"value": " "}]}, "'text_inputs' is required"),
        ({"template_id": "394125185182695432", "text_inputs": [{"value": "x" * 2001}]}, "2000 characters"),
        ({"template_id": "394246956137422856", "media_inputs": [{"value": data_url(still(100, 100))}]},
         "greater than 300px"),
    ],
)  # fmt: skip
def test_templates_that_are_refused(api: Api, body: dict[str, Any], word: str) -> None:
    assert word in refusal(api.template(**body))


def test_refused_requests_are_not_in_the_ledger(serve: Serve) -> None:
    api = serve()
    api.send({"model": "none", "prompt": "x"})
    assert api.sandbox.ledger() == []


def test_a_body_without_an_end(api: Api) -> None:
    answer = api.http.post("/v1/video_generation", content=b" " * 64_000_001)
    assert answer.status_code == 413
