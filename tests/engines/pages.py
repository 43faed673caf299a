"""The files and commands of an engine's page, for its tests to use as a reader would."""

import re
from pathlib import Path

from tests.docs.pages import REPOSITORY, Block, blocks

FILE = re.compile(r"[\w./-]+\.\w+")
"""A title that is the name of a file."""


def page_of(engine: str) -> Path:
    """The page of an engine."""
    return REPOSITORY / f"docs/engines/{engine}.md"


def write_files(engine: str, folder: Path) -> dict[str, Block]:
    """Write the page's files into a folder; returns the blocks by their names."""
    files = {block.title: block for block in blocks(page_of(engine)) if FILE.fullmatch(block.title)}
    for name, block in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    return files


def commands(engine: str, *, beginning: str) -> list[str]:
    """The command lines of the page that begin with this, as they stand there."""
    lines = [
        line
        for block in blocks(page_of(engine))
        if block.language == "sh"
        for line in block.text.splitlines()
    ]
    found = [line for line in lines if line.startswith(beginning)]
    assert found, f"{page_of(engine)} has no line that begins with {beginning!r}"
    return found
