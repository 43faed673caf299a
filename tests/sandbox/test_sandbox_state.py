"""What is left when a sandbox stops, and what the next one on the same folder knows."""

import json
import os
import shutil
import threading
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.v1.endpoints import GENERATION
from minimax_tasks.sandbox import Sandbox, clip_cache
from minimax_tasks.sandbox.clip_cache import ClipCache
from minimax_tasks.sandbox.http.validation import AcceptedRequest
from minimax_tasks.sandbox.store import Store
from minimax_tasks.sandbox.task import TaskRecord
from tests.sandbox.conftest import Serve, data_url, fetch, still, until


def test_a_restarted_sandbox_knows_its_tasks(serve: Serve, tmp_path: Path) -> None:
    before = serve(state=tmp_path)
    frame = data_url(still())
    task_id = before.submit(first_frame_image=frame)["task_id"]
    url = before.url(task_id)
    clip = fetch(url).content
    before.sandbox.stop()

    after = serve(state=tmp_path)
    done = after.query(task_id)
    assert done["status"] == "Success"
    entry = after.entry(task_id)
    assert (entry["downloads"], entry["variant"]) == (1, 1)
    assert fetch(after.url(task_id)).content == clip
    again = after.submit(first_frame_image=frame)["task_id"]
    assert after.entry(again)["variant"] == 2
    old_url = url.replace(before_port(url), before_port(after.sandbox.url))
    assert fetch(old_url).status_code == 403


def before_port(url: str) -> str:
    return url.split("/")[2].split(":")[1]


def test_a_clip_that_is_gone_is_drawn_again(each_drawn: None, serve: Serve, tmp_path: Path) -> None:
    api = serve(state=tmp_path)
    task_id = api.submit()["task_id"]
    clip = fetch(api.url(task_id)).content
    shutil.rmtree(tmp_path / "clips" / "90P")
    (tmp_path / "clips" / "90P").mkdir()
    assert api.query(task_id)["status"] == "Success"
    assert fetch(api.url(task_id)).content == clip


def test_work_that_was_left_is_taken_up(serve: Serve, tmp_path: Path) -> None:
    before = serve(state=tmp_path, latency=0.5)
    task_id = before.submit(callback_url="http://127.0.0.1:9/")["task_id"]
    before.sandbox.stop()
    after = serve(state=tmp_path, latency=600)
    until(lambda: after.entry(task_id)["status"], lambda status: status == "Success")


def test_faults_of_a_task_outlive_a_restart(serve: Serve, tmp_path: Path) -> None:
    before = serve(
        state=tmp_path,
        faults=[{"at": "task", "nth": 1, "fail": 1026}, {"at": "task", "nth": 2, "stuck": "Processing"}],
    )
    failed, stuck = (before.submit()["task_id"] for _ in range(2))
    before.sandbox.stop()
    after = serve(state=tmp_path)
    assert after.query(failed)["base_resp"]["status_code"] == 1026
    assert after.query(stuck)["status"] == "Processing"


def test_two_sandboxes_on_one_folder_know_the_same_tasks(serve: Serve, tmp_path: Path) -> None:
    one, other = serve(state=tmp_path), serve(state=tmp_path)
    task_id = one.submit()["task_id"]
    assert other.wait(task_id)["status"] == "Success"
    fetch(other.url(task_id))
    assert one.entry(task_id)["downloads"] == other.entry(task_id)["downloads"] == 1
    assert other.entry(other.submit()["task_id"])["variant"] == 2


def test_a_line_cut_off_by_a_crash_is_skipped(serve: Serve, tmp_path: Path) -> None:
    before = serve(state=tmp_path, latency=60)
    kept = before.submit()["task_id"]
    before.sandbox.stop()
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"event":"accepted","tick')

    after = serve(state=tmp_path, latency=60)
    added = after.submit()["task_id"]
    after.sandbox.stop()
    assert [entry["task_id"] for entry in serve(state=tmp_path).sandbox.ledger()] == [kept, added]


def test_every_line_of_the_journal_is_json(serve: Serve, tmp_path: Path) -> None:
    api = serve(state=tmp_path)
    fetch(api.url(api.submit(prompt="雨\u2028\n")["task_id"]))
    events = [json.loads(line)["event"] for line in (tmp_path / "journal.jsonl").read_bytes().splitlines()]
    assert events == ["accepted", "drawn", "downloaded"]


def test_without_a_state_nothing_is_left(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    api = serve()
    api.wait(api.submit(first_frame_image=data_url(still()))["task_id"])
    assert list(tmp_path.glob("minimax-*/clips/90P/*.mp4"))
    api.sandbox.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(OSError, match="taken"):
        Sandbox(state=taken).start()


def test_parts_of_a_killed_sandbox_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / ".a.1.mp4", tmp_path / ".a.2.mp4"
    for part in (old, young):
        part.write_bytes(b"x")
    os.utime(old, (0, 0))
    ClipCache(tmp_path, lambda _, path: None).stop(5)
    assert list(tmp_path.iterdir()) == [young]


def ticket(number: int) -> TaskRecord:
    order = AcceptedRequest(Mode.TEXT, f"clip {number}", "768P", 6, 24, {"prompt": f"clip {number}"})
    return TaskRecord(str(number), str(number), order, 1, time.time(), 0.0, 1366, 768)


def test_old_tasks_are_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "journal", kept=3)
    for number in range(5):
        store.add(ticket(number))
    kept = [job.record.task_id for job in store.all()]
    forgotten = store.task("0"), store.file("1")
    store.close()
    assert kept == ["2", "3", "4"]
    assert forgotten == (None, None)


def test_ids_never_repeat(tmp_path: Path) -> None:
    store = Store(tmp_path / "journal")
    ids = [each for _ in range(2000) for each in store.new_ids(GENERATION)]
    store.close()
    assert len(set(ids)) == len(ids)


def test_clips_on_disk_are_bounded(tmp_path: Path) -> None:
    renders = ClipCache(tmp_path, lambda _, path: path.write_bytes(b"x" * 100) and None, kept_bytes=250)
    for number in (0, 1):
        renders.clip(ticket(number)).result(10)
    renders.clip(ticket(0)).result(10)
    renders.clip(ticket(2)).result(10)
    assert {path.stem for path in tmp_path.iterdir()} == {ticket(n).clip_key for n in (0, 2)}
    assert renders.clip(ticket(1)).result(10).exists()
    renders.stop(5)


def test_a_clip_is_drawn_once_for_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_cache, "WORKERS", 1)
    drawn: list[str] = []
    go = threading.Event()

    def draw(ticket: TaskRecord, path: Path) -> None:
        go.wait(10)
        drawn.append(ticket.task_id)
        path.write_bytes(b"x")

    renders = ClipCache(tmp_path, draw)
    futures = [renders.clip(ticket(n), urgent=n == 5) for n in (1, 2, 3, 4, 5, 5, 4)]
    go.set()
    wait(futures, 10)
    assert sorted(drawn) == ["1", "2", "3", "4", "5"]
    assert drawn.index("5") < drawn.index("4")
    renders.stop(5)


def test_a_file_that_another_sandbox_takes_away_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / ".gone.mp4").symlink_to("nowhere.mp4")  # it is listed, and not there when it is looked at
    ClipCache(tmp_path, lambda _, path: None).stop(5)
