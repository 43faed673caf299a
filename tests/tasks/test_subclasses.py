"""What a subclass overrides holds in every worker, for every task, or is refused when the class is made."""

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.scheduler import Scheduler
from luigi.task import flatten

import minimax_tasks as mm
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.tasks.stages import Download
from minimax_tasks.tasks.worker import InFlightFactory
from tests.conftest import Picture

BOARD = """
title: Harbour
defaults: {model: MiniMax-Hailuo-02, resolution: 768P, seconds: 6}
shots:
  - {id: "010", prompt: A lighthouse at dusk.}
"""

CLIPS: dict[str, Callable[[], dict[str, Any]]] = {
    "TextToVideo": lambda: {"prompt": "A lighthouse"},
    "ImageToVideo": lambda: {"first_frame_image": "a.png"},
    "StartEndToVideo": lambda: {"first_frame_image": "a.png", "last_frame_image": "b.png"},
    "SubjectToVideo": lambda: {"subject_image": "a.png", "prompt": "She winks."},
    "TemplateVideo": lambda: {"template": "Helpless Moments", "text": "小狗加班"},
    "ReferenceToVideo": lambda: {"reference_images": ("a.png",), "prompt": "She winks."},
}
OTHERS: dict[str, Callable[[], dict[str, Any]]] = {
    "RenderStoryboard": lambda: {"storyboard": "board.yaml"},
    "VideoDataset": lambda: {"table": "table.csv"},
}
KINDS = CLIPS | OTHERS


class _Recording(Scheduler):
    """Luigi's scheduler, which remembers what it was told of each task."""

    told: dict[str, dict[str, Any]]

    def add_task(self, **given: Any) -> Any:
        self.told.setdefault(given["task_id"], given)
        return super().add_task(**given)


@dataclass
class Seen:
    """What happened in a build."""

    done: bool = False
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Task id -> what the scheduler was told when the task was added."""

    def scheduler(self) -> Scheduler:
        scheduler = _Recording(prune_on_get_work=True, record_task_history=False)
        scheduler.told = self.told
        return scheduler

    def of(self, family: str) -> dict[str, Any]:
        (found,) = (told for told in self.told.values() if told["family"] == family)
        return found


def build(task: luigi.Task, worker: str) -> Seen:
    seen = Seen()
    factory: Any = InFlightFactory() if worker == "ours" else luigi.interface._WorkerSchedulerFactory()
    factory.create_local_scheduler = seen.scheduler
    seen.done = luigi.build(
        [task],
        local_scheduler=True,
        workers=2 if worker == "Luigi's, forked" else 1 if worker == "Luigi's" else 10,
        worker_scheduler_factory=factory,
        log_level="CRITICAL",
    )
    return seen


class Before(luigi.Task):
    """What a subclass requires besides. It writes down how much was paid until then."""

    url = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("before.txt")

    def run(self) -> None:
        import httpx

        with self.output().open("w") as out:
            out.write(str(len(httpx.get(f"{self.url}/sandbox/ledger").json())))


def noted(line: str) -> None:
    with open("notes.txt", "a") as notes:
        notes.write(line + "\n")


def notes() -> list[str]:
    path = Path("notes.txt")
    return path.read_text().splitlines() if path.exists() else []


Override = Callable[[type[Any]], type[Any]]
Check = Callable[[Any, Seen], None]


def _plain_run(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def run(self) -> Any:
            super().run()
            noted("run")

    return Mine


def _generator_run(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def run(self) -> Any:
            yield Before(url="http://127.0.0.1:9") if Path("before.txt").exists() else Other()
            super().run()
            noted("run")

    return Mine


class Other(luigi.Task):
    """What a generator asks for."""

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget("other.txt")

    def run(self) -> None:
        Path("other.txt").write_text("made")


def _decorated_run(kind: type[Any]) -> type[Any]:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(self: Any) -> Any:
            result = function(self)
            noted("run")
            return result

        return wrapper

    class Mine(kind):
        run = logged(kind.run)

    return Mine


def _other_function_as_run(kind: type[Any]) -> type[Any]:
    def other(self: Any) -> None:
        kind.run(self)
        noted("run")

    class Mine(kind):
        run = other

    return Mine


def _run_of_the_instance(kind: type[Any]) -> type[Any]:
    """As gokart wraps `run` when a task is made."""

    class Mine(kind):
        def __init__(self, *arguments: Any, **parameters: Any) -> None:
            super().__init__(*arguments, **parameters)
            inner = self.run

            def wrapped() -> None:
                inner()
                noted("run")

            self.run = wrapped

    return Mine


def _run_of_a_mixin(kind: type[Any]) -> type[Any]:
    class Mixin:
        def run(self) -> None:
            super().run()  # type: ignore[misc]
            noted("run")

    class Mine(Mixin, kind):
        pass

    return Mine


def _run_async(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        async def run_async(self) -> None:
            await super().run_async()
            noted("run")

    return Mine


def _ran(task: Any, seen: Seen) -> None:
    assert seen.done
    assert notes() == ["run"]
    assert task.complete()


def _output(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def output(self) -> luigi.LocalTarget:
            return luigi.LocalTarget("mine/it.out")

    return Mine


def _copied(task: Any, seen: Seen) -> None:
    assert seen.done
    assert task.complete()
    own = flatten(super(type(task), task).output())[0]
    with own.as_local() as path:
        assert Path("mine/it.out").read_bytes() == path.read_bytes()


def _more_output(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def output(self) -> dict[str, Any]:
            return {"ours": super().output(), "note": luigi.LocalTarget("note.txt")}

        def run(self) -> None:
            super().run()
            with self.output()["note"].open("w") as out:
                out.write("done")

    return Mine


def _written(task: Any, seen: Seen) -> None:
    assert seen.done
    assert task.complete()
    Path("note.txt").unlink()
    assert not task.complete()


def _complete(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def complete(self) -> bool:
            return super().complete() and Path("fresh.txt").exists()

    return Mine


def _not_fresh(task: Any, seen: Seen) -> None:
    assert seen.done
    assert not task.complete()
    Path("fresh.txt").touch()
    assert task.complete()


def _requires(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def requires(self) -> Any:
            return {"before": Before(url=mm.Settings.load().base_url)}

    return Mine


def _was_before(task: Any, seen: Seen) -> None:
    assert seen.done
    assert task.complete()
    assert Path("before.txt").read_text() == "0", "nothing was paid before"
    assert task.input()["before"].path == "before.txt"


def _attributes(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        priority = 70
        retry_count = 7
        disable_hard_timeout = 77
        disable_window = 777
        resources = {"desk": 1}  # noqa: RUF012

        @property
        def owner_email(self) -> str:
            return "a@example.com"

    return Mine


def _told(task: Any, seen: Seen) -> None:
    assert seen.done
    families = [task.task_family]
    if isinstance(task, mm.DownloadVideo | Download):
        families += ["PollVideo", "SubmitVideo"]
    for family in families:
        told = seen.of(family)
        assert told["priority"] == 70
        assert told["retry_policy_dict"] == {
            "retry_count": 7,
            "disable_hard_timeout": 77,
            "disable_window": 777,
        }
        assert told["resources"] == {"desk": 1}
        assert told["owners"] == ["a@example.com"]


def _on_success(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def on_success(self) -> str:
            noted("run")
            return "very well"

    return Mine


def _on_failure(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        retry_count = 1

        def run(self) -> None:
            raise ZeroDivisionError

        def on_failure(self, exception: BaseException) -> str:
            noted(type(exception).__name__)
            return "what a pity"

    return Mine


def _failed(task: Any, seen: Seen) -> None:
    assert not seen.done
    assert notes() == ["ZeroDivisionError"]


OVERRIDES: dict[str, tuple[Override, Check]] = {
    "run": (_plain_run, _ran),
    "run, a generator": (_generator_run, _ran),
    "run, decorated": (_decorated_run, _ran),
    "run, another function": (_other_function_as_run, _ran),
    "run, of the instance": (_run_of_the_instance, _ran),
    "run, of a mixin": (_run_of_a_mixin, _ran),
    "run_async": (_run_async, _ran),
    "output": (_output, _copied),
    "output, more": (_more_output, _written),
    "complete": (_complete, _not_fresh),
    "requires": (_requires, _was_before),
    "attributes": (_attributes, _told),
    "on_success": (_on_success, _ran),
    "on_failure": (_on_failure, _failed),
}


@pytest.fixture
def _material(picture: Picture) -> None:
    picture("a.png")
    picture("b.png", "navy")
    Path("board.yaml").write_text(BOARD)
    Path("table.csv").write_text("prompt\nA lighthouse at dusk\n")


@pytest.fixture
def _shared_roof() -> Iterator[None]:
    """Enough of the resource that the attributes ask for."""
    luigi.configuration.get_config().set("resources", "desk", "5")
    yield
    luigi.configuration.get_config().remove_section("resources")


each_worker = pytest.mark.parametrize(
    "worker", ["ours", "Luigi's", pytest.param("Luigi's, forked", marks=pytest.mark.slow)]
)
each_worker_and_kind = pytest.mark.parametrize(
    ("worker", "kind"),
    [
        ("ours", "TextToVideo"),
        ("Luigi's", "TextToVideo"),
        pytest.param("Luigi's, forked", "TextToVideo", marks=pytest.mark.slow),
        # Luigi's worker calls the same of a task whether it forked before or not.
        *(
            pytest.param(worker, kind, marks=pytest.mark.slow)
            for worker in ("ours", "Luigi's, forked")
            for kind in KINDS
            if kind != "TextToVideo"
        ),
    ],
)


@pytest.mark.parametrize("override", OVERRIDES)
@each_worker_and_kind
@pytest.mark.usefixtures("_material", "_shared_roof")
def test_an_override_holds(sandbox: Sandbox, override: str, worker: str, kind: str) -> None:
    derive, check = OVERRIDES[override]
    task = derive(getattr(mm, kind))(**KINDS[kind](), root="out")
    seen = build(task, worker)
    check(task, seen)
    assert len(sandbox.ledger()) == 1


@each_worker_and_kind
@pytest.mark.usefixtures("_material")
def test_a_time_limit_holds(sandbox: Sandbox, worker: str, kind: str) -> None:
    base = getattr(mm, kind)

    class Mine(base):  # type: ignore[misc]
        worker_timeout = 1

        def complete(self) -> bool:
            return False

        def run(self) -> None:
            for _ in range(600):
                time.sleep(0.05)
            noted("awake")

    given = KINDS[kind]()
    assert mm.build([base(**given, root="out")])
    assert not build(Mine(**given, root="out"), worker).done
    assert notes() == []


@pytest.fixture
def _kept_alive(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker that stays, and a scheduler that soon gives failed tasks out again."""
    configuration = luigi.configuration.get_config()
    chosen = [
        ("worker", "keep_alive", "true"),
        ("worker", "wait_interval", "0.05"),
        ("worker", "wait_jitter", "0"),
        ("scheduler", "retry_delay", "0.1"),
    ]
    for section, name, value in chosen:
        configuration.set(section, name, value)
    yield
    for section, name, _ in chosen:
        configuration.remove_option(section, name)


@each_worker
@pytest.mark.parametrize(
    ("fault", "stage", "tries"),
    [
        pytest.param({"at": "task", "fail": 1027}, "PollVideo", 1, id="failed for good"),
        pytest.param({"at": "submit", "code": 1026}, "SubmitVideo", 1, id="refused for good"),
        pytest.param({"at": "submit", "code": 2049, "every": 1}, "SubmitVideo", 3, id="may get better"),
    ],
)
@pytest.mark.usefixtures("_kept_alive")
def test_what_failed_for_good_is_not_run_again(
    sandbox: Sandbox, worker: str, fault: dict[str, Any], stage: str, tries: int
) -> None:
    sandbox.add_faults([fault])
    count = Path("tries.txt")

    def begun(task: luigi.Task) -> None:
        with count.open("a") as out:
            out.write(task.task_family + "\n")

    luigi.Task.event_handler(luigi.Event.START)(begun)
    try:
        assert not build(mm.TextToVideo(prompt="A lighthouse", root="out"), worker).done
    finally:
        luigi.Task.remove_event_handler(luigi.Event.START, begun)
    forked = worker == "Luigi's, forked"  # nothing can be said to the scheduler in the parent
    assert count.read_text().split().count(stage) == (3 if forked else tries)


def _fails_in_run(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def run(self) -> None:
            super().run()
            raise ZeroDivisionError("the upload failed")

    return Mine


def _fails_in_run_async(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        async def run_async(self) -> None:
            await super().run_async()
            raise ZeroDivisionError("the upload failed")

    return Mine


def _fails_on_success(kind: type[Any]) -> type[Any]:
    class Mine(kind):
        def on_success(self) -> None:
            raise ZeroDivisionError("the mail was not sent")

    return Mine


@each_worker
@pytest.mark.parametrize("derive", [_fails_in_run, _fails_in_run_async, _fails_on_success])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_fails_after_our_work_is_no_success(
    sandbox: Sandbox, derive: Override, worker: str, wrapped: bool
) -> None:
    task = derive(mm.TextToVideo)(prompt="A lighthouse", root="out")

    class All(luigi.WrapperTask):
        def requires(self) -> Any:
            return [task]

    asked: luigi.Task = All() if wrapped else task
    if worker == "ours":
        assert not mm.build([asked], log_level="CRITICAL")
    else:
        assert not build(asked, worker).done
    assert task.complete(), "as Luigi has it: its output is there"
    assert len(sandbox.ledger()) == 1


class _Closed(luigi.Target):
    """As gokart's: not a file."""

    def exists(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (lambda own: {"clip": own, "note": luigi.LocalTarget("note.txt")}, "note.txt, which nothing writes"),
        (lambda own: _Closed(), "which cannot be opened"),
    ],
)
def test_an_output_that_nobody_writes_is_refused_before_anything_is_paid(
    sandbox: Sandbox, named: Callable[[Any], Any], why: str
) -> None:
    class Mine(mm.TextToVideo):
        def output(self) -> Any:
            return named(super().output())

    task = Mine(prompt="A lighthouse", root="out")
    with pytest.raises(mm.SubclassError, match=why):
        task.deps()
    assert not build(task, "ours").done
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"key": luigi.Parameter(default="row 7")}, "key takes the place"),
        ({"report": lambda self: None}, "report takes the place"),
        ({"run_async": lambda self: "unrelated"}, "run_async takes the place"),
    ],
)
def test_what_would_break_our_work_is_refused_when_the_class_is_made(
    attributes: dict[str, Any], why: str
) -> None:
    with pytest.raises(mm.SubclassError, match=why):
        type("Mine", (mm.TextToVideo,), attributes)


@pytest.mark.parametrize("name", ["run", "complete", "requires", "output", "on_success", "on_failure"])
def test_what_luigi_would_not_wait_for_is_refused(name: str) -> None:
    async def waits(self: Any) -> None: ...

    for base in (mm.ImageToVideo, mm.RenderStoryboard, mm.VideoDataset, mm.SubmitVideo):
        with pytest.raises(mm.SubclassError, match=f"{name} is `async`"):
            type("Mine", (base,), {name: waits})


def test_an_unrelated_method_of_the_same_name_is_left_alone() -> None:
    class Unrelated(luigi.Task):
        def output(self) -> luigi.LocalTarget:
            return luigi.LocalTarget("unrelated.txt")

        def run_async(self) -> str:
            return "a text"

        def run(self) -> None:
            Path("unrelated.txt").write_text(self.run_async())

    assert build(Unrelated(), "ours").done
