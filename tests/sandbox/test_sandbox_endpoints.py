"""The five endpoints, as the service has been recorded to answer them."""

import io
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.sandbox.http.validation import AcceptedRequest
from minimax_tasks.sandbox.task import SandboxTask, TaskRecord
from tests.sandbox.conftest import KEY, T2V, Api, Serve, data_url, fetch, still, until

GOOD = {"status_code": 0, "status_msg": "success"}
LABUBU, SURVIVAL, HELPLESS = "394246956137422856", "393769180141805569", "394125185182695432"
LOGIN_FAIL = "login fail: Please carry the API secret key in the 'Authorization' field of the request header"


def test_a_clip_from_submit_to_file(api: Api) -> None:
    submitted = api.submit()
    assert submitted == {"task_id": submitted["task_id"], "base_resp": GOOD}
    assert re.fullmatch(r"\d{15}", submitted["task_id"])

    done = api.wait(submitted["task_id"])
    assert done == {
        "task_id": submitted["task_id"],
        "status": "Success",
        "file_id": done["file_id"],
        "video_width": 1366,
        "video_height": 768,
        "base_resp": GOOD,
    }
    assert isinstance(done["file_id"], str)
    assert done["file_id"] != done["task_id"]

    retrieved = api.retrieve(done["file_id"])
    file = retrieved["file"]
    assert retrieved["base_resp"] == GOOD
    assert file["file_id"] == int(done["file_id"])
    assert (file["bytes"], file["filename"], file["purpose"]) == (0, "output_aigc.mp4", "video_generation")
    assert abs(file["created_at"] - time.time()) < 60

    answer = fetch(file["download_url"])
    assert answer.headers["Content-Type"] == "video/mp4"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with av.open(io.BytesIO(answer.content)) as film:
        video = film.streams.video[0]
        assert (video.frames, video.average_rate, video.height) == (144, 24, 90)


def test_before_success_there_is_no_file_and_no_size(serve: Serve) -> None:
    api = serve(latency=60)
    task_id = api.submit()["task_id"]
    assert api.query(task_id) == {
        "task_id": task_id, "status": "Preparing", "file_id": "", "video_width": 0, "video_height": 0,
        "base_resp": GOOD,
    }  # fmt: skip
    file_id = api.entry(task_id)["file_id"]
    assert api.retrieve(file_id)["base_resp"]["status_code"] == 2013


def job(template: bool = False, **ticket: Any) -> SandboxTask:
    """A task that was accepted at 1000 and takes 100 seconds."""
    order = AcceptedRequest(Mode.TEMPLATE if template else Mode.TEXT, "x", "768P", 6, 24, {})
    return SandboxTask(TaskRecord("1", "2", order, 1, 1000.0, 100.0, 1366, 768, **ticket), drawn=True)


@pytest.mark.parametrize(
    ("task", "states"),
    [
        (job(), ["Preparing", "Preparing", "Queueing", "Queueing", "Processing", "Processing", "Success"]),
        (job(template=True), [*["Preparing"] * 4, "Processing", "Processing", "Success"]),
        (job(fail=1027), ["Preparing", "Preparing", "Queueing", "Queueing", "Processing", "Processing", "Fail"]),
        (job(stuck="Queueing"), ["Preparing", "Preparing", *["Queueing"] * 5]),
        (job(template=True, stuck="Queueing"), ["Preparing"] * 7),
    ],
    ids=["clip", "template", "failed", "stuck", "stuck template"],
)  # fmt: skip
def test_the_clock_of_a_task(task: SandboxTask, states: list[str]) -> None:
    assert [task.status(1000 + second) for second in (0, 14, 16, 39, 41, 99, 101)] == states


def test_success_waits_for_the_clip() -> None:
    task = job()
    task.drawn = False
    assert task.status(5000) == "Processing"
    task.drawn = True
    assert task.status(5000) == "Success"


def test_states_never_go_back(serve: Serve) -> None:
    api = serve(latency=0.5)
    task_id = api.submit()["task_id"]
    seen: list[str] = []
    while "Success" not in seen:
        seen.append(api.query(task_id)["status"])
        time.sleep(0.02)
    order = ["Preparing", "Queueing", "Processing", "Success"]
    assert seen == sorted(seen, key=order.index)


def test_every_mode_makes_a_clip(each_drawn: None, api: Api) -> None:
    frame, portrait = data_url(still()), data_url(still(400, 800), "JPEG")
    bodies = {
        "text-to-video": {"model": "T2V-01-Director", "prompt": "[Push in] a cat"},
        "image-to-video": {"model": "I2V-01-live", "first_frame_image": portrait},
        "start-end-to-video": {
            "model": "MiniMax-Hailuo-02", "first_frame_image": frame, "last_frame_image": portrait,
            "resolution": "1080P",
        },
        "subject-to-video": {
            "model": "S2V-01", "prompt": "x", "subject_reference": [{"type": "character", "image": [frame]}],
        },
    }  # fmt: skip
    sizes = {}
    for kind, body in bodies.items():
        done = api.wait(api.send(body)["task_id"])
        sizes[kind] = done["video_width"], done["video_height"]
        assert api.entry(done["task_id"])["kind"] == kind
    assert sizes == {
        "text-to-video": (1280, 720),
        "image-to-video": (720, 1440),
        "start-end-to-video": (1920, 1080),
        "subject-to-video": (1280, 720),
    }


def test_the_first_series_has_25_frames_a_second(api: Api) -> None:
    with av.open(io.BytesIO(api.video(model="T2V-01"))) as film:
        assert (film.streams.video[0].average_rate, film.streams.video[0].frames) == (25, 150)


def test_a_template_answers_with_its_video(api: Api) -> None:
    submitted = api.template(
        template_id=SURVIVAL, media_inputs=[{"value": data_url(still())}], text_inputs=[{"value": "Lion"}]
    )
    assert re.fullmatch(r"\d{18}", submitted["task_id"])
    done = api.wait(submitted["task_id"], template=True)
    assert done == {
        "task_id": submitted["task_id"], "status": "Success", "video_url": done["video_url"],
        "base_resp": GOOD,
    }  # fmt: skip
    assert fetch(done["video_url"]).headers["Content-Type"] == "video/mp4"
    assert api.entry(submitted["task_id"])["kind"] == "template"


@pytest.mark.parametrize("template_id", ["393857704283172864", "393857704283172856"])
def test_both_ids_of_winter_romance_are_known(api: Api, template_id: str) -> None:
    answer = api.template(template_id=template_id, media_inputs=[{"value": "https://example.com/me.jpg"}])
    assert answer["base_resp"] == GOOD


def test_the_two_kinds_of_tasks_are_asked_for_apart(api: Api) -> None:
    clip = api.submit()["task_id"]
    template = api.template(template_id=HELPLESS, text_inputs=[{"value": "a cat at work"}])["task_id"]
    for answer in (api.query(template), api.query_template(clip), api.query("1")):
        assert answer["base_resp"]["status_code"] == 2013
        assert answer["status"] == ""
    assert api.query("")["base_resp"]["status_msg"] == "invalid params, task_id cannot by empty"


@pytest.mark.parametrize("file_id", ["", "seven", "7"])
def test_a_file_that_nobody_knows(api: Api, file_id: str) -> None:
    answer = api.retrieve(file_id)
    assert answer["base_resp"]["status_code"] == 2013
    assert "file" not in answer


def test_takes_differ_and_the_same_take_has_the_same_bytes(each_drawn: None, serve: Serve) -> None:
    one, other = serve(), serve()
    first, second = one.video(), one.video()
    assert first != second
    assert [other.video(), other.video()] == [first, second]
    assert [entry["variant"] for entry in one.sandbox.ledger()] == [1, 2]


def test_where_callbacks_go_does_not_make_another_request(serve: Serve) -> None:
    api = serve(idle=True)
    for path in ("a", "b"):
        api.submit(callback_url=f"http://127.0.0.1:9/{path}")
    assert [entry["variant"] for entry in api.sandbox.ledger()] == [1, 2]


def test_pictures_are_in_the_ledger_by_digest(serve: Serve) -> None:
    api = serve(idle=True)
    api.send({"model": "I2V-01", "first_frame_image": data_url(still())})
    api.send({"model": "I2V-01", "first_frame_image": "https://example.com/a.png"})
    api.template(template_id=LABUBU, media_inputs=[{"value": data_url(still())}])
    sent, url, template = (entry["request"] for entry in api.sandbox.ledger())
    assert re.fullmatch("sha256:[0-9a-f]{64}", sent["first_frame_image"])
    assert url["first_frame_image"] == "https://example.com/a.png"
    assert template["media_inputs"] == [{"value": sent["first_frame_image"]}]


def test_a_url_is_drawn_as_a_card_of_its_own(api: Api) -> None:
    clips = {
        api.video(model="I2V-01", prompt="x", first_frame_image=f"https://example.invalid/{name}.jpg")
        for name in ("a", "b")
    }
    assert len(clips) == 2


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dTpw"])
def test_without_a_key(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answers = [
        httpx.post(
            api.sandbox.url + "/v1/video_generation", json=T2V, headers=headers, trust_env=False, verify=False
        ),
        *(
            httpx.get(api.sandbox.url + path, headers=headers, trust_env=False, verify=False)
            for path in (
                "/v1/query/video_generation?task_id=1",
                "/v1/query/video_template_generation?task_id=1",
                "/v1/files/retrieve?file_id=1",
            )
        ),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.json()["base_resp"] == {"status_code": 1004, "status_msg": LOGIN_FAIL}


def test_one_key_alone(serve: Serve) -> None:
    assert serve(key=KEY, idle=True).submit()["base_resp"] == GOOD
    answer = serve(key="another", idle=True).submit()
    assert answer == {"task_id": "", "base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}


def test_a_limit_per_minute_is_for_submits(serve: Serve) -> None:
    api = serve(rpm=2, idle=True)
    tasks = [api.submit()["task_id"] for _ in range(2)]
    refused = api.submit()
    assert refused["base_resp"] == {"status_code": 1002, "status_msg": "rate limit exceeded(RPM)"}
    assert refused["task_id"] == ""
    assert [api.query(task)["base_resp"] for task in tasks] == [GOOD, GOOD]
    assert len(api.sandbox.ledger()) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/video_generation/123"),
        ("GET", "/v1/query/video_generation/"),
        ("GET", "/v1/video_generation"),
        ("POST", "/v1/files/retrieve"),
        ("GET", "/"),
    ],
)
def test_other_paths_are_a_page(api: Api, method: str, path: str) -> None:
    answer = api.http.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>404 Not Found</h1>" in answer.text


def test_every_answer_of_the_api_has_a_trace_id(api: Api) -> None:
    ids = {
        api.http.get(path).headers["Trace-Id"]
        for path in ("/v1/query/video_generation", "/v1/files/retrieve", "/v1/nothing")
    }
    assert len(ids) == 3
    assert "Trace-Id" not in api.http.get("/sandbox/ledger").headers


def test_urls_are_signed_anew_and_run_out(serve: Serve) -> None:
    api = serve()
    file_id = api.wait(api.submit()["task_id"])["file_id"]
    urls = [api.retrieve(file_id)["file"]["download_url"] for _ in range(2)]
    assert urls[0] != urls[1]
    assert [fetch(url).status_code for url in urls] == [200, 200]

    late = serve(url_lifetime=0)
    expired = fetch(late.url(late.submit()["task_id"]))
    assert expired.status_code == 403
    assert "Request has expired" in expired.text


def test_only_the_signature_opens_a_file(api: Api) -> None:
    one, other = (api.url(api.submit()["task_id"]) for _ in range(2))
    path, _, query = one.partition("?")
    forged = [
        path,
        f"{other.partition('?')[0]}?{query}",
        re.sub(r"Expires=\d", "Expires=9", one),
        re.sub(r"Signature=.{12}", "Signature=AAAAAAAAAAAA", one),
        re.sub(r"Signature=.*", "Signature=%E9", one),
        re.sub(r"Expires=\d+", "Expires=soon", one),
    ]
    assert [fetch(url).status_code for url in forged] == [403] * len(forged)
    assert fetch(path.replace(path.split("/")[-2], "1")).status_code == 404


def test_a_part_of_a_file(api: Api) -> None:
    task_id = api.submit()["task_id"]
    url = api.url(task_id)
    whole = fetch(url).content
    part = fetch(url, Range="bytes=1000-")
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    assert part.content == whole[1000:]
    assert int(httpx.head(url, trust_env=False, verify=False).headers["Content-Length"]) == len(whole)
    assert fetch(url, Range=f"bytes={len(whole)}-").status_code == 416
    assert api.entry(task_id)["downloads"] == 3


def test_the_url_has_the_host_that_the_client_used(api: Api) -> None:
    file_id = api.wait(api.submit()["task_id"])["file_id"]
    host = api.sandbox.url.removeprefix("http://").replace("127.0.0.1", "localhost")
    answer = api.http.get("/v1/files/retrieve", params={"file_id": file_id}, headers={"Host": host})
    assert answer.json()["file"]["download_url"].startswith(f"http://{host}/sandbox/files/")


def test_a_key_sent_to_the_download_host_is_noticed_and_never_kept(serve: Serve, tmp_path: Path) -> None:
    api = serve(state=tmp_path)
    careful, careless = (api.submit()["task_id"] for _ in range(2))
    fetch(api.url(careful))
    fetch(api.url(careless), Authorization=f"Bearer {KEY}")
    assert [entry["leaked_key"] for entry in api.sandbox.ledger()] == [False, True]
    assert KEY not in json.dumps(api.sandbox.ledger())
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if KEY.encode() in file.read_bytes()]


def test_a_clip_that_cannot_be_drawn_fails(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("minimax_tasks.sandbox.engine.draw_clip", broken)
    api = serve()
    done = api.wait(api.submit()["task_id"])
    assert (done["status"], done["base_resp"]["status_code"]) == ("Fail", 1000)


def test_a_mistake_of_the_sandbox_is_a_page_and_is_logged(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("minimax_tasks.sandbox.engine.clip_size", broken)
    answer = serve().http.post("/v1/video_generation", json=T2V)
    assert (answer.status_code, "<h1>500" in answer.text) == (500, True)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("prompt", ["\x00\x07\u202e", "🌊" * 500, "[Push in", "]][[", "%s {x} {{y}}"])
def test_odd_prompts_are_drawn(each_drawn: None, api: Api, prompt: str) -> None:
    assert api.wait(api.submit(prompt=prompt)["task_id"])["status"] == "Success"


@pytest.mark.slow
def test_five_hundred_at_once(serve: Serve) -> None:
    api = serve(latency=120)
    frame = data_url(still(1280, 720), "JPEG")

    def one(number: int) -> tuple[str, str]:
        task_id = api.submit(prompt=f"clip {number}", first_frame_image=frame)["task_id"]
        return task_id, api.query(task_id)["status"]

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(one, range(500)))
    assert len({task_id for task_id, _ in answers}) == 500
    assert {status for _, status in answers} <= {"Preparing", "Queueing"}
    assert len(api.sandbox.ledger()) == 500


def test_answers_do_not_wait_for_the_drawing(each_drawn: None, serve: Serve) -> None:
    api = serve(scale=None)
    task_id = [api.submit(resolution="1080P", prompt=f"clip {n}")["task_id"] for n in range(3)][-1]
    times = []
    for _ in range(20):
        start = time.perf_counter()
        assert api.query(task_id)["base_resp"] == GOOD
        times.append(time.perf_counter() - start)
    assert sorted(times)[len(times) // 2] < 2.0, "drawing one of them takes longer"


@pytest.mark.slow
def test_it_stops_with_work_left(each_drawn: None, tmp_path: Path) -> None:
    clips = tmp_path / "clips/full"
    with Sandbox(latency=0, scale=None, state=tmp_path) as sandbox:
        httpx.post(
            sandbox.url + "/v1/video_generation",
            json={**T2V, "resolution": "768P"},
            headers={"Authorization": "Bearer x"},
            trust_env=False,
            verify=False,
        )
        until(lambda: list(clips.iterdir()), bool)
        start = time.perf_counter()
    assert time.perf_counter() - start < 30
    until(lambda: list(clips.iterdir()), lambda left: not left)


def test_the_drawing_goes_on_when_nobody_asks(each_drawn: None, serve: Serve) -> None:
    api = serve()
    task_id = api.submit()["task_id"]
    until(lambda: api.entry(task_id)["status"], lambda status: status == "Success")
