"""A lake of partitions: tables of one file name, tables of many files, and names that say which partition it is."""

import json
import random
from pathlib import Path

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks import TableError, VideoDataset
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.dataset.tables import lines, load, write_csv, write_jsonl


def day(number: int) -> str:
    return f"2026-11-{number:02}"


def partition(lake: Path, number: int, rows: list[dict[str, object]] | None = None) -> str:
    given = rows or [{"prompt": f"Wave {number}.{row}", "mood": "calm"} for row in range(2)]
    return write_csv(lake / f"date={day(number)}/prompts.csv", given)


def forget_tasks() -> None:
    luigi.task_register.Register.clear_instance_cache()


@pytest.mark.slow
def test_thirty_partitions_of_one_file_name_run_twice_and_out_of_order(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    tables = [partition(lake, number) for number in range(1, 31)]
    for seed in (1, 2):
        ordered = random.Random(seed).sample(tables, 30)
        forget_tasks()
        assert mm.build([VideoDataset(table=table, root="out") for table in ordered])
        assert len(sandbox.ledger()) == 60, "nothing is paid twice"
    folders = sorted(path.name for path in (tmp_path / "out/datasets").iterdir() if path.name != ".work")
    assert folders == [f"prompts-date={day(number)}" for number in range(1, 31)]
    before = {path: path.read_bytes() for path in (tmp_path / "out/datasets").rglob("metadata.jsonl")}
    changed = [
        {"prompt": "Wave 7.0", "mood": "calm", "lens": "35 mm"},
        {"prompt": "Storm", "mood": "wild", "lens": ""},
    ]
    partition(lake, 7, changed)
    forget_tasks()
    assert mm.build([VideoDataset(table=table, root="out") for table in reversed(tables)])
    assert len(sandbox.ledger()) == 61, "one row is new"
    after = {path: path.read_bytes() for path in (tmp_path / "out/datasets").rglob("metadata.jsonl")}
    assert {path.parent.name for path in after if after[path] != before[path]} == {f"prompts-date={day(7)}"}
    for number, table in enumerate(tables, 1):
        task = VideoDataset(table=table, root="out")
        assert task.complete()
        found = lines(Path(task.folder) / "metadata.jsonl")
        assert [row["prompt"] for row in found] == (
            ["Wave 7.0", "Storm"] if number == 7 else [f"Wave {number}.0", f"Wave {number}.1"]
        )
        assert all((Path(task.folder) / row["file_name"]).stat().st_size for row in found)


@pytest.mark.slow
def test_a_pattern_is_one_dataset_that_grows(sandbox: Sandbox, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for number in (3, 1):
        partition(lake, number)
    (lake / "date=2026-11-03/_SUCCESS").touch()
    (lake / "date=2026-11-03/.prompts.csv.crc").write_bytes(b"x")
    table = str(lake / "date=*/prompts.csv")
    task = VideoDataset(table=table, root="out")
    assert mm.build([task])
    folder = tmp_path / "out/datasets/prompts"
    first = {row["prompt"]: row for row in lines(folder / "metadata.jsonl")}
    assert list(first) == ["Wave 1.0", "Wave 1.1", "Wave 3.0", "Wave 3.1"]
    assert [row["date"] for row in first.values()] == [day(1), day(1), day(3), day(3)]
    partition(lake, 2, [{"prompt": "Wave 1.0", "lens": "35 mm"}])
    forget_tasks()
    task = VideoDataset(table=table, root="out")
    assert not task.complete(), "a partition came"
    assert mm.build([task])
    assert len(sandbox.ledger()) == 4, "a row that another partition has is one clip"
    second = lines(folder / "metadata.jsonl")
    assert [row["lens"] for row in second] == [None, None, "35 mm", None, None], "a column that came later"
    kept = [row for row in second if row["date"] != day(2)]
    assert [row["file_name"] for row in kept] == [row["file_name"] for row in first.values()], (
        "no video has moved"
    )
    assert load(folder, tmp_path / "cache").num_rows == 5


def test_a_folder_is_a_table_and_so_is_a_pattern_of_folders(tmp_path: Path) -> None:
    write_csv(tmp_path / "prompts/b.csv", [{"prompt": "two"}])
    write_jsonl(tmp_path / "prompts/a.jsonl", [{"prompt": "one", "n": 1}])
    write_csv(tmp_path / "prompts/_old/c.csv", [{"prompt": "old"}])
    (tmp_path / "prompts/a.png").write_bytes(b"x")
    for table in (
        "prompts",
        "prompts/",
        str(tmp_path / "prompts"),
        "prompt*",
        "prompts/*",
        "./prompts/[ab].*",
    ):
        plan = VideoDataset(table=table, root="out").plan
        assert [row.row.request.prompt_text for row in plan.rows] == ["one", "two"], table
        assert [row.row.place for row in plan.rows][1].endswith("b.csv, line 2")


def test_a_folder_with_more_files_than_anybody_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from minimax_tasks.dataset import files

    for number in range(6):
        write_csv(tmp_path / f"all/{number}.csv", [{"prompt": f"{number}"}])
    monkeypatch.setattr(files, "_MOST_LISTED", 5)
    with pytest.raises(TableError, match="this is a folder of more than 5 files"):
        VideoDataset(table="all", root="out").plan  # noqa: B018


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "a[1]*.csv", [{"prompt": "one"}])
    write_csv(tmp_path / "a1x.csv", [{"prompt": "other"}])
    plan = VideoDataset(table="a[1]*.csv", root="out").plan
    assert [row.row.request.prompt_text for row in plan.rows] == ["one"]
    with pytest.raises(TableError, match=r"b\*\.csv: no file matches this"):
        VideoDataset(table="b*.csv", root="out").plan  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize("root", ["lake/out", "lake", "lake/date=2026-11-01/out"])
def test_what_is_made_in_the_folder_of_a_table_is_no_part_of_it(
    sandbox: Sandbox, tmp_path: Path, root: str
) -> None:
    for number in (1, 2):
        partition(tmp_path / "lake", number)
    for table in ("lake", "lake/**/*.*", "lake/*"):
        task = VideoDataset(table=table, root=root, name=f"n{len(table)}")
        assert mm.build([task])
        forget_tasks()
        assert VideoDataset(table=table, root=root, name=f"n{len(table)}").complete()
        assert len(task.plan.rows) == 4
    assert len(sandbox.ledger()) == 4


def test_mistakes_name_the_file_of_the_table(tmp_path: Path) -> None:
    write_csv(tmp_path / "lake/date=2026-11-01/p.csv", [{"prompt": "a"}, {"prompt": "b", "duration": "7"}])
    write_csv(tmp_path / "lake/date=2026-11-02/p.csv", [{"prompt": "a", "take": "0"}])
    with pytest.raises(TableError) as wrong:
        VideoDataset(table="lake", root="out").plan  # noqa: B018
    assert [line.partition(" = ")[0] for line in wrong.value.problems] == [
        "lake, date=2026-11-01/p.csv, line 3: duration",
        "lake, date=2026-11-02/p.csv, line 2: take",
    ]


def test_columns_of_folders(tmp_path: Path) -> None:
    write_csv(tmp_path / "lake/model=MiniMax-Hailuo-02/place=K%C3%B6ln/p.csv", [{"prompt": "a"}])
    write_csv(
        tmp_path / "lake/model=MiniMax-Hailuo-02/place=__HIVE_DEFAULT_PARTITION__/p.csv", [{"prompt": "b"}]
    )
    write_csv(tmp_path / "lake/model=MiniMax-Hailuo-02/place=x/p.csv", [{"prompt": "c", "place": "own"}])
    rows = {row.row.request.prompt_text: row.row for row in VideoDataset(table="lake", root="out").plan.rows}
    assert [rows[prompt].carried["place"] for prompt in "abc"] == ["Köln", "", "own"]
    assert {row.given["model"] for row in rows.values()} == {"MiniMax-Hailuo-02"}


@pytest.mark.parametrize(
    ("table", "name", "folder"),
    [
        ("lake/date=2026-11-01/prompts.csv", "waves {date}", "waves 2026-11-01"),
        ("lake/date=2026-11-01/prompts.csv", "{table}-{date}", "prompts-2026-11-01"),
        ("lake/date=2026-11-01/region=eu/prompts.csv", None, "prompts-date=2026-11-01-region=eu"),
        ("lake/2026/11/01/prompts.csv", "w-{date}", "w-2026-11-01"),
        ("lake/2026-11-01/prompts.csv", "w-{date}", "w-2026-11-01"),
        ("lake/prompts-20261101.csv", "w-{date}", "w-2026-11-01"),
        ("lake/year=2026/month=3/day=1/prompts.csv", "w-{date}", "w-2026-03-01"),
        ("lake/date=2026-11-01", None, "lake-date=2026-11-01"),
        ("lake/region=eu/date=*/prompts.csv", None, "prompts-region=eu"),
        ("sea/*.csv", None, "sea"),
        ("sea/../sea/./waves.csv", None, "waves"),
        ("lake/date=*/prompts.csv", "all {braces that are none}", "all -braces that are none-"),
    ],
)
def test_names(tmp_path: Path, table: str, name: str | None, folder: str) -> None:
    place = tmp_path / table.replace("*", "2026-11-09")
    write_csv(place if place.suffix else place / "part.csv", [{"prompt": "a"}])
    assert VideoDataset(table=table, root="out", name=name).folder == f"out/datasets/{folder}"


def test_a_table_that_is_called_by_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(tmp_path / "sea/waves.csv", [{"prompt": "a"}])
    (tmp_path / "sea/link.csv").symlink_to(tmp_path / "sea/waves.csv")
    monkeypatch.chdir(tmp_path / "sea")
    for table, name in (("*.csv", "sea"), (".", "sea"), ("link.csv", "link"), ("../sea", "sea")):
        assert VideoDataset(table=table, root=str(tmp_path / "out")).folder.endswith(f"/datasets/{name}"), (
            table
        )


@pytest.mark.parametrize(
    ("table", "name", "says"),
    [
        ("lake/prompts.csv", "w-{date}", r"\{date\} is not said by the path"),
        ("lake/date=*/prompts.csv", "w-{date}", r"\{date\} has no single value"),
        (
            "lake/date=2026-11-01/prompts.csv",
            "w-{dat}",
            r"it says \{table\}, \{date\}; did you mean 'date'\?",
        ),
    ],
)
def test_a_name_that_asks_what_the_path_does_not_say(
    tmp_path: Path, table: str, name: str, says: str
) -> None:
    write_csv(tmp_path / table.replace("*", "2026-11-09"), [{"prompt": "a"}])
    with pytest.raises(TableError, match=says):
        VideoDataset(table=table, root="out", name=name).requires()


def test_a_partition_that_was_made_under_the_name_of_its_file_stays_there(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    one, two = partition(tmp_path, 1), partition(tmp_path, 2)
    assert mm.build([VideoDataset(table=one, root="out", name="prompts")])
    assert VideoDataset(table=one, root="out").complete()
    assert VideoDataset(table=one, root="out").folder == "out/datasets/prompts"
    assert VideoDataset(table=two, root="out").folder == f"out/datasets/prompts-date={day(2)}"


def test_the_name_that_is_offered_is_free(tmp_path: Path) -> None:
    for folder in ("a/x", "b/x", "c/x"):
        write_csv(tmp_path / folder / "p.csv", [{"prompt": folder}])
    VideoDataset(table="a/x/p.csv", root="out").requires()
    VideoDataset(table="c/x/p.csv", root="out", name="p-b").requires()
    with pytest.raises(TableError) as refused:
        VideoDataset(table="b/x/p.csv", root="out").requires()
    offer = refused.value.offer
    assert offer == f"p-{tmp_path.name}" or offer.startswith("p-")
    VideoDataset(table="b/x/p.csv", root="out", name=offer).requires()


def test_keys_of_a_storage_that_differ_behind_a_hash_are_two_tables(sandbox: Sandbox) -> None:
    lake = Storage("memory://lake-of-marks")
    for name in ("p#1.csv", "p#2.csv"):
        lake.write(name, b"prompt\na\n")
    VideoDataset(table="memory://lake-of-marks/p#1.csv", root="memory://out-of-marks", name="p").requires()
    with pytest.raises(TableError, match="of another table"):
        VideoDataset(
            table="memory://lake-of-marks/p#2.csv", root="memory://out-of-marks", name="p"
        ).requires()


@pytest.mark.slow
def test_a_lake_on_s3(sandbox: Sandbox, s3_root: str, tmp_path: Path) -> None:
    lake = Storage(f"{s3_root}/lake")
    for number in (1, 2):
        text = "".join(json.dumps({"prompt": f"W {number}.{row}", "n": row}) + "\n" for row in range(2))
        lake.write(f"date={day(number)}/prompts.jsonl", text.encode())
    pattern = f"{s3_root}/lake/date=*/prompts.jsonl"
    for table, rows in (
        (pattern, 4),
        (f"{s3_root}/lake", 4),
        (f"{s3_root}/lake/date={day(2)}/prompts.jsonl", 2),
    ):
        task = VideoDataset(table=table, root=f"{s3_root}/out")
        assert mm.build([task])
        forget_tasks()
        assert VideoDataset(table=table, root=f"{s3_root}/out").complete()
        with task.output().open() as found:
            assert len(found.readlines()) == rows
    assert len(sandbox.ledger()) == 4
    names = Storage(f"{s3_root}/out").folders("datasets")
    assert {"prompts", "lake", f"prompts-date={day(2)}"} <= set(names)
