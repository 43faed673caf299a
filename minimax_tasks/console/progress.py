"""Live progress of a render: a table on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import luigi
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.standing import ClipState, Made
from minimax_tasks.storyboard.tasks import (
    DownloadSegment,
    PollSegment,
    RenderStoryboard,
    SubmitSegment,
)
from minimax_tasks.tasks.stages import STATUS

_WORDS = {SubmitSegment: "submitting", PollSegment: "generating", DownloadSegment: "downloading"}
_DONE = {SubmitSegment: "submitted", PollSegment: "generated", DownloadSegment: "made"}
_STAGES = (SubmitSegment, PollSegment, DownloadSegment)


class RenderProgress:
    """Follows the tasks of one render through Luigi's events. `failures` has what went wrong, by segment."""

    def __init__(self, console: Console, plan: Plan, states: Mapping[str, ClipState]) -> None:
        self._console = console
        self._plan = plan
        self._lock = threading.Lock()
        self._rows = {segment.key: str(states[segment.key].made) for segment in plan.segments}
        self._names: dict[str, str] = {}
        for shot in plan.shots:
            for segment in shot.segments:
                name = f"shot {segment.shot}" + (f" take {segment.take}" if len(shot.segments) > 1 else "")
                same = self._names.get(segment.key)
                self._names[segment.key] = f"{same} and {name}" if same else name
        self._waits = {s.key: ", ".join(other.shot for other in s.after) for s in plan.segments}
        self._since: dict[str, float] = {}
        self._film = "waiting for the clips"
        self._live: Live | None = None
        self.failures: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        """The same by clip key."""

    def __enter__(self) -> Self:
        for task in _STAGES:
            task.event_handler(luigi.Event.START)(self._started)
            task.event_handler(luigi.Event.SUCCESS)(self._succeeded)
            task.event_handler(luigi.Event.FAILURE)(self._failed)
            task.event_handler(STATUS)(self._status)
        RenderStoryboard.event_handler(luigi.Event.START)(self._joining)
        RenderStoryboard.event_handler(luigi.Event.SUCCESS)(self._joined)
        RenderStoryboard.event_handler(luigi.Event.FAILURE)(self._film_failed)
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=8)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
        for task in _STAGES:
            for event, handler in (
                (luigi.Event.START, self._started),
                (luigi.Event.SUCCESS, self._succeeded),
                (luigi.Event.FAILURE, self._failed),
                (STATUS, self._status),
            ):
                task.remove_event_handler(event, handler)
        RenderStoryboard.remove_event_handler(luigi.Event.START, self._joining)
        RenderStoryboard.remove_event_handler(luigi.Event.SUCCESS, self._joined)
        RenderStoryboard.remove_event_handler(luigi.Event.FAILURE, self._film_failed)

    def _started(self, task: Any) -> None:
        self._set(task.key, _WORDS[type(task)])

    def _succeeded(self, task: Any) -> None:
        self._set(task.key, _DONE[type(task)])

    def _status(self, task: Any, status: str) -> None:
        self._set(task.key, f"{_WORDS[type(task)]}: {status}")

    def _failed(self, task: Any, error: BaseException) -> None:
        with self._lock:
            self.problems[task.key] = str(error) or type(error).__name__
            self.failures[self._names.get(task.key, task.key)] = self.problems[task.key]
        self._set(task.key, "failed")

    def _joining(self, task: Any) -> None:
        self._tell_film("joining the clips")

    def _joined(self, task: Any) -> None:
        self._tell_film("made")

    def _film_failed(self, task: Any, error: BaseException) -> None:
        self.failures["film"] = str(error) or type(error).__name__
        self._tell_film("failed")

    def _set(self, key: str, what: str) -> None:
        with self._lock:
            if key not in self._rows or self._rows[key] == what:
                return
            self._rows[key] = what
            self._since.setdefault(key, time.monotonic())
        if self._live is None:
            self._console.print(f"{self._names[key]}: {what}", highlight=False, markup=False)

    def _tell_film(self, what: str) -> None:
        self._film = what
        if self._live is None:
            self._console.print(f"film: {what}", highlight=False, markup=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        with self._lock:
            rows = list(self._rows.items())
        for key, what in rows:
            table.add_row(self._names[key], *self._cells(key, what))
        table.add_row("film", _mark(self._film), Text(self._film))
        return table

    def _cells(self, key: str, what: str) -> tuple[Any, Text]:
        waits = self._waits[key]
        if what == Made.TO_MAKE and waits:
            return Text("·"), Text(f"waits for {waits}", style="dim")
        since = self._since.get(key)
        running = what not in ("made", "failed") and since is not None
        seconds = f"  {time.monotonic() - since:.0f} s" if running and since is not None else ""
        return _mark(what), Text(what + seconds, style=_style(what))


def _mark(what: str) -> Any:
    if what == "made":
        return Text("✓", style="green")
    if what in ("failed", "refused", "in doubt"):
        return Text("✗", style="red")
    if what in ("to make", "waiting for the clips"):
        return Text("·", style="dim")
    return Spinner("dots")


def _style(what: str) -> str:
    return {"made": "green", "failed": "red", "to make": "dim"}.get(what, "")
