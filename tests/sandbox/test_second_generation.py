"""The second generation of the API in the sandbox: paths, judgement, answers, list, cancel, window, clips with sound."""

import io
import time
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from minimax_tasks.sandbox.drawing.sound import RATE, tone_of, word_tone
from tests.sandbox.conftest import Api, Serve, data_url, fetch, still, until

ASK = {
    "model": "MiniMax-H3",
    "content": [{"type": "text", "text": "A harbour at dawn"}],
    "resolution": "768P",
    "duration": 5,
    "ratio": "16:9",
}
PICTURE = "https://example.com/a.png"


def image(role: str | None = None, url: str = PICTURE) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}} | ({"role": role} if role else {})


def sound(url: str = "https://example.com/a.mp3") -> dict[str, Any]:
    return {"type": "audio_url", "audio_url": {"url": url}, "role": "reference_audio"}


def video(url: str = "https://example.com/a.mp4") -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": url}, "role": "reference_video"}


def body(*items: dict[str, Any], **given: Any) -> dict[str, Any]:
    asked = ASK | {"content": [*ASK["content"], *items]} | given  # type: ignore[misc]
    return {name: value for name, value in asked.items() if value is not None}


def create(api: Api, *items: dict[str, Any], **given: Any) -> httpx.Response:
    return api.http.post("/v2/video_generation", json=body(*items, **given))


def task(api: Api, task_id: str) -> dict[str, Any]:
    return dict(api.http.get(f"/v2/query/video_generation/{task_id}").json()["task"])


def finished(api: Api, task_id: str) -> dict[str, Any]:
    return until(lambda: task(api, task_id), lambda told: told["status"] not in ("queued", "running"))


def listed(api: Api, **params: Any) -> dict[str, Any]:
    given = {name.replace("filter_", "filter."): value for name, value in params.items()}
    return dict(api.http.get("/v2/query/video_generation", params=given).json())


def message(response: httpx.Response) -> str:
    return str(response.json()["error"]["message"])


def test_a_clip_from_its_request_to_its_sound(api: Api, tmp_path: Path) -> None:
    text = "A pier. <d>[English] Good morning</d>"
    created = create(api, content=[{"type": "text", "text": text}])
    assert (created.status_code, list(created.json())) == (200, ["task_id"])
    task_id = created.json()["task_id"]
    assert len(task_id) == 15
    done = finished(api, task_id)
    assert (done["status"], done["ratio"], done["modality"], done["task_type"]) == (
        "succeeded", "16:9", "video", "generation",
    )  # fmt: skip
    assert done["usage"]["output_seconds"] == 5
    data = fetch(done["content"]["url"]).content
    assert data.find(b"mdat") < data.find(b"moov")
    with av.open(io.BytesIO(data)) as clip:
        (pictures,), (track,) = clip.streams.video, clip.streams.audio
        assert (pictures.frames, pictures.average_rate) == (124, 24)
        assert (track.codec_context.name, track.rate, track.layout.name) == ("aac", RATE, "stereo")
        heard = np.concatenate([frame.to_ndarray() for frame in clip.decode(track)], axis=1)
    assert loudest(heard, 4.2, 4.8) == pytest.approx(tone_of(text, 1), abs=3)
    assert loudest(heard, 0.41, 0.53, above=600) == pytest.approx(word_tone("Good"), abs=12)


def loudest(heard: Any, start: float, end: float, above: float = 100) -> float:
    part = heard[0, int(start * RATE) : int(end * RATE)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    hertz = np.fft.rfftfreq(len(part), 1 / RATE)
    spectrum[hertz < above] = 0
    return float(hertz[spectrum.argmax()])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"duration": None}, "binding: expr_path=duration, cause=missing required parameter (2013)"),
        ({"resolution": None}, "expr_path=resolution"),
        ({"model": None}, "expr_path=model"),
        ({"content": None}, "expr_path=content"),
        ({"duration": "5"}, "expr_path=duration, cause=parameter type"),
        ({"model": "MiniMax-Hailuo-02"}, "this model is not supported by /v2/video_generation"),
        ({"content": [{"type": "text", "text": " "}]}, "non-empty text item (prompt is required) (2013)"),
        ({"content": [{"type": "text", "text": "a"}] * 2}, "exactly one text item"),
        ({"content": [{"type": "text", "text": "a" * 7001}]}, "7000"),
        ({"duration": 3}, "between 4 and 15"),
        ({"duration": 16}, "between 4 and 15"),
        ({"resolution": "1080P"}, "only support 768P and 2K"),
        ({"ratio": None}, "ratio"),
        ({"ratio": "adaptive"}, "ratio"),
        ({"ratio": "2:1"}, "only support adaptive, 21:9"),
        ({"model": "MiniMax-H3-Max", "duration": 4}, "between 5 and 15"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_a_real_status(api: Api, asked: dict[str, Any], says: str) -> None:
    refused = create(api, **asked)
    assert refused.status_code == 400
    told = refused.json()
    assert says in message(refused)
    assert (told["type"], told["error"]["type"], told["error"]["http_code"]) == (
        "error", "bad_request_error", "400",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("items", "taken"),
    [
        ([image()], True),
        ([image("first_frame")], True),
        ([image("last_frame")], True),
        ([image("first_frame"), image("last_frame")], True),
        ([image("first_frame"), image("first_frame")], False),
        ([image(), image()], False),
        ([image("reference_image")] * 9, True),
        ([image("reference_image")] * 10, False),
        ([image("reference_image"), video(), sound()], True),
        ([video()] * 3, True),
        ([video()] * 4, False),
        ([sound()], False),
        ([image("reference_image")] * 9 + [video()] * 3, True),
        ([image("reference_image")] * 9 + [video()] * 3 + [sound()], False),
        ([image("first_frame"), image("reference_image")], False),
    ],
)  # fmt: skip
def test_which_files_go_together(serve: Serve, items: list[dict[str, Any]], taken: bool) -> None:
    answer = create(serve(idle=True), *items, ratio=None)
    assert answer.status_code == (200 if taken else 400), answer.text


def test_keys_and_unknown_paths(api: Api) -> None:
    nobody = httpx.post(f"{api.sandbox.url}/v2/video_generation", json=ASK, trust_env=False, verify=False)
    assert (nobody.status_code, nobody.json()["error"]["type"]) == (401, "authorized_error")
    assert message(nobody).endswith("(1004)")
    for path in ("/v2/video_generation/list", "/v2/query", "/v2/video_generation/query"):
        unknown = api.http.get(path)
        assert (unknown.status_code, unknown.text) == (404, "404 page not found")
    assert api.http.get("/v2/query/video_generation/1").status_code == 400
    assert message(api.http.get("/v2/query/video_generation/1")) == "invalid params, invalid task_id (2013)"
    malformed = api.http.get("/v2/query/video_generation/none")
    assert (malformed.status_code, message(malformed)) == (500, "record not found (1000)")


def test_the_list_lags_filters_and_pages(serve: Serve) -> None:
    api = serve(idle=True, list_lag=0.5)
    ids = [create(api, duration=4 + n).json()["task_id"] for n in range(3)]
    assert listed(api)["items"] == []
    until(lambda: listed(api)["total"], lambda total: total == 3)
    assert [one["id"] for one in listed(api)["items"]] == ids[::-1]
    page = listed(api, page_num=2, page_size=2)
    assert ([one["id"] for one in page["items"]], page["total"]) == ([ids[0]], 3)
    assert listed(api, filter_task_ids=ids[:2])["total"] == 2
    assert listed(api, filter_status="running")["total"] == 0
    assert listed(api, filter_model="MiniMax-H3-Max")["total"] == 0
    (first, *_) = listed(api)["items"]
    assert (first["usage"], "modality" in first) == ({}, False)


def test_what_is_queued_is_taken_back_for_nothing(serve: Serve) -> None:
    api = serve(idle=True)
    task_id = create(api).json()["task_id"]
    path = f"/v2/video_generation/{task_id}"
    assert api.http.delete(path).json() == {"task_id": task_id, "action": "cancelled", "status": "cancelled"}
    assert task(api, task_id)["status"] == "cancelled"
    assert api.http.delete(path).status_code == 400
    assert api.entry(task_id)["status"] == "Cancelled"


def test_what_is_over_loses_its_record_and_what_runs_is_refused(serve: Serve) -> None:
    api = serve(faults=[{"at": "task", "prompt": "stuck", "stuck": "Processing"}])
    done = create(api).json()["task_id"]
    finished(api, done)
    assert api.http.delete(f"/v2/video_generation/{done}").json()["action"] == "deleted"
    assert api.http.get(f"/v2/query/video_generation/{done}").status_code == 400
    runs = create(api, content=[{"type": "text", "text": "stuck"}]).json()["task_id"]
    until(lambda: task(api, runs)["status"], lambda status: status == "running")
    assert "while processing" in message(api.http.delete(f"/v2/video_generation/{runs}"))


def test_after_seven_days_a_task_never_was(serve: Serve) -> None:
    api = serve(idle=True)
    task_id = create(api).json()["task_id"]
    assert api.query(task_id)["status"] == "Preparing"  # the first generation's query knows it as well
    api.sandbox.set_clock(7 * 86_400 + 1)
    assert message(api.http.get(f"/v2/query/video_generation/{task_id}")).endswith("invalid task_id (2013)")
    assert listed(api)["total"] == 0
    assert api.query(task_id)["base_resp"]["status_code"] == 2013


def test_an_upload_is_an_input(serve: Serve) -> None:
    api = serve(idle=True)
    png = io.BytesIO()
    still().save(png, "PNG")
    kept = httpx.post(
        f"{api.sandbox.url}/v1/files/upload",
        headers={"Authorization": "Bearer any"},
        data={"purpose": "video_generation_input"},
        files={"file": ("a.png", png.getvalue(), "image/png")},
        trust_env=False,
        verify=False,
    ).json()["file"]
    assert create(api, image("reference_image", f"mm_file://{kept['file_id']}")).status_code == 200
    gone = create(api, image("reference_image", "mm_file://12"))
    assert "does not exist" in message(gone)


def test_reference_pictures_are_seen_in_the_frame(api: Api) -> None:
    red, blue = (data_url(still(400, 400, colour)) for colour in ("red", "blue"))
    created = create(api, image("reference_image", red), image("reference_image", blue), ratio="16:9")
    done = finished(api, created.json()["task_id"])
    with av.open(io.BytesIO(fetch(done["content"]["url"]).content)) as clip:
        frame = next(clip.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    reds = (frame[..., 0] > 180) & (frame[..., 1] < 90) & (frame[..., 2] < 90)
    blues = (frame[..., 2] > 180) & (frame[..., 0] < 90) & (frame[..., 1] < 90)
    assert min(reds.mean(), blues.mean()) > 0.02
    assert done["usage"]["input_image_count"] == 2


def test_a_better_prompt_and_a_larger_film(api: Api) -> None:
    asked = {name: value for name, value in ASK.items() if name != "resolution"}
    enhanced = api.http.post("/v2/h3_context_ir", json=asked).json()["task_id"]
    told = finished(api, enhanced)
    assert "A harbour at dawn" in told["content"]["prompt"]
    assert (told["task_type"], told["modality"], "resolution" in told) == ("h3_context_ir", "text", False)
    source = create(api).json()["task_id"]
    finished(api, source)
    regenerate = {"model": "MiniMax-H3", "source_task_id": source, "resolution": "2K"}
    larger = finished(api, api.http.post("/v2/video_regeneration", json=regenerate).json()["task_id"])
    assert (larger["status"], larger["resolution"], larger["ratio"]) == ("succeeded", "2K", "")


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        ({"code": 1002}, 429, "(1002)"),
        ({"code": 1008}, 402, "(1008)"),
        ({"code": 1026}, 422, "(1026)"),
        ({"code": 1000}, 500, "(1000)"),
        ({"code": 529}, 529, "overloaded"),
        ({"in_ok": 504}, 200, "upstream timeout"),
        ({"http": 404}, 404, "404 page not found"),
    ],
)
def test_faults_have_their_own_statuses(serve: Serve, fault: dict[str, Any], status: int, says: str) -> None:
    api = serve(faults=[{"at": "submit"} | fault])
    answer = create(api)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert api.sandbox.ledger() == []


def test_a_task_that_expires(serve: Serve) -> None:
    api = serve(faults=[{"at": "task", "expired": True}])
    told = finished(api, create(api).json()["task_id"])
    assert (told["status"], "error" in told) == ("expired", False)


def test_the_clock_of_a_task_is_told(api: Api) -> None:
    before = int(time.time())
    told = finished(api, create(api).json()["task_id"])
    assert before <= told["created_at"] <= told["updated_at"] <= time.time() + 1
