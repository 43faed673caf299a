"""Workers that have nothing of a task but what the central scheduler says of it."""

import os
import subprocess
import sys
from pathlib import Path

import luigi
import pytest
from luigi import rpc
from luigi.worker import Worker

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from tests.conftest import Picture, point_at

LAKE = """\
import luigi
import minimax_tasks as mm


class Made(luigi.Task):
    name = luigi.Parameter()
    text = luigi.Parameter()

    def output(self):
        return mm.FsspecTarget(self.name)

    def run(self):
        with self.output().open("w") as out:
            out.write(self.text)


class Still(luigi.Task):
    name = luigi.Parameter()

    def output(self):
        return mm.FsspecTarget(self.name)

    def run(self):
        from PIL import Image

        with self.output().open("wb") as out:
            Image.new("RGB", (640, 360), "teal").save(out, "PNG")
"""
BOARD = "title: Harbour\nshots: [{id: '010', prompt: Rain.}]\n"


def asked(lake: object, picture: bytes, folder: Path, root: str) -> list[luigi.Task]:
    made, still = lake.Made, lake.Still  # type: ignore[attr-defined]
    return [
        mm.TextToVideo(prompt="A lighthouse.", root=root),
        mm.ImageToVideo(first_frame_image=picture, prompt="As bytes.", root=root),
        mm.ImageToVideo(
            first_frame_image=still(name=str(folder / "still.png")),
            prompt=made(name=str(folder / "prompt.txt"), text="Of other tasks."),
            root=root,
        ),
        mm.VideoDataset(table=made(name=str(folder / "waves.csv"), text="prompt\na\nb\n"), root=root),
        mm.RenderStoryboard(storyboard=made(name=str(folder / "board.yaml"), text=BOARD), root=root),
    ]


@pytest.fixture
def tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Picture, service: Sandbox
) -> list[luigi.Task]:
    (tmp_path / "lake_by_name.py").write_text(LAKE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    sys.modules.pop("lake_by_name", None)
    import lake_by_name  # type: ignore[import-not-found]

    point_at(monkeypatch, service.url)
    data = picture("given.png", "navy").read_bytes()
    return asked(lake_by_name, data, tmp_path / "made", str(tmp_path / "root"))


@pytest.mark.parametrize("worker", ["ours", "Luigi's"])
def test_an_assistant_runs_what_others_asked_for(
    worker: str, scheduler: str, tasks: list[luigi.Task], service: Sandbox
) -> None:
    """Luigi's assistants load each task from the scheduler's words alone."""
    before = len(service.ledger())
    luigis_own = [str(Path(sys.executable).with_name("luigi"))]
    command = ["-m", "minimax_tasks", "luigi"] if worker == "ours" else luigis_own
    asking = Worker(scheduler=rpc.RemoteScheduler(scheduler))
    for task in tasks:
        asking.add(task)
    with asking:
        done = subprocess.run(
            [
                sys.executable, *command, "--module", "lake_by_name", "Made", "--name", "assistant.txt", "--text", "x",
                "--assistant", "--scheduler-url", scheduler,
            ],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert [task.complete() for task in tasks] == [True] * len(tasks), done.stderr
    assert len(service.ledger()) - before == 6
