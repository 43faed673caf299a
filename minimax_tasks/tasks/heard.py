"""The errors of ours that a run of Luigi came to, for a program that has to say what they mean."""

import contextlib
from collections.abc import Iterator
from typing import Any

import luigi

from minimax_tasks.errors import MiniMaxError


@contextlib.contextmanager
def announced(task: luigi.Task) -> Iterator[None]:
    """Announce an error while Luigi asks whether a task is complete, as it announces those of `requires`."""
    try:
        yield
    except MiniMaxError as error:
        task.trigger_event(luigi.Event.BROKEN_TASK, task, error)
        raise


class Heard:
    """What happened to the tasks of a run. `errors` are in the order in which they came."""

    def __init__(self) -> None:
        self.errors: list[MiniMaxError] = []
        self.started = False
        """Whether any task began to run."""

    def start(self, task: luigi.Task) -> None:
        """A task begins to run."""
        self.started = True

    def fail(self, task: luigi.Task, error: BaseException) -> None:
        """A task failed, or it is not known what it needs."""
        if isinstance(error, MiniMaxError):
            self.errors.append(error)


@contextlib.contextmanager
def hearing() -> Iterator[Heard]:
    """Listen to every task of this process while the block runs."""
    heard = Heard()
    handled: list[tuple[Any, Any]] = [
        (luigi.Event.START, heard.start),
        (luigi.Event.FAILURE, heard.fail),
        (luigi.Event.BROKEN_TASK, heard.fail),
    ]
    for event, handle in handled:
        luigi.Task.event_handler(event)(handle)
    try:
        yield heard
    finally:
        for event, handle in handled:
            luigi.Task.remove_event_handler(event, handle)
