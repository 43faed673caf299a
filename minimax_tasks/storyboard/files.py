"""Reading a board, and its own templates beside it."""

from pathlib import Path

from minimax_tasks.errors import BoardError, IsFolder, UnreadableReference
from minimax_tasks.redaction import shown
from minimax_tasks.storage.references import read

BOARD_LIMIT = 10_000_000
"""Bytes. A thousand shots have about 0.2 MB."""


def read_text(path: str) -> str:
    """The text of a board that is local, on the web or on a storage. Raises `BoardError`."""
    try:
        return read(path, BOARD_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError:
        why = "this is not UTF-8 text"
    except IsFolder:
        why = "this is a folder; give the storyboard file in it"
    except UnreadableReference as error:
        why = str(error)
    raise BoardError([f"{shown(path)}: {why}"])


def template_folder(folder: str) -> Path | None:
    """The board's own templates, `prompt_templates/` beside it; None when it has none."""
    own = Path(folder) / "prompt_templates"
    return own if "://" not in folder and own.is_dir() else None
