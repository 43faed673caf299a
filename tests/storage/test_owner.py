"""A process is called gone only when that is certain."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from minimax_tasks.storage import owner, temporary
from minimax_tasks.storage.owner import Owner, is_token_gone, me

ASK = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("owner", FILE)
owner = sys.modules["owner"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(owner)
from owner import Owner, me, is_token_gone
if sys.argv[1:]:
    other = Owner.of(json.loads(sys.argv[1]))
    print(other.is_gone, is_token_gone(other.token))
else:
    print(json.dumps(me().as_document()), flush=True)
    sys.stdin.read()
"""


ASK = ASK.replace("FILE", repr(owner.__file__))  # without the package around it, which takes its time to load


def ask(*words: str, before: tuple[str, ...] = ()) -> list[str]:
    return [*before, sys.executable, "-c", ASK, *words]


def told(*words: str, before: tuple[str, ...] = ()) -> str:
    return subprocess.run(
        ask(*words, before=before), capture_output=True, text=True, check=True
    ).stdout.strip()


def test_this_process_lives_and_knows_all_of_itself() -> None:
    assert Owner.of(me().as_document()) == me()
    assert all((me().host, me().boot, me().space, me().process, me().started))
    assert not me().is_gone
    assert is_token_gone(me().token) is False


@pytest.mark.parametrize("how", ["killed", "zombie"])
def test_a_process_that_died_is_gone(how: str) -> None:
    import json

    running = subprocess.Popen(ask(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    document = running.stdout.readline()
    assert not Owner.of(json.loads(document)).is_gone
    running.kill()
    if how == "killed":
        running.wait()
    until = time.monotonic() + 60
    while not Owner.of(json.loads(document)).is_gone and time.monotonic() < until:
        time.sleep(0.02)
    assert Owner.of(json.loads(document)).is_gone
    assert is_token_gone(Owner.of(json.loads(document)).token)
    running.communicate()


def test_an_id_that_was_given_again_is_another_process() -> None:
    earlier = replace(me(), started=str(int(me().started) - 1))
    assert earlier.is_gone
    assert is_token_gone(earlier.token)


@pytest.mark.parametrize(
    "other",
    [
        {"host": "elsewhere"},
        {"boot": "another boot of this host"},
        {"space": "pid:[1]"},
        {"boot": ""},
        {"space": ""},
        {"started": ""},
        {"process": 0},
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_not_called_gone(other: dict[str, object]) -> None:
    someone = replace(me(), **({"process": 2_000_000_000} | other))  # type: ignore[arg-type]
    assert not someone.is_gone
    if other != {"process": 0}:
        assert is_token_gone(someone.token) is None


def test_a_claim_of_an_earlier_version_says_nothing() -> None:
    assert not Owner.of({"machine": me().host, "process": 2_000_000_000}).is_gone
    assert not Owner.of({}).is_gone
    assert not Owner.of({**me().as_document(), "process": "1"}).is_gone


def test_hidden_processes_are_not_called_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    someone = replace(me(), process=2_000_000_000)
    assert someone.is_gone
    monkeypatch.setattr(owner, "_PROC", tmp_path)  # as under hidepid=2: not even the first process is seen
    assert not someone.is_gone


def test_no_signal_is_sent_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("a signal")

    monkeypatch.setattr(os, "kill", never)
    monkeypatch.setattr(signal, "pidfd_send_signal", never, raising=False)
    assert replace(me(), process=2_000_000_000).is_gone


def can_unshare() -> bool:
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", *SPACE, "true"], check=False, capture_output=True).returncode == 0


SPACE = ("--pid", "--fork", "--mount-proc")


@pytest.mark.skipif(not can_unshare(), reason="this user may make no namespace of process ids")
def test_a_worker_in_another_container_is_not_called_gone() -> None:
    import json

    inside = subprocess.Popen(
        ask(before=("unshare", *SPACE)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert inside.stdout is not None
        document = inside.stdout.readline()
        assert json.loads(document)["process"] == 1, "the id that every container has"
        assert json.loads(document)["machine"] == me().host, "under one name"
        assert told(document) == "False None"
        assert told(document, before=("unshare", *SPACE)) == "False None"
        mine = json.dumps(me().as_document())
        assert told(mine, before=("unshare", *SPACE)) == "False None"
        assert told(mine, before=("unshare", "--pid", "--fork")) == "False None", "with the /proc of outside"
    finally:
        inside.communicate()


def test_temporary_folders_of_the_dead_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    word = "from minimax_tasks.storage.temporary import new_temporary_folder; print(new_temporary_folder())"
    made = subprocess.run(
        [sys.executable, "-c", word],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    dead = Path(made.stdout.strip())
    (dead / "video.mp4").write_bytes(b"half")
    foreign = tmp_path / "minimax-notes"
    kept = tmp_path / f"minimax-sandbox-{'0a' * 8}"
    former, fresh = tmp_path / "minimax-abcd_123", tmp_path / "minimax-abcd_456"
    for folder in (foreign, kept, former, fresh):
        folder.mkdir()
    for folder in (foreign, kept, former):
        os.utime(folder, (0, 0))
    temporary.sweep(str(tmp_path))
    assert not dead.exists()
    assert not former.exists()
    assert foreign.exists()
    assert kept.exists()
    assert fresh.exists()
    with temporary.temporary_folder() as mine:
        os.utime(mine, (0, 0))
        temporary.sweep(str(tmp_path))
        assert mine.exists(), "however long it takes, it is the folder of a process that lives"
        assert mine.stat().st_mode & 0o777 == 0o700
    assert not mine.exists()
