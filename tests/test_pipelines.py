"""The ready pipelines, run as their first lines say, against a real sandbox."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minimax_tasks import FsspecTarget
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.probe import probe

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]
LUIGI = str(Path(sys.executable).with_name("luigi"))


def run(*words: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    path.write_text("prompt,first_frame_image\nA calm sea,\nThe cat blinks,cat.jpg\n")
    shutil.copy(REPOSITORY / "pipelines/storyboards/stills/cat.jpg", tmp_path)
    return path


def test_the_example_table_becomes_a_dataset(sandbox: Sandbox, tmp_path: Path) -> None:
    words = ("pipelines/dataset.py", "--table", "pipelines/tables/waves.csv", "--root", tmp_path / "out")
    done = run(*words)
    assert f"dataset: {tmp_path}/out/datasets/waves (12 rows)" in done.stdout
    assert len(sandbox.ledger()) == 12
    assert {entry["kind"] for entry in sandbox.ledger()} == {
        "text-to-video",
        "image-to-video",
        "start-end-to-video",
    }
    assert len(list((tmp_path / "out/datasets/waves").glob("data/*/00/*.mp4"))) == 12
    run(*words)
    assert len(sandbox.ledger()) == 12


def test_a_bad_table_is_exit_2_and_every_row_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("prompt,duration\nx,7\ny,six\n")
    done = run("pipelines/dataset.py", "--table", tmp_path / "bad.csv", "--root", tmp_path / "out", expect=2)
    assert "bad.csv, line 2: duration = 7" in done.stderr
    assert "bad.csv, line 3: duration = 'six'" in done.stderr
    assert "Traceback" not in done.stderr
    assert sandbox.ledger() == []


def test_a_row_in_doubt_is_told_with_the_command_that_settles_it(
    sandbox: Sandbox, tmp_path: Path, table: Path
) -> None:
    sandbox.add_faults([{"at": "submit", "prompt": "calm", "lost": True}])
    done = run("pipelines/dataset.py", "--table", table, "--root", tmp_path / "out", expect=1)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("row 2 may have been paid: ")]
    settle = line.partition(": minimax-tasks ")[2].split()
    (lost,) = [one["task_id"] for one in sandbox.ledger() if one["kind"] == "text-to-video"]
    run("-m", "minimax_tasks", *settle, "--task-id", lost)
    done = run("pipelines/dataset.py", "--table", table, "--root", tmp_path / "out")
    assert "(2 rows)" in done.stdout
    assert len(sandbox.ledger()) == 2


def test_a_root_that_cannot_be_one_is_exit_2(sandbox: Sandbox, table: Path) -> None:
    done = run("pipelines/dataset.py", "--table", table, "--root", "s3://u:hunter2hunter2@bucket", expect=2)
    assert "its user and password would be shown" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_the_dataset_with_the_plain_luigi_command(sandbox: Sandbox, tmp_path: Path, table: Path) -> None:
    words = [
        "--module",
        "pipelines.dataset",
        "TableToDataset",
        "--table",
        str(table),
        "--root",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        [LUIGI, *words, "--webdataset", "--local-scheduler"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "progress looks :)" in done.stderr
    assert (tmp_path / "out/datasets/small/metadata.jsonl").exists()
    assert (tmp_path / "out/datasets/small-wds/00000.tar").exists()


def test_a_template_over_a_folder_of_pictures(sandbox: Sandbox, tmp_path: Path) -> None:
    pictures = tmp_path / "cats"
    pictures.mkdir()
    stills = REPOSITORY / "pipelines/storyboards/stills"
    for name in ("cat", "cup"):
        shutil.copy(stills / f"{name}.jpg", pictures)
    (pictures / "notes.txt").write_text("no picture")
    words = (
        "pipelines/campaign.py",
        "--template",
        "Rings",
        "--pictures",
        pictures,
        "--root",
        tmp_path / "out",
    )
    for _ in range(2):
        done = run(*words)
    index = Path(done.stdout.strip().removeprefix("index: "))
    found = [json.loads(line) for line in index.read_text().splitlines()]
    assert [Path(line["picture"]).name for line in found] == ["cat.jpg", "cup.jpg"]
    assert all(probe(line["video"]).ok for line in found)
    assert [entry["kind"] for entry in sandbox.ledger()] == ["template"] * 2
    shutil.copy(stills / "pad.jpg", pictures)
    run(*words)
    assert len(index.read_text().splitlines()) == 3
    assert len(sandbox.ledger()) == 3


def test_features_of_a_dataset(sandbox: Sandbox, tmp_path: Path, table: Path) -> None:
    words = ("pipelines/training.py", "--table", table, "--root", tmp_path / "out")
    run(*words)
    features = tmp_path / "out/datasets/small-features.npz"
    with np.load(features) as found:
        assert found["mean"].shape == found["std"].shape == (2, 3)
        assert (found["motion"] > 0).all()
        cat = np.asarray(Image.open(tmp_path / "cat.jpg").convert("RGB"), np.float32).mean(axis=(0, 1))
        assert np.abs(found["mean"][1] - cat).max() < 25, "the clip shows the cat"
        assert found["prompt"].tolist() == ["A calm sea", "The cat blinks"]
    before = features.stat().st_mtime_ns
    run(*words)
    assert features.stat().st_mtime_ns == before
    table.write_text(table.read_text() + "A storm,\n")
    run(*words)
    with np.load(features) as found:
        assert found["key"].shape == (3,)
    assert len(sandbox.ledger()) == 3


def test_picture_and_prompt_from_other_tasks(sandbox: Sandbox, tmp_path: Path) -> None:
    picture = "pipelines/storyboards/stills/rocket.jpg"
    done = run("pipelines/upstream.py", "--picture", picture, "--root", tmp_path / "out")
    clip = probe(done.stdout.strip().removeprefix("clip: "))
    assert clip.ok
    assert clip.width == clip.height
    (entry,) = sandbox.ledger()
    assert entry["request"]["prompt"].startswith("[Push in] The rocket")


@pytest.mark.s3
def test_days_of_a_lake_on_s3(sandbox: Sandbox, s3_root: str) -> None:
    lake, root = f"{s3_root}/lake", f"{s3_root}/videos"
    for day in ("2026-11-01", "2026-11-02", "2026-11-03"):
        with FsspecTarget(f"{lake}/date={day}/prompts.csv").open("w") as out:
            out.write(f"prompt\nThe sea on {day}.\nThe pier on {day}.\n")
    words = ["pipelines/daily.py", "--lake", lake, "--root", root, "--start", "2026-11-01", "--stop"]
    done = run(*words, "2026-11-04")
    assert done.stdout.splitlines() == [
        f"2026-11-0{day}: {root}/datasets/prompts-2026-11-0{day} (2 rows)" for day in (1, 2, 3)
    ]
    assert len(sandbox.ledger()) == 6
    run(*words, "2026-11-04")
    missing = run(*words, "2026-11-05", expect=1)
    assert "prompts-2026-11-04" not in missing.stdout
    assert len(sandbox.ledger()) == 6, "a day that is done is not asked again, one without a table waits"
    plain = subprocess.run(
        [
            LUIGI, "--module", "pipelines.daily", "RangeDaily",
            "--of", "VideosOfDay", "--of-params", json.dumps({"lake": lake, "root": f"{root}-plain"}),
            "--start", "2026-11-01", "--stop", "2026-11-03", "--days-back", "100000", "--local-scheduler",
        ],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert "progress looks :)" in plain.stderr, plain.stderr
    assert FsspecTarget(f"{root}-plain/days/2026-11-02.txt").exists()
