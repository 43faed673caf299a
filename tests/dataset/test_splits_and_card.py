"""Splits, the card and the tar files, as Hugging Face `datasets` itself loads them."""

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import minimax_tasks as mm
from minimax_tasks import TableError, VideoDataset
from minimax_tasks.dataset.inference import FIRST, as_text, telling_first, unclear
from minimax_tasks.sandbox import Sandbox
from tests.dataset.tables import lines, write_csv, write_jsonl

if TYPE_CHECKING:
    import datasets

pytestmark = pytest.mark.slow


def loaded(cache: Path, *what: str, **how: Any) -> "dict[str, datasets.Dataset]":
    import datasets

    found = datasets.load_dataset(*what, cache_dir=str(cache), **how)
    column = "mp4" if "mp4" in next(iter(found.values())).column_names else "video"
    return {name: split.cast_column(column, datasets.Video(decode=False)) for name, split in found.items()}


def split_rows() -> list[dict[str, Any]]:
    """Columns that hold something in one split alone, of every type, and one that is dates in one of them."""
    return [
        {"prompt": "a", "split": "train", "when": "2026-11-01", "n": 1, "tags": ["x"], "deep": {"k": 1}},
        {"prompt": "b", "split": "Val", "only_here": "text", "when": "soon"},
        {"prompt": "c", "split": "test"},
        {"prompt": "d", "split": "train", "when": "2026-11-02", "n": None},
        {"prompt": "e", "split": ""},
    ]


def test_splits_load_as_datasets_expects_them(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_jsonl(tmp_path / "w.jsonl", split_rows())
    with pytest.warns(mm.MiniMaxCatalogWarning, match="line 5: split is empty, so it is train"):
        assert mm.build([VideoDataset(table=table, root="out", webdataset=True)])
    folder = tmp_path / "out/datasets/w"
    rows = lines(folder / "metadata.jsonl")
    assert [row["prompt"] for row in rows] == list("abcde"), "all rows in the order of the table"
    assert [row["file_name"].split("/")[1] for row in rows] == [
        "train",
        "validation",
        "test",
        "train",
        "train",
    ]
    assert rows[0]["n"] == 1, "types are kept here"
    assert all((folder / row["file_name"]).exists() for row in rows)
    for number, (what, how) in enumerate(
        [(("videofolder",), {"data_dir": str(folder)}), ((str(folder),), {})]
    ):
        found = loaded(tmp_path / f"cache{number}", *what, **how)
        assert {name: split["prompt"][:] for name, split in found.items()} == {
            "train": ["a", "d", "e"],
            "validation": ["b"],
            "test": ["c"],
        }
        assert found["validation"]["only_here"][:] == ["text"]
        assert found["test"]["only_here"][:] == [""]
        assert all(Path(row["video"]["path"]).stat().st_size for split in found.values() for row in split)
    assert sorted(path.name for path in (tmp_path / "out/datasets/w-wds").iterdir()) == [
        "test-00000.tar", "train-00000.tar", "validation-00000.tar",
    ]  # fmt: skip
    found = loaded(tmp_path / "cache-wds", "webdataset", data_dir=str(tmp_path / "out/datasets/w-wds"))
    assert {name: [row["prompt"] for row in split["json"]] for name, split in found.items()} == {
        "train": ["a", "d", "e"],
        "validation": ["b"],
        "test": ["c"],
    }


def test_a_dataset_that_gets_and_loses_splits(sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [{"prompt": prompt, "split": "train"} for prompt in "ab"]
    table = write_csv(tmp_path / "w.csv", [{"prompt": row["prompt"]} for row in rows])
    task = VideoDataset(table=table, root="out")
    folder = tmp_path / "out/datasets/w"
    for given_rows, there in (
        ([{"prompt": prompt} for prompt in "ab"], []),
        (rows, ["train"]),
        ([rows[0], {"prompt": "b", "split": "test"}], ["test", "train"]),
        ([{"prompt": prompt} for prompt in "ab"], []),
    ):
        write_csv(Path(table), given_rows)
        assert mm.build([task])
        assert task.complete()
        assert sorted(path.parent.name for path in folder.glob("data/*/metadata.jsonl")) == there
    assert len(sandbox.ledger()) == 2
    (folder / "data/train").mkdir(exist_ok=True)
    write_csv(Path(table), rows)
    assert mm.build([task])
    (folder / "data/train/metadata.jsonl").write_text("{}")
    assert not task.complete(), "what somebody did to a split is seen"
    assert mm.build([task])
    assert len(lines(folder / "data/train/metadata.jsonl")) == 2
    write_csv(Path(table), [{"prompt": prompt} for prompt in "ab"])
    assert mm.build([task])
    (folder / "data/train").mkdir(exist_ok=True)
    (folder / "data/train/metadata.jsonl").write_text("{}")
    assert not task.complete(), "the metadata of a split that there is not"
    assert mm.build([task])
    assert not (folder / "data/train/metadata.jsonl").exists()


def test_a_column_of_other_words_is_carried_and_a_typo_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "w.csv", [{"prompt": "a", "split": "fold 1"}, {"prompt": "b", "split": "fold 2"}]
    )
    with pytest.warns(mm.MiniMaxCatalogWarning, match="'split' is carried along: no value of it is train"):
        assert mm.build([VideoDataset(table=table, root="out")])
    assert [row["split"] for row in lines(tmp_path / "out/datasets/w/metadata.jsonl")] == ["fold 1", "fold 2"]
    write_csv(Path(table), [{"prompt": "a", "split": "train"}, {"prompt": "b", "split": "trian"}])
    with pytest.raises(TableError, match="line 3: split = 'trian': allowed: train, validation or test"):
        VideoDataset(table=table, root="out2").plan  # noqa: B018


def head_of(card: str) -> dict[str, Any]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def test_the_card(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "storm", "fail": 1027}])
    rows = [
        {"prompt": "a", "split": "train", "mood|`<b>": 1},
        {"prompt": "b", "split": "test"},
        {"prompt": "storm"},
    ]
    table = write_jsonl(tmp_path / "w.jsonl", rows)
    assert mm.build([VideoDataset(table=table, root="out")])
    card = (tmp_path / "out/datasets/w/README.md").read_text()
    assert head_of(card) == {
        "pretty_name": "w",
        "license": "unknown",
        "task_categories": ["text-to-video"],
        "size_categories": ["n<1K"],
        "tags": ["video", "synthetic", "minimax", "hailuo"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train/**"},
                    {"split": "test", "path": "data/test/**"},
                ],
            }
        ],
    }
    for piece in (
        "2 videos, made from the table `w`; 1 row of it could not be made (`failed.jsonl`).",
        "A sandbox drew these videos",
        "Nothing; MiniMax would take USD 0.56 by the price table for 2 clips.",
        "| text-to-video | MiniMax-Hailuo-2.3 768P 6 s | 2 | 0.28 |",
        "| `frames` | whole number | of the video |",
        "| `mood\\|'‹b>` | whole number | as in the table |",
        "Whoever made this dataset stated none.",
    ):
        assert piece in card, piece
    assert str(tmp_path) not in card
    assert mm.build([VideoDataset(table=table, root="out", licence="cc-by-4.0")])
    card = (tmp_path / "out/datasets/w/README.md").read_text()
    assert head_of(card)["license"] == "cc-by-4.0"
    assert VideoDataset(table=table, root="out").complete()
    assert len(sandbox.ledger()) == 3


def test_a_card_that_somebody_edited_is_left_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", [{"prompt": "a"}])
    task = VideoDataset(table=table, root="out")
    assert mm.build([task])
    card = tmp_path / "out/datasets/w/README.md"
    assert "1 video," in card.read_text()
    write_csv(Path(table), [{"prompt": "a"}, {"prompt": "b"}])
    assert mm.build([task])
    assert "2 videos," in card.read_text()
    card.write_text(card.read_text().replace("2 videos", "Two lovely videos"))
    assert task.complete()
    write_csv(Path(table), [{"prompt": "a"}])
    assert mm.build([task])
    assert "Two lovely videos" in card.read_text()


def test_tar_files_load_whatever_is_null_in_the_first_rows(sandbox: Sandbox, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"prompt": f"w {number}"} for number in range(8)]
    for number in range(8, 20):
        rows.append(
            {
                "prompt": f"w {number}",
                f"c{number}": [1, "text", [], ["x"], {"k": None}, {"k": "v"}][number % 6],
            }
        )
    rows += [{"prompt": "last", "c12": 2, "c9": ["y"], "late": "text"}]
    table = write_jsonl(tmp_path / "w.jsonl", rows)
    task = VideoDataset(table=table, root="out", webdataset=True, shard_size=7)
    assert mm.build([task])
    tars = tmp_path / "out/datasets/w-wds"
    assert len(list(tars.iterdir())) == 3
    found = loaded(tmp_path / "cache", "webdataset", data_dir=str(tars))["train"]
    by_prompt = {row["prompt"]: row for row in found["json"]}
    assert set(by_prompt) == {row["prompt"] for row in rows}
    assert by_prompt["last"]["late"] == "text"
    for one in sorted(tars.iterdir()):
        alone = loaded(tmp_path / f"cache-{one.stem}", "webdataset", data_files=str(one))["train"]
        assert alone.num_rows == 7
    told = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert told[-1]["c12"] == 2, "the metadata has the types"
    with tarfile.open(tars / "00000.tar") as tar:
        (first, *_) = [member for member in tar if member.name.endswith(".json")]
        assert json.load(tar.extractfile(first))["prompt"]  # type: ignore[arg-type]


VALUES = st.none() | st.integers(0, 9) | st.just(["x"]) | st.just({"k": None}) | st.just({"k": 1})


@given(st.lists(st.dictionaries(st.sampled_from("abcdefgh"), VALUES), min_size=1, max_size=30))
def test_the_first_rows_show_what_all_rows_hold(rows: list[dict[str, Any]]) -> None:
    order = telling_first(rows)
    assert sorted(order) == list(range(len(rows)))
    ordered = [rows[number] for number in order]
    texts = unclear([ordered], FIRST)
    assert not unclear(
        [[as_text({name: row.get(name) for name in "abcdefgh"}, texts) for row in ordered]], FIRST
    )
    if len(rows) <= FIRST:
        assert order == list(range(len(rows)))
        assert not texts
