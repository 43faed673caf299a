"""Tables of anybody: every one is rows or a list of mistakes with file and line, and nothing is opened."""

import gzip
import json
from pathlib import Path

import pytest

import minimax_tasks as mm
from minimax_tasks.dataset import reading
from minimax_tasks.sandbox import Sandbox
from tests.dataset.tables import lines, write_jsonl
from tests.dataset.test_tables import problems
from tests.storage.test_references import HOSTILE


@pytest.mark.parametrize("column", ["first_frame_image", "subject_image"])
def test_hostile_references_are_told_with_their_lines(column: str, tmp_path: Path) -> None:
    rows = [{"prompt": "x", column: reference} for reference in HOSTILE]
    found = problems(write_jsonl(tmp_path / "w.jsonl", rows))
    assert len(found) == len(HOSTILE)
    for number, line in enumerate(found, 1):
        assert f"w.jsonl, line {number}: {column} = " in line


@pytest.mark.parametrize("reference", [each for each in HOSTILE if not each.startswith("data:")])
def test_tasks_refuse_hostile_references_when_they_are_made(reference: str) -> None:
    with pytest.raises(mm.PictureError):
        mm.ImageToVideo(first_frame_image=reference, root="out")
    with pytest.raises(mm.TableError):
        mm.VideoDataset(table=f"{reference}.csv", root="out").plan  # noqa: B018


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"prompt": "x", "duration": "1_0"}', "duration = '1_0': allowed: a whole number"),
        ('{"prompt": "x", "duration": "٦"}', "a whole number"),
        ('{"prompt": "x", "duration": "1e1"}', "a whole number"),
        ('{"prompt": "x", "duration": "nan"}', "a whole number"),
        ('{"prompt": "x", "duration": "0x6"}', "a whole number"),
        ('{"prompt": "x", "duration": 1e400}', "duration = inf: allowed: a whole number"),
        ('{"prompt": "x", "duration": ' + "9" * 400 + "}", "a whole number"),
        ('{"prompt": "x", "take": ' + "9" * 5_000 + "}", "a number of 5,000 digits"),
        ('{"prompt": "x", "take": true}', "take = True: allowed: a whole number"),
        ('{"prompt": "x", "a": ' + "[" * 40 + "]" * 40 + "}", "more than 30 deep"),
        ('{"prompt": "x", "a": ' + "[" * 100_000 + "]" * 100_000 + "}", "more than 30 deep"),
        ('{"prompt": "x", "subject_image": "' + "[" * 100_000 + '"}', "a JSON list of them"),
        ('{"prompt": "x", "prompt": "y"}', "'prompt' stands there twice"),
        ('{"prompt": "x", "model": "' + "m" * 3_000 + '"}', "(3002 characters)"),
        ('{"prompt": "x", "first_frame_image": "' + "f" * 3_000 + '.png"}', "its name is too long"),
        ('{"prompt": "x", "first_frame_image": "a\\u0000b"}', "NUL"),
    ],
)
def test_hostile_cells(line: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "w.jsonl").write_text('{"prompt": "fine"}\n' + line + "\n")
    (found,) = problems(tmp_path / "w.jsonl")
    assert says in found
    assert ", line 2: " in found
    assert len(found) < 1_000
    assert "Errno" not in found


def test_half_an_emoji_is_cleaned_at_every_door(tmp_path: Path) -> None:
    (tmp_path / "w.jsonl").write_text(json.dumps({"prompt": "x \ud83d y", "note\ud83d": ["\ud83d"]}) + "\n")
    (row,) = mm.VideoDataset(table=tmp_path / "w.jsonl", root="out").plan.rows
    assert row.clip.request.prompt == "x \ufffd y"
    assert row.row.carried == {"note\ufffd": ["\ufffd"]}


def test_rows_in_which_nothing_stands_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("prompt,note\na,1\n,\n  , \nb,2\n\n")
    with pytest.warns(mm.MiniMaxCatalogWarning, match="line 3, 4: nothing stands there"):
        plan = mm.VideoDataset(table=tmp_path / "w.csv", root="out").plan
    assert [row.row.number for row in plan.rows] == [2, 5]


def test_tables_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.csv").write_text("prompt\n" + "a\n" * 50)
    (tmp_path / "w.csv.gz").write_bytes(gzip.compress(b"prompt\n" + b"a" * 5_000))
    (tmp_path / "wide.jsonl").write_text(json.dumps({"prompt": "x"} | {f"c{n}": 1 for n in range(2_001)}))
    assert "more than 2,000 columns" in problems(tmp_path / "wide.jsonl")[0]
    monkeypatch.setattr(reading, "MOST_ROWS", 49)
    assert "more than 49 rows" in problems(tmp_path / "w.csv")[0]
    monkeypatch.setattr(reading, "TABLE_LIMIT", 1_000)
    assert "when it is unpacked" in problems(tmp_path / "w.csv.gz")[0]
    (tmp_path / "bad.csv.gz").write_bytes(b"no gzip")
    assert "cannot be unpacked" in problems(tmp_path / "bad.csv.gz")[0]


def test_parquet_tables_of_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow
    from pyarrow import parquet

    twice = pyarrow.Table.from_arrays(
        [pyarrow.array(["a"]), pyarrow.array(["b"])], names=["prompt", "prompt"]
    )
    parquet.write_table(twice, tmp_path / "twice.parquet")
    assert problems(tmp_path / "twice.parquet") == (
        f"{tmp_path}/twice.parquet: columns that are there twice: prompt",
    )
    many = pyarrow.table({"prompt": ["x" * 1_000] * 10_000})
    parquet.write_table(many, tmp_path / "many.parquet")
    monkeypatch.setattr(reading, "TABLE_LIMIT", 1_000_000)
    assert "when it is unpacked" in problems(tmp_path / "many.parquet")[0]


def test_what_failed_does_not_decide_which_columns_there_are(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "submit", "prompt": "fog", "code": 1026}])
    rows = [
        {"prompt": "sea", "take": 1, "depth": 3},
        {"prompt": "fog", "take": 1, "mood": "grey", "depth": 2.5},
    ]
    assert mm.build([mm.VideoDataset(table=write_jsonl(tmp_path / "w.jsonl", rows), root="out")])
    (row,) = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert (row["mood"], row["depth"], type(row["depth"])) == (None, 3.0, float)


def test_a_root_is_no_chain() -> None:
    with pytest.raises(mm.ConfigurationError, match="chain of protocols"):
        mm.TextToVideo(prompt="x", root="simplecache::s3://bucket/x")
