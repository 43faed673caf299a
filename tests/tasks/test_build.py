"""`build` is `luigi.build`: the same options and results, wherever it is called from; true only when all is done."""

import asyncio
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.execution_summary import LuigiRunResult, LuigiStatusCode

import minimax_tasks as mm
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox


class Noted(luigi.Task):
    """A task without any clip."""

    name = luigi.Parameter()
    fails = luigi.IntParameter(default=0, significant=False)
    retry_count = 5

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.name}.txt")

    def run(self) -> None:
        tries = Path(f"{self.name}.tries")
        tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
        if len(tries.read_text()) <= self.fails:
            raise ValueError("not yet")
        self.output().makedirs()
        Path(self.output().path).write_text("noted")


class Missing(luigi.ExternalTask):
    """What nobody makes."""

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("nobody-makes.this")


class Needy(Noted):
    """Waits for what nobody makes."""

    def requires(self) -> luigi.Task:
        return Missing()


def test_the_detailed_summary_is_luigi_s_and_true_only_when_all_is_done() -> None:
    good = mm.build([Noted(name="good")], detailed_summary=True)
    assert isinstance(good, LuigiRunResult)
    assert good
    assert good.status is LuigiStatusCode.SUCCESS
    assert "1 ran successfully" in good.summary_text
    bad = mm.build(
        [Noted(name="good"), Noted(name="bad", fails=9)], detailed_summary=True, log_level="CRITICAL"
    )
    assert not bad
    assert bad.status is LuigiStatusCode.FAILED
    assert not mm.build([mm.ImageToVideo(first_frame_image="nope.png")], detailed_summary=True)


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [((700, 10, 10), (20_000, 10, 10)), ((50_000, 5, 5), (50_000, 5, 5)), ((0, 10, 10), (0, 10, 10))],
)
def test_garbage_is_looked_for_rarely_during_a_run_and_as_before_afterwards(
    before: tuple[int, int, int], meanwhile: tuple[int, int, int]
) -> None:
    usual, seen = gc.get_threshold(), []

    class Looking(Noted):
        def run(self) -> None:
            seen.append(gc.get_threshold())
            super().run()

    gc.set_threshold(*before)
    try:
        assert mm.build([Looking(name="looked")])
        assert gc.get_threshold() == before
    finally:
        gc.set_threshold(*usual)
    assert seen == [meanwhile]


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (
            lambda: mm.ImageToVideo(first_frame_image="nope.png", root="out"),
            "'nope.png': there is no such file",
        ),
        (lambda: mm.VideoDataset(table="nope.csv", root="out"), "nope.csv: there is no such file"),
        (lambda: mm.RenderStoryboard(storyboard="nope.yaml", root="out"), "nope.yaml: there is no such file"),
        (lambda: OfNobody(prompt="x", root="out"), "nobody.mp4, which nothing writes"),
        (lambda: mm.TextToVideo(prompt="blood", root="out"), "1026"),
        (lambda: Own(prompt="blood", root="out"), "1026"),
        (lambda: ReadsBadly(), "nope.csv: there is no such file"),
    ],
)
def test_an_error_of_ours_is_one_line(
    task: Any, says: str, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_faults([{"at": "submit", "prompt": "blood", "code": 1026}])
    assert not mm.build([task()], log_level="WARNING")
    told = [record for record in caplog.records if record.name == "luigi-interface"]
    assert any(says in record.getMessage() for record in told)
    assert not any("Traceback" in record.getMessage() or record.exc_info for record in told)


def test_an_error_of_others_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert not mm.build([Broken()], log_level="WARNING")
    assert not mm.build([Noted(name="bad", fails=9)], log_level="WARNING")
    told = [record for record in caplog.records if record.name == "luigi-interface"]
    assert sum("Traceback" in record.getMessage() for record in told) == 1
    assert sum(record.exc_info is not None for record in told) == 1


class OfNobody(mm.TextToVideo):
    """Names an output that nothing writes."""

    def output(self) -> Any:
        return [luigi.LocalTarget("nobody.mp4"), luigi.LocalTarget("either.mp4")]


class Own(mm.TextToVideo):
    """Runs in a thread."""

    def run(self) -> None:
        super().run()


class ReadsBadly(luigi.Task):
    """A task of a user that comes upon an error of ours."""

    def run(self) -> None:
        raise mm.TableError(["nope.csv: there is no such file"])


def test_what_could_not_be_run_is_not_done() -> None:
    assert luigi.build([Needy(name="a")], local_scheduler=True, log_level="CRITICAL"), "Luigi calls this true"
    assert not mm.build([Needy(name="a")])
    assert not mm.build([Missing()])
    assert not mm.build([Noted(name="good"), Needy(name="b")], detailed_summary=True)


def test_a_task_that_succeeds_at_its_second_try_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    for section, name, value in (
        ("worker", "keep_alive", "true"), ("worker", "wait_interval", "0.05"), ("worker", "wait_jitter", "0"),
        ("scheduler", "retry_delay", "0.1"),
    ):  # fmt: skip
        luigi.configuration.get_config().set(section, name, value)
    try:
        assert mm.build([Noted(name="second", fails=1)], log_level="CRITICAL")
    finally:
        for section, name in (
            ("worker", "keep_alive"), ("worker", "wait_interval"), ("worker", "wait_jitter"), ("scheduler", "retry_delay"),
        ):  # fmt: skip
            luigi.configuration.get_config().remove_option(section, name)


def test_options_are_luigi_s(tmp_path: Path) -> None:
    chosen: list[Any] = []

    class Factory:
        def __getattr__(self, name: str) -> Any:
            chosen.append(name)
            return getattr(luigi.interface._WorkerSchedulerFactory(), name)

    options: dict[str, Any] = {"workers": 1, "no_lock": False, "lock_pid_dir": str(tmp_path / "locks")}
    assert mm.build([Noted(name="a")], local_scheduler=True, **options)
    assert mm.build([Noted(name="b")], worker_scheduler_factory=Factory(), log_level="ERROR")
    assert chosen == ["create_local_scheduler", "create_worker"]
    with pytest.raises(luigi.parameter.UnknownParameterException):
        mm.build([Noted(name="c")], wrokers=2)
    assert (tmp_path / "locks").is_dir()


def test_settings_with_another_root_than_the_tasks_are_no_silence(sandbox: Sandbox) -> None:
    settings = mm.Settings.load().having(root="meant")
    with pytest.raises(
        mm.ConfigurationError, match=r"root = 'meant' \(settings\).*'minimax-output'; give the task"
    ):
        mm.build([mm.TextToVideo(prompt="x")], settings=settings)
    assert sandbox.ledger() == []
    assert mm.build([mm.TextToVideo(prompt="x", root="meant/")], settings=settings)
    assert mm.build([mm.TextToVideo(prompt="x", root="other")], settings=settings)
    assert mm.build([mm.TextToVideo(prompt="y")], settings=mm.Settings.load().having(max_in_flight=3))
    assert mm.build([InARun()], settings=settings)
    assert Path("in-a-run.txt").read_text().startswith("meant/clips/")


class InARun(luigi.Task):
    """Makes a task of ours while it runs, which has the root of the run."""

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("in-a-run.txt")

    def run(self) -> Any:
        video = yield mm.TextToVideo(prompt="x")
        Path("in-a-run.txt").write_text(video.path)


@pytest.mark.parametrize("options", [{"scheduler_port": 9}, {"local_scheduler": False, "scheduler_port": 9}])
def test_a_scheduler_that_is_named_is_asked(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    asked: list[str] = []

    def remote(self: object, url: str) -> Any:
        asked.append(url)
        raise ConnectionError

    monkeypatch.setattr("minimax_tasks.tasks.worker.InFlightFactory.create_remote_scheduler", remote)
    with pytest.raises(ConnectionError):
        mm.build([Noted(name="a")], **options)
    assert asked == ["http://localhost:9/"]


@pytest.mark.parametrize("how", ["mm.build", "luigi.build", "task.run"])
@pytest.mark.parametrize("where", ["thread", "running loop", "twice at once", "fork"])
def test_it_works_wherever_it_is_called(sandbox: Sandbox, tmp_path: Path, how: str, where: str) -> None:
    luigi.configuration.get_config().set("worker", "no_install_shutdown_handler", "true")  # for luigi.build

    def make(name: str) -> bool:
        task = mm.TextToVideo(prompt=f"{how} {name}", root=str(tmp_path))
        if how == "task.run":
            for stage in (task.requires().requires(), task.requires(), task):
                stage.run()
            return bool(task.complete())
        if how == "mm.build":
            return mm.build([task])
        return bool(luigi.build([task], local_scheduler=True, log_level="CRITICAL"))

    try:
        if where == "running loop":

            async def cell() -> bool:
                return make("cell")

            done = [asyncio.run(cell())]
        elif where == "thread":
            done = []
            thread = threading.Thread(target=lambda: done.append(make("aside")))
            thread.start()
            thread.join()
        elif where == "twice at once":
            with ThreadPoolExecutor(2) as threads:
                done = list(threads.map(make, ["same", "same"]))
        else:
            make("before")
            child = os.fork()
            if not child:
                os._exit(0 if make("in the child") else 1)
            done = [os.waitpid(child, 0)[1] == 0]
    finally:
        luigi.configuration.get_config().remove_option("worker", "no_install_shutdown_handler")
    assert done
    assert all(done)
    assert len(sandbox.ledger()) == (2 if where == "fork" else 1)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, (1, 1)),
        ({"task_failed": "30", "scheduling_error": "35"}, (30, 35)),
        ({"task_failed": "0"}, (0, 1)),
    ],
)
def test_the_command_ends_with_the_code_that_retcode_chose(
    chosen: dict[str, str], expected: tuple[int, int]
) -> None:
    configuration = luigi.configuration.get_config()
    for name, code in chosen.items():
        configuration.set("retcode", name, code)
    words = ["luigi", "--module", "tests.tasks.test_build", "--local-scheduler", "--no-lock"]
    try:
        assert main([*words, "Noted", "--name", "bad", "--fails", "9"]) == expected[0]
        assert main([*words, f"{__name__}.Broken"]) == expected[1]
        assert main([*words, "Noted", "--name", "good"]) == 0
    finally:
        configuration.remove_section("retcode")
    assert main([*words, "Noted", "--name", "bad", "--fails", "9", "--retcode-task-failed", "41"]) == 41


class Broken(luigi.Task):
    """Nobody knows what it needs."""

    task_namespace = __name__  # other tests have a task of this name

    def requires(self) -> luigi.Task:
        raise ValueError("nobody knows")


class Alone(luigi.Task):
    """Asks for a process of its own, and for what the run was told."""

    worker_timeout = 60

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("alone.txt")

    def run(self) -> None:
        from minimax_tasks.tasks.run import current_run

        settings = current_run().settings()
        Path("alone.txt").write_text(f"{os.getpid()} {settings.budget} {settings.api_key.get_secret_value()}")


def test_a_process_of_its_own_knows_the_settings_of_the_run() -> None:
    assert mm.build([Alone()], settings=mm.Settings(budget=7, api_key="of-this-run"))
    pid, budget, key = Path("alone.txt").read_text().split()
    assert int(pid) != os.getpid()
    assert (budget, key) == ("7.0", "of-this-run")
