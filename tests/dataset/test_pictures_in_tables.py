"""Pictures that stand in a Parquet table, as Hugging Face `datasets` writes them."""

import io
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

import minimax_tasks as mm
from minimax_tasks import TableError, VideoDataset
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from tests.conftest import Picture
from tests.dataset.tables import lines

pytestmark = pytest.mark.slow


def png(colour: str, size: tuple[int, int] = (640, 360)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def exported(tmp_path: Path, picture: Picture) -> Path:
    """A table as `datasets` exports one with image columns, one picture missing."""
    import datasets

    stills = [picture("pics/a.png"), picture("pics/b.png", "navy")]
    images = [*({"bytes": still.read_bytes(), "path": still.name} for still in stills), None]
    rows = {
        "prompt": ["one", "two", "three"],
        "first_frame_image": images,
        "split": ["train", "train", "test"],
    }
    made = datasets.Dataset.from_dict(rows).cast_column("first_frame_image", datasets.Image())
    made.to_parquet(str(tmp_path / "w.parquet"))
    for still in stills:
        still.unlink()
    return tmp_path / "w.parquet"


def test_a_table_that_datasets_exported(sandbox: Sandbox, picture: Picture, tmp_path: Path) -> None:
    table = exported(tmp_path, picture)
    task = VideoDataset(table=table, root="out")
    assert [str(row.clip.mode) for row in task.plan.rows] == [
        "image-to-video",
        "image-to-video",
        "text-to-video",
    ]
    assert not Path("out").exists(), "planning writes nothing"
    assert mm.build([task])
    rows = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert [row["first_frame_image"] for row in rows] == ["a.png", "b.png", None]
    kept = [path for path in Path("out/pictures").iterdir() if len(path.name) == 64]
    assert len(kept) == 2
    assert {entry["kind"] for entry in sandbox.ledger()} == {"image-to-video", "text-to-video"}
    assert task.complete()
    mm.VideoDataset(table=table, root="out", name="again").requires()
    still = picture("pics/a.png")
    assert mm.build([mm.ImageToVideo(first_frame_image=still, prompt="one", root="out")])
    assert len(sandbox.ledger()) == 3, "the picture of a file is the same clip"


def test_bytes_and_several_pictures_of_a_subject(sandbox: Sandbox, tmp_path: Path) -> None:
    table = {
        "prompt": ["one", "two"],
        "first_frame_image": pa.array([png("teal"), None], pa.binary()),
        "last_frame_image": [{"bytes": png("navy"), "path": None}, {"bytes": None, "path": None}],
        "subject_image": [None, [{"bytes": png("red"), "path": "red.png"}]],
    }
    parquet.write_table(pa.table(table), tmp_path / "w.parquet")
    task = VideoDataset(table=str(tmp_path / "w.parquet"), root="out")
    assert mm.build([task])
    first, second = lines(tmp_path / "out/datasets/w/metadata.jsonl")
    assert first["mode"] == "start-end-to-video"
    assert first["first_frame_image"].startswith("sha256:")
    assert second["mode"] == "subject-to-video"
    assert second["subject_image"] == ["red.png"]


def test_paths_in_an_image_column_are_next_to_the_table(picture: Picture, tmp_path: Path) -> None:
    picture("t/pics/a.png")
    rows = {"prompt": ["x"], "first_frame_image": [{"bytes": None, "path": "pics/a.png"}]}
    schema = pa.schema(
        [
            ("prompt", pa.string()),
            ("first_frame_image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ]
    )
    parquet.write_table(pa.table(rows, schema), tmp_path / "t/w.parquet")
    (row,) = VideoDataset(table="t/w.parquet", root="out").plan.rows
    assert row.clip.request.pictures() == {"first_frame_image": "t/pics/a.png"}


def test_bad_pictures_in_a_table_are_told_with_their_rows(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [png("teal"), b"no picture", png("red", (100, 100))]
    parquet.write_table(
        pa.table({"prompt": ["a", "b", "c"], "first_frame_image": cells}), tmp_path / "w.parquet"
    )
    assert main(["dataset", str(tmp_path / "w.parquet"), "--root", "out"]) == 2
    err = capsys.readouterr().err
    assert "row 2: first_frame_image = " in err
    assert "it is not a picture" in err
    assert "row 3: first_frame_image = " in err
    assert "it is too small, 100 x 100 px" in err
    assert not Path("out").exists()
    assert sandbox.ledger() == []
    parquet.write_table(
        pa.table({"prompt": ["a"], "first_frame_image": [{"x": 1}]}), tmp_path / "odd.parquet"
    )
    with pytest.raises(TableError, match="row 1: first_frame_image = 'dict': allowed: a picture"):
        VideoDataset(table=str(tmp_path / "odd.parquet"), root="out").plan  # noqa: B018


def test_a_run_that_lost_its_table_goes_on_from_the_root(
    sandbox: Sandbox, picture: Picture, tmp_path: Path
) -> None:
    table = exported(tmp_path, picture)
    sandbox.add_faults([{"at": "task", "prompt": "two", "fail": 1027, "nth": 1}])
    assert main(["dataset", str(table), "--root", "out"]) == 1
    assert main(["dataset", str(table), "--root", "out", "--retry-failed"]) == 0
    assert len(sandbox.ledger()) == 4


def test_pictures_may_be_more_than_the_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of a table is about what is remembered of its rows, and pictures are read a few at a time."""
    from minimax_tasks.dataset import reading

    noise = [Image.effect_noise((640, 360), 90 + number) for number in range(24)]
    cells = []
    for image in noise:
        out = io.BytesIO()
        image.convert("RGB").save(out, "PNG")
        cells.append({"bytes": out.getvalue(), "path": None})
    names = [f"Wave {number}" for number in range(24)]
    parquet.write_table(pa.table({"prompt": names, "first_frame_image": cells}), tmp_path / "w.parquet")
    assert (tmp_path / "w.parquet").stat().st_size > 3_000_000
    monkeypatch.setattr(reading, "TABLE_LIMIT", 1_000_000)
    task = VideoDataset(table=str(tmp_path / "w.parquet"), root="out")
    task.requires()
    assert len([path for path in Path("out/pictures").iterdir() if len(path.name) == 64]) == 24
    parquet.write_table(pa.table({"prompt": names, "picture_of_mine": cells}), tmp_path / "carried.parquet")
    with pytest.raises(TableError, match="more than 1 MB when it is unpacked"):
        VideoDataset(table=str(tmp_path / "carried.parquet"), root="out").plan  # noqa: B018


def test_pictures_of_a_table_on_s3(sandbox: Sandbox, s3_root: str, picture: Picture, tmp_path: Path) -> None:
    from minimax_tasks.storage.files import Storage

    Storage(s3_root).write("t/w.parquet", exported(tmp_path, picture).read_bytes())
    task = VideoDataset(table=f"{s3_root}/t/w.parquet", root=f"{s3_root}/out")
    assert mm.build([task])
    assert len(sandbox.ledger()) == 3
    assert task.complete()
