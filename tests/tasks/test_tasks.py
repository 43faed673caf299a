"""The Luigi tasks, run as users run them: luigi.build, the plain command line, and ours."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import luigi
import pytest

import minimax_tasks as mm
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.probe import probe
from tests.conftest import Picture, point_at
from tests.drawn_once import draw_each

pytestmark = pytest.mark.slow

LUIGI = str(Path(sys.executable).with_name("luigi"))


def made(task: mm.DownloadVideo) -> Path:
    path = Path(task.output().path)
    assert probe(path).ok
    return path


def test_each_mode_makes_its_clip_with_plain_luigi(sandbox: Sandbox, picture: Picture) -> None:
    a, b = picture("a.png"), picture("b.png", "navy")
    tasks = [
        mm.TextToVideo(prompt="A lighthouse", root="out"),
        mm.ImageToVideo(first_frame_image=a, root="out"),
        mm.StartEndToVideo(first_frame_image=str(a), last_frame_image=b, prompt="[Push in]", root="out"),
        mm.SubjectToVideo(subject_image=[str(a)], prompt="She winks.", root="out"),
        mm.TemplateVideo(template="Helpless Moments", text="小狗加班", root="out"),
    ]
    assert luigi.build(tasks, local_scheduler=True, log_level="WARNING")
    assert len({entry["kind"] for entry in sandbox.ledger()}) == 5
    for task in tasks:
        made(task)
        assert task.complete()


def test_many_in_flight_in_one_process(sandbox: Sandbox) -> None:
    tasks = [mm.TextToVideo(prompt=f"Wave {number}", root="out") for number in range(20)]
    assert mm.build(tasks, max_in_flight=20)
    assert len(sandbox.ledger()) == 20
    assert all(task.complete() for task in tasks)


def test_build_says_false_when_something_failed(sandbox: Sandbox) -> None:
    sandbox.add_faults([{"at": "task", "fail": 1026, "prompt": "storm"}])
    good, bad = mm.TextToVideo(prompt="calm", root="out"), mm.TextToVideo(prompt="storm", root="out")
    assert not mm.build([good, bad])
    assert good.complete()
    assert not bad.complete()


def test_the_plain_command_line(sandbox: Sandbox, tmp_path: Path) -> None:
    words = [
        LUIGI,
        "--module",
        "minimax_tasks",
        "TextToVideo",
        "--prompt",
        "A lighthouse",
        "--local-scheduler",
    ]
    for _ in range(2):
        done = subprocess.run(
            [*words, "--root", "out"], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert "progress looks :)" in done.stderr, done.stderr
    assert len(sandbox.ledger()) == 1
    assert "test-key" not in done.stdout + done.stderr


def test_our_command_line(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["luigi", "TextToVideo", "--prompt", "x", "--root", "out", "--local-scheduler"]) == 0
    assert main(["luigi", "TextToVideo", "--prompt", "x", "--duration", "7", "--local-scheduler"]) == 2
    assert "allowed: 6, 10" in capfd.readouterr().err
    assert main(["luigi", "TextToVide", "--local-scheduler"]) == 2
    assert "TextToVideo" in capfd.readouterr().err


def test_the_stages_can_be_used_alone(sandbox: Sandbox) -> None:
    request = mm.TextToVideoRequest(prompt="A lighthouse")
    stages = [kind(request=request, root="out") for kind in (mm.SubmitVideo, mm.PollVideo, mm.DownloadVideo)]
    assert stages[2].requires() == stages[1]
    assert stages[1].requires() == stages[0]
    assert luigi.build([stages[0]], local_scheduler=True, log_level="WARNING")
    assert [stage.complete() for stage in stages] == [True, False, False]
    key = stages[0].key
    by_key = mm.DownloadVideo(request=key, root="out")
    assert luigi.build([by_key], local_scheduler=True, log_level="WARNING")
    assert stages[2].complete()
    assert by_key.output().path == stages[2].output().path
    assert len(sandbox.ledger()) == 1


def test_a_mode_task_and_its_stages_share_the_clip(picture: Picture) -> None:
    task = mm.ImageToVideo(first_frame_image=picture("a.png"), root="out")
    assert task.requires().key == task.key
    assert task.output().path == f"out/clips/{task.key}/video.mp4"


def test_the_key_is_what_the_request_is(picture: Picture, tmp_path: Path) -> None:
    picture("a.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())

    def key(**fields: object) -> str:
        return mm.ImageToVideo(**({"first_frame_image": "a.png", "root": "out"} | fields)).key

    same = key()
    assert key(first_frame_image="copy.png") == same, "the bytes count, not the path"
    assert key(duration=6, resolution="768P") == same, "defaults count as written out"
    assert key(callback_url="https://example.com/hook") == same
    assert (
        len({same, key(take=2), key(prompt="x"), key(model="MiniMax-Hailuo-02"), key(resolution="1080P")})
        == 5
    )
    picture("a.png", "red")
    assert key() != same


def test_bad_input_is_refused_when_the_task_is_constructed() -> None:
    with pytest.raises(mm.InvalidRequest, match="duration = 7"):
        mm.TextToVideo(prompt="x", duration=7)
    with pytest.raises(ValueError, match="did you mean Labubu"):
        mm.TemplateVideo(template="Labubuu", image="x.png")
    with pytest.raises(mm.InvalidRequest, match="take"):
        mm.TextToVideo(prompt="x", take=0)
    with pytest.raises(mm.InvalidRequest, match="JSON"):
        mm.DownloadVideo(request="{", root="out")


def test_disagreeing_sources_warn() -> None:
    with pytest.warns(mm.MiniMaxCatalogWarning, match="image-to-video only"):
        mm.TextToVideo(prompt="x", model="MiniMax-Hailuo-2.3-Fast")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mm.TextToVideo(prompt="y")


def test_the_root_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mm.TextToVideo(prompt="x").root == "minimax-output"
    luigi.configuration.get_config().set("minimax", "root", "from-config")
    assert mm.TextToVideo(prompt="x").root == "from-config"
    monkeypatch.setenv("MINIMAX_ROOT", "memory://from-environment/")
    assert mm.TextToVideo(prompt="x").root == "memory://from-environment"
    assert mm.TextToVideo(prompt="x", root="given").root == "given"


def test_the_key_shows_nowhere(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINIMAX_API_KEY", "sk-planted-and-searched-for")
    sandbox.add_faults(
        [{"at": "submit", "nth": 2, "code": 2049}, {"at": "task", "prompt": "b", "fail": 1027}]
    )
    tasks = [mm.TextToVideo(prompt=prompt, root="out") for prompt in "abc"]
    mm.build(tasks, log_level="DEBUG")
    out, err = capfd.readouterr()
    assert "planted" not in out + err + " ".join(task.task_id for task in tasks) + repr(mm.Settings.load())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"planted" not in path.read_bytes(), path
            assert b"Signature=" not in path.read_bytes(), path


KILLED = """
import minimax_tasks as mm
mm.build([mm.ImageToVideo(first_frame_image="pier.png", prompt=f"Wave {n}", root="out") for n in range(6)])
"""


@pytest.mark.parametrize("after", [0.9, 1.3, 1.8, 2.5])
def test_killed_in_the_middle_and_run_again(
    after: float, tmp_path: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture("pier.png")
    with Sandbox(latency=1.0, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        running = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path, start_new_session=True)
        time.sleep(after)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        again = subprocess.run(
            [sys.executable, "-c", KILLED], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        accepted = [json.dumps(entry["request"], sort_keys=True) for entry in sandbox.ledger()]
    assert len(accepted) == len(set(accepted)), "nothing is paid twice"
    clips = [folder for folder in (tmp_path / "out/clips").iterdir() if folder.is_dir()]
    doubts = [folder for folder in clips if not (folder / "submission.json").exists()]
    assert len(clips) == 6
    for folder in clips:
        if folder in doubts:
            assert folder.name in again.stderr
            assert "may have been paid" in again.stderr
        else:
            assert probe(folder / "video.mp4", "decode").ok


def test_luigi_s_own_worker_may_fork_beside_a_sandbox_that_draws(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Native state that a thread left in this process (PyAV 19 keeps scalers) must not hang the child."""
    draw_each(monkeypatch)
    assert mm.build([mm.TextToVideo(prompt="A lighthouse", root=str(tmp_path / "first"))])
    clips = [mm.TextToVideo(prompt=f"Wave {n}", root=str(tmp_path / "forked")) for n in range(2)]
    assert luigi.build(clips, local_scheduler=True, workers=2, log_level="CRITICAL")
    assert len(sandbox.ledger()) == 3


def test_luigi_build_works_where_an_event_loop_runs(sandbox: Sandbox, tmp_path: Path) -> None:
    async def cell() -> bool:
        clip = mm.TextToVideo(prompt="A lighthouse", root=str(tmp_path))
        return bool(luigi.build([clip], local_scheduler=True, log_level="CRITICAL"))

    assert asyncio.run(cell())


def test_build_works_in_threads_side_by_side(sandbox: Sandbox, tmp_path: Path) -> None:
    def one(number: int) -> bool:
        return mm.build([mm.TextToVideo(prompt=f"Wave {number}", root=str(tmp_path))])

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(one, range(2))) == [True, True]
