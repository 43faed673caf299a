"""What many calls wait for is flushed at once, in the order that each of them asks for, and fails for all of them."""

import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks.storage import disk_server, flushing, local_files
from minimax_tasks.storage.disk_server import SIZE, taken
from minimax_tasks.storage.flushing import FLUSHES_AT_ONCE, FileSystems
from minimax_tasks.storage.steps import TAKES_LONG, InSteps, Steps, alone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="syncfs is Linux's")

Told = list[tuple[str, Any]]

SERVED: Told = []
"""What the functions below were told to note by the server in this process."""


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Nothing was noted yet."""
    SERVED.clear()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Every file system here can be flushed as a whole; how many things each flush was for, and who went alone."""
    told: Told = []

    def flush(self: FileSystems, things: list[Any]) -> None:
        told.append(("together", len(things)))

    def flush_each(things: list[Any]) -> None:
        told.extend(("alone", thing) for thing in things)

    monkeypatch.setattr(FileSystems, "can_flush", lambda self, thing: True)
    monkeypatch.setattr(FileSystems, "flush", flush)
    monkeypatch.setattr("minimax_tasks.storage.steps.flush_each", flush_each)
    return told


@InSteps
def noted(number: int, *, steps: int = 2) -> Steps[int]:
    """Note each step, and whether an error came in its place."""
    for step in range(steps):
        SERVED.append(("step", (number, step)))
        try:
            yield [f"/{number}"]
        except OSError as error:
            SERVED.append(("failed", number))
            raise ValueError(f"{number}: {error.strerror}") from None
    return number


@InSteps
def long(number: int) -> Steps[str]:
    """Say that the rest takes long, then ask for a flush."""
    yield TAKES_LONG
    name = threading.current_thread().name
    yield [f"/{number}"]
    return name


def served(*calls: Callable[[], Any]) -> dict[int, Any]:
    """What a server in a thread answers to calls that come together; its errors are values."""
    messages = [pickle.dumps((number, work)) for number, work in enumerate(calls)]
    ours, theirs = socket.socketpair()

    def send() -> None:
        ours.sendall(b"".join(SIZE.pack(len(message)) + message for message in messages))
        ours.shutdown(socket.SHUT_WR)

    with ours:
        sender = threading.Thread(target=send)
        sender.start()
        sender.join(0.2)  # few calls are all there before the server begins
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(signal, "signal", lambda *_: None)  # not in a thread
            server = threading.Thread(target=disk_server.serve, args=(theirs.detach(),))
            server.start()
            received = bytearray()
            while data := ours.recv(2**16):
                received += data
            server.join()
        sender.join()
    found = {}
    for message in taken(received):
        for number, result, error in pickle.loads(message):
            found[number] = result if error is None else error
    return found


def test_what_comes_together_is_flushed_together_step_by_step(at_once: Told) -> None:
    assert served(*(partial(noted, number) for number in range(10))) == {n: n for n in range(10)}
    assert at_once == [("together", 10), ("together", 10)]
    assert [step for _, (_, step) in SERVED] == [0] * 10 + [1] * 10


def test_a_flush_that_fails_fails_each_that_waited_for_it(
    at_once: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(self: FileSystems, things: list[Any]) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileSystems, "flush", flush)
    found = served(*(partial(noted, number) for number in range(3)))
    assert [str(found[number]) for number in range(3)] == [f"{n}: Input/output error" for n in range(3)]
    assert [what for what, _ in SERVED] == ["step"] * 3 + ["failed"] * 3


def test_what_takes_long_goes_on_in_a_thread_and_flushes_alone(at_once: Told) -> None:
    found = served(partial(long, 1), partial(noted, 2))
    assert found[1] not in (threading.current_thread().name, None)
    assert ("alone", "/1") in at_once
    assert ("together", 1) in at_once


def test_where_nothing_can_be_flushed_at_once_each_goes_alone(
    at_once: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSystems, "can_flush", lambda self, thing: False)
    assert served(*(partial(noted, number) for number in range(3))) == {0: 0, 1: 1, 2: 2}
    assert sorted(at_once) == sorted([("alone", f"/{number}") for number in range(3)] * 2)


def test_where_each_goes_alone_several_wait_for_the_disk_at_the_same_time(
    at_once: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(FLUSHES_AT_ONCE, timeout=60)
    monkeypatch.setattr(FileSystems, "can_flush", lambda self, thing: False)
    monkeypatch.setattr("minimax_tasks.storage.steps.flush_each", lambda things: things and together.wait())
    monkeypatch.setattr(disk_server, "_LOOKING", 1)
    calls = [partial(noted, number, steps=1) for number in range(FLUSHES_AT_ONCE)]
    assert served(*calls) == {number: number for number in range(FLUSHES_AT_ONCE)}


def test_a_thousand_calls_at_once_do_not_open_a_thousand_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSystems, "can_flush", lambda self, thing: True)
    monkeypatch.setattr(
        FileSystems, "flush", lambda self, things: opened.append(len(os.listdir("/proc/self/fd")))
    )
    opened = [len(os.listdir("/proc/self/fd"))]
    base = str(tmp_path)
    calls = [partial(local_files.write, f"{base}/{n}", b"%d" % n, base) for n in range(1000)]
    assert set(served(*calls).values()) == {None}
    assert max(opened) < opened[0] + 250
    assert all((tmp_path / str(n)).read_bytes() == b"%d" % n for n in range(1000))


def test_one_of_many_creates_a_name_although_all_wait_for_the_same_flush(tmp_path: Path) -> None:
    final = str(tmp_path / "k" / "claim.1.json")
    calls = [partial(local_files.create, final, b"%d" % n, str(tmp_path)) for n in range(50)]
    found = served(*calls)
    (winner,) = [number for number, created in found.items() if created]
    assert Path(final).read_bytes() == b"%d" % winner
    assert os.listdir(tmp_path / "k") == ["claim.1.json"]


def test_a_call_whose_process_ends_in_between_leaves_no_draft(tmp_path: Path) -> None:
    steps = local_files.create.steps(str(tmp_path / "claim"), b"x", str(tmp_path))
    next(steps)
    assert len(os.listdir(tmp_path)) == 1
    steps.close()
    assert os.listdir(tmp_path) == []


def test_alone_it_is_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr("minimax_tasks.storage.steps.flush_each", flushed.extend)
    assert noted(7) == 7
    assert flushed == ["/7", "/7"]
    assert alone(long.steps(3)) == threading.current_thread().name


def test_a_function_in_steps_is_known_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(partial(local_files.write, "a", b"b", "c"))).func is local_files.write
    assert local_files.write.__name__ == "write"
    assert "replacing what is there" in (local_files.write.__doc__ or "")


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Descriptors of the file systems that were flushed as wholes."""
    called: list[int] = []
    monkeypatch.setattr(flushing, "_syncfs", lambda: called.append)
    return called


def test_a_file_system_is_flushed_once_for_all_its_files(
    tmp_path: Path, syncs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "_type_of", lambda device: "ext4")
    systems = FileSystems()
    things = [str(tmp_path), *(str(tmp_path) for _ in range(5))]
    assert all(map(systems.can_flush, things))
    systems.flush(things)
    assert len(syncs) == 1
    systems.flush(things[:1])
    assert len(syncs) == 1, "one thing is flushed by itself, which is cheaper"


@pytest.mark.parametrize("kind", ["fuse.sshfs", "nfs4", "overlay", "tmpfs", ""])
def test_where_the_call_may_do_less_than_a_flush_it_is_not_used(
    tmp_path: Path, syncs: list[int], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(flushing, "_type_of", lambda device: kind)
    assert not FileSystems().can_flush(str(tmp_path))


def test_a_file_system_that_somebody_else_fills_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def syncfs(descriptor: int) -> None:
        clock[0] += 5.0

    monkeypatch.setattr(flushing, "_syncfs", lambda: syncfs)
    monkeypatch.setattr(flushing, "_type_of", lambda device: "xfs")
    monkeypatch.setattr(flushing.time, "monotonic", lambda: clock[0])
    systems, place = FileSystems(), str(tmp_path)
    assert systems.can_flush(place)
    systems.flush([place, place])
    assert not systems.can_flush(place)
    clock[0] += 61.0
    assert systems.can_flush(place)


@pytest.mark.parametrize(("release", "is_used"), [("5.4.0-generic", False), ("4.18", False), ("5.8.1", True)])
def test_a_system_that_keeps_errors_to_itself_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, release: str, is_used: bool
) -> None:
    monkeypatch.setattr(os, "uname", lambda: type("Named", (), {"release": release})())
    assert (flushing._syncfs() is not None) == is_used


def test_the_real_call_works_or_says_what_is_wrong(tmp_path: Path) -> None:
    syncfs = flushing._syncfs()
    if syncfs is None:
        pytest.skip("this Linux has none")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    syncfs(descriptor)
    os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        syncfs(descriptor)


def test_a_message_that_came_in_parts_is_read_when_it_is_whole() -> None:
    message = pickle.dumps("x")
    whole = SIZE.pack(len(message)) + message
    received = bytearray(whole + whole[:3])
    assert list(taken(received)) == [message]
    assert received == whole[:3]
    received += whole[3:]
    assert list(taken(received)) == [message]
    assert received == b""
