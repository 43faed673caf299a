"""The second generation of the API: what is sent, what comes back, and our judgement against the sandbox's own."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimax_tasks import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    ImageToVideoRequest,
    InputRejected,
    InsufficientBalance,
    InvalidParameters,
    InvalidRequest,
    MiniMaxClient,
    NotTheApi,
    QuotaExhausted,
    RateLimited,
    ReferenceToVideoRequest,
    ServiceError,
    StartEndToVideoRequest,
    TextToVideoRequest,
)
from minimax_tasks.api.answers import State
from minimax_tasks.api.v2.endpoints import GENERATION
from minimax_tasks.errors import ControlFlow, Verdict
from minimax_tasks.sandbox.drawing.pictures import Pictures
from minimax_tasks.sandbox.http.v2.uploads import Uploads
from minimax_tasks.sandbox.http.v2.validation import reader
from tests.api.scripted import answer, scripted

TEXT = TextToVideoRequest(prompt="A pier", model="MiniMax-H3", ratio="16:9")


def error(message: str, kind: str, status: int) -> dict[str, Any]:
    told = {"type": kind, "message": message, "http_code": str(status)}
    return {"type": "error", "error": told, "request_id": "0217-trace"}


def submitted(reply: bytes) -> Any:
    async def run() -> Any:
        async with scripted() as server, MiniMaxClient("sk-any", server.url) as client:
            server.next = reply
            return await client.submit(TEXT)

    return asyncio.run(run())


def queried(reply: bytes, task_id: str = "424010985738629") -> Any:
    async def run() -> Any:
        async with scripted() as server, MiniMaxClient("sk-any", server.url) as client:
            server.next = reply
            return await client.query(task_id, GENERATION)

    return asyncio.run(run())


@pytest.mark.parametrize("task_id", ["424010985738629", 424010985738629])
def test_an_id_is_a_string_or_a_number(task_id: object) -> None:
    assert submitted(answer({"task_id": task_id})) == "424010985738629"


@pytest.mark.parametrize(
    ("status", "message", "kind", "expected", "verdict"),
    [
        ("400 Bad Request", "invalid params, x (2013)", "bad_request_error", InvalidParameters, "refused"),
        ("400 Bad Request", "this model is not supported", "bad_request_error", InvalidParameters, "refused"),
        ("400 Bad Request", "TokenPlan key cannot use it (2013)", "bad_request_error", QuotaExhausted, "refused"),
        ("401 Unauthorized", "login fail (1004)", "authorized_error", AuthenticationFailed, "refused"),
        ("402 Payment Required", "insufficient balance (1008)", "x_error", InsufficientBalance, "refused"),
        ("422 Unprocessable", "sensitive (1026)", "unprocessable_entity_error", InputRejected, "refused"),
        ("429 Too Many", "rate limit (1002)", "rate_limit_error", RateLimited, "later"),
        ("529 Overloaded", "overloaded", "overloaded_error", RateLimited, "later"),
        ("500 Error", "internal error (1000)", "server_error", ServiceError, "uncertain"),
        ("500 Error", "internal error", "server_error", ServiceError, "uncertain"),
    ],
)  # fmt: skip
def test_an_error_is_read_from_its_object(
    status: str, message: str, kind: str, expected: type[ApiError], verdict: str
) -> None:
    with pytest.raises(ApiError) as told:
        submitted(answer(error(message, kind, int(status[:3])), status))
    assert (type(told.value), told.value.verdict) == (expected, Verdict(verdict))
    assert "0217-trace" in str(told.value)


@pytest.mark.parametrize(
    "reply",
    [
        answer({"error": {"message": "gateway timeout", "http_code": 504}}),
        answer({"error": {"message": "upstream", "http_code": "504", "type": "server_error"}}),
        answer("bad gateway", "502 Bad Gateway"),
        answer("overloaded", "529 Overloaded"),
        answer({}),
        answer({"task_id": ""}),
    ],
)
def test_what_says_nothing_certain_about_a_submit_is_uncertain(reply: bytes) -> None:
    with pytest.raises(ApiError) as told:
        submitted(reply)
    assert told.value.verdict is Verdict.UNCERTAIN


def test_a_plain_404_is_not_the_api() -> None:
    with pytest.raises(NotTheApi) as told:
        submitted(answer("404 page not found", "404 Not Found"))
    assert told.value.verdict is Verdict.REFUSED


def test_a_task_that_is_named_was_created_whatever_else_is_said() -> None:
    assert (
        submitted(answer({"task_id": "7", **error("oops (1000)", "server_error", 500)}, "500 Error")) == "7"
    )


@pytest.mark.parametrize(
    "document",
    [
        {"task": {"task_id": "7"}},
        {"task": {"id": None, "task_id": 7}},
        {"error": {"task_id": "7", "type": "rate_limit_error", "message": "busy (1002)"}},
        {"data": {"task": {"id": 7}}, **error("busy (1002)", "rate_limit_error", 429)},
    ],
)
def test_so_was_one_that_is_named_elsewhere(document: dict[str, Any]) -> None:
    assert submitted(answer(document, "429 Too Many")) == "7"


@pytest.mark.parametrize(
    "document",
    [
        {"task": {"id": "8", "status": "succeeded"}},
        {"task": {"id": None, "task_id": "8", "status": "succeeded"}},
        {"task_id": "8", "task": {"status": "succeeded"}},
        {"data": {"task_id": 8}, "task": {"status": "failed"}},
    ],
)
def test_what_is_said_of_another_task_is_not_believed(document: dict[str, Any]) -> None:
    with pytest.raises(AnswerLost, match="answered about task 8"):
        queried(answer(document), "7")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", State.RUNNING), ("running", State.RUNNING), ("succeeded", State.SUCCESS),
        ("failed", State.FAILED), ("cancelled", State.FAILED), ("expired", State.FAILED),
        ("dreaming", State.RUNNING),
    ],
)  # fmt: skip
def test_status_words(word: str, state: State) -> None:
    found = queried(answer({"task": {"id": 424010985738629, "status": word}}))
    assert (found.state, found.task_id) == (state, "424010985738629")


def test_a_failed_task_has_its_reason_in_it() -> None:
    told = {"id": "424010985738629", "status": "failed", "error": {"code": "1026", "message": "sensitive"}}
    found = queried(answer({"task": told}))
    assert (found.state, found.base_resp.status_code, found.base_resp.status_msg) == (
        State.FAILED, 1026, "sensitive",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("message", "status"),
    [("invalid params, invalid task_id (2013)", "400 Bad Request"), ("record not found (1000)", "500 Error")],
)
def test_an_unknown_task_is_a_refusal_and_no_reason_to_ask_for_ever(message: str, status: str) -> None:
    with pytest.raises(InvalidParameters):
        queried(answer(error(message, "server_error", int(status[:3])), status))


# -- the sandbox judges by rules of its own: on random requests the two agree

ITEMS = (
    ("image_url", "first_frame", "https://a/b.png"),
    ("image_url", "last_frame", "https://a/b.png"),
    ("image_url", "reference_image", "https://a/b.png"),
    ("image_url", "reference_image", "mm_none"),
    ("video_url", "reference_video", "https://a/b.mp4"),
    ("audio_url", "reference_audio", "https://a/b.mp3"),
)


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from([item for item in ITEMS if item[2] != "mm_none"]), max_size=4))
    many = draw(st.integers(0, 13))
    if draw(st.booleans()):
        chosen += [ITEMS[2]] * many
    return {
        "model": draw(
            st.sampled_from(["MiniMax-H3", "MiniMax-H3-Max", "MiniMax-H3-Highspeed", "MiniMax-H3-Lite", "MiniMax-X"])
        ),
        "prompt": draw(st.sampled_from(["A pier", "", "  ", "x" * 7000, "x" * 7001])),
        "items": chosen,
        "resolution": draw(st.sampled_from(["480P", "768P", "2K", "1080P", "4K"])),
        "duration": draw(st.integers(2, 17)),
        "ratio": draw(st.sampled_from([None, "adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "2:1"])),
    }  # fmt: skip


def ours(one: dict[str, Any]) -> Any:
    """The request that a person would write for it."""
    fields = {name: one[name] for name in ("model", "prompt", "resolution", "duration", "ratio")}
    by_role: dict[str, list[str]] = {}
    for _, role, url in one["items"]:
        by_role.setdefault(role, []).append(url)
    frames = {"first_frame", "last_frame"} & by_role.keys()
    if frames and (by_role.keys() - frames or any(len(by_role[role]) > 1 for role in frames)):
        raise InvalidRequest("reference_images", None, "nothing", "no request holds such a mixture")
    if "last_frame" in frames:
        first = by_role.get("first_frame", [None])[0]
        return StartEndToVideoRequest(
            **fields, first_frame_image=first, last_frame_image=by_role["last_frame"][0]
        )
    if frames:
        return ImageToVideoRequest(**fields, first_frame_image=by_role["first_frame"][0])
    if by_role:
        names = {"reference_image": "images", "reference_video": "videos", "reference_audio": "audios"}
        given = {f"reference_{names[role]}": tuple(urls) for role, urls in by_role.items()}
        return ReferenceToVideoRequest(**fields, **given)
    return TextToVideoRequest(**fields)


@pytest.mark.filterwarnings("ignore::minimax_tasks.MiniMaxCatalogWarning")
def test_our_judgement_is_that_of_the_sandbox(tmp_path: Path) -> None:
    pictures, uploads = Pictures(tmp_path / "pictures"), Uploads(tmp_path / "uploads")

    def theirs(body: dict[str, Any]) -> bool:
        try:
            reader(uploads)(bytearray(json.dumps(body).encode()), pictures)
        except ControlFlow:
            return False
        return True

    @settings(max_examples=6 * settings.default.max_examples)
    @given(asked())
    def judge(one: dict[str, Any]) -> None:
        content = [{"type": "text", "text": one["prompt"]}] + [
            {"type": kind, kind: {"url": url}, "role": role} for kind, role, url in one["items"]
        ]
        body = {"model": one["model"], "content": content, "resolution": one["resolution"]}
        body |= {"duration": one["duration"]} | ({"ratio": one["ratio"]} if one["ratio"] else {})
        request, why = None, ""
        try:
            request = ours(one)
        except InvalidRequest as refused:
            why = str(refused)
        assert theirs(body) is (request is not None), why
        assert request is None or theirs(request.body()), "what is really sent"

    judge()
