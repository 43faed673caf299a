"""What a disk holds at the moment of a power cut is enough to pay once: tried on a real file system.

The image of a mounted ext4 is copied while a clip is under way: that is what the disk would hold. Its copy
is mounted and the run goes on there. It takes a user who may mount; elsewhere the order of calls to the disk
is what is tested (tests/storage/test_durable.py).
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import UncertainSubmit
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.poll import poll
from minimax_tasks.clips.submit import submit
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage import disk
from tests.clips.test_life import TEXT, folder_of, make, names, with_service

MIB = 1 << 20


def run(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def can_mount() -> bool:
    if os.name != "posix" or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    return all(shutil.which(word) for word in ("mkfs.ext4", "mount", "umount"))


@contextlib.contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    place.mkdir()
    if not run("mount", "-o", "loop", str(image), str(place)):
        pytest.skip("POWER CUT NOT TRIED: no loop device can be mounted here")
    try:
        yield place
    finally:
        assert run("umount", "--lazy", str(place))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    if not can_mount():
        pytest.skip("POWER CUT NOT TRIED: this user may not mount, or there is no mkfs.ext4")
    path = tmp_path / "disk.img"
    with path.open("wb") as out:
        out.truncate(24 * MIB)
    assert run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(path))
    return path


@pytest.fixture(autouse=True)
def _nothing_is_known_to_be_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_on_disk", set())


def after_the_cut(image: Path, place: Path) -> Any:
    """The disk as it is at this moment."""
    copy = image.with_name(f"{place.name}.img")
    shutil.copyfile(image, copy)
    return mounted(copy, place)


def test_a_cut_while_the_post_is_under_way_pays_once(sandbox: Sandbox, image: Path, tmp_path: Path) -> None:
    with mounted(image, tmp_path / "before") as before:
        folder = folder_of(TEXT, before / "new" / "root")
        cut = []

        async def work(service: Any) -> None:
            post = service.client.submit

            async def and_then_the_cut(request: Any) -> str:
                task_id: str = await post(request)
                shutil.copyfile(image, tmp_path / "cut.img")
                cut.append(task_id)
                return task_id

            service.client.submit = and_then_the_cut
            await submit(TEXT, folder, service)

        with_service(sandbox.url, work)
    assert len(cut) == len(sandbox.ledger()) == 1
    with mounted(tmp_path / "cut.img", tmp_path / "after") as after:
        root = after / "new" / "root"
        again = folder_of(TEXT, root)
        assert "claim.1.json" in names(again)
        (root / "clips" / again.key / "doubt.1.json").write_text('{"why": "the power went"}')
        with pytest.raises(UncertainSubmit, match="may have been paid"):
            make(sandbox.url, TEXT, root)
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("stage", ["submission", "result", "video"])
def test_a_cut_after_a_stage_loses_nothing_of_it(
    sandbox: Sandbox, image: Path, tmp_path: Path, stage: str
) -> None:
    with mounted(image, tmp_path / "before") as before:
        root = before / "root"
        folder = folder_of(TEXT, root)

        async def work(service: Any) -> None:
            await submit(TEXT, folder, service)
            if stage != "submission":
                await poll(folder, service)

        if stage == "video":
            make(sandbox.url, TEXT, root)
        else:
            with_service(sandbox.url, work)
        written = {name: folder.root.read(f"clips/{folder.key}/{name}") for name in names(folder)}
        with after_the_cut(image, tmp_path / "after") as after:
            again = ClipFolder(type(folder.root)(str(after / "root")), folder.key)
            kept = {
                "submission": ["claim.1.json", "submission.json"],
                "result": ["result.json"],
                "video": ["video.mp4"],
            }
            for name in (name for names_of in kept.values() for name in names_of if name in written):
                assert again.root.read(f"clips/{again.key}/{name}") == written[name], name
            make(sandbox.url, TEXT, after / "root")
            assert "video.mp4" in names(again)
    assert len(sandbox.ledger()) == 1
