"""What is shown while something runs: on a terminal a screen that moves, elsewhere a sum at the end."""

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.live_render import VerticalOverflowMethod
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from minimax_tasks.console.output import Output

NOTHING_PAID = "drawn by a sandbox: nothing is paid"


class LiveProgress:
    """How far a run has come. What is special about it are its `rows` and its `sum_line`."""

    vertical_overflow: VerticalOverflowMethod = "ellipsis"
    """What becomes of a screen that is higher than the terminal."""

    def __init__(self, console: Output, *, paid: bool) -> None:
        """`paid` is False for a sandbox, which takes nothing."""
        self._console = console
        self._paid = paid
        self._began = time.monotonic()
        self._spinner = Spinner("dots" if console.can("⠋") else "line")
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self.screen,
                console=self._console,
                refresh_per_second=8,
                vertical_overflow=self.vertical_overflow,
            )
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
        else:
            self._console.whole(self.sum_line())

    def sum_line(self) -> str:
        """All of it in one line."""
        raise NotImplementedError

    def rows(self) -> Iterable[tuple[RenderableType, str, RenderableType]]:
        """A mark, a name, and what is said of it, for each line above the sum."""
        raise NotImplementedError

    def screen(self) -> Group:
        """The rows, and the sum."""
        grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
        grid.add_column(width=1)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for row in self.rows():
            grid.add_row(*row)
        total = Text(self._console.fit(self.sum_line()), style="bold", no_wrap=True, overflow="ellipsis")
        return Group(grid, total)

    def _sum(self, clips: str, price: str) -> str:
        """`5 of 14 · 1:20 · $1.68 of $4.48`: clips that are made, time, what is paid of what all of it costs."""
        return " · ".join(
            (clips, clock(time.monotonic() - self._began), price if self._paid else NOTHING_PAID)
        )

    def _text(self, text: str, style: str) -> Text:
        return Text(self._console.fit(text), style=style)


def clock(seconds: float) -> str:
    """`1:20`, or with hours `2:01:20`."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
