"""Makes what tests look at again and again once: the clips of sandboxes, and what a report shows of a clip.

A clip is a function of what is asked for, and its previews are one of the clip. What a test sees is the same bytes,
in a file of its own.
"""

import hashlib
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

DRAWN = "TESTS_DRAWN_CLIPS"
"""Environment variable with the folder of the clips that are drawn already."""


def draw_once(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the sandboxes of this process take from the folder what any process drew, and keep the previews here."""
    from minimax_tasks.sandbox import engine
    from minimax_tasks.sandbox.drawing.draw_clip import Rendered, draw_clip
    from minimax_tasks.storyboard.report import previews

    make, made = previews._make, dict[str, previews.ClipPreviews]()

    def drawn(path: Path, **asked: Any) -> Rendered | None:
        kept = folder / f"{_digest(asked)}.mp4"
        if kept.exists():
            shutil.copyfile(kept, path)
            return None
        rendered = draw_clip(path, **asked)
        part = folder / f"{uuid.uuid4().hex}.part"
        shutil.copyfile(path, part)
        os.replace(part, kept)
        return rendered

    def previewed(path: str | Path) -> previews.ClipPreviews:
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        if digest not in made:
            made[digest] = make(path)
        return made[digest]

    patch.setattr(engine, "draw_clip", drawn)
    patch.setattr(previews, "_make", previewed)


def draw_each(patch: pytest.MonkeyPatch) -> None:
    """Have the sandboxes of this process draw each clip, as they do without tests."""
    from minimax_tasks.sandbox import engine
    from minimax_tasks.sandbox.drawing.draw_clip import draw_clip

    patch.setattr(engine, "draw_clip", draw_clip)


def _digest(asked: dict[str, Any]) -> str:
    said = [(name, _said(value)) for name, value in sorted(asked.items())]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _said(value: Any) -> Any:
    if isinstance(value, Image.Image):
        return value.mode, value.size, hashlib.sha256(value.tobytes()).hexdigest()
    return [_said(one) for one in value] if isinstance(value, list) else value
