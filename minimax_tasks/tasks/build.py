"""Running tasks from Python, with many of them waiting in one process."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import luigi

from minimax_tasks.settings import Settings
from minimax_tasks.tasks.service import close_service
from minimax_tasks.tasks.worker import InFlightFactory


def in_flight_factory() -> InFlightFactory:
    """The `worker_scheduler_factory` for `luigi.build` and `luigi.run`."""
    return InFlightFactory(clean_up=close_service)


def build(
    tasks: Iterable[luigi.Task],
    *,
    max_in_flight: int | None = None,
    scheduler_url: str | None = None,
    **options: Any,
) -> bool:
    """Run tasks with many of them waiting in this one process; true when all is done.

    `max_in_flight` is how many may run or wait at once (setting `max_in_flight`). Without `scheduler_url`
    the scheduler runs in this process. Other options are those of `luigi.build`.
    """
    options.setdefault("log_level", "WARNING")
    if scheduler_url is None:
        options["local_scheduler"] = True
    else:
        options["scheduler_url"] = scheduler_url
    workers = Settings.load(max_in_flight=max_in_flight).max_in_flight
    with _set("MINIMAX_MAX_IN_FLIGHT", str(workers)):
        return bool(
            luigi.build(list(tasks), worker_scheduler_factory=in_flight_factory(), workers=workers, **options)
        )


@contextlib.contextmanager
def _set(name: str, value: str) -> Iterator[None]:
    """An argument for the tasks that read the setting themselves, in this process and its children."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
