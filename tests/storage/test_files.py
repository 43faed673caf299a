"""One contract for every storage: whole files only, and exactly one of many creators wins."""

import contextlib
import os
import threading
import uuid
from pathlib import Path

import pytest

from minimax_tasks import FsspecTarget
from minimax_tasks.storage.files import Storage
from tests import odd_disk
from tests.azure import find_azurite

BACKENDS = ["local", "odd disk", "memory", "s3", *(["azure"] if find_azurite() else [])]


@pytest.fixture(params=BACKENDS)
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    if request.param == "local":
        return Storage(str(tmp_path / "a root, with spaces" / "ünïcode 画面"))
    if request.param == "odd disk":
        odd_disk.simulate(monkeypatch, tmp_path)
        return Storage(str(tmp_path / "a root, with spaces" / "ünïcode 画面"))
    if request.param == "azure":
        container = request.getfixturevalue("azure")
        return Storage(f"az://{container}/{uuid.uuid4().hex}/a root/ünïcode 画面")
    if request.param == "s3":
        return Storage(f"{request.getfixturevalue('s3_root')}/a root/ünïcode 画面")
    return Storage(f"memory://{uuid.uuid4().hex}/root")


def test_what_is_written_is_read(storage: Storage) -> None:
    storage.write("a/b.bin", b"one")
    storage.write("a/b.bin", b"two")
    assert storage.read("a/b.bin") == b"two"
    assert storage.exists("a/b.bin")
    assert not storage.exists("a/c.bin")


def test_json_round_trip_and_what_is_no_json(storage: Storage) -> None:
    storage.write_json("x.json", {"prompt": "雾"})
    assert storage.read_json("x.json") == {"prompt": "雾"}
    assert storage.read_json("none.json") is None
    storage.write("half.json", b'{"task_id": ')
    assert storage.read_json("half.json") is None


def test_a_local_file_is_put_whole(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"x" * 3_000_000)
    storage.put(source, "clips/k/video.mp4")
    assert storage.names("clips/k") == {"video.mp4": 3_000_000}
    assert source.exists()


def test_a_copy_is_whole_and_outlives_what_it_was_made_of(storage: Storage) -> None:
    storage.write("clips/k/video.mp4", b"first")
    storage.copy("clips/k/video.mp4", "data/00/1.mp4")
    storage.copy("clips/k/video.mp4", "data/00/1.mp4")
    assert storage.names("data/00") == {"1.mp4": 5}
    storage.write("clips/k/video.mp4", b"second")
    storage.remove("clips/k/video.mp4")
    assert storage.read("data/00/1.mp4") == b"first"
    with pytest.raises(FileNotFoundError):
        storage.copy("clips/none/video.mp4", "data/00/2.mp4")
    assert list(storage.names("data/00")) == ["1.mp4"]


def test_listings_hold_nothing_but_the_files(storage: Storage) -> None:
    storage.write("clips/one/request.json", b"{}")
    storage.write("clips/two/request.json", b"{}")
    assert storage.folders("clips") == ["one", "two"]
    assert list(storage.names("clips/one")) == ["request.json"]
    assert storage.names("clips/none") == {}
    assert storage.folders("none") == []


def test_a_listing_is_never_stale(storage: Storage) -> None:
    storage.write("clips/one/request.json", b"{}")
    storage.names("clips/one")
    Storage(storage.url).write("clips/one/claim.1.json", b"{}")
    assert storage.exists("clips/one/claim.1.json")
    assert "claim.1.json" in storage.names("clips/one")


def test_of_many_creators_one_wins_and_its_bytes_stay(storage: Storage) -> None:
    winners: list[int] = []
    start = threading.Barrier(16)

    def create(number: int) -> None:
        start.wait()
        if storage.create("clips/k/claim.1.json", b"%d" % number):
            winners.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert storage.read("clips/k/claim.1.json") == b"%d" % winners[0]
    assert list(storage.names("clips/k")) == ["claim.1.json"]


def test_remove_is_quiet_about_what_is_not_there(storage: Storage) -> None:
    storage.write("x", b"1")
    storage.remove("x")
    storage.remove("x")
    assert not storage.exists("x")


def test_a_local_path_to_read(storage: Storage) -> None:
    storage.write("clips/k/video.mp4", b"film")
    with storage.as_local("clips/k/video.mp4") as path:
        assert path.read_bytes() == b"film"
        assert path.suffix == ".mp4"
    with pytest.raises(FileNotFoundError), storage.as_local("clips/none/video.mp4"):
        pass


def test_a_target_is_published_when_its_block_ends_well(storage: Storage) -> None:
    target = FsspecTarget(storage.join("out.txt"))
    with target.open("w") as out:
        out.write("ganz")
        assert not target.exists()
    assert target.exists()
    with target.open() as lines:
        assert lines.read() == "ganz"


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_a_block_that_fails_leaves_nothing(storage: Storage, mode: str) -> None:
    target = FsspecTarget(storage.join("out.txt"))
    half = b"half" if "b" in mode else "half"
    with contextlib.suppress(RuntimeError), target.open(mode) as out:
        out.write(half)
        raise RuntimeError("killed")
    assert not target.exists()
    assert storage.names() == {}


def test_a_local_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(str(tmp_path))
    storage.write("submission.json", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        storage.write("submission.json", b"brand new")
    assert storage.read("submission.json") == b"old"
    assert list(storage.names()) == ["submission.json"]


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "large.mp4"
    source.write_bytes(bytes(range(256)) * 4096 * 70)
    storage.put(source, "clips/k/video.mp4")
    with storage.as_local("clips/k/video.mp4") as path:
        assert path.read_bytes() == source.read_bytes()


def test_an_upload_that_is_broken_off_leaves_nothing(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"x" * 12_000_000)

    def broken(*arguments: object, **options: object) -> None:
        raise OSError("the network is gone")

    monkeypatch.setattr(storage.fs, "put_file", broken)
    monkeypatch.setattr("shutil.copyfileobj", broken)
    with pytest.raises(OSError, match="network is gone"):
        storage.put(source, "clips/k/video.mp4")
    assert storage.names("clips/k") == {}


def test_find_lists_everything_below(storage: Storage) -> None:
    storage.write("clips/one/request.json", b"{}")
    storage.write("clips/two/video.mp4", b"1")
    assert sorted(storage.find("clips")) == ["one/request.json", "two/video.mp4"]
    assert storage.find("none") == []


def test_versions_tell_that_a_file_changed(storage: Storage) -> None:
    import time

    storage.write("callbacks/task-1.json", b"{}")
    before = storage.versions("callbacks")
    time.sleep(0.02)
    storage.write("callbacks/task-1.json", b'{"status": "success"}')
    after = storage.versions("callbacks")
    assert list(before) == list(after) == ["task-1.json"]
    assert before != after
    assert storage.versions("none") == {}
