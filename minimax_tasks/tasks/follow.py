"""Following the tasks of a render or a dataset through Luigi's events, for callers that know clips and not Luigi."""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

import luigi

from minimax_tasks.dataset.shard import ClipNews
from minimax_tasks.tasks.dataset import CLIP_NEWS, DatasetShard, VideoDataset
from minimax_tasks.tasks.events import Event
from minimax_tasks.tasks.film import DownloadSegment, PollSegment, RenderStoryboard, SubmitSegment

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


class DatasetFollower(Protocol):
    """Hears what happens to the clips of a table, and to the folder of its dataset."""

    def clip_news(self, key: str, news: ClipNews, text: str) -> None:
        """A clip was submitted, was made or failed; `text` is the task id, or why it failed."""

    def delivery_started(self) -> None:
        """The folder is being brought in step with the table."""

    def delivery_done(self) -> None:
        """The folder is what the table says."""

    def delivery_failed(self, error: BaseException) -> None:
        """Rows are missing that another run would go on with, or the folder could not be written."""


@contextlib.contextmanager
def following_dataset(follower: DatasetFollower) -> Iterator[None]:
    """Tell a follower what the tasks of a dataset do while the block runs."""
    handled: list[tuple[Any, Any, Any]] = [
        (DatasetShard, CLIP_NEWS, lambda task, key, news, text: follower.clip_news(key, news, text)),
        (VideoDataset, luigi.Event.START, lambda task: follower.delivery_started()),
        (VideoDataset, luigi.Event.SUCCESS, lambda task: follower.delivery_done()),
        (VideoDataset, luigi.Event.FAILURE, lambda task, error: follower.delivery_failed(error)),
        (DatasetShard, luigi.Event.FAILURE, lambda task, error: follower.delivery_failed(error)),
    ]
    with _handled(handled):
        yield


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
        Event.STATUS: status,
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
    with _handled(handled):
        yield


@contextlib.contextmanager
def _handled(handlers: list[tuple[Any, Any, Any]]) -> Iterator[None]:
    """Handle events of tasks while the block runs: class of task, event, what handles it."""
    for task, event, handle in handlers:
        task.event_handler(event)(handle)
    try:
        yield
    finally:
        for task, event, handle in handlers:
            task.remove_event_handler(event, handle)
