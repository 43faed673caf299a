"""Following the tasks of one render through Luigi's events, for callers that know clips and not Luigi."""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

import luigi

from minimax_tasks.tasks.film import DownloadSegment, PollSegment, RenderStoryboard, SubmitSegment
from minimax_tasks.tasks.stages import STATUS

_STAGES = {SubmitSegment: "submit", PollSegment: "poll", DownloadSegment: "download"}


class Follower(Protocol):
    """Hears what happens. `stage` is "submit", "poll" or "download"; `key` is the clip's."""

    def stage_started(self, stage: str, key: str) -> None:
        """A stage of a clip began."""

    def stage_status(self, stage: str, key: str, status: str) -> None:
        """A stage has news."""

    def stage_done(self, stage: str, key: str) -> None:
        """A stage came to its end."""

    def stage_failed(self, stage: str, key: str, error: BaseException) -> None:
        """A stage failed; Luigi may try it again."""

    def film_started(self) -> None:
        """The clips are being joined."""

    def film_done(self) -> None:
        """The film is there."""

    def film_failed(self, error: BaseException) -> None:
        """The film could not be joined."""


@contextlib.contextmanager
def following(follower: Follower) -> Iterator[None]:
    """Tell a follower what the tasks of a storyboard do while the block runs."""

    def started(task: Any) -> None:
        follower.stage_started(_STAGES[type(task)], task.key)

    def status(task: Any, text: str) -> None:
        follower.stage_status(_STAGES[type(task)], task.key, text)

    def done(task: Any) -> None:
        follower.stage_done(_STAGES[type(task)], task.key)

    def failed(task: Any, error: BaseException) -> None:
        follower.stage_failed(_STAGES[type(task)], task.key, error)

    of_stages = {
        luigi.Event.START: started,
        STATUS: status,
        luigi.Event.SUCCESS: done,
        luigi.Event.FAILURE: failed,
    }
    of_film = {
        luigi.Event.START: lambda task: follower.film_started(),
        luigi.Event.SUCCESS: lambda task: follower.film_done(),
        luigi.Event.FAILURE: lambda task, error: follower.film_failed(error),
    }
    handled: list[tuple[Any, Any, Any]] = [
        (task, event, handle) for task in _STAGES for event, handle in of_stages.items()
    ]
    handled += [(RenderStoryboard, event, handle) for event, handle in of_film.items()]
    for task, event, handle in handled:
        task.event_handler(event)(handle)
    try:
        yield
    finally:
        for task, event, handle in handled:
            task.remove_event_handler(event, handle)
