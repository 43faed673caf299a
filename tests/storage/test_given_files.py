"""A video that came is written to the disk once where it is judged on the same file system, and is one's own elsewhere."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks.storage import disk
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.local_files import Durable


def test_a_file_that_is_given_is_not_copied(tmp_path: Path) -> None:
    source, storage = tmp_path / "draft.mp4", Storage(str(tmp_path / "root"))
    source.write_bytes(b"video")
    number = source.stat().st_ino
    storage.write("clips/1/request.json", b"{}")
    asyncio.run(storage.deliver_async(source, "clips/1/video.mp4"))
    found = tmp_path / "root/clips/1/video.mp4"
    assert (found.read_bytes(), found.stat().st_ino) == (b"video", number)
    source.unlink()
    assert storage.read("clips/1/video.mp4") == b"video"


def test_it_replaces_what_is_there(tmp_path: Path) -> None:
    source, storage = tmp_path / "draft.mp4", Storage(str(tmp_path / "root"))
    storage.write("video.mp4", b"older")
    source.write_bytes(b"newer")
    asyncio.run(storage.deliver_async(source, "video.mp4"))
    assert storage.read("video.mp4") == b"newer"
    assert os.listdir(tmp_path / "root") == ["video.mp4"]


def test_without_links_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on another file system, and on FAT."""
    monkeypatch.setattr(disk, "try_link", lambda *names: False)
    source, storage = tmp_path / "draft.mp4", Storage(str(tmp_path / "root"))
    source.write_bytes(b"video")
    storage.write("result.json", b"{}")
    asyncio.run(storage.deliver_async(source, "video.mp4"))
    source.write_bytes(b"other")
    assert storage.read("video.mp4") == b"video"


def test_what_is_kept_by_its_owner_is_copied(tmp_path: Path) -> None:
    source, storage = tmp_path / "own.mp4", Storage(str(tmp_path / "root"))
    source.write_bytes(b"video")
    asyncio.run(storage.put_async(source, "video.mp4"))
    source.write_bytes(b"other")
    assert storage.read("video.mp4") == b"video"


@pytest.mark.parametrize("url", ["{}/root", "memory://given"])
def test_what_is_written_beside_it_is_there_first(tmp_path: Path, url: str) -> None:
    source, storage = tmp_path / "draft.mp4", Storage(url.format(tmp_path))
    source.write_bytes(b"video")
    storage.write("clips/1/request.json", b"{}")
    beside: list[tuple[str, dict[str, Any], Durable]] = [
        ("clips/1/result.json", {"status": "Success"}, "bytes")
    ]
    asyncio.run(storage.deliver_async(source, "clips/1/video.mp4", beside))
    assert storage.read_json("clips/1/result.json") == {"status": "Success"}
    assert storage.read("clips/1/video.mp4") == b"video"


def test_a_folder_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    source, storage = tmp_path / "draft.mp4", Storage(str(tmp_path / "root"))
    source.write_bytes(b"video")
    with pytest.raises(FileNotFoundError):
        asyncio.run(
            storage.deliver_async(source, "clips/1/video.mp4", [("clips/1/result.json", {}, "bytes")])
        )
    assert not (tmp_path / "root").exists()
