"""Where many files are written at once, a process of its own writes them: the same files, and it outlives nobody for long."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from minimax_tasks.api.requests import TextToVideoRequest
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.settings import Settings
from minimax_tasks.storage import disk_work, local_files, owner
from minimax_tasks.storage.disk_process import can_be_started
from minimax_tasks.storage.disk_work import at_the_disk
from minimax_tasks.storage.files import Storage

pytestmark = pytest.mark.skipif(not can_be_started(), reason="threads do it all here")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The first call starts the process, and none is left behind by a test."""
    monkeypatch.setattr(disk_work, "BACKLOG", 0)
    before = _servants()
    yield
    gc.collect()
    assert _until(lambda: _servants() <= before)


def _servants() -> set[psutil.Process]:
    found = set()
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # what another test left for its parent to bury
            if "disk_server" in " ".join(one.cmdline()):
                found.add(one)
    return found


def _lives(servant: psutil.Process) -> bool:
    return servant.is_running() and servant.status() != psutil.STATUS_ZOMBIE


def _until(true: object, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


async def _servant() -> psutil.Process:
    """The process that does all from now on."""
    for _ in range(6000):
        if (number := await at_the_disk(os.getpid)) != os.getpid():
            return psutil.Process(number)
        await asyncio.sleep(0.01)
    raise AssertionError("no process took over")


def test_it_writes_what_threads_would(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))

    async def run() -> list[bool]:
        await _servant()
        await asyncio.gather(*(storage.write_json_async(f"k{n}/a.json", {"n": n}) for n in range(100)))
        (tmp_path / "clip").write_bytes(b"video")
        await storage.put_async(tmp_path / "clip", "k1/video.mp4")
        return await asyncio.gather(
            *(storage.create_json_async("k2/claim.json", {"n": n}) for n in range(100))
        )

    won = asyncio.run(run())
    assert sorted(won) == [False] * 99 + [True]
    assert storage.read_json("k2/claim.json") == {"n": won.index(True)}
    assert all(storage.read_json(f"k{n}/a.json") == {"n": n} for n in range(100))
    assert storage.read("k1/video.mp4") == b"video"
    assert not list(tmp_path.rglob("*.part"))


def test_its_drafts_have_its_own_token_which_it_need_not_work_out(tmp_path: Path) -> None:
    """Working it out takes OpenSSL, which is 4 MB."""

    async def run() -> tuple[str, bool, str]:
        await _servant()
        told = await at_the_disk(owner.my_token)
        await at_the_disk(local_files.write, str(tmp_path / "a"), b"a", str(tmp_path))
        has_openssl = await at_the_disk(eval, "'_hashlib' in __import__('sys').modules")
        return told, has_openssl, (await at_the_disk(owner.me)).token

    told, has_openssl, worked_out = asyncio.run(run())
    assert told == worked_out != owner.my_token()
    assert not has_openssl


def test_what_it_raises_is_raised_here(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "root"))

    async def run() -> None:
        await _servant()
        with pytest.raises(FileNotFoundError):
            await storage.write_json_async("gone/a.json", {}, new_folder=False)
        with pytest.raises(UnicodeDecodeError, match="invalid start byte"):
            await at_the_disk(b"\xff".decode, "utf-8")

    asyncio.run(run())


def test_when_it_is_killed_another_one_does_what_was_not_answered(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))

    async def run() -> None:
        for number in range(disk_work.STARTS):
            servant = await _servant()
            waiting = [asyncio.ensure_future(at_the_disk(time.sleep, 0.3)) for _ in range(10)]
            writing = asyncio.ensure_future(storage.write_json_async(f"{number}.json", {}))
            await at_the_disk(os.getpid)
            servant.kill()
            await asyncio.gather(*waiting, writing)
        for _ in range(20):
            assert await at_the_disk(os.getpid) == os.getpid()  # then threads do it
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), 120))
    storage.sweep("")  # of what the processes were writing when they were killed
    assert set(storage.names()) == {f"{number}.json" for number in range(disk_work.STARTS)}


def test_a_claim_whose_answer_was_lost_with_the_process_is_still_the_own(tmp_path: Path) -> None:
    """The process makes the file and is killed before it says so: the name is taken, by this worker."""
    root, clip = Storage(str(tmp_path)), ClipRequest(TextToVideoRequest(prompt="wave"))

    async def run() -> bool:
        servant = await _servant()
        folder = ClipFolder(root, clip.key)
        servant.suspend()
        claiming = asyncio.ensure_future(folder.claim(1, clip, "nonce"))
        await asyncio.sleep(0.05)
        local_files.create(folder.path("claim.1.json"), b'{"nonce": "nonce"}', str(tmp_path))
        servant.kill()
        return await claiming

    assert asyncio.run(asyncio.wait_for(run(), 120))


def test_who_is_cancelled_stops_no_write(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))

    async def run() -> None:
        await _servant()
        writing = asyncio.ensure_future(storage.write_json_async("a.json", {}))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(*(storage.write_json_async(f"{n}.json", {}) for n in range(20)))

    asyncio.run(run())
    assert storage.exists("a.json")


_RUN = """
import asyncio, os, signal, sys
from minimax_tasks.storage import disk_work, local_files, owner
disk_work.BACKLOG = 0
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

async def run():
    while (servant := await disk_work.at_the_disk(os.getpid)) == os.getpid():
        pass
    print(servant, flush=True)
    for number in range(10**9):
        await disk_work.at_the_disk(local_files.create, f"{sys.argv[1]}/{number}", b"x", sys.argv[1])
        if number == 100:
            print("busy", flush=True)

asyncio.run(run())
"""


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process that writes file after file through another one, with the number of that."""
    environment = os.environ | {"MINIMAX_API_KEY": "sk-secret-of-a-test"}
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        servant = int(process.stdout.readline())
        process.stdout.readline()
        yield process, servant
        process.kill()


def test_it_ends_when_the_process_it_works_for_is_killed(
    busy: tuple["subprocess.Popen[str]", int], tmp_path: Path
) -> None:
    process, servant = busy
    process.kill()
    process.wait()
    assert _until(lambda: not psutil.pid_exists(servant))
    assert not list(tmp_path.glob(".*.part"))  # what it had been told is done, and nothing is left half
    assert all(path.read_bytes() == b"x" for path in tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_a_terminal_leaves_it_to_finish(
    busy: tuple["subprocess.Popen[str]", int], number: signal.Signals
) -> None:
    process, servant = busy
    os.kill(servant, number)
    assert process.stdout is not None
    time.sleep(0.2)
    assert psutil.pid_exists(servant)
    os.killpg(process.pid, number)
    process.wait(60)
    assert _until(lambda: not psutil.pid_exists(servant))


def test_it_knows_no_key(busy: tuple["subprocess.Popen[str]", int]) -> None:
    _, servant = busy
    assert "sk-secret-of-a-test" not in Path(f"/proc/{servant}/environ").read_text(errors="replace")


def test_a_loop_that_has_ended_leaves_none_behind() -> None:
    async def run() -> psutil.Process:
        return await _servant()

    for _ in range(3):
        servant = asyncio.run(run())
        gc.collect()
        assert _until(lambda: not _lives(servant))  # noqa: B023


def test_it_ends_with_the_service_that_needed_it() -> None:
    async def run() -> None:
        for _ in range(disk_work.STARTS + 1):
            async with Service(Settings()):
                servant = await _servant()
            assert not _lives(servant)

    asyncio.run(run())


def test_a_service_ends_well_after_it_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_work, "STARTS", 1)

    async def run() -> None:
        async with Service(Settings()):
            servant = await _servant()
            servant.kill()
            for _ in range(6000):
                if not _lives(servant) and await at_the_disk(os.getpid) == os.getpid():
                    break
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), 120))


def test_a_service_that_ends_takes_it_from_nobody() -> None:
    async def run() -> None:
        async with Service(Settings()):
            servant = await _servant()
            async with Service(Settings()):
                waiting = asyncio.ensure_future(at_the_disk(time.sleep, 0.3))
                await asyncio.sleep(0)
            assert _lives(servant)
            await waiting
        assert not _lives(servant)

    asyncio.run(run())


def test_what_it_was_told_is_done_when_the_service_ends(tmp_path: Path) -> None:
    """A write whose caller was cancelled, too: it has begun."""
    storage = Storage(str(tmp_path))

    async def run() -> None:
        async with Service(Settings()):
            await _servant()
            writing = [asyncio.ensure_future(storage.write_json_async(f"{n}.json", {})) for n in range(20)]
            await at_the_disk(os.getpid)
            for one in writing:
                one.cancel()

    asyncio.run(run())
    assert len(storage.names()) == 20


def test_a_loop_that_ends_in_the_middle_of_calls_leaves_none_behind() -> None:
    async def run() -> None:
        await _servant()
        calls = [asyncio.ensure_future(at_the_disk(time.sleep, 0.2)) for _ in range(10)]
        await asyncio.sleep(0.05)
        calls[0].cancel()

    asyncio.run(run())  # cancels the others


def test_a_fork_neither_uses_nor_keeps_it() -> None:
    async def run() -> tuple[psutil.Process, int]:
        return await _servant(), os.fork()

    servant, child = asyncio.run(run())
    if child == 0:
        time.sleep(60)
        os._exit(0)
    try:
        gc.collect()
        assert _until(lambda: not _lives(servant))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_many_calls_and_large_answers_pass_through() -> None:
    large = os.urandom(3_000_000)

    async def run() -> None:
        await _servant()
        answers = await asyncio.gather(*(at_the_disk(bytes.upper, large) for _ in range(10)))
        assert answers == [large.upper()] * 10

    asyncio.run(asyncio.wait_for(run(), 120))
