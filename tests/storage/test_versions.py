"""What was made from files is as good as they are: any change of any of them is seen, and nothing is read for it."""

import os
from pathlib import Path

import fsspec
import pytest

from minimax_tasks.storage.references import version_of
from minimax_tasks.storage.versions import Versions, versions_of


def versions(main: Path, *others: Path) -> Versions:
    return Versions(str(main), version_of(str(main)), versions_of(map(str, others)))


@pytest.mark.parametrize("which", ["board.yaml", "still.png", "last.png"])
@pytest.mark.parametrize("how", ["edited", "replaced", "removed"])
def test_a_change_of_any_file_is_seen(tmp_path: Path, which: str, how: str) -> None:
    files = [tmp_path / name for name in ("board.yaml", "still.png", "last.png")]
    for file in files:
        file.write_bytes(b"first")
    before = versions(*files)
    assert before.are_current()
    changed = tmp_path / which
    if how == "edited":
        changed.write_bytes(b"other")
        later = changed.stat().st_mtime_ns + 1_000_000
        os.utime(changed, ns=(later, later))
    elif how == "replaced":
        (tmp_path / "new").write_bytes(b"other")
        (tmp_path / "new").rename(changed)
    else:
        changed.unlink()
    assert not before.are_current()


def test_a_file_that_is_missing_is_current_until_it_appears(tmp_path: Path) -> None:
    board, still = tmp_path / "board.yaml", tmp_path / "still.png"
    board.write_bytes(b"first")
    before = versions(board, still)
    assert before.are_current()
    still.write_bytes(b"there")
    assert not before.are_current()


def test_what_has_no_version_is_never_current() -> None:
    url = "https://example.com/board.yaml"
    assert not Versions(url, version_of(url)).are_current()


def test_a_file_on_a_storage_is_asked_about_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = fsspec.filesystem("memory")
    storage.pipe_file("/versions/board.yaml", b"first")
    try:
        before = Versions("memory://versions/board.yaml", version_of("memory://versions/board.yaml"))
        monkeypatch.setattr(type(storage), "cat_file", None)
        monkeypatch.setattr(type(storage), "_open", None)
        assert before.are_current()
        monkeypatch.undo()
        storage.pipe_file("/versions/board.yaml", b"second")
        assert not before.are_current()
    finally:
        storage.rm("/versions", recursive=True)
