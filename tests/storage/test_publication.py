"""Files that belong together: a kill, or another writer, at any moment leaves nothing that is vouched for wrongly."""

import itertools
import os
import threading
from pathlib import Path

import pytest

from minimax_tasks.storage import owner, publication
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.publication import END, FILES, described, publish, stands
from tests import odd_disk
from tests.dying import Killed, killed_at, operations_below, operations_in_memory

NAME = "manifest.json"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "PAUSE", 0.0)


def sources(folder: Path, version: str) -> dict[str, Path]:
    """Two files of a version; both versions have files of one size."""
    made = {"film.mp4": f"film of {version}" * 9000, "report.html": f"report of {version}"}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (folder / f"{version}-{name}").write_text(text)
    return {name: folder / f"{version}-{name}" for name in made}


def put(root: Storage, scratch: Path, version: str) -> None:
    publish(root, "films/x", sources(scratch, version), NAME, {"version": version})


def whole(root: Storage) -> str:
    """The version that the manifest vouches for rightly; "" without a manifest. Never another's files."""
    manifest = root.read_json(f"films/x/{NAME}")
    if manifest is None or not stands(root, "films/x", manifest[FILES]):
        return ""
    version = str(manifest["version"])
    assert root.read("films/x/film.mp4").startswith(f"film of {version}".encode())
    assert root.read("films/x/report.html") == f"report of {version}".encode()
    return version


@pytest.mark.parametrize("disk", odd_disk.DISKS)
def test_a_kill_at_every_file_operation_leaves_the_old_whole_the_new_whole_or_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str
) -> None:
    odd_disk.choose(monkeypatch, tmp_path, disk)
    outcomes = []
    for number in itertools.count(1):
        root = Storage(str(tmp_path / f"out-{number}"))
        put(root, tmp_path / "scratch", "one")
        try:
            with operations_below(root.path(), killed_at(number)):
                put(root, tmp_path / "scratch", "two")
        except Killed:
            outcomes.append(whole(root))
        else:
            break
        put(root, tmp_path / "scratch", "one")
        with monkeypatch.context() as patched:
            patched.setattr(owner, "is_token_gone", lambda token: True)
            publication.sweep_below(root, "films")
        assert whole(root) == "one"
        assert set(root.names("films/x")) == {"film.mp4", "report.html", NAME}
    assert len(outcomes) > 12
    assert outcomes[0] == "one"
    assert outcomes[-1] == "two"
    # Nothing stands between the removal of the old manifest and the new one: two copies and a write.
    assert outcomes.count("") <= 13
    assert outcomes == sorted(outcomes, key=["one", "", "two"].index), "never back and forth"


def test_the_same_on_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []
    for number in itertools.count(1):
        root = Storage(f"memory://published-{number}")
        put(root, tmp_path, "one")
        try:
            with operations_in_memory(monkeypatch, killed_at(number)):
                put(root, tmp_path, "two")
        except Killed:
            outcomes.append(whole(root))
        else:
            break
        put(root, tmp_path, "one")
        assert whole(root) == "one"
    assert outcomes[0] == "one"
    assert outcomes[-1] == "two"
    assert set(outcomes[:3]) == {"one"}


def test_another_writer_at_every_file_operation(tmp_path: Path) -> None:
    for number in itertools.count(1):
        root = Storage(str(tmp_path / f"out-{number}"))
        put(root, tmp_path / "scratch", "one")

        def overtake(count: int, at: int = number, root: Storage = root) -> None:
            if count == at:
                put(root, tmp_path / "scratch", "other")

        with operations_below(root.path(), overtake) as operations:
            put(root, tmp_path / "scratch", "two")
        assert whole(root) in ("two", "other")
        if operations.count < number:
            break
    assert number > 12


def test_two_writers_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a pause, both may come between each other eight times.
    monkeypatch.setattr(publication, "PAUSE", 0.05)
    root = Storage(str(tmp_path / "out"))
    for _ in range(10):
        start = threading.Barrier(2)

        def write(version: str, start: threading.Barrier = start) -> None:
            start.wait()
            put(root, tmp_path / version, version)

        writers = [threading.Thread(target=write, args=(version,)) for version in ("one", "two")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert whole(root) in ("one", "two")


def test_a_byte_that_was_changed_is_noticed_wherever_it_can_be_afforded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Storage(str(tmp_path))
    data = os.urandom(4 * END)
    files = {"film.mp4": described(data)}
    for place, expected in ((0, False), (2 * END, False), (4 * END - 1, False)):
        changed = bytearray(data)
        changed[place] ^= 1
        root.write("f/film.mp4", bytes(changed))
        assert stands(root, "f", files) is expected, place
    root.write("f/film.mp4", data)
    assert stands(root, "f", files)
    monkeypatch.setattr(publication, "AFFORDABLE", END)
    assert stands(root, "f", files)
    for place, expected in ((0, False), (2 * END, True), (4 * END - 1, False)):
        changed = bytearray(data)
        changed[place] ^= 1
        root.write("f/film.mp4", bytes(changed))
        assert stands(root, "f", files) is expected, "of a big file the ends are looked at"
    root.write("f/film.mp4", data[:-1])
    assert not stands(root, "f", files)
    root.remove("f/film.mp4")
    assert not stands(root, "f", files)


def test_on_s3(s3_root: str, tmp_path: Path) -> None:
    root = Storage(s3_root)
    for version in ("one", "two", "one"):
        put(root, tmp_path, version)
        assert whole(root) == version
    assert set(root.names("films/x")) == {"film.mp4", "report.html", NAME}
    film = bytearray(root.read("films/x/film.mp4"))
    film[-1] ^= 1
    root.write("films/x/film.mp4", bytes(film))
    assert whole(root) == ""
    root.write("films/x/empty.jsonl", b"")
    assert stands(root, "films/x", {"empty.jsonl": described(b"")})
    assert root.sizes("films")["x/empty.jsonl"] == 0
    assert root.read_part("films/x/film.mp4", 5, 3) == bytes(film)[5:8]
