"""Names under which files are written before they are whole: hidden, and telling whose they are."""

import os
import re
from collections.abc import Iterable

from minimax_tasks.storage import owner

_DRAFT = re.compile(r"\.(?P<name>.+)\.[0-9a-f-]+\.part")

_NAME_BYTES = 60
"""Bytes of a file's name that its draft's name repeats: names have a limit."""


def draft_name(name: str) -> str:
    """A name that nobody else writes to, hidden, and telling whose it is."""
    begin = name.encode()[:_NAME_BYTES].decode(errors="ignore")
    return f".{begin}.{owner.my_token()}-{os.urandom(4).hex()}.part"


def is_draft(path: str) -> bool:
    """Whether a file is one that its writer has not published."""
    return bool(_DRAFT.fullmatch(path.rpartition("/")[2]))


def drafts_of(name: str, names: Iterable[str]) -> list[str]:
    """Of the names in a folder those of drafts of a file: a writer that died may have written the whole of it."""
    return sorted(draft for draft in names if (found := _DRAFT.fullmatch(draft)) and found["name"] == name)
