"""What was written durably is on disk with its name and its folders when the call returns."""

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import FsspecTarget
from minimax_tasks.storage import disk, local_files
from minimax_tasks.storage.drafts import draft_name, drafts_of
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.paths import split_path
from tests import odd_disk

Calls = list[tuple[str, str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What was asked of the disk, in order: flushes of files and folders, names that were given."""
    told: Calls = []
    fsync, link, replace = os.fsync, os.link, os.replace

    def record_fsync(descriptor: int) -> None:
        fsync(descriptor)
        told.append(("flush", os.readlink(f"/proc/self/fd/{descriptor}")))

    def record(name: str, work: Callable[..., None]) -> Callable[..., None]:
        def recorded(source: Any, target: Any) -> None:
            work(source, target)
            told.append((name, str(target)))

        return recorded

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "link", record("name", link))
    monkeypatch.setattr(os, "replace", record("name", replace))
    monkeypatch.setattr(disk, "_on_disk", set())
    return told


def writes() -> dict[str, Callable[[Storage, str, Path], object]]:
    return {
        "create": lambda storage, name, source: storage.create(name, b"{}"),
        "write": lambda storage, name, source: storage.write(name, b"{}"),
        "put": lambda storage, name, source: storage.put(source, name),
        "copy": lambda storage, name, source: storage.copy("clips/made.mp4", name),
    }


@pytest.mark.parametrize("way", ["create", "write", "put", "copy"])
def test_the_file_then_its_name_then_every_folder(tmp_path: Path, calls: Calls, way: str) -> None:
    root = tmp_path / "new" / "root"
    storage = Storage(str(root))
    storage.write("clips/made.mp4", b"film", durable=False)
    source = tmp_path / "source.mp4"
    source.write_bytes(b"film")
    storage.write("clips/k/request.json", b"{}", durable=False)
    calls.clear()
    writes()[way](storage, "clips/k/claim.1.json", source)
    final = root / "clips/k/claim.1.json"
    named = calls.index(("name", str(final)))
    before, after = calls[:named], calls[named + 1 :]
    if way != "copy":  # a copy is a second name of a file that is on disk
        assert [os.path.basename(path).startswith(".claim.1.json.") for what, path in before] == [True]
    folders = [final.parent, *final.parent.parents][:4]
    assert after == [("flush", str(folder)) for folder in (folders[0], *folders[1:])]
    assert [folder.name for folder in folders] == ["k", "clips", "root", "new"]
    calls.clear()
    storage.write("clips/k/submission.json", b"{}")
    assert [path for what, path in calls if what == "flush"][1:] == [str(final.parent)], "the rest is known"


def test_a_new_root_and_what_is_above_it_are_on_disk_at_once(tmp_path: Path, calls: Calls) -> None:
    Storage(str(tmp_path / "a/b/root")).write("x.json", b"{}", durable=False)
    assert set(calls[:-1]) == {
        ("flush", str(tmp_path / "a/b")),
        ("flush", str(tmp_path / "a")),
        ("flush", str(tmp_path)),
    }


def test_a_folder_that_was_removed_and_made_again_is_flushed_again(tmp_path: Path, calls: Calls) -> None:
    """Most file systems give it the number of the folder that is gone."""
    storage = Storage(str(tmp_path))
    storage.write("clips/k/one.json", b"{}")
    (tmp_path / "clips/k/one.json").unlink()
    (tmp_path / "clips/k").rmdir()
    (tmp_path / "clips").rmdir()
    calls.clear()
    storage.write("clips/k/two.json", b"{}")
    flushed = [path for what, path in calls if what == "flush"]
    assert flushed[1:] == [str(tmp_path / "clips/k"), str(tmp_path / "clips"), str(tmp_path)]


def test_what_need_not_last_is_not_flushed(tmp_path: Path, calls: Calls) -> None:
    Storage(str(tmp_path)).write("x/request.json", b"{}", durable=False)
    assert [what for what, _ in calls] == ["name"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES, errno.EPERM])
def test_a_folder_that_cannot_be_flushed_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    break_flushes_of_folders(monkeypatch, number)
    assert Storage(str(tmp_path)).create("k/claim.1.json", b"{}")


def test_a_disk_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_flushes_of_folders(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        Storage(str(tmp_path)).create("k/claim.1.json", b"{}")


def break_flushes_of_folders(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    fsync = os.fsync

    def broken(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", broken)


@pytest.mark.parametrize("links", ["refused", "unsupported", "unknown", "missing"])
def test_without_hard_links_one_of_many_still_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: str
) -> None:
    odd_disk.simulate(monkeypatch, tmp_path, links)
    storage = Storage(str(tmp_path / "root"))
    won: list[int] = []
    threads = [
        threading.Thread(
            target=lambda number=number: storage.create("k/claim", b"%d" % number) and won.append(number)
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.read("k/claim") == b"%d" % won[0]
    assert len(won) == 1
    assert not storage.create("K/CLAIM", b"the same on a disk that folds case")
    storage.copy("k/claim", "k/copy")
    assert storage.read("k/copy") == storage.read("k/claim")
    assert set(storage.names("k")) == {"claim", "copy"}


def test_a_file_that_is_open_elsewhere_is_replaced_when_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_disk.simulate(monkeypatch, tmp_path)
    storage = Storage(str(tmp_path))
    storage.write("film.mp4", b"old")
    player = (tmp_path / "film.mp4").open("rb")
    closing = threading.Timer(0.15, player.close)
    closing.start()
    storage.write("film.mp4", b"new")
    closing.join()
    assert storage.read("film.mp4") == b"new"


def test_a_file_that_stays_open_is_named_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_IN_USE_PAUSES", (0.01,))
    odd_disk.simulate(monkeypatch, tmp_path)
    storage = Storage(str(tmp_path))
    storage.write("film.mp4", b"old")
    with open(tmp_path / "film.mp4", "rb"):
        with pytest.raises(PermissionError, match="open in another program") as told:
            storage.write("film.mp4", b"new")
        assert told.value.filename == str(tmp_path / "film.mp4")
        with pytest.raises(PermissionError, match="open in another program"):
            storage.remove("film.mp4")
    assert storage.read("film.mp4") == b"old"
    assert list(storage.names()) == ["film.mp4"]


def test_names_may_be_as_long_as_the_disk_takes(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    name = "画" * 85
    assert len(name.encode()) == 255
    storage.write(name, b"1")
    assert storage.create("é" * 127, b"2")
    storage.copy(name, "画" * 84)
    assert set(storage.names()) == {name, "é" * 127, "画" * 84}


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("out.txt", (".", "out.txt")),
        ("/out.txt", ("/", "out.txt")),
        ("a/b\\c.txt", ("a", "b\\c.txt")),
        ("s3://bucket/out.txt", ("s3://bucket", "out.txt")),
        ("memory://out.txt", ("memory://", "out.txt")),
        ("C:/out.txt", ("C:/", "out.txt")),
        ("C:\\film\\out.txt", ("C:\\film", "out.txt")),
        ("c:\\film/take\\out.txt", ("c:\\film/take", "out.txt")),
        ("C:out.txt", ("C:.", "out.txt")),
        ("\\\\server\\share\\out.txt", ("\\\\server\\share", "out.txt")),
    ],
)
def test_paths_of_every_system_are_split_by_one_rule(path: str, parts: tuple[str, str]) -> None:
    assert split_path(path) == parts


@pytest.mark.parametrize("path", ["C:\\film\\out.txt", "C:/out.txt", "\\\\server\\share\\out.txt"])
def test_a_target_of_windows_is_published_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Here such a path is a name with odd letters; the draft must be another file all the same."""
    monkeypatch.chdir(tmp_path)
    target = FsspecTarget(path)

    def write() -> None:
        with target.open("w") as out:
            out.write("half")
            out.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == []


def test_the_drafts_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    storage.write("k/video.mp4", b"film")
    word = (
        "import os, sys; from minimax_tasks.storage.drafts import draft_name; "
        "open(os.path.join(sys.argv[1], draft_name('video.mp4')), 'wb')"
    )
    subprocess.run([sys.executable, "-c", word, str(tmp_path / "k")], check=True)
    (dead,) = drafts_of("video.mp4", storage.names("k"))

    alive = f"k/{draft_name('video.mp4')}"
    (tmp_path / alive).touch()
    unknown, old = "k/.video.mp4.0a1b2c3d.part", "k/.video.mp4.00aabbcc.part"
    (tmp_path / unknown).touch()
    (tmp_path / old).touch()
    os.utime(tmp_path / old, (time.time(), time.time() - 30 * 86_400))
    assert dead != alive
    storage.sweep("k")
    assert set(storage.names("k")) == {"video.mp4", alive.removeprefix("k/"), unknown.removeprefix("k/")}


def test_what_is_created_after_a_file_neither_undoes_nor_hides_it(tmp_path: Path, calls: Calls) -> None:
    base = str(tmp_path)
    (tmp_path / "taken").write_text("of another")
    (tmp_path / "no-folder").write_text("")
    for number, (other, made) in enumerate({"new/2": 2, "taken": 1, "no-folder/3": 1}.items()):
        final = f"{base}/{number}"
        assert local_files.create(final, b"{}", base, after=(f"{base}/{other}", b"x")) == made
        assert Path(final).read_bytes() == b"{}"
        assert local_files.create(final, b"", base, after=(f"{base}/again", b"x")) == 0
    assert (tmp_path / "taken").read_text() == "of another"
    assert (tmp_path / "new" / "2").read_bytes() == b"x"
    assert {item.name for item in tmp_path.iterdir()} == {"0", "1", "2", "new", "taken", "no-folder"}
    # The first one is on disk with its name before anything is done for the other one.
    steps = [thing for kind, thing in calls if kind == "name" or thing == base]
    assert steps[:3] == [f"{base}/0", base, f"{base}/new/2"]
