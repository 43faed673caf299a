"""Answers belong to questions, and what speaks of the set-up is no clip's verdict."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import (
    ClipRequest,
    GenerationFailed,
    NotTheApi,
    TextToVideoRequest,
    UncertainSubmit,
    VideoDataset,
    build,
)
from minimax_tasks.clips.download import _address
from minimax_tasks.clips.layout import callback_of_submit
from minimax_tasks.clips.poll import poll, poll_through
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import submit
from minimax_tasks.clips.timing import Timing
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.settings import Settings
from tests.api.scripted import answer, scripted
from tests.clips.test_life import TEXT, folder_of, make, names, with_service
from tests.conftest import point_at

ANOTHER = ClipRequest(TextToVideoRequest(prompt="Another"))


def test_one_task_for_two_clips_is_one_clip(tmp_path: Path) -> None:
    done = {"task_id": "7", "status": "Success", "file_id": "9", "base_resp": {"status_code": 0}}

    async def run() -> None:
        async with scripted() as server:
            server.next = answer(done)

            async def work(service: Service) -> None:
                first, second = folder_of(TEXT, tmp_path), folder_of(ANOTHER, tmp_path)
                await submit(TEXT, first, service)
                await submit(ANOTHER, second, service)
                assert (await poll(first, service))["file_id"] == "9"
                with pytest.raises(UncertainSubmit, match=f"task 7, which it had given to clip {first.key}"):
                    await poll(second, service)
                assert (await poll(first, service))["file_id"] == "9"
                assert "result.json" not in names(second)

            await asyncio.to_thread(with_service, server.url, work)

    asyncio.run(run())


IN_V2 = ClipRequest(TextToVideoRequest(prompt="A", model="MiniMax-H3", ratio="16:9", duration=4))
OTHER_IN_V2 = ClipRequest(TextToVideoRequest(prompt="B", model="MiniMax-H3", ratio="16:9", duration=5))
LOST = b"HTTP/1.1 200 OK\r\nContent-Le"
BRIEF = Timing(claim_patience=1.0, settle_window=0.2, settle_look=0.05, settle_pause=0.1)


def answering(to_post: list[bytes], to_query: Any) -> Callable[[str], bytes]:
    """What a server says to POSTs one after the other, to a query, and to a list of which it knows nothing."""
    posts = iter(to_post)

    def by_head(head: str) -> bytes:
        if head.startswith("POST "):
            return next(posts)
        return answer({"items": [], "total": 0} if "page_num" in head else to_query)

    return by_head


def hear(clip: ClipRequest, root: Path, task_id: str) -> None:
    """A callback to the address of the clip's first POST."""
    folder = folder_of(clip, root)
    nonce = json.loads((root / f"clips/{clip.key}/claim.1.json").read_text())["nonce"]
    folder.root.write_json(callback_of_submit(folder.key, nonce), {"task_id": task_id})


@pytest.mark.parametrize(
    ("clip", "other", "done"),
    [
        (TEXT, ANOTHER, {"task_id": "7", "status": "Success", "file_id": "9"}),
        (IN_V2, OTHER_IN_V2, {"task": {"id": "7", "status": "succeeded", "content": {"url": "http://h/x"}}}),
    ],
)
def test_a_callback_that_names_the_task_of_another_clip_settles_nothing(
    clip: ClipRequest, other: ClipRequest, done: dict[str, Any], tmp_path: Path
) -> None:
    async def run() -> None:
        async with scripted() as server:
            server.by_head = answering([LOST, answer({"task_id": "7"})], done)

            async def work(service: Service) -> None:
                first, second = folder_of(clip, tmp_path), folder_of(other, tmp_path)
                with pytest.raises(UncertainSubmit):
                    await submit(clip, first, service)
                await submit(other, second, service)
                hear(clip, tmp_path, "7")
                with pytest.raises(UncertainSubmit, match="not known whether the service accepted it"):
                    await submit(clip, first, service)
                assert (await poll(second, service))["task_id"] == "7"
                assert "submission.json" not in names(first)

            await asyncio.to_thread(lambda: with_service(server.url, work, timing=BRIEF))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("clip", "nothing"), [(TEXT, {"base_resp": {"status_code": 0}}), (IN_V2, {"task": {}})]
)
def test_an_answer_that_says_nothing_of_a_task_confirms_no_callback(
    clip: ClipRequest, nothing: dict[str, Any], tmp_path: Path
) -> None:
    async def run() -> None:
        async with scripted() as server:
            server.by_head = answering([LOST], nothing)

            async def work(service: Service) -> None:
                folder = folder_of(clip, tmp_path)
                for _ in range(2):
                    with pytest.raises(UncertainSubmit):
                        await submit(clip, folder, service)
                    hear(clip, tmp_path, "7")

            await asyncio.to_thread(lambda: with_service(server.url, work, timing=BRIEF))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("clip", "failed"),
    [
        (TEXT, {"task_id": "7", "status": "Fail", "base_resp": {"status_code": 1000}}),
        (IN_V2, {"task": {"id": "7", "status": "failed", "error": {"code": "1000"}}}),
    ],
)
def test_the_task_of_a_failed_attempt_is_not_that_of_the_next(
    clip: ClipRequest, failed: dict[str, Any], tmp_path: Path
) -> None:
    async def run() -> None:
        async with scripted() as server:
            server.by_head = answering([answer({"task_id": "7"})] * 2, failed)

            async def work(service: Service) -> None:
                folder = folder_of(clip, tmp_path)
                await submit(clip, folder, service)
                with pytest.raises(GenerationFailed):
                    await poll_through(lambda: clip, folder, service)
                with pytest.raises(UncertainSubmit, match="task 7, which is that of attempt 1"):
                    await submit(clip, folder, service)

            await asyncio.to_thread(lambda: with_service(server.url, work, timing=BRIEF, paid_attempts=2))

    asyncio.run(run())


BOARD = 'title: P\nshots:\n  - {id: "010", prompt: one}\n'


@pytest.mark.parametrize("path", ["/v1", "/sandbox", "/docs"])
def test_a_board_goes_on_once_the_address_is_right(
    path: str, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = tmp_path / "board.yaml"
    board.write_text(BOARD)
    words = ["render", str(board), "--root", str(tmp_path / "root")]
    point_at(monkeypatch, sandbox.url + path)
    assert main(words) == 1
    point_at(monkeypatch, sandbox.url)
    assert main(words) == 0
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answer("<html>login</html>"),
        answer("<html>login</html>", "404 Not Found"),
        answer("", "302 Found", {"Location": "https://login.example/"}),
        answer("no", "407 Proxy Authentication Required"),
        answer("The plain HTTP request was sent to HTTPS port", "400 Bad Request"),
    ],
)
def test_a_dataset_goes_on_once_the_address_is_right(
    reply: bytes, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(json.dumps({"prompt": f"clip {n}"}) for n in range(3)))
    task = VideoDataset(table=str(table), root=str(tmp_path / "root"))

    async def elsewhere() -> int:
        async with scripted() as server:
            server.next = reply
            point_at(monkeypatch, server.url)
            assert not await asyncio.to_thread(build, [task])
            return len(server.seen)

    assert asyncio.run(elsewhere()) >= 1
    point_at(monkeypatch, sandbox.url)
    assert build([task])
    assert len(sandbox.ledger()) == 3


def test_what_a_page_says_is_not_kept_against_the_clip(tmp_path: Path) -> None:
    async def run() -> Any:
        async with scripted() as server:
            server.next = answer("<html>a web site</html>")
            with pytest.raises(NotTheApi):
                await asyncio.to_thread(make, server.url, TEXT, tmp_path)
            return json.loads((tmp_path / f"clips/{TEXT.key}/released.1.json").read_text())

    assert asyncio.run(run())["final"] is False


@pytest.mark.parametrize(
    "asked_for_nothing",
    [
        answer({"base_resp": {"status_code": 2013, "status_msg": "invalid task id"}}),
        answer({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "401 Unauthorized"),
        answer("<html>Bad gateway</html>", "502 Bad Gateway"),
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
def test_a_page_where_the_api_is_may_stand_in_place_of_its_answer(
    asked_for_nothing: bytes, tmp_path: Path
) -> None:
    async def run() -> int:
        async with scripted() as server:
            server.next = answer("<html>blocked</html>", headers={"Content-Type": "text/html"})
            server.to_get = asked_for_nothing
            for _ in range(2):
                with pytest.raises(UncertainSubmit, match="may have been paid"):
                    await asyncio.to_thread(make, server.url, TEXT, tmp_path)
            return sum(head.startswith("POST ") for head, _ in server.seen)

    assert asyncio.run(run()) == 1


@pytest.mark.parametrize(
    ("base_url", "url", "fetched"),
    [
        ("http://sandbox:8000", "http://sandbox:8000/x?s", "http://sandbox:8000/x?s"),
        ("https://api.minimaxi.com", "http://cdn.example/x?s", "https://cdn.example/x?s"),
        ("https://api.minimaxi.com", "HTTP://cdn.example/x?s", "https://cdn.example/x?s"),
        ("https://api.minimaxi.com", "https://cdn.example/x?s", "https://cdn.example/x?s"),
        ("https://relay.example", "http://127.0.0.1:8000/x?s", "http://127.0.0.1:8000/x?s"),
        ("http://sandbox:8000", "https://cdn.example/x?s", "https://cdn.example/x?s"),
    ],
)
def test_where_a_clip_is_fetched_from(base_url: str, url: str, fetched: str) -> None:
    assert _address(url, base_url) == fetched


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("api_key = sk-abc%def", "api_key", "sk-abc%def"),
        ("api_key = sk-%(abc)s%def", "api_key", "sk-%(abc)s%def"),
        ("receiver_url = https://h/a%20b", "receiver_url", "https://h/a%20b"),
        ("api_key = a%%b", "api_key", "a%b"),
        ("base_url =  https://h/  ", "base_url", "https://h/"),
    ],
)
def test_a_percent_sign_in_the_configuration(
    line: str, name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import luigi

    (tmp_path / "luigi.cfg").write_text(f"[minimax]\n{line}\n")
    luigi.configuration.get_config().read([str(tmp_path / "luigi.cfg")])
    found = getattr(Settings.load(), name)
    assert (found.get_secret_value() if name == "api_key" else found) == value
