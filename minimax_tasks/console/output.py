"""Standard output and standard error as rich writes on them: a terminal or a pipe, in any encoding."""

import os
import sys
from typing import Any, TextIO

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table
from rich.text import Text

from minimax_tasks.console.streams import READABLE, is_unicode

PIPE_WIDTH = 200
"""Columns of a file or a pipe, which has room for whole tables."""

_CONTROLS = {
    number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160)) if chr(number) not in "\t\n"
} | {number: f"\\u{number:04x}" for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""What moves the cursor, recolours the terminal or turns the direction of the text around."""


def fitting(text: str, encoding: str | None) -> str:
    """The text as the stream will show it, so that its width can be known. No control reaches a terminal."""
    text = text.translate(_CONTROLS)
    if text.isascii() or is_unicode(encoding):
        return text
    try:
        return text.encode(encoding or "ascii", READABLE).decode(encoding or "ascii")
    except (LookupError, UnicodeError):
        return text.encode("ascii", READABLE).decode("ascii")


class Output(Console):
    """A rich console that takes every text as it is: no markup, no colours of its own, no emoji codes."""

    def __init__(
        self,
        file: TextIO | None = None,
        *,
        stderr: bool = False,
        width: int | None = None,
        height: int | None = None,
        record: bool = False,
        force_terminal: bool | None = None,
    ) -> None:
        super().__init__(
            file=file,
            stderr=stderr,
            width=width,
            height=height,
            record=record,
            force_terminal=force_terminal,
            markup=False,
            highlight=False,
            emoji=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """A text as the stream can show it, which tables measure."""
        return super().render_str(self.fit(text), **options)

    def fit(self, text: str) -> str:
        """A text as the stream can show it, for what is put together with styles."""
        return fitting(text, self.encoding)

    def can(self, text: str) -> bool:
        """Whether the stream shows this text as it is."""
        return self.fit(text) == text

    def whole(self, text: str, style: str | None = None) -> None:
        """One line, whole, for what somebody copies or a program reads."""
        self.print(text, soft_wrap=True, style=style)

    def warn(self, text: str) -> None:
        """A sentence that warns."""
        self.sentence(f"warning: {text}", "yellow")

    def sentence(self, text: str, style: str | None = None) -> None:
        """What somebody reads: whole in a pipe, on a terminal wrapped at words below its first word."""
        if not self.is_terminal:
            self.whole(text, style)
            return
        for paragraph in text.splitlines():
            lines = self.render_str(paragraph).wrap(self, max(20, self.width - 2))
            for number, line in enumerate(lines):
                self.whole(("  " if number else "") + line.plain.rstrip(), style)


def ruled_table(title: str) -> Table:
    """A table with a line under its head and over its sum, and with no edge."""
    return Table(
        title=title,
        caption_justify="left",
        show_footer=True,
        box=HORIZONTALS,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def standard_output() -> Output:
    """Standard output; a file or a pipe has room for whole tables."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return Output(width=None if terminal or "COLUMNS" in os.environ else PIPE_WIDTH)


def standard_error() -> Output:
    """Standard error."""
    return Output(stderr=True)


def say(text: str) -> None:
    """One line on standard output, whole."""
    standard_output().whole(text)


def tell(text: str) -> None:
    """One line on standard error, whole."""
    standard_error().whole(text)
