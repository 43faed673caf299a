"""Inputs of our tasks may be other tasks: Luigi sees them, and what they make decides which clip it is."""

import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.scheduler import Scheduler
from luigi.task import flatten
from luigi.task_register import load_task
from luigi.worker import Worker
from PIL import Image

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from tests.conftest import Picture

MADE: list[str] = []


class Made(luigi.Task):
    """Writes a file, as any task of somebody else."""

    name = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"made/{self.name}", format=luigi.format.Nop)

    def run(self) -> None:
        MADE.append(self.name)
        with self.output().open("w") as out:
            out.write(self.content())

    def content(self) -> bytes:
        return b""


class Still(Made):
    colour = luigi.Parameter(default="teal")

    def content(self) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (640, 360), self.colour).save(out, "PNG")
        return out.getvalue()


class Words(Made):
    text = luigi.Parameter(default="A lighthouse at dusk.\n")

    def content(self) -> bytes:
        return self.text.encode()


def build(tasks: list[luigi.Task], worker: str) -> bool:
    if worker == "ours":
        return mm.build(tasks)
    return bool(luigi.build(tasks, local_scheduler=True, workers=int(worker), log_level="WARNING"))


WORKERS = pytest.mark.parametrize("worker", ["ours", "1", "2"])


@WORKERS
def test_picture_and_prompt_of_other_tasks(worker: str, sandbox: Sandbox) -> None:
    still, words = Still(name="a.png"), Words(name="prompt.txt")
    task = mm.ImageToVideo(first_frame_image=still, prompt=words, root="out")
    assert {still, words} <= set(flatten(task.requires()))
    assert not task.complete()
    assert build([task], worker)
    assert task.complete()
    assert Path(task.output().path).exists()
    (entry,) = sandbox.ledger()
    assert entry["request"]["prompt"] == "A lighthouse at dusk."
    assert (
        task.key
        == mm.ImageToVideo(first_frame_image="made/a.png", prompt="A lighthouse at dusk.", root="out").key
    )
    assert build([task], worker)
    assert len(sandbox.ledger()) == 1


@WORKERS
def test_another_output_is_another_clip(worker: str, sandbox: Sandbox) -> None:
    task = mm.TextToVideo(prompt=Words(name="prompt.txt"), root="out")
    assert build([task], worker)
    first = task.key
    Path("made/prompt.txt").write_text("Another one.")
    assert not task.complete()
    assert task.key != first
    assert build([task], worker)
    assert len(sandbox.ledger()) == 2


@WORKERS
def test_a_table_of_another_task(worker: str, sandbox: Sandbox) -> None:
    table = Words(name="table.csv", text="prompt\none\ntwo\n")
    task = mm.VideoDataset(table=table, root="out")
    assert table in flatten(task.requires())
    assert not task.complete()
    assert task.folder == "out/datasets/table"
    assert build([task], worker)
    assert task.complete()
    assert len(task.output().open().read().splitlines()) == 2
    assert len(sandbox.ledger()) == 2


BOARD = "title: Harbour\nshots:\n  - {id: '010', prompt: Rain.}\n  - {id: '020', prompt: Wind., cut: true}\n"


@WORKERS
def test_a_board_of_another_task(worker: str, sandbox: Sandbox) -> None:
    board = Words(name="board.yaml", text=BOARD)
    task = mm.RenderStoryboard(storyboard=board, root="out")
    assert board in flatten(task.requires())
    assert not task.complete()
    assert build([task], worker)
    assert task.complete()
    assert task.output()["film"].exists()
    assert len(sandbox.ledger()) == 2


@WORKERS
def test_what_is_wrong_with_what_a_task_made_is_said_before_anything_is_paid(
    worker: str, sandbox: Sandbox
) -> None:
    tasks = [
        mm.VideoDataset(table=Words(name="table.csv", text="prompt,duration\none,7\n"), root="out"),
        mm.RenderStoryboard(storyboard=Words(name="board.yaml", text="title: x\n"), root="out"),
        mm.TextToVideo(prompt=Words(name="empty.txt", text=" \n"), root="out"),
        mm.ImageToVideo(first_frame_image=Words(name="no-picture.png"), root="out"),
        mm.TextToVideo(prompt=Words(name="camera.txt", text="[Push in,Pull out] The sea."), root="out"),
    ]
    assert not build(tasks, worker)
    assert sandbox.ledger() == []


def test_targets_and_paths(picture: Picture, tmp_path: Path) -> None:
    picture("a.png")
    (tmp_path / "prompt.txt").write_text("[Push in] 雾\n", encoding="utf-8")
    (tmp_path / "board.yaml").write_text(BOARD)
    plain = mm.ImageToVideo(first_frame_image="a.png", prompt="[Push in] 雾", root="out")
    for prompt in (tmp_path / "prompt.txt", luigi.LocalTarget("prompt.txt"), mm.FsspecTarget("prompt.txt")):
        task = mm.ImageToVideo(first_frame_image=mm.FsspecTarget("a.png"), prompt=prompt, root="out")
        assert task.key == plain.key
        assert "prompt.txt" in repr(task)
    for board in (tmp_path / "board.yaml", luigi.LocalTarget("board.yaml"), mm.FsspecTarget("board.yaml")):
        assert len(mm.RenderStoryboard(storyboard=board, root="out").requires()) == 2


class MethodTarget(luigi.Target):
    """As gokart has them: the path is asked for."""

    def __init__(self, path: str) -> None:
        self._path = path

    def path(self) -> str:
        return self._path

    def exists(self) -> bool:
        return Path(self._path).exists()


class BasedTarget(luigi.Target):
    """As law has them: the path is one below a base that is written elsewhere."""

    def __init__(self, path: str) -> None:
        self.path = f"elsewhere/{path}"
        self.abspath = str(Path(path).resolve())

    def exists(self) -> bool:
        return Path(self.abspath).exists()


@pytest.mark.parametrize("kind", [MethodTarget, BasedTarget])
def test_targets_of_packages_around_luigi(
    kind: type[luigi.Target], sandbox: Sandbox, picture: Picture
) -> None:
    still = picture("one.png").read_bytes()

    class Elsewhere(Made):
        def output(self) -> luigi.Target:
            return kind(f"made-{self.name}")  # type: ignore[call-arg]

        def run(self) -> None:
            made = {
                "picture.png": still,
                "prompt.txt": b"Rain.",
                "table.csv": b"prompt\none\n",
            }
            # Whole at once, as a target has to be: another task may look for it at any moment.
            draft = Path(f"draft-{self.name}")
            draft.write_bytes(made[self.name])
            draft.rename(f"made-{self.name}")

    clip = mm.ImageToVideo(
        first_frame_image=Elsewhere(name="picture.png"), prompt=Elsewhere(name="prompt.txt"), root="out"
    )
    dataset = mm.VideoDataset(table=Elsewhere(name="table.csv"), root="out")
    assert mm.build([clip, dataset])
    given = mm.ImageToVideo(first_frame_image=kind("one.png"), prompt=kind("made-prompt.txt"), root="out")  # type: ignore[call-arg]
    assert given.key == clip.key
    assert sorted(entry["request"]["prompt"] for entry in sandbox.ledger()) == ["Rain.", "one"]


@WORKERS
def test_inputs_of_a_task_are_taken_as_they_are(worker: str, sandbox: Sandbox) -> None:
    assert build([Animated()], worker)
    assert len(sandbox.ledger()) == 1


class Animated(luigi.Task):
    """As in Luigi's documentation: what was required is handed on by `self.input()`."""

    def requires(self) -> dict[str, luigi.Task]:
        return {"still": Still(name="a.png"), "words": Words(name="prompt.txt")}

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("note.txt")

    def run(self) -> Any:
        given = self.input()
        clip = mm.ImageToVideo(first_frame_image=given["still"], prompt=given["words"], root="out")
        yield clip
        with self.output().open("w") as out:
            out.write(clip.output().path)


@WORKERS
def test_a_clip_goes_on_where_another_ended(worker: str, sandbox: Sandbox) -> None:
    first = mm.TextToVideo(prompt="A lighthouse.", root="out")
    second = mm.ImageToVideo(first_frame_image=first, prompt="It goes dark.", root="out")
    assert build([second], worker)
    assert first.complete()
    assert repr(mm.DownloadVideo(request=second.clip, root="out")).startswith("DownloadVideo It goes dark.")
    assert second.clip.request.pictures() == {"first_frame_image": f"clip:{first.key}#last"}
    with pytest.raises(mm.InvalidRequest, match="under the same root"):
        mm.ImageToVideo(first_frame_image=first, root="elsewhere").clip  # noqa: B018


@WORKERS
def test_several_pictures_one_of_a_task(worker: str, sandbox: Sandbox, picture: Picture) -> None:
    picture("b.png")
    still = Still(name="a.png")
    task = mm.StartEndToVideo(first_frame_image=still, last_frame_image="b.png", root="out")
    faces = mm.SubjectToVideo(subject_image=[still], root="out")
    assert still in flatten(faces.requires())
    assert build([task, faces], worker)
    assert len(sandbox.ledger()) == 2


def test_the_scheduler_sees_what_a_clip_is_made_from() -> None:
    still = Still(name="a.png")
    task = mm.ImageToVideo(first_frame_image=still, prompt="x", root="out")
    scheduler = Scheduler()
    Worker(scheduler=scheduler).add(task)
    graph = scheduler.dep_graph(task.task_id)
    assert still.task_id in graph
    assert [node["name"] for node in graph.values()].count("Still") == 1
    assert {"SubmitVideo", "PollVideo", "ImageToVideo"} <= {node["name"] for node in graph.values()}


def test_a_task_that_is_an_input_arrives_in_another_process() -> None:
    still, words = Still(name="a.png", colour="red"), Words(name="雾 prompt.txt")
    task = mm.ImageToVideo(first_frame_image=still, prompt=words, root="out")
    for stage in (task, task.requires()["clip"], task.requires()["clip"].requires()):
        for carry in (
            lambda value: pickle.loads(pickle.dumps(value)),
            lambda value: json.loads(json.dumps(value)),
        ):
            params = carry(stage.to_str_params())
            luigi.task_register.Register.clear_instance_cache()
            other = load_task(stage.task_module, stage.task_family, params)
            assert other is not stage
            assert other == stage
            assert set(flatten(other.requires())) == set(flatten(stage.requires()))


def test_a_secret_of_an_input_stays_beside() -> None:
    signed = "https://h.example/a.png?Signature=PLANTED"
    inner = mm.ImageToVideo(first_frame_image=signed, root="out")
    task = mm.ImageToVideo(first_frame_image=inner, prompt="x", root="out")
    assert "PLANTED" not in json.dumps(task.to_str_params()) + repr(task) + task.task_id
    params = pickle.loads(pickle.dumps(task.to_str_params()))
    luigi.task_register.Register.clear_instance_cache()
    assert load_task(task.task_module, task.task_family, params).first_frame_image.first_frame_image == signed


def test_the_signature_of_a_text_stays_beside() -> None:
    class Given(luigi.Target):
        path = "https://h.example/prompt.txt?Signature=PLANTED"

        def exists(self) -> bool:
            return True

    task = mm.TextToVideo(prompt=Given(), root="out")
    sent = task.to_str_params()
    assert "PLANTED" not in json.dumps(sent) + repr(task) + task.task_id
    luigi.task_register.Register.clear_instance_cache()
    assert (
        load_task(task.task_module, task.task_family, pickle.loads(pickle.dumps(sent))).prompt == task.prompt
    )
    with pytest.raises(mm.InvalidRequest, match="the whole URL"):
        load_task(task.task_module, task.task_family, json.loads(json.dumps(sent)))


class OddText(str):
    """As numpy and others have them."""


@pytest.mark.parametrize(
    "text", ['luigi-task:["os", "X", {}]', "luigi-text:/etc/passwd", OddText("luigi-text:/etc/passwd")]
)
def test_a_text_is_not_taken_for_a_task_or_a_file(text: str) -> None:
    for make in (
        lambda: mm.TextToVideo(prompt=text),
        lambda: mm.ImageToVideo(first_frame_image=text),
        lambda: mm.TemplateVideo(template="Helpless Moments", text=text),
        lambda: mm.VideoDataset(table=text),
        lambda: mm.RenderStoryboard(storyboard=text),
    ):
        with pytest.raises(mm.InvalidRequest, match="does not begin"):
            make()


class Two(luigi.Task):
    def output(self) -> list[luigi.LocalTarget]:
        return [luigi.LocalTarget("a.png"), luigi.LocalTarget("b.png")]


class Nothing(luigi.WrapperTask):
    pass


def test_a_task_without_the_one_output_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    for upstream in (Two(), Nothing()):
        with pytest.raises(mm.InvalidRequest, match="one output"):
            mm.ImageToVideo(first_frame_image=upstream, root="out").key  # noqa: B018


def test_a_failing_input_stops_the_clip(sandbox: Sandbox) -> None:
    class Broken(Made):
        def content(self) -> bytes:
            raise RuntimeError("no picture today")

    assert not mm.build([mm.ImageToVideo(first_frame_image=Broken(name="x.png"), root="out")])
    assert sandbox.ledger() == []


def test_a_subclass_is_made_of_what_others_make(sandbox: Sandbox) -> None:
    """The usual way to say it once for all: a subclass fixes what it starts from."""

    class Promo(mm.ImageToVideo):
        first_frame_image = mm.ImageToVideo.__dict__["first_frame_image"].__class__(
            default=Still(name="a.png")
        )

    assert mm.build([Promo(prompt="x", root="out")])
    assert len(sandbox.ledger()) == 1


@pytest.mark.slow
def test_a_file_of_its_own_with_the_plain_command_line(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "lake.py").write_text(
        "import luigi\nimport minimax_tasks as mm\n\n\n"
        "class Table(luigi.Task):\n    day = luigi.DateParameter()\n\n"
        "    def output(self):\n        return luigi.LocalTarget(f'lake/{self.day}.csv')\n\n"
        "    def run(self):\n        with self.output().open('w') as out:\n            out.write('prompt\\none\\n')\n\n\n"
        "class Daily(luigi.WrapperTask):\n    day = luigi.DateParameter()\n\n"
        "    def requires(self):\n        return mm.VideoDataset(table=Table(self.day), root='out', name=f'day-{self.day}')\n"
    )
    command = [str(Path(sys.executable).with_name("luigi")), "--module", "lake", "Daily", "--local-scheduler"]
    for day in ("2026-11-01", "2026-11-02"):
        done = subprocess.run(
            [*command, "--day", day, "--workers", "2"], cwd=tmp_path, capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        )  # fmt: skip
        assert "progress looks :)" in done.stderr, done.stderr
    assert len(sandbox.ledger()) == 1
    datasets = {path.name for path in (tmp_path / "out/datasets").glob("day-*")}
    assert datasets == {"day-2026-11-01", "day-2026-11-02"}
