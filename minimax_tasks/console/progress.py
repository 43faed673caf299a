"""Live progress of a render: on a terminal what runs, elsewhere two plain lines for each clip.

A terminal has few lines, and a film may have hundreds of clips: what is made, what waits and what failed folds
into one line each, so that what runs, the film and the sum stay in sight.
"""

import time
from collections.abc import Mapping, Sequence
from enum import Enum

from rich.spinner import Spinner
from rich.text import Text

from minimax_tasks.clips.state import ClipState, ClipStatus
from minimax_tasks.console.live import LiveProgress
from minimax_tasks.console.messages import worded
from minimax_tasks.console.output import Output
from minimax_tasks.console.price import of_price
from minimax_tasks.storyboard.plan import Plan

_WORDS = {"submit": "submitting", "poll": "generating", "download": "downloading"}
_DONE = {"submit": "submitted", "poll": "generated", "download": "made"}


class _Kind(Enum):
    """What a row is, in the order in which the rows stand."""

    MADE = "made"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"


_KINDS = {
    str(ClipStatus.MADE): _Kind.MADE,
    str(ClipStatus.FAILED): _Kind.FAILED,
    str(ClipStatus.REFUSED): _Kind.FAILED,
    str(ClipStatus.IN_DOUBT): _Kind.FAILED,
    str(ClipStatus.UNCHECKED): _Kind.FAILED,
    str(ClipStatus.TO_MAKE): _Kind.WAITING,
}
"""All other states are of clips that are under way."""

_STYLES = {_Kind.MADE: "green", _Kind.FAILED: "red", _Kind.RUNNING: "", _Kind.WAITING: "dim"}
_MARKS = {_Kind.MADE: "✓", _Kind.FAILED: "✗", _Kind.WAITING: "·"}

_UNPAID = {str(ClipStatus.TO_MAKE), str(ClipStatus.REFUSED), "submitting"}
_NO_FILM_YET = "waiting for the clips"

_Row = tuple[Spinner | Text, str, Text]
"""A mark, a name, and what is said of it."""


class RenderProgress(LiveProgress):
    """Shows what the stages of one render do. `failures` has what went wrong, by segment."""

    vertical_overflow = "crop"

    def __init__(
        self, console: Output, plan: Plan, states: Mapping[str, ClipState], *, paid: bool = True
    ) -> None:
        """`paid` is False for a sandbox, which takes nothing."""
        super().__init__(console, paid=paid)
        self._rows = {segment.key: str(states[segment.key].status) for segment in plan.segments}
        self._names: dict[str, str] = {}
        for shot in plan.shots:
            for segment in shot.segments:
                name = f"shot {segment.shot}" + (f" take {segment.take}" if len(shot.segments) > 1 else "")
                same = self._names.get(segment.key)
                self._names[segment.key] = f"{same} and {name}" if same else name
        self._usd = {segment.key: segment.clip.request.usd for segment in plan.segments}
        self._spent = {key for key, what in self._rows.items() if what not in _UNPAID}
        self._waits = {s.key: ", ".join(other.shot for other in s.after) for s in plan.segments}
        self._since: dict[str, float] = {}
        self._film = _NO_FILM_YET
        self.failures: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        """The same by clip key."""

    def stage_started(self, stage: str, key: str) -> None:
        """A stage ("submit", "poll" or "download") of a clip began."""
        self._set(key, _WORDS[stage])

    def stage_done(self, stage: str, key: str) -> None:
        """A stage came to its end."""
        if stage == "submit":
            self._spent.add(key)
        self._set(key, _DONE[stage])
        if stage == "download":
            self._tell(key, "made")

    def stage_status(self, stage: str, key: str, status: str) -> None:
        """A stage has news; the first of a clip that is paid for is `task …`."""
        self._set(key, f"{_WORDS[stage]}: {status}")
        if stage == "submit" and status.startswith("task "):
            self._spent.add(key)
            self._tell(key, f"submitted, {status}")

    def stage_failed(self, stage: str, key: str, error: BaseException) -> None:
        """A stage failed."""
        with self._lock:
            self.problems[key] = worded(error)
            self.failures[self._names.get(key, key)] = self.problems[key]
        self._set(key, "failed")
        self._tell(key, f"failed: {self.problems[key]}")

    def film_started(self) -> None:
        """The clips are being joined."""
        self._tell_film("joining the clips")

    def film_done(self) -> None:
        """The film is there."""
        self._tell_film("made")

    def film_failed(self, error: BaseException) -> None:
        """The film could not be joined."""
        self.failures["film"] = worded(error)
        self._tell_film("failed")

    def _set(self, key: str, what: str) -> None:
        with self._lock:
            if key in self._rows and self._rows[key] != what:
                self._rows[key] = what
                self._since.setdefault(key, time.monotonic())

    def _tell(self, key: str, what: str) -> None:
        """A line for readers of a pipe or a log; a terminal shows the same in its rows."""
        if self._live is None and key in self._names:
            self._console.whole(f"{self._names[key]}: {what}")

    def _tell_film(self, what: str) -> None:
        self._film = what
        if self._live is None:
            self._console.whole(f"film: {what}")

    def sum_line(self) -> str:
        """`5 of 14 · 1:20 · $1.68 of $4.48`: clips that are made, time, what is paid of what all of it costs."""
        made = sum(what == ClipStatus.MADE for what in self._rows.values())
        return self._sum(f"{made} of {len(self._rows)}", of_price(self._usd, self._spent))

    def rows(self) -> list[_Row]:
        """As many rows as the terminal has lines: what runs stays in sight, all else folds when it must."""
        room = max(4, self._console.height - 1) - 2  # the film and the sum
        return [*self._fitted(room), self._film_row()]

    def _fitted(self, room: int) -> list[_Row]:
        with self._lock:
            rows = dict(self._rows)
        of_kind: dict[_Kind, list[str]] = {kind: [] for kind in _Kind}
        for key, what in rows.items():
            of_kind[_KINDS.get(what, _Kind.RUNNING)].append(key)
        made, failed, running, waiting = (of_kind[kind] for kind in _Kind)
        room -= bool(made)
        folded = {_Kind.MADE}
        if len(failed) + len(running) + len(waiting) > room:
            folded.add(_Kind.WAITING)
        if len(failed) + len(running) + bool(waiting) > room:
            folded.add(_Kind.FAILED)
        shown: list[_Row] = []
        for kind, keys in of_kind.items():
            if kind in folded:
                shown += [self._folded(kind, keys)] if keys else []
                continue
            left = room - bool(waiting) - bool(failed)
            if kind is _Kind.RUNNING and folded >= {_Kind.FAILED, _Kind.WAITING} and len(keys) > left:
                keep = max(1, left - 1)
                shown += [self._row(kind, key, rows[key]) for key in keys[:keep]]
                shown.append((self._spinner, "", Text(f"and {len(keys) - keep} more", style="dim")))
                continue
            shown += [self._row(kind, key, rows[key]) for key in keys]
        return shown[max(0, len(shown) - room - bool(made)) :]

    def _folded(self, kind: _Kind, keys: Sequence[str]) -> _Row:
        """Many clips in one line: `✓ 12 made  010, 020 …`."""
        names = ", ".join(self._names[key].removeprefix("shot ") for key in keys)
        word = "to make" if kind is _Kind.WAITING else kind.value
        return self._mark(kind), f"{len(keys)} {word}", self._text(names, "dim")

    def _row(self, kind: _Kind, key: str, what: str) -> _Row:
        waits = self._waits[key]
        if kind is _Kind.WAITING and waits:
            what = f"waits for {waits}"
        elif kind is _Kind.FAILED and key in self.problems:
            what = f"failed: {' '.join(self.problems[key].split())}"
        elif kind is _Kind.RUNNING and key in self._since:
            what = f"{what}  {time.monotonic() - self._since[key]:.0f} s"
        return self._mark(kind), self._names[key], self._text(what, _STYLES[kind])

    def _film_row(self) -> _Row:
        kind = {"made": _Kind.MADE, "failed": _Kind.FAILED, _NO_FILM_YET: _Kind.WAITING}.get(
            self._film, _Kind.RUNNING
        )
        return self._mark(kind), "film", self._text(self._film, _STYLES[kind])

    def _mark(self, kind: _Kind) -> Spinner | Text:
        """One spinner for all, since each begins to turn when it is first drawn."""
        if kind is _Kind.RUNNING:
            return self._spinner
        return self._text(_MARKS[kind], _STYLES[kind])
