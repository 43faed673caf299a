"""What the client sends, byte by byte, and what it makes of everything that may come back."""

import asyncio
import itertools
import socket
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from docs.errors import PAGE, page
from minimax_tasks import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    ImageToVideoRequest,
    InputRejected,
    InsufficientBalance,
    InvalidParameters,
    MiniMaxCatalogWarning,
    MiniMaxClient,
    MiniMaxError,
    NotConnected,
    NotTheApi,
    OutputRejected,
    QuotaExhausted,
    RateLimited,
    ServiceError,
    StartEndToVideoRequest,
    SubjectToVideoRequest,
    TemplateRequest,
    TextToVideoRequest,
)
from minimax_tasks.api.answers import State
from minimax_tasks.api.catalog.errors import ERROR_CODES
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.errors import host_hint
from minimax_tasks.errors import Verdict
from tests.api.scripted import Scripted, answer, refusal, scripted

KEY = "sk-api-very-secret"
GOOD = {"task_id": "106916112212032", "base_resp": {"status_code": 0, "status_msg": "success"}}
A, B = "https://example.com/a.png", "data:image/png;base64,aGVsbG8="
ASKED = TextToVideoRequest(prompt="A harbour")

Call = Callable[[MiniMaxClient], Awaitable[Any]]
SUBMIT: Call = lambda client: client.submit(ASKED)  # noqa: E731
READS: dict[str, Call] = {
    "query": lambda client: client.query("1"),
    "template query": lambda client: client.query("1", Mode.TEMPLATE),
    "retrieve": lambda client: client.retrieve("1"),
}
CALLS = {"submit": SUBMIT, **READS}


def talk(reply: bytes, call: Call = SUBMIT) -> tuple[Any, Scripted]:
    """What one call gives or raises, and the server that it spoke to."""

    async def run() -> tuple[Any, Scripted]:
        async with scripted() as server, MiniMaxClient(KEY, server.url, timeout=5) as client:
            server.next = reply
            try:
                return await call(client), server
            except MiniMaxError as error:
                return error, server

    return asyncio.run(run())


def failure(reply: bytes, call: Call = SUBMIT) -> Any:
    """The exception of one call, which must not hold the key."""
    error, _ = talk(reply, call)
    assert isinstance(error, MiniMaxError)
    assert KEY not in "".join(traceback.format_exception(error))
    return error


# -- what is sent

ON_THE_WIRE = [
    (
        TextToVideoRequest(prompt="A man picks up a book [Pedestal up].", resolution="1080P"),
        "/v1/video_generation",
        {
            "model": "MiniMax-Hailuo-2.3", "prompt": "A man picks up a book [Pedestal up].",
            "duration": 6, "resolution": "1080P",
        },
    ),
    (
        TextToVideoRequest(prompt="雨", model="T2V-01-Director"),
        "/v1/video_generation",
        {"model": "T2V-01-Director", "prompt": "雨"},
    ),
    (
        ImageToVideoRequest(first_frame_image=A, fast_pretreatment=True, callback_url="https://example.com/cb"),
        "/v1/video_generation",
        {
            "model": "MiniMax-Hailuo-2.3", "first_frame_image": A, "duration": 6, "resolution": "768P",
            "fast_pretreatment": True, "callback_url": "https://example.com/cb",
        },
    ),
    (
        StartEndToVideoRequest(first_frame_image=A, last_frame_image=B, prompt_optimizer=False, duration=10),
        "/v1/video_generation",
        {
            "model": "MiniMax-Hailuo-02", "first_frame_image": A, "last_frame_image": B,
            "duration": 10, "resolution": "768P", "prompt_optimizer": False,
        },
    ),
    (
        SubjectToVideoRequest(subject_image=A, prompt="She winks."),
        "/v1/video_generation",
        {
            "model": "S2V-01", "prompt": "She winks.",
            "subject_reference": [{"type": "character", "image": [A]}],
        },
    ),
    (
        TemplateRequest(template="Survival", image=B, text="狮子"),
        "/v1/video_template_generation",
        {
            "template_id": "393769180141805569", "media_inputs": [{"value": B}],
            "text_inputs": [{"value": "狮子"}],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "path", "body"), ON_THE_WIRE)
def test_a_submit_on_the_wire(request_: Any, path: str, body: dict[str, Any]) -> None:
    task_id, server = talk(answer(GOOD), lambda client: client.submit(request_))
    assert task_id == "106916112212032"
    head, _ = server.seen[0]
    assert head.startswith(f"POST {path} HTTP/1.1\r\n")
    assert f"authorization: bearer {KEY}" in head.lower()
    assert "content-type: application/json" in head.lower()
    assert server.sent == body


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (READS["query"], "/v1/query/video_generation?task_id=1"),
        (READS["template query"], "/v1/query/video_template_generation?task_id=1"),
        (READS["retrieve"], "/v1/files/retrieve?file_id=1"),
    ],
)
def test_reads_on_the_wire(call: Call, target: str) -> None:
    _, server = talk(answer(refusal(1002)), call)
    assert server.seen[0][0].startswith(f"GET {target} HTTP/1.1\r\n")


def test_a_download_carries_no_key() -> None:
    async def run() -> tuple[bytes, str]:
        async with scripted() as server, MiniMaxClient(KEY, server.url) as client:
            server.next = answer(b"movie")
            async with client.download(f"{server.url}/clip.mp4?Signature=s", offset=2) as response:
                return await response.aread(), server.seen[0][0]

    body, head = asyncio.run(run())
    assert body == b"movie"
    assert "authorization" not in head.lower()
    assert "range: bytes=2-" in head.lower()


def test_the_signature_of_a_download_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with scripted() as server, MiniMaxClient(KEY, server.url) as client:
            server.next = answer(b"movie")
            async with client.download(f"{server.url}/clip.mp4?Signature=very-secret"):
                pass
            server.next = answer(GOOD)
            await client.submit(ASKED)

    with caplog.at_level("DEBUG"):
        asyncio.run(run())
    assert "/clip.mp4" in caplog.text
    assert "very-secret" not in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("host", "sent"), [("api.minimaxi.com", True), ("api.minimax.io", False), ("127.0.0.1", True)]
)
def test_the_watermark_is_for_the_chinese_platform(
    host: str, sent: bool, recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    watermarked = TextToVideoRequest(prompt="x", aigc_watermark=True)

    async def run() -> Any:
        async with scripted() as server, MiniMaxClient(KEY, server.url) as client:
            server.next = answer(GOOD)
            monkeypatch.setattr(client, "host", host)
            await client.submit(watermarked)
            return server.sent

    assert asyncio.run(run()).get("aigc_watermark") is (True if sent else None)
    warned = [w for w in recwarn if issubclass(w.category, MiniMaxCatalogWarning)]
    assert bool(warned) is not sent


# -- what comes back

EXPECTED = {
    529: (RateLimited, Verdict.RETRY_LATER),
    1000: (ServiceError, Verdict.UNCERTAIN), 1001: (ServiceError, Verdict.UNCERTAIN),
    1002: (RateLimited, Verdict.RETRY_LATER), 1004: (AuthenticationFailed, Verdict.REFUSED),
    1008: (InsufficientBalance, Verdict.REFUSED), 1013: (ServiceError, Verdict.UNCERTAIN),
    1024: (ServiceError, Verdict.UNCERTAIN), 1026: (InputRejected, Verdict.REFUSED),
    1027: (OutputRejected, Verdict.REFUSED), 1028: (QuotaExhausted, Verdict.REFUSED),
    1030: (QuotaExhausted, Verdict.REFUSED), 1033: (ServiceError, Verdict.UNCERTAIN),
    1039: (RateLimited, Verdict.RETRY_LATER), 1041: (RateLimited, Verdict.RETRY_LATER),
    1042: (InvalidParameters, Verdict.REFUSED), 2013: (InvalidParameters, Verdict.REFUSED),
    2038: (AuthenticationFailed, Verdict.REFUSED), 2045: (RateLimited, Verdict.RETRY_LATER),
    2049: (AuthenticationFailed, Verdict.REFUSED), 2056: (QuotaExhausted, Verdict.REFUSED),
    2061: (QuotaExhausted, Verdict.REFUSED),
}  # fmt: skip
"""Written out by hand from the published lists."""


def test_no_code_is_forgotten() -> None:
    assert {row.code for row in ERROR_CODES} == EXPECTED.keys()


@pytest.mark.parametrize(("call", "code"), itertools.product(CALLS, EXPECTED))
def test_every_code_of_every_call(call: str, code: int) -> None:
    error = failure(answer(refusal(code, "已达到上限"), headers={"Trace-Id": "04f0c7"}), CALLS[call])
    kind, verdict = EXPECTED[code]
    assert type(error) is kind
    assert (error.code, error.verdict, error.trace_id) == (code, verdict, "04f0c7")
    for part in (str(code), "已达到上限", "Trace-Id 04f0c7", "127.0.0.1"):
        assert part in str(error)


def test_a_code_in_no_list_is_treated_with_the_most_care() -> None:
    error = failure(answer(refusal(4711, "new")))
    assert type(error) is ApiError
    assert error.verdict is Verdict.UNCERTAIN
    assert "4711" in str(error)


HTML = "<html><head><title>404 Not Found</title></head><body>openresty</body></html>"


@pytest.mark.parametrize(
    ("reply", "kind", "verdict", "says"),
    [
        (answer(HTML, "401 Unauthorized"), AuthenticationFailed, Verdict.REFUSED, "MINIMAX_API_KEY"),
        (answer("", "403 Forbidden"), AuthenticationFailed, Verdict.REFUSED, "HTTP 403"),
        (answer(HTML, "404 Not Found"), NotTheApi, Verdict.REFUSED, "not the video API"),
        (answer("", "405 Method Not Allowed"), NotTheApi, Verdict.REFUSED, "MINIMAX_BASE_URL"),
        (answer("", "413 Payload Too Large"), InvalidParameters, Verdict.REFUSED, "smaller pictures"),
        (answer("", "429 Too Many Requests"), RateLimited, Verdict.RETRY_LATER, "next minute"),
        (answer("oops", "400 Bad Request"), InvalidParameters, Verdict.REFUSED, "oops"),
        (answer("", "408 Request Timeout"), ServiceError, Verdict.UNCERTAIN, "HTTP 408"),
        (answer(HTML, "500 Internal Server Error"), ServiceError, Verdict.UNCERTAIN, "HTTP 500"),
        (answer("", "502 Bad Gateway"), ServiceError, Verdict.UNCERTAIN, "HTTP 502"),
        (answer("", "407 Proxy Authentication Required"), NotTheApi, Verdict.REFUSED, "was not passed on"),
        (answer(HTML, "501 Not Implemented"), NotTheApi, Verdict.REFUSED, "MINIMAX_BASE_URL"),
        (answer(refusal(0), "503 Service Unavailable"), ServiceError, Verdict.UNCERTAIN, "HTTP 503"),
        (answer("", "504 Gateway Timeout"), ServiceError, Verdict.UNCERTAIN, "HTTP 504"),
        (answer(HTML), NotTheApi, Verdict.REFUSED, "a web page"),
        (answer("It works", headers={"Content-Type": "text/plain; charset=utf-8"}), NotTheApi, Verdict.REFUSED, "It works"),
        (answer("It works"), ServiceError, Verdict.UNCERTAIN, "not the API's JSON"),
        (answer('{"task_id', headers={"Content-Type": "text/html"}), ServiceError, Verdict.UNCERTAIN, "JSON"),
        (answer(""), ServiceError, Verdict.UNCERTAIN, "not the API's JSON"),
        (answer("[]"), ServiceError, Verdict.UNCERTAIN, "not the API's JSON"),
        (answer("{}"), ServiceError, Verdict.UNCERTAIN, "not the API's JSON"),
        (answer({"task": "1"}), ServiceError, Verdict.UNCERTAIN, "not the API's JSON"),
        (answer(refusal(0)), ServiceError, Verdict.UNCERTAIN, "no task_id"),
        (answer(refusal(1008), "400 Bad Request"), InsufficientBalance, Verdict.REFUSED, "1008"),
        (answer(b"\xff\xfe\x00{"), ServiceError, Verdict.UNCERTAIN, "not the API's JSON"),
        (
            answer("", "301 Moved Permanently", {"Location": "https://api.example.com/x?Signature=s"}),
            NotTheApi, Verdict.REFUSED, "to https://api.example.com/x; set MINIMAX_BASE_URL",
        ),
    ],
)  # fmt: skip
def test_trouble_at_the_level_of_http(reply: bytes, kind: type, verdict: Verdict, says: str) -> None:
    error = failure(reply.replace(b"\r\n\r\n", b"\r\nTrace-Id: 04f0c7\r\n\r\n", 1))
    assert type(error) is kind
    assert error.verdict is verdict
    assert error.trace_id == "04f0c7"
    assert says in str(error)
    assert "Signature" not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200 OK\r\nConten", answer(GOOD)[:-5], b"SSH-2.0-OpenSSH\r\n"]
)
def test_a_connection_that_breaks_leaves_the_outcome_open(call: str, reply: bytes) -> None:
    assert type(failure(reply, CALLS[call])) is AnswerLost


def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        async def run() -> None:
            async with MiniMaxClient(KEY, url) as client:
                await client.submit(ASKED)

        with pytest.raises(NotConnected, match=r"no connection to 127\.0\.0\.1"):
            asyncio.run(run())


def test_an_answer_that_never_comes() -> None:
    async def run(url: str) -> None:
        async with MiniMaxClient(KEY, url, timeout=0.5) as client:
            await client.submit(ASKED)

    silent = socket.create_server(("127.0.0.1", 0))  # connections are made, and nobody takes them
    with silent, pytest.raises(AnswerLost, match="ReadTimeout"):
        asyncio.run(run(f"http://127.0.0.1:{silent.getsockname()[1]}"))


@pytest.mark.parametrize(
    ("document", "state"),
    [
        ({"status": "Fail", "base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}}, State.FAILED),
        ({"status": "Fail", "base_resp": {"status_code": 0, "status_msg": "success"}}, State.FAILED),
        ({"status": "failed", "base_resp": {"status_code": 0, "status_msg": "success"}}, State.FAILED),
        ({"status": "SUCCESS", "file_id": 335560631603474, "base_resp": {"status_code": 0}}, State.SUCCESS),
        ({"status": "Dreaming", "base_resp": {"status_code": 0, "status_msg": ""}}, State.RUNNING),
        ({"status": "Queueing", "file_id": "", "base_resp": {"status_code": 0}}, State.RUNNING),
    ],
)  # fmt: skip
def test_status_and_base_resp_are_read_together(document: dict[str, Any], state: State) -> None:
    answered, _ = talk(answer({"task_id": "1", **document}), READS["query"])
    assert answered.state is state
    if state is State.SUCCESS:
        assert answered.file_id == "335560631603474"


@pytest.mark.parametrize(
    ("host", "others"),
    [
        ("api.minimaxi.com", ["https://api.minimax.io"]),
        ("api.minimax.cn", ["https://api.minimax.io"]),
        ("api.minimax.io", ["https://api.minimaxi.com"]),
        ("api.minimaxi.chat", ["https://api.minimaxi.com"]),
        ("proxy.example.com:8443", ["https://api.minimaxi.com", "https://api.minimax.io"]),
    ],
)
def test_a_refused_key_names_the_other_region(host: str, others: list[str]) -> None:
    hint = host_hint(host)
    assert [url for url in ("https://api.minimaxi.com", "https://api.minimax.io") if url in hint] == others


def test_the_documentation_has_the_tables_of_the_client() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m docs.errors"


@pytest.mark.parametrize(
    "reply",
    [
        answer({"task_id": "1"}),
        answer({"task_id": "1"}, "201 Created"),
        answer({"task_id": "1", "base_resp": None}),
        answer({"task_id": 1, "base_resp": {"status_code": 0, "status_msg": None}}),
    ],
)
def test_a_submit_that_names_its_task_was_accepted(reply: bytes) -> None:
    told, _ = talk(reply, SUBMIT)
    assert told == "1"


@pytest.mark.parametrize(
    "reply",
    [
        *(
            answer({"task_id": "55", "base_resp": {"status_code": code}})
            for code in (1000, 1002, 1004, 2013, 4711)
        ),
        *(
            answer({"task_id": "55", "base_resp": base})
            for base in ([], "success", {"status_msg": {}}, 7, True)
        ),
        answer({"task_id": 55, "base_resp": {"status_code": "1002"}}),
        answer({"task_id": " 55 "}, "202 Accepted"),
        answer({"task_id": "55", "base_resp": {"status_code": 0}}, "503 Service Unavailable"),
        answer({"task_id": "55", "base_resp": {"status_code": 2013}}, "400 Bad Request"),
        answer({"task_id": 55.0, "base_resp": {"status_code": 1002}}),
        answer({"task_id": ["55"], "base_resp": {"status_code": 1002}}),
        answer({"task_id": {"task_id": "55"}, "base_resp": {"status_code": 1002}}),
        answer({"base_resp": {"status_code": 1002, "task_id": "55"}}),
        answer({"data": {"task_id": "55"}, "base_resp": {"status_code": 1002}}),
        answer({"task_id": "", "data": [{"taskId": 55}], "base_resp": {"status_code": 2013}}),
        answer({"TASK-ID": "55", "base_resp": {"status_code": 1004}}, "401 Unauthorized"),
        answer({"response": {"tasks": [{"id": "55"}]}}, "429 Too Many Requests"),
        answer([{"task_id": "55"}], "429 Too Many Requests"),
    ],
)
def test_a_task_that_any_answer_names_was_created(reply: bytes) -> None:
    assert talk(reply)[0] == "55"


@pytest.mark.parametrize(
    "reply",
    [
        answer({"tasks": [{"id": "55"}, {"id": "56"}], "base_resp": {"status_code": 1002}}),
        answer({"task_id": "", "base_resp": {"status_code": 1002, "status_msg": "busy with task_id: 55"}}),
        answer('{"task_id":"55","task_id":"","base_resp":{"status_code":1002}}'),
        answer('data: {"task_id":"55"}\n\n', "429 Too Many Requests"),
        answer('{"task_id":"55","base_resp":{"status_code":10', "400 Bad Request"),
        answer('"{\\"task_id\\":\\"55\\"}"', "401 Unauthorized"),
        answer("<html>task_id = 55 is waiting</html>", "404 Not Found", {"Content-Type": "text/html"}),
        answer({"id": "55", "base_resp": {"status_code": 0}}),
        answer("", "303 See Other", {"Location": "/v1/query/video_generation?task_id=55"}),
    ],
)
def test_a_refusal_that_speaks_of_a_task_refuses_nothing_for_certain(reply: bytes) -> None:
    error = failure(reply)
    assert error.verdict is Verdict.UNCERTAIN
    assert "55" in str(error)


@pytest.mark.parametrize("task_id", [{"a": 1}, True, False, 1.5, None, "", " ", 0, "0"])
def test_what_is_no_id_is_none(task_id: Any) -> None:
    error = failure(answer({"task_id": task_id, "base_resp": {"status_code": 0}}))
    assert error.verdict is Verdict.UNCERTAIN
    assert type(failure(answer({"task_id": task_id, "base_resp": {"status_code": 1002}}))) is RateLimited


@pytest.mark.parametrize(
    ("call", "document"),
    [
        ("query", {"task_id": "2", "status": "Success", "file_id": "9", "base_resp": {"status_code": 0}}),
        ("query", {"task_id": 2, "status": "Fail", "base_resp": {"status_code": 1027}}),
        ("query", {"task_id": 2.0, "status": "Success", "file_id": "9"}),
        ("query", {"data": {"task_id": "2"}, "status": "Success", "file_id": "9"}),
        ("query", {"task_id": ["2"], "status": "Success", "file_id": "9"}),
        ("retrieve", {"file_id": "2", "file": {"download_url": "https://h/x"}}),
        ("template query", {"task_id": "2", "status": "Success", "video_url": "https://h/x"}),
        (
            "retrieve",
            {"file": {"file_id": 2, "download_url": "https://h/x"}, "base_resp": {"status_code": 0}},
        ),
    ],
)
def test_an_answer_about_something_else_is_not_believed(
    call: str, document: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert type(failure(answer(document), READS[call])) is AnswerLost
    assert "answered about" in caplog.text


def test_what_is_needed_is_taken_whatever_else_is_missing_or_odd() -> None:
    found, _ = talk(
        answer({"file": {"download_url": " https://h/x?s ", "bytes": "12.3 MB"}}), READS["retrieve"]
    )
    assert found.file.download_url == "https://h/x?s"
    found, _ = talk(answer({"status": "Success", "file_id": 7, "video_width": "wide"}), READS["query"])
    assert (found.state, found.file_id, found.video_width) == (State.SUCCESS, "7", 0)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "body", ["[" * 200_000, '{"base_resp":' * 200_000, "1" * 5000, "\ud83d".encode("utf-8", "surrogatepass")]
)
def test_odd_json_is_an_answer_that_says_nothing(call: str, body: Any) -> None:
    assert failure(answer(body), CALLS[call]).verdict is Verdict.UNCERTAIN
