"""Running tasks from Python, with many of them waiting in one process."""

from collections.abc import Iterable
from typing import Any

import luigi

from minimax_tasks.settings import Settings
from minimax_tasks.tasks.run import Run
from minimax_tasks.tasks.worker import InFlightFactory


def in_flight_factory(run: Run | None = None) -> InFlightFactory:
    """The `worker_scheduler_factory` for `luigi.build` and `luigi.run`."""
    return InFlightFactory(run or Run())


def build(
    tasks: Iterable[luigi.Task],
    *,
    max_in_flight: int | None = None,
    scheduler_url: str | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> bool:
    """Run tasks with many of them waiting in this one process; true when all is done.

    `max_in_flight` is how many may run or wait at once (setting `max_in_flight`). Without `scheduler_url`
    the scheduler runs in this process. `settings` are those of the tasks; left out, they are this process's. Other
    options are those of `luigi.build`.
    """
    given = Settings.load() if settings is None else settings
    return build_run(
        tasks, Run(given.having(max_in_flight=max_in_flight)), scheduler_url=scheduler_url, **options
    )


def build_run(
    tasks: Iterable[luigi.Task], run: Run, *, scheduler_url: str | None = None, **options: Any
) -> bool:
    """`build` of a run that somebody holds, because it was planned before."""
    options.setdefault("log_level", "WARNING")
    if scheduler_url is None:
        options["local_scheduler"] = True
    else:
        options["scheduler_url"] = scheduler_url
    workers = run.settings().max_in_flight
    factory = in_flight_factory(run)
    return bool(luigi.build(list(tasks), worker_scheduler_factory=factory, workers=workers, **options))
