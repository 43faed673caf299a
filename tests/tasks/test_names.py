"""Parameters carry names: what logs, task ids and the scheduler see is short, and the rest travels beside it."""

import base64
import io
import json
import logging
import pickle
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.task_register import load_task
from PIL import Image

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.conftest import Picture
from tests.storyboard.boards import write_board

SIGNED = "https://bucket.example/a.png?X-Amz-Signature=PLANTED"


def noise(size: int = 400) -> bytes:
    """A picture whose PNG is large."""
    import numpy as np

    out = io.BytesIO()
    pixels = np.random.default_rng(7).integers(0, 255, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def everywhere(task: luigi.Task) -> str:
    """All that Luigi shows, logs or sends of a task and of what it requires."""
    found = [repr(task), str(task), task.task_id, json.dumps(task.to_str_params())]
    found += [everywhere(dep) for dep in task.deps()]
    return "\n".join(found)


def as_another_process(task: luigi.Task, *, beside: bool) -> luigi.Task:
    """The task as it arrives elsewhere: through a queue of Luigi's own worker, or as JSON through the scheduler."""
    params: dict[str, Any] = task.to_str_params()
    params = pickle.loads(pickle.dumps(params)) if beside else json.loads(json.dumps(params))
    luigi.task_register.Register.clear_instance_cache()
    return load_task(task.task_module, task.task_family, params)


def test_the_name_says_what_the_clip_is() -> None:
    task = mm.TextToVideo(prompt="a lighthouse at dusk", root="out")
    assert repr(task) == f"TextToVideo a lighthouse at dusk · 768P 6 s · {task.key[:6]}"
    assert task.task_id.startswith("TextToVideo_a_lighthouse_at_dusk_768P_6_s_")
    stages = [task, task.requires(), task.requires().requires()]
    assert [repr(stage).split(" ", 1)[1] for stage in stages] == [repr(task).split(" ", 1)[1]] * 3
    others = [
        mm.TextToVideo(prompt="a lighthouse at dusk", root="out", **changed)
        for changed in ({"take": 2}, {"duration": 10}, {"model": "MiniMax-Hailuo-02"})
    ]
    assert "take 2" in repr(others[0])
    assert "768P 10 s" in repr(others[1])
    assert "MiniMax-Hailuo-02" in repr(others[2])
    assert (
        len({one.task_id for one in (task, *others, mm.TextToVideo(prompt="a lighthouse at dusk", root="b"))})
        == 5
    )


def test_names_of_all_the_others(picture: Picture, tmp_path: Path) -> None:
    path = picture("pier.png")
    assert repr(mm.ImageToVideo(first_frame_image=path)).startswith("ImageToVideo pier.png · 768P 6 s · ")
    long = mm.ImageToVideo(first_frame_image=path, prompt="word " * 300)
    assert len(long.task_id) < 120
    assert len(repr(long)) < 120
    assert repr(mm.TemplateVideo(template="Helpless Moments", text="小狗加班")).startswith(
        "TemplateVideo 小狗加班 · template Helpless Moments · "
    )
    odd = mm.TextToVideo(prompt="<img src=x onerror='alert(1)'> 雾")
    assert not set("<>'\" ") & set(odd.task_id)
    assert "雾" in odd.task_id
    board = write_board(tmp_path, "title: Harbour\nshots: [{id: '010', prompt: Rain., takes: 2}]\n")
    film = mm.RenderStoryboard(storyboard=board, root="out")
    assert repr(film).startswith(f"RenderStoryboard {Path(board).name} · ")
    assert [repr(one) for one in film.requires()][1].startswith(
        f"DownloadSegment {Path(board).name} · shot 010 · take 2 · "
    )
    (tmp_path / "waves.csv").write_text("prompt\na\nb\n")
    table = mm.VideoDataset(table="waves.csv", root="out")
    assert repr(table).startswith("VideoDataset waves.csv · ")
    assert repr(table.requires()[0]).startswith("DatasetShard waves · shard 1 of 1 · ")


def test_a_data_url_is_a_picture_by_its_digest(tmp_path: Path) -> None:
    data = noise()
    (tmp_path / "a.png").write_bytes(data)
    task = mm.ImageToVideo(first_frame_image=data_url(data), prompt="x", root="out")
    assert task.first_frame_image.startswith("sha256:")
    assert len(everywhere(task)) < 5_000
    assert "base64" not in everywhere(task)
    assert task.key == mm.ImageToVideo(first_frame_image="a.png", prompt="x", root="out").key
    unnamed = mm.ImageToVideo(first_frame_image=data, root="out")
    assert repr(unnamed).startswith(
        f"ImageToVideo picture {task.first_frame_image.removeprefix('sha256:')[:6]} · "
    )
    kept = [path for path in Path("out/pictures").iterdir() if path.suffix != ".json"]
    assert [path.read_bytes() for path in kept] == [data]


@pytest.mark.parametrize(
    "how", ["bytes", "memoryview", "struct", "struct with a path", "path", "target", "local target"]
)
def test_a_picture_in_whatever_form_is_the_same_clip(how: str, tmp_path: Path) -> None:
    data = noise(320)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    given: Any = {
        "bytes": data,
        "memoryview": memoryview(data),
        "struct": {"bytes": data, "path": "elsewhere.png"},
        "struct with a path": {"bytes": None, "path": str(path)},
        "path": path,
        "target": mm.FsspecTarget(path),
        "local target": luigi.LocalTarget(path),
    }[how]
    task = mm.ImageToVideo(first_frame_image=given, root="out")
    assert task.key == mm.ImageToVideo(first_frame_image=str(path), root="out").key
    assert len(everywhere(task)) < 5_000


def test_an_image_of_pillow_is_the_same_clip_however_it_would_be_written(tmp_path: Path) -> None:
    image = Image.open(io.BytesIO(noise(320)))
    first = mm.ImageToVideo(first_frame_image=image, root="out")
    key = first.key
    (kept,) = [path for path in Path("out/pictures").iterdir() if path.name.startswith("pixels-")]
    smaller = io.BytesIO()
    Image.open(kept).save(smaller, "PNG", compress_level=1)
    kept.write_bytes(smaller.getvalue())  # as another version of Pillow would have written it
    again = mm.ImageToVideo(first_frame_image=image.copy(), root="out")
    assert again == first
    assert again.key != key, "what is kept decides"
    assert mm.ImageToVideo(first_frame_image=image.rotate(90), root="out") != first


def test_pictures_of_a_subject(picture: Picture) -> None:
    data = picture("a.png").read_bytes()
    one = mm.SubjectToVideo(subject_image=data, root="out")
    several = mm.SubjectToVideo(subject_image=[data, "a.png", SIGNED], root="out")
    assert one.key == mm.SubjectToVideo(subject_image="a.png", root="out").key
    assert len(several.clip.digests) == 2
    assert "PLANTED" not in everywhere(one) + everywhere(several)
    for task in (one, several):
        assert as_another_process(task, beside=True).param_kwargs == task.param_kwargs


def test_bytes_that_are_no_picture_are_refused_before_anything_is_paid(sandbox: Sandbox) -> None:
    assert not mm.build([mm.ImageToVideo(first_frame_image=b"no picture", root="out")])
    assert sandbox.ledger() == []


def tasks(data: bytes) -> list[luigi.Task]:
    clips = [
        mm.TextToVideo(prompt="a lighthouse", root="out", callback_url="https://h.example/?t=PLANTED"),
        mm.ImageToVideo(first_frame_image=SIGNED, root="out"),
        mm.ImageToVideo(first_frame_image=data, root="out", prompt="· 0123456789abcdef0123456789abcdef"),
        mm.StartEndToVideo(first_frame_image=data, last_frame_image=SIGNED, root="out"),
    ]
    return [stage for clip in clips for stage in (clip, clip.requires(), clip.requires().requires())]


def test_another_process_of_the_same_worker_has_the_whole_of_it() -> None:
    for task in tasks(noise(320)):
        other = as_another_process(task, beside=True)
        assert other is not task
        assert (other, other.task_id) == (task, task.task_id)
        # For whom a stage works is known to the process that made it alone.
        assert other.param_kwargs | {"owner": None} == task.param_kwargs | {"owner": None}
        assert other.key == task.key


def test_a_process_that_has_nothing_but_json_has_what_is_no_secret() -> None:
    for task in tasks(noise(320)):
        sent = json.dumps(task.to_str_params())
        assert "PLANTED" not in sent
        key = task.key
        secret = SIGNED in map(str, task.param_kwargs.values()) or task.param_kwargs.get("callback_url")
        if isinstance(task, mm.TextToVideo | mm.ImageToVideo | mm.StartEndToVideo) and secret:
            with pytest.raises(mm.InvalidRequest, match="the whole URL"):
                as_another_process(task, beside=False)
            continue
        other = as_another_process(task, beside=False)
        assert (other.task_id, other.key, other.output().path) == (task.task_id, key, task.output().path)


def test_a_request_that_went_by_name_is_submitted_by_who_has_only_the_name(sandbox: Sandbox) -> None:
    task = mm.ImageToVideo(first_frame_image=noise(320), root="out", prompt="x")
    submit = task.requires().requires()
    other = as_another_process(submit, beside=False)
    assert other.request == task.key
    other.run()
    assert submit.complete()
    assert len(sandbox.ledger()) == 1
    raw = mm.SubmitVideo(request=mm.TextToVideoRequest(prompt="y"), root="out")
    as_another_process(raw, beside=False).run()
    assert raw.complete()


def test_nothing_secret_is_kept_under_the_root() -> None:
    for task in tasks(noise(320)):
        task.to_str_params()
    for path in Path("out").rglob("*"):
        assert path.is_dir() or b"PLANTED" not in path.read_bytes(), path


class Chain(luigi.Task):
    """Asks for clips as dynamic dependencies, which Luigi sends from process to process."""

    picture = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("chain.txt")

    def run(self) -> Any:
        data = Path(self.picture).read_bytes()
        clips = [
            mm.ImageToVideo(first_frame_image=data, prompt="one", root="out"),
            mm.ImageToVideo(first_frame_image=data_url(data), prompt="two", root="out"),
            mm.TextToVideo(prompt="three", root="out", callback_url="http://127.0.0.1:9/?token=secret"),
        ]
        yield clips
        with self.output().open("w") as out:
            out.write("\n".join(clip.output().path for clip in clips))


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_dynamic_dependencies_arrive_whole(workers: int, sandbox: Sandbox, picture: Picture) -> None:
    task = Chain(picture=str(picture("a.png")))
    if workers:
        assert luigi.build([task], local_scheduler=True, workers=workers, log_level="WARNING")
    else:
        assert mm.build([task])
    assert len(sandbox.ledger()) == 3
    assert all(Path(line).exists() for line in Path("chain.txt").read_text().splitlines())


def test_the_log_of_a_run_is_short(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    task = mm.ImageToVideo(first_frame_image=data_url(noise()), prompt="x", root="out")
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="luigi-interface"):
        assert luigi.build([task], local_scheduler=True, log_level="DEBUG")
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert len(said) < 30_000
    assert "base64" not in said
    assert "running   SubmitVideo x · 768P 6 s · " in said


def test_the_scheduler_shows_the_name_and_what_a_subclass_adds() -> None:
    from luigi.scheduler import Scheduler
    from luigi.worker import Worker

    class Voiced(mm.TextToVideo):
        language = luigi.Parameter(default="zh")

    scheduler = Scheduler()
    task = Voiced(prompt="a lighthouse", root="out")
    Worker(scheduler=scheduler).add(task)
    listed = scheduler.task_list("", "")
    assert listed[task.task_id]["display_name"] == f"Voiced(clip={task.short_name}, language=zh)"
    assert listed[task.requires().task_id]["display_name"] == f"PollVideo(clip={task.requires().short_name})"


def test_a_subclass_is_told_apart_by_its_own_parameters() -> None:
    class Voiced(mm.TextToVideo):
        language = luigi.Parameter(default="zh")

    assert Voiced(prompt="x") != Voiced(prompt="x", language="en")
    assert Voiced(prompt="x").key == mm.TextToVideo(prompt="x").key


def test_a_kept_picture_is_written_once(tmp_path: Path) -> None:
    data = noise(320)
    mm.ImageToVideo(first_frame_image=data, root="out").requires()
    root = Storage("out")
    before = {name: (tmp_path / "out/pictures" / name).stat().st_mtime_ns for name in root.names("pictures")}
    mm.ImageToVideo(first_frame_image=data, prompt="another", root="out").requires()
    after = {name: (tmp_path / "out/pictures" / name).stat().st_mtime_ns for name in root.names("pictures")}
    assert before == after
