"""A root belongs to one kind of service, and is shared only where claims are exclusive."""

from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from minimax_tasks import ConfigurationError
from minimax_tasks.clips.root import check_root, check_shareable
from minimax_tasks.storage.files import Storage


class Shelf(MemoryFileSystem):
    """A storage that nobody is known to create files exclusively on."""

    protocol = "shelf"


REAL, DOUBLE = "https://api.minimaxi.com", "http://127.0.0.1:8000"


@pytest.mark.parametrize(("first", "second"), [(REAL, DOUBLE), (DOUBLE, REAL)])
def test_drawn_and_real_clips_are_never_mixed(tmp_path: Path, first: str, second: str) -> None:
    root = Storage(str(tmp_path))
    check_root(root, first)
    check_root(root, first)
    with pytest.raises(ConfigurationError, match="use another root"):
        check_root(root, second)


def test_regions_share_a_root(tmp_path: Path) -> None:
    check_root(Storage(str(tmp_path)), REAL)
    check_root(Storage(str(tmp_path)), "https://api.minimax.io")


def test_storage_without_exclusive_create_is_not_shared(tmp_path: Path) -> None:
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    check_shareable(Storage(str(tmp_path)))
    with pytest.raises(ConfigurationError, match="memory of a process cannot be shared"):
        check_shareable(Storage("memory://shared"))
    with pytest.raises(ConfigurationError, match="workers cannot share this storage"):
        check_shareable(Storage("shelf://shared"))


def test_storage_that_replaces_what_must_be_new_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = type(fsspec.filesystem("memory"))
    original = memory.pipe_file
    monkeypatch.setattr(
        memory,
        "pipe_file",
        lambda self, path, value, mode="overwrite", **options: original(self, path, value, **options),
    )
    with pytest.raises(ConfigurationError, match="paid for twice"):
        check_root(Storage("memory://careless"), REAL)
