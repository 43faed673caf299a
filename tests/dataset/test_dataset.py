"""From a table to a dataset: what is delivered, what is paid, and what a second run does."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from pathlib import Path

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.probe import probe
from tests.conftest import Picture, point_at
from tests.dataset.tables import lines, load, write_csv, write_jsonl

pytestmark = pytest.mark.slow


def waves(count: int) -> list[dict[str, object]]:
    return [{"prompt": f"Wave {number}", "mood": "calm"} for number in range(count)]


def prompts_paid(sandbox: Sandbox) -> list[str]:
    return sorted(entry["request"].get("prompt", "") for entry in sandbox.ledger())


def test_what_a_poll_answers_is_never_the_end_of_a_paid_clip(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", waves(2))
    sandbox.add_faults([{"at": "query", "share": 1.0, "most": 12, "http": 404}])
    assert not mm.build([mm.VideoDataset(table=table, root="out")])
    for _ in range(8):
        if mm.build([mm.VideoDataset(table=table, root="out")]):
            break
    assert len(lines(tmp_path / "out/datasets/w/metadata.jsonl")) == 2
    assert len(sandbox.ledger()) == 2


def test_forty_rows_of_every_mode_become_a_dataset(
    sandbox: Sandbox, picture: Picture, tmp_path: Path
) -> None:
    picture("tables/stills/a.png")
    picture("tables/stills/b.png", "navy")
    rows: list[dict[str, object]] = []
    for number in range(8):
        prompt, still = f"Wave {number}", "stills/a.png"
        rows += [
            {"prompt": prompt, "duration": 10 if number % 2 else 6, "resolution": "768P"},
            {"prompt": prompt, "first_frame_image": still, "prompt_optimizer": "false"},
            {"prompt": prompt, "first_frame_image": still, "last_frame_image": "stills/b.png"},
            {"prompt": prompt, "subject_image": still, "take": number + 1},
            {"template": "Helpless Moments", "text": f"小狗加班 {number}"},
        ]
    table = write_csv(tmp_path / "tables/Mixed waves.csv", [row | {"stimmung": "ruhig 静"} for row in rows])
    task = mm.VideoDataset(table=table, root="out", shard_size=16)
    assert mm.build([task])
    assert len(sandbox.ledger()) == 40
    assert len({entry["kind"] for entry in sandbox.ledger()}) == 5
    assert task.complete()
    loaded = load("out/datasets/Mixed waves", tmp_path / "cache")
    assert loaded.num_rows == 40
    assert loaded.column_names[:4] == ["video", "prompt", "model", "resolution"]
    assert set(loaded["stimmung"]) == {"ruhig 静"}
    assert loaded[1]["first_frame_image"] == "stills/a.png"
    assert loaded[4]["prompt"] is None
    assert loaded[4]["text"] == "小狗加班 0"
    assert loaded[5]["duration"] == 10
    for row in loaded:
        found = probe(row["video"]["path"])
        assert found.ok
        assert (found.width, found.height, found.frames) == (row["width"], row["height"], row["frames"])
        assert row["fps"] == found.fps
    assert mm.build([task])
    assert len(sandbox.ledger()) == 40


def test_the_metadata_has_the_same_columns_in_every_row(sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [
        {"prompt": "a", "score": 1, "tags": ["x"], "scene": {"id": 7}, "label": 3, "key": "mine"},
        {"prompt": "b", "score": 0.5, "tags": [], "scene": {"lens": "35 mm"}, "label": "three"},
        {"prompt": "c", "duration": 6, "label": {"deep": [1]}},
    ]
    table = write_jsonl(tmp_path / "typed.jsonl", rows)
    assert mm.build([mm.VideoDataset(table=table, root="out")])
    found = lines(tmp_path / "out/datasets/typed/metadata.jsonl")
    assert [list(row) for row in found] == [list(found[0])] * 3
    assert next(iter(found[0])) == "file_name"
    assert [row["score"] for row in found] == [1.0, 0.5, None]
    assert [row["tags"] for row in found] == [["x"], [], None]
    assert [row["scene"] for row in found] == [{"id": 7, "lens": None}, {"id": None, "lens": "35 mm"}, None]
    assert [row["label"] for row in found] == ["3", "three", '{"deep": [1]}']
    assert [row["key_in_table"] for row in found] == ["mine", None, None]
    assert load("out/datasets/typed", tmp_path / "cache")["score"][:] == [1.0, 0.5, None]


def test_rows_that_failed_are_listed_the_rest_is_delivered_and_nothing_is_paid_again(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_faults(
        [{"at": "task", "prompt": "storm", "fail": 1027}, {"at": "submit", "prompt": "fog", "code": 1026}]
    )
    rows = [*waves(6), {"prompt": "storm", "mood": "wild 野"}, {"prompt": "fog"}]
    task = mm.VideoDataset(table=write_csv(tmp_path / "waves.csv", rows), root="out", shard_size=3)
    assert mm.build([task])
    paid = len(sandbox.ledger())
    folder = tmp_path / "out/datasets/waves"
    assert load(folder, tmp_path / "cache").num_rows == 6
    failed = lines(folder / "failed.jsonl")
    assert [(row["row"], row["code"]) for row in failed] == [(8, 1027), (9, 1026)]
    assert failed[0]["fields"] == {"prompt": "storm", "mood": "wild 野"}
    assert "sensitive" in failed[0]["text"]
    caplog.clear()
    assert mm.build([task])
    assert len(sandbox.ledger()) == paid
    assert "2 of 8 rows failed and are not paid for again" in caplog.text


def test_a_person_can_ask_for_the_failed_rows_again(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "storm", "fail": 1027, "nth": 1}])
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", [*waves(2), {"prompt": "storm"}]), root="out")
    assert mm.build([task])
    assert len(lines(tmp_path / "out/datasets/w/failed.jsonl")) == 1
    monkeypatch.setenv(
        "MINIMAX_RETRY_FAILED_BEFORE", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    )
    time.sleep(1.1)
    assert not task.complete()
    assert mm.build([task])
    assert not (tmp_path / "out/datasets/w/failed.jsonl").exists()
    assert len(lines(tmp_path / "out/datasets/w/metadata.jsonl")) == 3
    assert prompts_paid(sandbox) == ["Wave 0", "Wave 1", "storm", "storm"]


def test_what_another_run_would_go_on_with_makes_the_task_fail_and_the_next_run_goes_on(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIMAX_BUDGET", "1.0")
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", waves(6)), root="out")
    assert not mm.build([task])
    paid = len(sandbox.ledger())
    assert 0 < paid < 6
    folder = tmp_path / "out/datasets/w"
    assert len(lines(folder / "metadata.jsonl")) == paid, "what was made is delivered"
    assert "budget" in lines(folder / "failed.jsonl")[0]["text"]
    assert not task.complete()
    monkeypatch.delenv("MINIMAX_BUDGET")
    assert mm.build([task])
    assert prompts_paid(sandbox) == [f"Wave {number}" for number in range(6)]
    assert len(lines(folder / "metadata.jsonl")) == 6
    assert not (folder / "failed.jsonl").exists()


def test_when_no_row_can_be_made_the_task_fails_and_pays_nothing_again(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "Wave", "fail": 1027}])
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", waves(3)), root="out")
    assert not mm.build([task])
    assert not mm.build([task])
    assert len(sandbox.ledger()) == 3
    assert len(lines(tmp_path / "out/datasets/w/failed.jsonl")) == 3


def test_rows_that_changed_are_made_and_rows_that_went_are_gone(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "waves.csv", waves(6))
    task = mm.VideoDataset(table=table, root="out", shard_size=2)
    assert mm.build([task])
    folder = tmp_path / "out/datasets/waves"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("data/*/*.mp4")}
    rows = waves(6)
    rows[2]["prompt"] = "Breaker"
    rows[3]["mood"] = "wild"
    write_csv(Path(table), rows[:5])
    assert not task.complete()
    assert mm.build([task])
    assert len(sandbox.ledger()) == 7
    found = lines(folder / "metadata.jsonl")
    assert [row["prompt"] for row in found] == ["Wave 0", "Wave 1", "Breaker", "Wave 3", "Wave 4"]
    assert found[3]["mood"] == "wild"
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("data/*/*.mp4")}
    assert len(after) == 5
    assert len(after.items() & before.items()) == 4, "the videos of the other rows are left alone"
    assert load(folder, tmp_path / "cache").num_rows == 5


def test_a_picture_that_was_edited_is_another_clip(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    picture("a.png")
    rows = [{"prompt": "x", "first_frame_image": "a.png"}, {"prompt": "y", "first_frame_image": ""}]
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", rows), root="out")
    assert mm.build([task])
    picture("a.png", "red")
    assert not task.complete()
    assert mm.build([task])
    assert prompts_paid(sandbox) == ["x", "x", "y"]


def test_a_paid_clip_is_delivered_although_its_picture_is_gone(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    still = picture("a.png")
    task = mm.VideoDataset(
        table=write_csv(tmp_path / "w.csv", [{"prompt": "x", "first_frame_image": "a.png"}]), root="out"
    )
    assert mm.build([task])
    still.unlink()
    (tmp_path / "out/datasets/w/metadata.jsonl").unlink()
    assert mm.build([task])
    assert len(sandbox.ledger()) == 1
    assert len(lines(tmp_path / "out/datasets/w/metadata.jsonl")) == 1


def test_rows_that_ask_for_the_same_are_one_clip_and_both_are_delivered(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = [
        {"prompt": "same", "who": "one"},
        {"prompt": "other", "who": "two"},
        {"prompt": "same", "who": "three"},
    ]
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", rows), root="out", shard_size=1)
    assert mm.build([task])
    assert prompts_paid(sandbox) == ["other", "same"]
    found = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert [row["who"] for row in found] == ["one", "two", "three"]
    assert found[0]["key"] == found[2]["key"]
    assert found[0]["file_name"] != found[2]["file_name"]
    assert load("out/datasets/w", tmp_path / "cache").num_rows == 3


def test_a_clip_that_somebody_else_made_is_not_paid_again(sandbox: Sandbox, tmp_path: Path) -> None:
    assert mm.build([mm.TextToVideo(prompt="Wave 1", root="out")])
    assert mm.build([mm.VideoDataset(table=write_csv(tmp_path / "w.csv", waves(3)), root="out")])
    assert prompts_paid(sandbox) == ["Wave 0", "Wave 1", "Wave 2"]


def test_with_plain_luigi(sandbox: Sandbox, tmp_path: Path) -> None:
    task = mm.VideoDataset(table=tmp_path / "w.csv", root="out", shard_size=4)
    write_csv(tmp_path / "w.csv", waves(10))
    assert luigi.build([task], local_scheduler=True, log_level="WARNING")
    assert len(sandbox.ledger()) == 10
    assert load("out/datasets/w", tmp_path / "cache").num_rows == 10


def test_on_memory_storage(sandbox: Sandbox) -> None:
    root = f"memory://{uuid.uuid4().hex}"
    Storage(root).write("tables/w.jsonl", b'{"prompt": "a"}\n{"prompt": "b", "mood": "wild"}\n')
    task = mm.VideoDataset(table=f"{root}/tables/w.jsonl", root=f"{root}/out", webdataset=True)
    assert mm.build([task])
    with task.output().open() as found:
        rows = [json.loads(line) for line in found]
    assert [row["mood"] for row in rows] == [None, "wild"]
    for row in rows:
        with mm.FsspecTarget(f"{task.folder}/{row['file_name']}").open("rb") as video:
            assert probe(video).ok
    assert Storage(root).names("out/datasets/w-wds")


def test_on_s3(sandbox: Sandbox, s3_root: str, tmp_path: Path) -> None:
    rows = [*waves(5), {"prompt": "Wave 0"}]
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", rows), root=s3_root, shard_size=2)
    assert mm.build([task])
    assert task.complete()
    assert len(sandbox.ledger()) == 5
    assert len([name for name in Storage(s3_root).find("datasets/w") if name.endswith(".mp4")]) == 6


def test_a_parquet_table(sandbox: Sandbox, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "prompt": ["a", "b"],
        "duration": pa.array([10, None], pa.int32()),
        "aigc_watermark": [True, None],
        "shot_on": pa.array([0, None], pa.date32()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "w.parquet")
    assert mm.build([mm.VideoDataset(table=str(tmp_path / "w.parquet"), root="out")])
    found = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert [row["duration"] for row in found] == [10, 6]
    assert [row["aigc_watermark"] for row in found] == [True, None]
    assert [row["shot_on"] for row in found] == ["1970-01-01", None]
    assert [Path(row["file_name"]).name[:6] for row in found] == ["000001", "000002"]


@pytest.mark.parametrize("name", ["test", "train", "validation waves", "データ"])
def test_any_name_loads_as_one_split(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    import datasets

    task = mm.VideoDataset(table=write_csv(tmp_path / f"{name}.csv", waves(2)), root="out")
    assert mm.build([task])
    found = datasets.load_dataset("videofolder", data_dir=task.folder, cache_dir=str(tmp_path / "cache"))
    assert sum(split.num_rows for split in found.values()) == 2
    assert len(found) == 1


def test_webdataset_shards(sandbox: Sandbox, tmp_path: Path) -> None:
    import datasets

    table = write_csv(tmp_path / "w.csv", waves(5))
    task = mm.VideoDataset(table=table, root="out", shard_size=2, webdataset=True)
    assert mm.build([task])
    tars = sorted((tmp_path / "out/datasets/w-wds").iterdir())
    assert [path.name for path in tars] == ["00000.tar", "00001.tar", "00002.tar"]
    with tarfile.open(tars[0]) as tar:
        names = tar.getnames()
        video, told = (tar.extractfile(name) for name in names[:2])
        assert video is not None
        assert told is not None
        assert probe(io.BytesIO(video.read())).ok
        assert json.loads(told.read())["prompt"] == "Wave 0"
    assert [Path(name).suffix for name in names] == [".mp4", ".json"] * 2
    loaded = datasets.load_dataset(
        "webdataset",
        data_files=[str(path) for path in tars],
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert loaded.num_rows == 5
    write_csv(Path(table), waves(2))
    assert mm.build([task])
    assert [path.name for path in (tmp_path / "out/datasets/w-wds").iterdir()] == ["00000.tar"]


def test_asked_for_later_the_tar_files_are_written_without_paying(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", waves(2))
    assert mm.build([mm.VideoDataset(table=table, root="out")])
    assert mm.build([mm.VideoDataset(table=table, root="out", webdataset=True)])
    assert (tmp_path / "out/datasets/w-wds/00000.tar").exists()
    assert mm.VideoDataset(table=table, root="out").complete()
    assert len(sandbox.ledger()) == 2


def test_tar_files_stay_in_step_with_the_table_once_there_are_some(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", waves(2))
    assert mm.build([mm.VideoDataset(table=table, root="out", webdataset=True)])
    write_csv(Path(table), waves(3)[2:])
    assert mm.build([mm.VideoDataset(table=table, root="out")])
    with tarfile.open(tmp_path / "out/datasets/w-wds/00000.tar") as tar:
        told = [tar.extractfile(name) for name in tar.getnames() if name.endswith(".json")]
        assert [json.loads(one.read())["prompt"] for one in told if one] == ["Wave 2"]
    assert mm.VideoDataset(table=table, root="out", webdataset=True).complete()


def test_no_more_clips_are_in_flight_than_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=6.0, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        monkeypatch.setenv("MINIMAX_MAX_IN_FLIGHT", "4")
        task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", waves(8)), root="out", shard_size=3)
        assert mm.build([task])
        at = sorted(entry["created_at"] for entry in sandbox.ledger())
    assert at[3] - at[0] < 6.0, "clips of several shards are in flight together"
    assert all(later - earlier >= 6.0 for earlier, later in zip(at, at[4:], strict=False))


KILLED = """
import minimax_tasks as mm
mm.build([mm.VideoDataset(table="waves.csv", root="out", shard_size=8)])
"""


@pytest.mark.parametrize("after", [1.2, 2.0, 3.0])
def test_killed_in_the_middle_and_run_again(
    after: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "waves.csv", waves(24))
    with Sandbox(latency=0.5, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        monkeypatch.setenv("MINIMAX_MAX_IN_FLIGHT", "6")
        running = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path, start_new_session=True)
        time.sleep(after)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=True)
        paid = prompts_paid(sandbox)
    assert len(paid) == len(set(paid)), "nothing is paid twice"
    folder = tmp_path / "out/datasets/waves"
    doubts = lines(folder / "failed.jsonl") if (folder / "failed.jsonl").exists() else []
    assert len(lines(folder / "metadata.jsonl")) + len(doubts) == 24
    assert all("may have been paid" in row["text"] for row in doubts)
    assert load(folder, tmp_path / "cache").num_rows == 24 - len(doubts)


def test_a_doubt_that_a_person_settled_is_gone_on_with(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minimax_tasks.commands.main import main

    sandbox.add_faults([{"at": "submit", "prompt": "Wave 1", "code": 1000, "nth": 1}])
    task = mm.VideoDataset(table=write_csv(tmp_path / "w.csv", waves(3)), root="out")
    assert not mm.build([task]), "what may have been paid is never over"
    (doubt,) = lines(tmp_path / "out/datasets/w/failed.jsonl")
    assert doubt["error"] == "UncertainSubmit"
    assert doubt["in_doubt"]
    assert main(["resolve", doubt["key"], "--root", "out", "--resubmit"]) == 0
    assert not task.complete()
    assert mm.build([task])
    assert len(lines(tmp_path / "out/datasets/w/metadata.jsonl")) == 3
