"""Faults that are declared, and what a client meets."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.sandbox.http.faults import read_faults
from tests.sandbox.conftest import T2V, Api, Serve, fetch, received_until_cut

HELPLESS = "394125185182695432"


def post(api: Api, **body: Any) -> httpx.Response:
    return api.http.post("/v1/video_generation", json={**T2V, **body})


def codes(api: Api, count: int, **body: Any) -> list[int]:
    return [api.submit(**body)["base_resp"]["status_code"] for _ in range(count)]


def test_a_gateway_refuses_before_anything_was_created(serve: Serve) -> None:
    api = serve(idle=True, faults=[{"at": "submit", "nth": 2, "http": 503}])
    answers = [post(api) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert "<h1>503 Service Unavailable</h1>" in answers[1].text
    assert answers[1].headers["Trace-Id"]
    assert len(api.sandbox.ledger()) == 2


@pytest.mark.parametrize(
    ("effect", "status"), [({"http": 502, "accepted": True}, 502), ({"code": 1000, "accepted": True}, 200)]
)
def test_an_error_after_the_task_was_accepted(serve: Serve, effect: dict[str, Any], status: int) -> None:
    api = serve(idle=True, faults=[{"at": "submit", **effect}])
    answer = post(api)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {
            "task_id": "",
            "base_resp": {"status_code": 1000, "status_msg": "unknown error"},
        }
    assert len(api.sandbox.ledger()) == 1


def test_an_answer_that_is_lost(serve: Serve) -> None:
    api = serve(idle=True, faults=[{"at": "submit", "lost": True, "most": 1}])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        post(api)
    assert len(api.sandbox.ledger()) == 1
    assert post(api).status_code == 200


def test_an_answer_that_is_cut(serve: Serve) -> None:
    api = serve(idle=True, faults=[{"at": "submit", "cut": 10}])
    answer = api.http.stream("POST", "/v1/video_generation", json=T2V)
    assert received_until_cut(answer) == b'{"task_id"'
    assert len(api.sandbox.ledger()) == 1


def test_a_code_with_its_words(serve: Serve) -> None:
    api = serve(
        faults=[
            {"at": "submit", "nth": 1, "code": 1002},
            {"at": "submit", "code": 2056, "message": "已达到 Token Plan 用量上限"},
        ]
    )
    assert api.submit()["base_resp"] == {"status_code": 1002, "status_msg": "rate limit exceeded(RPM)"}
    assert api.submit()["base_resp"] == {"status_code": 2056, "status_msg": "已达到 Token Plan 用量上限"}
    assert api.sandbox.ledger() == []


def test_a_slow_answer(serve: Serve) -> None:
    api = serve(idle=True, faults=[{"at": "submit", "delay": 0.3}])
    start = time.monotonic()
    assert api.submit()["base_resp"]["status_code"] == 0
    assert time.monotonic() - start >= 0.3


def test_queries(serve: Serve) -> None:
    api = serve(
        faults=[
            {"at": "query", "nth": 1, "code": 1002},
            {"at": "query", "nth": 2, "word": "Pondering"},
            {"at": "query", "nth": 3, "http": 504},
            {"at": "query", "nth": 4, "lost": True},
        ]
    )
    task_id = api.submit()["task_id"]
    assert api.query(task_id)["base_resp"]["status_code"] == 1002
    assert api.query(task_id)["status"] == "Pondering"
    answer = api.http.get("/v1/query/video_generation", params={"task_id": task_id})
    assert answer.status_code == 504
    with pytest.raises(httpx.RemoteProtocolError):
        api.query(task_id)
    assert api.wait(task_id)["status"] == "Success"


def test_a_file_without_a_url_yet(serve: Serve) -> None:
    api = serve(faults=[{"at": "retrieve", "nth": 1, "per_task": True, "empty_url": True}])
    for _ in range(2):
        file_id = api.wait(api.submit()["task_id"])["file_id"]
        urls = [api.retrieve(file_id)["file"]["download_url"] for _ in range(2)]
        assert [bool(url) for url in urls] == [False, True]


def test_downloads(serve: Serve) -> None:
    api = serve(
        faults=[
            {"at": "download", "nth": 1, "cut": 2000},
            {"at": "download", "nth": 2, "expired": True},
            {"at": "download", "nth": 3, "http": 500},
            {"at": "download", "nth": 4, "lost": True},
            {"at": "download", "nth": 5, "cut": 0},
            {"at": "download", "nth": 6, "cut": 100},
        ]
    )
    task_id = api.submit()["task_id"]
    url = api.url(task_id)

    def received(**headers: str) -> bytes:
        return received_until_cut(httpx.stream("GET", url, headers=headers, trust_env=False, verify=False))

    first = received()
    assert len(first) == 2000
    assert (fetch(url).status_code, fetch(url).status_code) == (403, 500)
    assert received() == b""
    assert received() == b""
    part = received(Range="bytes=2000-")
    whole = fetch(url).content
    assert (first, part) == (whole[:2000], whole[2000:2100])
    assert api.entry(task_id)["downloads"] == 5


@pytest.mark.parametrize(("code", "words"), [(1026, "input new_sensitive"), (1027, "output new_sensitive")])
def test_moderation_is_told_by_the_query(serve: Serve, code: int, words: str) -> None:
    api = serve(faults=[{"at": "task", "prompt": "(?i)blood", "fail": code}])
    task_id = api.submit(prompt="Blood on the snow")["task_id"]
    failed = api.wait(task_id)
    assert failed == {
        "task_id": task_id, "status": "Fail", "file_id": "", "video_width": 0, "video_height": 0,
        "base_resp": {"status_code": code, "status_msg": words},
    }  # fmt: skip
    assert api.wait(api.submit(prompt="snow")["task_id"])["status"] == "Success"


def test_a_template_can_fail(serve: Serve) -> None:
    api = serve(faults=[{"at": "task", "prompt": "at work", "fail": 1027}])
    task_id = api.template(template_id=HELPLESS, text_inputs=[{"value": "a cat at work"}])["task_id"]
    failed = api.wait(task_id, template=True)
    assert (failed["status"], failed["base_resp"]["status_code"]) == ("Fail", 1027)
    assert "video_url" not in failed


def test_a_task_that_is_stuck(serve: Serve) -> None:
    api = serve(faults=[{"at": "task", "nth": 1, "stuck": "Queueing"}])
    stuck, free = (api.submit()["task_id"] for _ in range(2))
    assert api.wait(free)["status"] == "Success"
    assert api.query(stuck)["status"] == "Queueing"


def test_a_task_that_takes_longer(serve: Serve) -> None:
    api = serve(faults=[{"at": "task", "nth": 1, "latency": 600}])
    assert api.query(api.submit()["task_id"])["status"] == "Preparing"
    assert api.wait(api.submit()["task_id"])["status"] == "Success"


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({"nth": 2}, [2]),
        ({"nth": [1, 4]}, [1, 4]),
        ({"every": 3}, [3, 6]),
        ({"share": 1.0}, [1, 2, 3, 4, 5, 6]),
        ({"share": 0.0}, []),
        ({"most": 2}, [1, 2]),
        ({"every": 2, "most": 1}, [2]),
        ({"prompt": "harbour"}, []),
    ],
)
def test_when_a_fault_strikes(serve: Serve, when: dict[str, Any], struck: list[int]) -> None:
    api = serve(idle=True, faults=[{"at": "submit", "code": 1008, **when}])
    assert [n for n, code in enumerate(codes(api, 6), 1) if code] == struck


def test_a_prompt_counts_only_what_it_matches(serve: Serve) -> None:
    api = serve(idle=True, faults=[{"at": "submit", "prompt": "b.y", "nth": 2, "code": 1008}])
    prompts = ["a boy", "a cat", "a boy", "a bay"]
    assert [codes(api, 1, prompt=prompt)[0] for prompt in prompts] == [0, 0, 1008, 0]


def test_a_share_is_the_same_in_any_order_of_arrival(serve: Serve) -> None:
    def struck(prompts: list[str], seed: int) -> set[str]:
        api = serve(faults=[{"at": "submit", "share": 0.5, "seed": seed, "code": 1008}], idle=True)
        return {prompt for prompt in prompts if codes(api, 1, prompt=prompt) == [1008]}

    prompts = [f"clip {number}" for number in range(30)]
    chosen = struck(prompts, 7)
    assert 5 < len(chosen) < 25
    assert struck(prompts[::-1], 7) == chosen
    assert struck(prompts, 8) != chosen


def test_the_first_fault_that_strikes_wins(serve: Serve) -> None:
    api = serve(
        idle=True,
        faults=[{"at": "submit", "nth": 2, "code": 1008}, {"at": "submit", "every": 2, "code": 1002}],
    )
    assert codes(api, 4) == [0, 1008, 0, 1002]


def test_a_file_of_faults(serve: Serve, tmp_path: Path) -> None:
    written = tmp_path / "faults.yaml"
    written.write_text("faults:\n  - {at: submit, nth: [1], code: 1008}  # no money\n")
    assert codes(serve(faults=written, latency=60), 1) == [1008]
    written.write_text(json.dumps([{"at": "submit", "nth": 1, "code": 1008}]))
    assert codes(serve(faults=str(written), latency=60), 1) == [1008]


def test_faults_added_to_a_running_sandbox(serve: Serve) -> None:
    api = serve(idle=True)
    assert codes(api, 1) == [0]
    api.sandbox.add_faults([{"at": "submit", "nth": 1, "code": 1008}])
    answer = httpx.post(
        api.sandbox.url + "/sandbox/faults",
        content="faults: [{at: submit, nth: 2, code: 1002}]",
        trust_env=False,
        verify=False,
    )
    assert answer.json() == {"added": 1}
    assert codes(api, 3) == [1008, 1002, 0]
    listed = api.http.get("/sandbox/faults").json()
    assert listed[1:] == [
        {"at": "submit", "nth": 1, "code": 1008, "struck": 1},
        {"at": "submit", "nth": 2, "code": 1002, "struck": 1},
    ]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([{"at": "submit", "htp": 500}], "fault 0.submit.htp: Extra inputs"),
        ([{"at": "nowhere", "code": 1}], "fault 0"),
        ([{"code": 1002}], "fault 0"),
        ([{"at": "submit"}], "an effect is missing"),
        ([{"at": "callback", "status": "success"}], "an effect is missing"),
        ([{"at": "submit", "nth": 1, "every": 2, "code": 1}], "exclude each other"),
        ([{"at": "submit", "nth": 0, "code": 1}], "fault 0.submit.nth"),
        ([{"at": "submit", "share": 2, "code": 1}], "fault 0.submit.share"),
        ([{"at": "submit", "prompt": "(", "code": 1}], "not a regular expression"),
        ([{"at": "download", "code": 1002}], "fault 0.download.code: Extra inputs"),
        ([{"at": "task", "stuck": "Success"}], "fault 0.task.stuck"),
        ("no-such-file.yaml", "cannot be read"),
    ],
)
def test_faults_that_make_no_sense(faults: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Sandbox(faults=faults)


@pytest.mark.parametrize(
    "body",
    [
        "faults: [",
        "{at: submit}",
        "7",
        "[{at: submit, htp: 1}]",
        "[{at: submit, code: 1, prompt: []}]",
        "[{at: submit, code: 1, prompt: 'a{99999999999999999999}'}]",
        "[{at: submit, code: 1, prompt: '" + "(" * 3000 + ")" * 3000 + "'}]",
        '[{at: submit, code: 1, message: "\\ud800"}]',
        "[{at: submit, code: 1, seed: 0x" + "f" * 5000 + "}]",
        "[" * 5000,
        "!!int ''",
        "!!bool x",
        "!!timestamp x",
        "\x00",
    ],
    ids=range(14),
)
def test_faults_that_make_no_sense_are_not_added(api: Api, body: str) -> None:
    answer = api.http.post("/sandbox/faults", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert api.http.get("/sandbox/faults").json() == []


def test_the_examples_of_the_documentation_are_faults() -> None:
    import minimax_tasks.sandbox.http.faults as module

    examples = (module.__doc__ or "").split("    faults:\n")[1].split("\n\n")[0]
    assert len(module.parse_faults("faults:\n" + examples)) == 11


def test_no_faults() -> None:
    assert read_faults([]) == ()
