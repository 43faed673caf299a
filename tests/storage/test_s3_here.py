"""S3 from the event loop that asks: requests are seen through, and connections go with whoever needed them."""

import asyncio
import contextlib
import gc
from types import SimpleNamespace
from typing import Any

import pytest

from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.s3_here import in_this_loop, leave_s3


class FileSystem:
    """What is needed of one, with the credentials of a client that is connected."""

    def __init__(self, session: Any = None, **options: Any) -> None:
        self.session, self.options = session, options
        self.storage_options = {"key": "k"}
        self._s3: Any = None

    def connect(self, credentials: Any) -> None:
        self.session = object()
        self._s3 = SimpleNamespace(_get_credentials=lambda: credentials)


async def seven(fs: Any) -> int:
    await asyncio.sleep(0)
    return 7


async def given(fs: Any) -> Any:
    return fs


def test_it_is_a_file_system_like_the_first_that_works_here() -> None:
    fs = FileSystem()

    async def run() -> None:
        here = await in_this_loop(fs, given)
        assert here is not fs
        assert here is await in_this_loop(fs, given)
        assert here.options["key"] == "k"
        assert here.options["loop"] is asyncio.get_running_loop()
        await leave_s3()
        assert here is not await in_this_loop(fs, given)

    asyncio.run(run())


def test_what_is_renewed_behind_a_lock_of_another_event_loop_is_not_shared() -> None:
    credentials = pytest.importorskip("botocore.credentials")
    plain, renewed, unconnected = FileSystem(), FileSystem(), FileSystem()
    plain.connect(credentials.Credentials("k", "s"))
    renewed.connect(credentials.RefreshableCredentials("k", "s", "t", None, None, "role"))

    async def run() -> None:
        assert (await in_this_loop(plain, given)).session is plain.session
        assert (await in_this_loop(renewed, given)).session is None
        assert (await in_this_loop(unconnected, given)).session is None

    asyncio.run(run())


def test_who_is_cancelled_stops_no_request_and_disturbs_nobody() -> None:
    fs = FileSystem()

    async def run() -> None:
        begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def slow(fs: Any) -> None:
            begun.set()
            await may_end.wait()
            ended.set()

        call = asyncio.ensure_future(in_this_loop(fs, slow))
        await begun.wait()
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        assert await in_this_loop(fs, seven) == 7
        asyncio.get_running_loop().call_later(0.05, may_end.set)
        await leave_s3()
        assert ended.is_set(), "who leaves waits for what is under way"

    asyncio.run(run())


@pytest.mark.parametrize("leaves", [False, True])
def test_connections_go_with_the_event_loop_or_before(
    s3_root: str, leaves: bool, caplog: pytest.LogCaptureFixture
) -> None:
    root = Storage(s3_root)

    async def run() -> None:
        await asyncio.gather(*(root.write_json_async(f"{number}.json", {}) for number in range(20)))
        if leaves:
            await leave_s3()
        await root.write_json_async("0.json", {"again": True})

    for _ in range(2):
        asyncio.run(run())
    gc.collect()
    assert not [record for record in caplog.records if "Unclosed" in record.getMessage()]
    assert len(root.names()) == 20
    assert root.read_json("0.json") == {"again": True}
