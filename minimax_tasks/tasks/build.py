"""Running tasks from Python, with many of them waiting in one process."""

from collections.abc import Iterable
from typing import Any, Literal, overload

import luigi
from luigi.execution_summary import LuigiRunResult

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import shown
from minimax_tasks.settings import Settings
from minimax_tasks.tasks.parameters import RootParameter
from minimax_tasks.tasks.result import BuildResult
from minimax_tasks.tasks.run import Run
from minimax_tasks.tasks.worker import InFlightFactory

_CENTRAL = frozenset({"scheduler_url", "scheduler_host", "scheduler_port"})
"""Options that name a scheduler."""


def in_flight_factory(run: Run | None = None) -> InFlightFactory:
    """The `worker_scheduler_factory` for `luigi.build` and `luigi.run`."""
    return InFlightFactory(run or Run())


@overload
def build(
    tasks: Iterable[luigi.Task],
    *,
    max_in_flight: int | None = ...,
    scheduler_url: str | None = ...,
    settings: Settings | None = ...,
    detailed_summary: Literal[False] = ...,
    **options: Any,
) -> bool: ...


@overload
def build(
    tasks: Iterable[luigi.Task],
    *,
    max_in_flight: int | None = ...,
    scheduler_url: str | None = ...,
    settings: Settings | None = ...,
    detailed_summary: Literal[True],
    **options: Any,
) -> LuigiRunResult: ...


def build(
    tasks: Iterable[luigi.Task],
    *,
    max_in_flight: int | None = None,
    scheduler_url: str | None = None,
    settings: Settings | None = None,
    detailed_summary: bool = False,
    **options: Any,
) -> bool | LuigiRunResult:
    """Run tasks with many of them waiting in this one process; true when all is done.

    `max_in_flight` is how many may run or wait at once (setting `max_in_flight`). `settings` are those of the tasks;
    left out, they are this process's. A task has its root from when it is made: one that was given none has that of
    the process, and `settings` with another root raise `ConfigurationError`.

    Other options are those of `luigi.build`: with `detailed_summary=True` the result is Luigi's `LuigiRunResult`,
    which is true when all is done; `workers` limits how many of Luigi's tasks run at once; a central scheduler is
    used when `scheduler_url` (or `scheduler_host`, `scheduler_port`) is given, or with `local_scheduler=False` that
    of Luigi's configuration. The log level is WARNING unless it is given.
    """
    asked = list(tasks)
    if settings is not None:
        _check_root(asked, settings)
    given = Settings.load() if settings is None else settings
    run = Run(given.having(max_in_flight=max_in_flight))
    result = build_run(asked, run, scheduler_url=scheduler_url, **options)
    return result if detailed_summary else bool(result)


def _check_root(tasks: Iterable[luigi.Task], settings: Settings) -> None:
    """Raise `ConfigurationError` for tasks that would silently be made under another root than these settings say."""
    if "root" not in settings.model_fields_set:
        return
    meant, usual = _plain(settings.root), _plain(Settings.load().root)
    for task in tasks:
        root = getattr(task, "root", None)
        if root == usual != meant:
            raise ConfigurationError(
                f"root = {shown(meant)!r} (settings): {task!r} was made before, with the root {shown(usual)!r}; "
                "give the task its `root=`"
            )


def _plain(root: str) -> str:
    return str(RootParameter().normalize(root))


def build_run(
    tasks: Iterable[luigi.Task],
    run: Run,
    *,
    scheduler_url: str | None = None,
    **options: Any,
) -> BuildResult:
    """`build` of a run that somebody holds, because it was planned before; the result is true when all is done."""
    asked = list(tasks)
    options.setdefault("log_level", "WARNING")
    options.setdefault("workers", run.settings().max_in_flight)
    options.setdefault("worker_scheduler_factory", in_flight_factory(run))
    if scheduler_url is not None:
        options["scheduler_url"] = scheduler_url
    options.setdefault("local_scheduler", _CENTRAL.isdisjoint(options))
    return BuildResult(luigi.build(asked, detailed_summary=True, **options), asked)
