"""Secrets are planted wherever others can put them, then everything that is written, shown or raised is searched."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import pickle
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.clips.timing import Timing
from minimax_tasks.commands.main import main
from minimax_tasks.video.slate import write_slate

KEY = "sk-plant-PLANTKEY-0123456789"
PLANT = re.compile(rb"PLANT\w+")
_number = itertools.count(1)


def plant(what: str) -> str:
    return f"PLANT{what}{next(_number)}"


def echo() -> str:
    """What a careless gateway says: the request's headers, signed URLs, and orders for the terminal."""
    return (
        f"\x1b]0;{plant('title')}\x07no \x1b[2Jluck \u202e: Authorization: Bearer {plant('bearer')}; key {KEY}; "
        f"see https://user:{plant('pw')}@cdn.example/x.mp4?Signature={plant('sig')}&b=c \ud83d"
    )


class Careless(BaseHTTPRequestHandler):
    """A service that tells every secret it knows in every field that it has."""

    protocol_version = "HTTP/1.1"
    video = b""

    def log_message(self, *args: object) -> None:
        """Nothing on the terminal."""

    def _give(self, document: Any, status: int = 200, **headers: str) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status, "Fine")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Trace-Id", f"t {KEY} Bearer {plant('trace')}")
        self.send_header("Set-Cookie", f"sid={plant('cookie')}")
        self.send_header("X-Debug", plant("header"))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def _signed(self, place: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{place}?Signature={plant('download')}"  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        word = next((word for word in TROUBLE if word in body), "")
        base = {"status_code": TROUBLE.get(word, 0), "status_msg": echo(), "extra": echo()}
        if word == "gateway":
            page = f"<html>{echo()}<pre>{self.headers}</pre></html>"
            self._give(page.encode("utf-8", "replace"), 502)
        elif word == "redirected":
            self._give(b"", 301, Location=f"https://u:{plant('lpw')}@login.example/?token={plant('loc')}")
        elif self.path.startswith("/v2/"):
            self._give_second(word, body)
        elif word:
            self._give({"task_id": "", "base_resp": base, echo(): echo()})
        else:
            kind = "bad" if "unlucky" in body else "good"
            self._give({"task_id": f"{kind}{next(_number)}", "base_resp": base, "debug": echo()})

    def _give_second(self, word: str, body: str) -> None:
        error = {
            "type": echo(),
            "message": f"{echo()} ({TROUBLE.get(word, 0)})",
            "http_code": echo(),
            echo(): echo(),
        }
        if word:
            status = {"refused": 400, "unknown": 500, "broke": 402}.get(word, 502)
            self._give({"type": "error", "error": error, "request_id": echo()}, status)
        else:
            kind = "bad" if "unlucky" in body else "good"
            self._give({"task_id": f"{kind}{next(_number)}", "debug": echo()})

    def _task(self, task_id: str) -> dict[str, Any]:
        failed = task_id.startswith("bad")
        task = {
            "id": task_id, "status": "failed" if failed else "succeeded", "model": echo(), "ratio": echo(),
            "usage": {"total_tokens": echo(), echo(): echo()}, "task_type": echo(), "resolution": echo(),
        }  # fmt: skip
        if failed:
            return task | {"error": {"code": "1027", "message": echo(), echo(): echo()}}
        return task | {"content": {"url": self._signed("first.mp4"), "type": echo()}}

    def do_DELETE(self) -> None:
        self._give(
            {"task_id": self.path.rpartition("/")[2], "action": echo(), "message": echo(), "debug": echo()}
        )

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path.startswith("/v2/"):
            place = "/v2/query/video_generation"
            self._give(
                {"items": [], "total": 0, "debug": echo()}
                if path == place
                else {"task": self._task(path[len(place) + 1 :])}
            )
            return
        base = {"status_code": 0, "status_msg": echo()}
        if path.startswith("/v1/query"):
            task = query["task_id"][0]
            failed = task.startswith("bad")
            told = {
                "task_id": task, "status": "Fail" if failed else "Success", "file_id": f"f{task}",
                "video_url": self._signed("first.mp4"), "base_resp": base, "reason": echo(),
            }  # fmt: skip
            self._give(told)
        elif path == "/v1/files/retrieve":
            file = {
                "file_id": query["file_id"][0], "bytes": "12.3 MB", "filename": echo(), "purpose": echo(),
                "download_url": self._signed("first.mp4"), "backup_download_url": self._signed("backup.mp4"),
            }  # fmt: skip
            self._give({"file": file, "base_resp": base})
        elif path == "/first.mp4":
            self._give(b"", 302, Location=self._signed("second.mp4"))
        else:
            self._give(
                self.video if path.endswith(".mp4") else b"nothing", 200 if path.endswith(".mp4") else 404
            )


TROUBLE = {"refused": 2013, "gateway": 0, "redirected": 0, "unknown": 1000, "broke": 1008}


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    clip = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_slate(clip, (160, 90), Fraction(24), 6, "Clip", [])
    Careless.video = clip.read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(careless: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """The careless service in the settings, logs of everything."""
    for name, value in {
        "MINIMAX_BASE_URL": careless,
        "MINIMAX_API_KEY": KEY,
        "MINIMAX_REQUESTS_PER_MINUTE": "0",
        "MINIMAX_POLL_INTERVAL": "0.05",
        "MINIMAX_RECEIVER_URL": f"https://hook:{plant('rpw')}@hooks.example/in",
    }.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.DEBUG):
        yield careless


def search(what: str, data: bytes | str) -> None:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    found = PLANT.search(raw)
    assert not found, f"{what}: …{raw[max(0, found.start() - 120) : found.end() + 40]!r}…"
    if what.startswith(("log", "stdout", "stderr", "exception")):
        for bad in ("\x1b]", "\x1b[2J", "\u202e", "\ud83d"):
            assert bad.encode("utf-8", "surrogatepass") not in raw, f"{what}: {bad!r}"


def search_all(folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Every file below a folder (names too), standard output and error, every log record."""
    files = [path for path in folder.rglob("*") if path.is_file() and "given" not in path.parts]
    assert files
    for path in files:
        search(f"file {path.name}", path.read_bytes())
        search("name of a file", str(path))
    out, err = capfd.readouterr()
    search("stdout", out)
    search("stderr", err)
    formatter = logging.Formatter("%(name)s %(message)s")
    for record in caplog.records:
        search(f"log {record.name}", formatter.format(record) + repr(record.args))


def search_error(error: BaseException) -> None:
    """An exception, what it came from, and how it is printed."""
    chain: list[BaseException | None] = [error]
    while (now := chain.pop()) is not None:
        search("exception", f"{now!s} {now!r} {now.args!r}")
        chain = [now.__cause__ or now.__context__]
    search("exception", "".join(traceback.format_exception(error)))


def test_every_call_of_the_client(run: str, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    async def calls() -> None:
        async with mm.MiniMaxClient(KEY, run) as client:
            for word in (*TROUBLE, "unlucky", "fine"):
                try:
                    search("task id", await client.submit(mm.TextToVideoRequest(prompt=word)))
                except mm.MiniMaxError as error:
                    search_error(error)
            for mode in (Mode.TEXT, Mode.TEMPLATE):
                search("exception: answer", repr(await client.query("good1", mode)))
            told = await client.retrieve("f1")
            search("exception: answer", repr(told))
            await client.fetch(told.file.download_url, tmp_path / "x.mp4")
            with pytest.raises(mm.ApiError) as caught:
                await client.fetch(f"{run}/no?Signature={plant('no')}", tmp_path / "y.mp4")
            search_error(caught.value)

    asyncio.run(calls())
    for record in caplog.records:
        search(f"log {record.name}", record.getMessage())
    assert "minimax_tasks.api.client" in {record.name for record in caplog.records}


def second(prompt: str, **given: Any) -> mm.TextToVideoRequest:
    return mm.TextToVideoRequest(
        **{"prompt": prompt, "model": "MiniMax-H3", "ratio": "16:9", "duration": 4} | given
    )


def test_every_call_of_the_second_generation(
    run: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    endpoint = second("x").endpoint

    async def calls() -> None:
        async with mm.MiniMaxClient(KEY, run) as client:
            for word in (*TROUBLE, "unlucky", "fine"):
                try:
                    search("task id", await client.submit(second(word)))
                except mm.MiniMaxError as error:
                    search_error(error)
            for task_id in ("good1", "bad1"):
                search("exception: answer", repr(await client.query(task_id, endpoint)))
            search("exception: answer", repr(await client.tasks(endpoint)))
            search("exception: answer", repr(await client.cancel("good1", endpoint)))

    asyncio.run(calls())
    for record in caplog.records:
        search(f"log {record.name}", record.getMessage())


def test_clips_of_the_second_generation(
    run: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Made by the public functions that the engines are thin over, with every outcome."""
    callback = f"https://u:{plant('cpw')}@h.example/?t={plant('cq')}"
    # Of one shape, the first that is in doubt would hold the others back; and no other is sent once the money is gone.
    asked = [
        second(word, duration=4 + number, callback_url=callback)
        for number, word in enumerate((*TROUBLE, "unlucky", "fine"))
    ]
    root = str(tmp_path / "root")
    settings, timing = (
        mm.Settings.load(root=root),
        Timing(settle_window=0.5, settle_look=0.05, settle_pause=0.1),
    )

    async def work() -> list[Any]:
        found = []
        for one in asked:
            async with mm.Service(settings, timing=timing) as service:
                found += [outcome async for outcome in mm.make_all([one], root=root, service=service)]
        return found

    outcomes = asyncio.run(work())
    assert len(outcomes) == len(asked)
    made = {outcome.request.prompt for outcome in outcomes if outcome.is_made}
    assert made == {"fine"}
    for outcome in outcomes:
        search("stdout", repr(outcome.clip))
        if outcome.error is not None:
            search_error(outcome.error)
    for words in (["ledger"], ["ledger", "--json"], ["ledger", "--prometheus"], ["resume"]):
        main([*words, "--root", str(tmp_path / "root")])
    search_all(tmp_path, capfd, caplog)


def picture_url(run: str) -> str:
    return f"{run.replace('//', '//u:' + plant('refpw') + '@')}/p.png?X-Amz-Signature={plant('refsig')}"


def tasks_of(run: str, root: Path) -> list[Any]:
    common = {"root": str(root), "callback_url": f"https://u:{plant('cpw')}@h.example/?t={plant('cq')}"}
    made: list[Callable[..., Any]] = [
        lambda: mm.ImageToVideo(first_frame_image=picture_url(run), prompt="fine", **common),
        lambda: mm.StartEndToVideo(
            first_frame_image=picture_url(run), last_frame_image=picture_url(run), **common
        ),
        lambda: mm.SubjectToVideo(subject_image=(picture_url(run),), **common),
        lambda: mm.TemplateVideo(template="Diving", image=picture_url(run), **common),
        lambda: mm.TextToVideo(prompt="unlucky", **common),
        *(lambda word=word: mm.TextToVideo(prompt=word, **common) for word in TROUBLE),
    ]
    return [make() for make in made]


@pytest.mark.filterwarnings("ignore::minimax_tasks.MiniMaxCatalogWarning")
def test_tasks(
    run: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "root"
    tasks = tasks_of(run, root)
    for task in tasks:
        shown = (str(task), repr(task), task.task_id, json.dumps(task.to_str_params()))
        search("exception: task", " ".join(shown))
        assert pickle.loads(pickle.dumps(task)).param_kwargs == task.param_kwargs
    for failing in tasks[-2:]:
        with pytest.raises(mm.MiniMaxError) as caught:
            failing.clone(mm.SubmitVideo, request=failing.clip).run()
        search_error(caught.value)
    assert not mm.build(tasks, log_level="DEBUG")
    assert [task.complete() for task in tasks[:5]] == [True] * 4 + [False]
    doubtful = next(path.parent.name for path in root.rglob("doubt.1.json"))
    for words in (
        ["resolve", doubtful, "--task-id", "good77"], ["ledger"], ["ledger", "--json"], ["resume", "--debug"],
        ["resolve", doubtful, "--task-id", "x", "--debug"],
    ):  # fmt: skip
        try:
            main([*words, "--root", str(root)])
        except mm.MiniMaxError as error:
            search_error(error)
    search_all(tmp_path, capfd, caplog)


BOARD = """\
title: Careless
frames: {{pier: "{picture}"}}
defaults: {{model: MiniMax-Hailuo-02}}
shots:
  - {{id: "010", from: pier, prompt: fine}}
  - {{id: "020", cut: true, prompt: unlucky}}
  - {{id: "030", cut: true, prompt: refused}}
  - {{id: "040", cut: true, prompt: gateway}}
"""


@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "--json"], ["render", "--partial"], ["render", "--debug"]]
)
def test_a_board(
    words: list[str],
    run: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "board.yaml").write_text(BOARD.format(picture=picture_url(run)))
    try:
        main([words[0], str(given / "board.yaml"), "--root", str(tmp_path / "root"), *words[1:]])
    except mm.MiniMaxError as error:
        search_error(error)
    (tmp_path / "some").touch()
    search_all(tmp_path, capfd, caplog)


@pytest.mark.parametrize("command", ["plan", "render"])
def test_the_address_of_a_board(
    command: str,
    run: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    signed = f"{run.replace('//', '//u:' + plant('bpw') + '@')}/board.yaml?X-Amz-Signature={plant('bsig')}"
    for words in ([], ["--debug"]):
        try:
            assert main([command, signed, "--root", str(tmp_path / "root"), *words])
        except Exception as error:
            search_error(error)
    (tmp_path / "some").touch()
    search_all(tmp_path, capfd, caplog)


def test_a_dataset(
    run: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    rows = [
        {"prompt": "fine", "first_frame_image": picture_url(run)},
        *({"prompt": word} for word in ("unlucky", "refused", "gateway", "unknown")),
    ]
    (given / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    mm.build(
        [mm.VideoDataset(table=str(given / "table.jsonl"), root=str(tmp_path / "root"))], log_level="DEBUG"
    )
    assert list(tmp_path.rglob("metadata.jsonl")) or list(tmp_path.rglob("shard-*.json"))
    search_all(tmp_path, capfd, caplog)


@pytest.mark.slow
def test_luigid_its_api_and_what_it_keeps(
    run: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    state = tmp_path / "luigi-state.pickle"
    luigid = subprocess.Popen(
        [str(Path(sys.executable).with_name("luigid")), "--port", str(port), "--address", "127.0.0.1",
         "--state-path", str(state)],
        cwd=tmp_path, env={**os.environ, "LUIGI_CONFIG_PATH": ""}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(url, trust_env=False, verify=False)
                break
            time.sleep(0.1)
        tasks = tasks_of(run, tmp_path / "root")[:1]
        table = f"s3://u:{plant('tpw')}@bucket/table.csv?X-Amz-Signature={plant('tsig')}"
        assert mm.build(tasks, scheduler_url=url)
        for state_of in ("DONE", "PENDING", "FAILED", "RUNNING"):
            asked = json.dumps({"status": state_of, "upstream_status": "", "search": ""})
            search(
                "luigid",
                httpx.get(f"{url}/api/task_list", params={"data": asked}, trust_env=False, verify=False).text,
            )
        search("exception: task", repr(mm.VideoDataset(table=table, root=str(tmp_path / "root"))))
    finally:
        luigid.terminate()
        luigid.wait(20)
    assert state.exists()
    search_all(tmp_path, capfd, caplog)


# -- parameters as they are shown


def test_a_picture_as_a_data_url_is_not_in_what_luigi_shows(tmp_path: Path) -> None:
    payload = "QUJD" * 50_000
    first, second = (
        mm.ImageToVideo(
            first_frame_image=f"data:image/png;base64,{payload}{end}", prompt="x", root=str(tmp_path)
        )
        for end in ("QUJD", "QUJE")
    )
    assert first.task_id != second.task_id
    for task in (first, mm.SubmitVideo(request=first.asked, root=str(tmp_path))):
        shown = f"{task!r} {task} {task.task_id} {task.to_str_params()}"
        assert "QUJDQUJD" not in shown
        assert len(shown) < 2000


def test_what_a_log_shows_is_not_taken_for_the_picture(tmp_path: Path) -> None:
    task = mm.ImageToVideo(
        first_frame_image="https://h.example/x.png?Signature=S", prompt="x", root=str(tmp_path)
    )
    with pytest.raises(mm.InvalidRequest, match="the whole URL"):
        mm.ImageToVideo.from_str_params(json.loads(json.dumps(task.to_str_params())))


def test_the_command_line_gives_the_whole_reference(tmp_path: Path) -> None:
    url = f"https://u:p@h.example/x.png?Signature={'S' * 20}"
    words = ["ImageToVideo", "--first-frame-image", url, "--prompt", "x", "--root", str(tmp_path)]
    with luigi.cmdline_parser.CmdlineParser.global_instance(words) as parser:
        task = parser.get_task_obj()
    assert task.asked.pictures() == {"first_frame_image": url}
    assert "Signature" not in repr(task)
