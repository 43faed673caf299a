"""A dataset's folder after a kill or beside another run, whose it is, and clips in doubt."""

import itertools
import json
import shutil
from pathlib import Path

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks import TableError, VideoDataset
from minimax_tasks.commands.main import main
from minimax_tasks.console.messages import worded
from minimax_tasks.dataset.folder import Delivery, Manifest, dataset_folder, read_manifest
from minimax_tasks.dataset.outcomes import ClipFacts, Failure, ShardResult, now
from minimax_tasks.dataset.plan import DatasetPlan, make_plan
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage import owner, publication
from minimax_tasks.storage.files import Storage, is_draft
from tests import odd_disk
from tests.dataset.tables import lines, load, write_csv
from tests.dying import Killed, killed_at, operations_below, operations_in_memory

pytestmark = pytest.mark.slow

NAME = "waves"
FOLDER = dataset_folder(NAME)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "PAUSE", 0.0)


def versions(tmp_path: Path) -> dict[str, str]:
    """Two tables under one path: rows kept, changed, added and dropped, and one that fails in the first."""
    one = [{"prompt": f"Wave {n}", "label": 1} for n in range(6)]
    two = [{"prompt": f"Wave {n}", "label": 9} for n in (0, 2, *range(7, 14))]
    return {
        name: Path(write_csv(tmp_path / name / "waves.csv", rows)).read_text()
        for name, rows in (("one", one), ("two", two))
    }


class Runs:
    """Brings the dataset in step with a version of the table, as a run does once the clips are made."""

    def __init__(self, tmp_path: Path, root: Storage) -> None:
        self.table, self.root, self.texts = tmp_path / "waves.csv", root, versions(tmp_path)

    def plan(self, version: str) -> DatasetPlan:
        self.table.write_text(self.texts[version])
        plan = make_plan(str(self.table), self.root)
        for key in plan.clips:
            if not self.root.exists(f"clips/{key}/video.mp4"):
                self.root.write(f"clips/{key}/video.mp4", b"video " + key.encode())
        return plan

    def is_current(self, plan: DatasetPlan) -> bool:
        manifest = read_manifest(self.root, FOLDER)
        return manifest is not None and manifest.is_current(
            self.root, plan, FOLDER, webdataset=False, retry_before=None
        )

    def run(self, version: str) -> None:
        plan = self.plan(version)
        if not self.is_current(plan):
            self.deliver(plan)

    def deliver(self, plan: DatasetPlan) -> Manifest:
        made = {key: ClipFacts(task_id="1") for key in plan.clips}
        failed = {}
        if lost := [one.key for one in plan.rows if one.row.request.prompt == "Wave 5"]:
            del made[lost[0]]
            failed = {lost[0]: Failure(error="GenerationFailed", text="1027", over=True, files="")}
            failed = {key: one.model_copy(update={"files": self.state(key)}) for key, one in failed.items()}
        result = ShardResult(finished_at=now(), made=made, failed=failed)
        return Delivery(self.root, plan, NAME, {"shard": result}).make()

    def state(self, key: str) -> str:
        from minimax_tasks.clips.layout import clip_folder
        from minimax_tasks.dataset.outcomes import files_digest

        return files_digest(self.root.versions(clip_folder(key)))

    def check(self, version: str) -> None:
        plan = self.plan(version)
        assert self.is_current(plan)
        rows = [json.loads(line) for line in self.root.read(f"{FOLDER}/metadata.jsonl").splitlines()]
        delivered = [one for one in plan.rows if one.row.request.prompt != "Wave 5"]
        assert [row["prompt"] for row in rows] == [one.row.request.prompt for one in delivered]
        assert {row["label"] for row in rows} == {{"one": "1", "two": "9"}[version]}
        for row, one in zip(rows, delivered, strict=True):
            assert self.root.read(f"{FOLDER}/{row['file_name']}") == b"video " + one.key.encode()
        listed = {row["file_name"] for row in rows} | {"metadata.jsonl", ".dataset.json", "README.md"}
        listed |= {"failed.jsonl"} if version == "one" else set()
        there = {name for name in self.root.sizes(FOLDER) if not is_draft(name)}
        assert there == listed, "nothing lies in the folder that no row names"
        assert f"{len(rows)} videos" in self.root.read(f"{FOLDER}/README.md").decode()


@pytest.mark.parametrize("disk", odd_disk.DISKS)
def test_a_kill_at_every_file_operation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str) -> None:
    odd_disk.choose(monkeypatch, tmp_path, disk)
    for number in itertools.count(1):
        runs = Runs(tmp_path, Storage(str(tmp_path / f"out-{number}")))
        runs.run("one")
        plan, before = runs.plan("two"), read_manifest(runs.root, FOLDER)
        try:
            with operations_below(runs.root.path(), killed_at(number)):
                runs.deliver(plan)
        except Killed:
            pass
        else:
            break
        rows = [json.loads(line) for line in runs.root.read(f"{FOLDER}/metadata.jsonl").splitlines()]
        there = runs.root.sizes(FOLDER)
        videos = [row["file_name"] in there for row in rows]
        assert all(videos) or read_manifest(runs.root, FOLDER) is None
        with monkeypatch.context() as patched:
            patched.setattr(owner, "is_token_gone", lambda token: True)
            runs.run("one")
            if read_manifest(runs.root, FOLDER) != before:
                assert not [name for name in runs.root.sizes(FOLDER) if is_draft(name)]
        for version in ("one", "two") if number % 2 else ("two", "one"):
            runs.run(version)
            runs.check(version)
    assert number > 20


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")], ids=["back", "on"])
def test_a_kill_at_every_operation_of_an_object_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    for number in itertools.count(1):
        runs = Runs(tmp_path, Storage(f"memory://{tmp_path.name}-{number}"))
        runs.run("one")
        plan = runs.plan("two")
        try:
            with operations_in_memory(monkeypatch, killed_at(number)):
                runs.deliver(plan)
        except Killed:
            pass
        else:
            break
        for version in order:
            runs.run(version)
            runs.check(version)
    assert number > 8


def test_another_run_at_every_file_operation(tmp_path: Path) -> None:
    """Whoever is last leaves a whole, of the table that it read."""
    for number in itertools.count(1):
        runs = Runs(tmp_path, Storage(str(tmp_path / f"out-{number}")))
        runs.run("one")
        plans = {version: runs.plan(version) for version in ("one", "two")}

        def overtake(count: int, at: int = number, runs: Runs = runs, plans: dict = plans) -> None:  # type: ignore[type-arg]
            if count == at:
                runs.deliver(plans["one"])

        with operations_below(runs.root.path(), overtake) as operations:
            runs.deliver(plans["two"])
        last = "two" if runs.is_current(plans["two"]) else "one"
        runs.check(last)
        if operations.count < number:
            break
    assert number > 20


def test_what_somebody_did_to_the_folder_is_mended(tmp_path: Path) -> None:
    runs = Runs(tmp_path, Storage(str(tmp_path / "out")))
    runs.run("two")
    folder = tmp_path / "out" / FOLDER
    for spoil in (
        lambda: next(folder.rglob("*.mp4")).unlink(),
        lambda: (folder / "data/00/stray.mp4").write_bytes(b"x"),
        lambda: (folder / "metadata.jsonl").write_text((folder / "metadata.jsonl").read_text()[:-9]),
        lambda: (folder / "failed.jsonl").write_text("{}\n"),
        lambda: (folder / ".dataset.json").write_text("{}"),
        lambda: (folder / ".dataset.json").write_text('{"table": 1}'),
    ):
        spoil()
        assert not runs.is_current(runs.plan("two"))
        runs.run("two")
        runs.check("two")
    video = next(folder.rglob("*.mp4"))
    whole = video.read_bytes()
    video.unlink()  # not through the hard link
    video.write_bytes(whole[:5])
    runs.run("two")
    runs.check("two")


# -- whose folder it is


def a_row(prompt: str) -> list[dict[str, object]]:
    return [{"prompt": prompt}]


def test_two_tables_of_one_name_never_share_a_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    one = VideoDataset(table=write_csv(tmp_path / "c1/same.csv", a_row("One")), root="out")
    other = VideoDataset(table=write_csv(tmp_path / "c2/same.csv", a_row("Other")), root="out")
    assert not mm.build([one, other]), "the second is refused"
    assert [row["prompt"] for row in lines(tmp_path / "out/datasets/same/metadata.jsonl")] == ["One"]
    assert len(sandbox.ledger()) == 1, "nothing was paid for the second"
    with pytest.raises(TableError, match=r"c1/same\.csv.*name of its own") as refused:
        _ = other.plan
    assert refused.value.owner.endswith("c1/same.csv")
    assert refused.value.folder == "out/datasets/same"
    assert "--name NAME, such as --name same-c2." in worded(refused.value)
    assert refused.value.offer == "same-c2"
    with pytest.raises(TableError):
        VideoDataset(table=other.table, root="out", name="same").requires()
    named = VideoDataset(table=other.table, root="out", name="same-2")
    assert mm.build([one, named])
    assert one.complete()
    assert named.complete()


def test_the_first_of_two_has_the_folder_before_anything_is_delivered(tmp_path: Path) -> None:
    one = VideoDataset(table=write_csv(tmp_path / "c1/same.csv", a_row("One")), root="out")
    other = VideoDataset(table=write_csv(tmp_path / "c2/same.csv", a_row("Other")), root="out")
    one.requires()
    for ask in (other.requires, lambda: other.plan):
        with pytest.raises(TableError, match=r"c1/same\.csv"):
            ask()


@pytest.mark.parametrize(("one", "other"), [("a/b", "a:b"), ("a-b", "a?b")])
def test_two_names_that_give_one_folder(tmp_path: Path, one: str, other: str) -> None:
    table = write_csv(tmp_path / "t.csv", a_row("One"))
    VideoDataset(table=table, root="out", name=one).requires()
    with pytest.raises(TableError, match=f"by the name '{one}'"):
        VideoDataset(table=table, root="out", name=other).requires()


def test_names_that_differ_in_case_are_told_apart_where_the_file_system_folds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = VideoDataset(table=write_csv(tmp_path / "a/Waves.csv", a_row("One")), root="out")
    other = VideoDataset(table=write_csv(tmp_path / "b/waves.csv", a_row("Other")), root="out")
    real = Storage.path
    monkeypatch.setattr(
        Storage, "path", lambda self, name="": real(self, name.lower() if "datasets/" in name else name)
    )
    one.requires()
    with pytest.raises(TableError, match=r"Waves\.csv"):
        other.requires()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    other = VideoDataset(table=str(tmp_path / "b/waves.csv"), root="elsewhere")
    other.requires()
    VideoDataset(table=str(tmp_path / "a/Waves.csv"), root="elsewhere").requires()
    assert sorted(path.name for path in Path("elsewhere/datasets").iterdir()) == ["Waves", "waves"]


def test_tar_files_are_not_the_folder_of_another_dataset(tmp_path: Path) -> None:
    VideoDataset(table=write_csv(tmp_path / "a.csv", a_row("One")), root="out", webdataset=True).requires()
    tars = VideoDataset(table=write_csv(tmp_path / "a-wds.csv", a_row("Other")), root="out")
    with pytest.raises(TableError, match=r"a\.csv"):
        tars.requires()
    VideoDataset(table=write_csv(tmp_path / "b-wds.csv", a_row("Other")), root="out").requires()
    with pytest.raises(TableError, match=r"b-wds\.csv"):
        VideoDataset(
            table=write_csv(tmp_path / "b.csv", a_row("One")), root="out", webdataset=True
        ).requires()


def test_a_project_that_was_moved_keeps_its_dataset(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p").mkdir()
    monkeypatch.chdir(tmp_path / "p")
    assert mm.build([VideoDataset(table=write_csv(Path("t.csv"), a_row("One")), root="out")])
    monkeypatch.chdir(tmp_path)
    shutil.move("p", "q")
    monkeypatch.chdir(tmp_path / "q")
    moved = VideoDataset(table="t.csv", root=str(tmp_path / "q/out"))
    assert moved.complete()
    shutil.move("t.csv", "u.csv")
    renamed = VideoDataset(table="u.csv", root=str(tmp_path / "q/out"), name="t")
    assert renamed.complete(), "the table that made it is gone, and this one asks for the same clips"
    renamed.requires()
    write_csv(Path("v/u.csv"), a_row("Two"))
    with pytest.raises(TableError, match=r"u\.csv"):
        VideoDataset(table="v/u.csv", root=str(tmp_path / "q/out"), name="t").requires()
    Path("u.csv").unlink()
    with pytest.raises(TableError, match=r"u\.csv"):
        VideoDataset(table="v/u.csv", root=str(tmp_path / "q/out"), name="t").requires()


def test_a_folder_that_was_made_before_folders_had_owners(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "Cafe\u0301 waves.csv", a_row("One"))
    task = VideoDataset(table=table, root="out")
    assert mm.build([task])
    made = tmp_path / "out/datasets/Caf\u00e9 waves"
    former = tmp_path / "out/datasets/Cafe- waves"
    made.rename(former)
    (former / ".made-from.json").unlink()
    manifest = json.loads((former / ".dataset.json").read_text())
    manifest = {
        name: manifest[name] for name in manifest if name not in ("files", "videos", "tars", "in_doubt")
    }
    (former / ".dataset.json").write_text(json.dumps(manifest | {"table": "Cafe\u0301 waves.csv"}))
    again = VideoDataset(table=table, root=str(tmp_path / "out"))
    assert again.folder.endswith("Cafe- waves")
    assert mm.build([again])
    assert again.complete()
    assert not made.exists()
    with pytest.raises(TableError):
        VideoDataset(
            table=write_csv(tmp_path / "x.csv", a_row("Other")),
            root=str(tmp_path / "out"),
            name="Cafe- waves",
        ).requires()


# -- in doubt is never over


def test_clips_in_doubt_fail_the_run_with_the_commands_that_settle_them(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    said: list[BaseException] = []

    @VideoDataset.event_handler(luigi.Event.FAILURE)
    def hear(task: luigi.Task, error: BaseException) -> None:
        said.append(error)

    sandbox.add_faults([{"at": "submit", "prompt": "Wave 1", "lost": True, "nth": 1}])
    table = write_csv(tmp_path / "w.csv", [{"prompt": f"Wave {n}"} for n in range(3)])
    task = VideoDataset(table=table, root="out")
    for _ in range(2):
        assert not mm.build([task])
        folder = tmp_path / "out/datasets/w"
        assert len(lines(folder / "metadata.jsonl")) == 2, "the other rows are delivered"
        (doubt,) = lines(folder / "failed.jsonl")
        assert doubt["in_doubt"] is True
        assert "1 clip in doubt: each may have been paid" in str(said[-1])
        assert f"minimax-tasks resolve {doubt['key']} --root out --task-id ID" in worded(said[-1])
        assert load(folder, tmp_path / "cache").num_rows == 2
        assert not task.complete()
    assert len(sandbox.ledger()) == 3, "and it is not paid again"
    lost = next(one["task_id"] for one in sandbox.ledger() if one["request"]["prompt"] == "Wave 1")
    assert main(["resolve", doubt["key"], "--root", "out", "--task-id", lost]) == 0
    assert mm.build([task])
    assert len(lines(folder / "metadata.jsonl")) == 3
    assert not (folder / "failed.jsonl").exists()
    assert len(sandbox.ledger()) == 3


def test_a_result_that_once_counted_a_doubt_as_over(tmp_path: Path) -> None:
    failure = Failure(error="UncertainSubmit", text="?", over=True, files="x")
    assert not ShardResult(finished_at=now(), made={}, failed={"k": failure}).is_over
