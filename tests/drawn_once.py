"""Makes what tests look at again and again once, for all processes that run them: clips, and what a report shows of them.

A clip is a function of what is asked for, and its previews are one of the clip. What a test sees is the same bytes,
in a file of its own.
"""

import hashlib
import os
import pickle
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

DRAWN = "TESTS_DRAWN_CLIPS"
"""Environment variable with the folder of what is made already."""


def written_once(path: Path, asked: tuple[Any, ...], write: Callable[[], None]) -> None:
    """Have `path` hold what `write` writes to it, or what it wrote when the same was `asked` before, by any process."""
    kept = Path(os.environ[DRAWN]) / f"{hashlib.sha256(repr(asked).encode()).hexdigest()}{path.suffix}"
    if kept.exists():
        shutil.copyfile(kept, path)
        return
    write()
    _keep(path.read_bytes(), kept)


def _keep(data: bytes, kept: Path) -> None:
    part = kept.with_name(f"{uuid.uuid4().hex}.part")
    part.write_bytes(data)
    os.replace(part, kept)


def draw_once(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the sandboxes and reports of this process take from the folder what any process drew."""
    from minimax_tasks.sandbox import engine
    from minimax_tasks.sandbox.drawing.draw_clip import Rendered, draw_clip
    from minimax_tasks.storyboard.report import previews

    make = previews._make

    def drawn(path: Path, **asked: Any) -> Rendered | None:
        looks = {name: value for name, value in asked.items() if name != "wanted"}
        kept = folder / f"{_digest(looks)}.mp4"
        if kept.exists():
            shutil.copyfile(kept, path)
            return None
        rendered = draw_clip(path, **asked)
        _keep(path.read_bytes(), kept)
        return rendered

    def previewed(path: str | Path) -> previews.ClipPreviews:
        kept = folder / f"{hashlib.sha256(Path(path).read_bytes()).hexdigest()}.previews"
        if not kept.exists():
            _keep(pickle.dumps(make(path)), kept)
        made: previews.ClipPreviews = pickle.loads(kept.read_bytes())
        return made

    patch.setattr(engine, "draw_clip", drawn)
    patch.setattr(previews, "_make", previewed)


def draw_each(patch: pytest.MonkeyPatch) -> None:
    """Have the sandboxes of this process draw each clip, as they do without tests."""
    from minimax_tasks.sandbox import engine
    from minimax_tasks.sandbox.drawing.draw_clip import draw_clip

    patch.setattr(engine, "draw_clip", draw_clip)


def draw_one_of_each_shape(patch: pytest.MonkeyPatch) -> None:
    """Have the sandboxes of this process draw clips of one take, size and length alike, for tests that do not look at them."""
    from minimax_tasks.sandbox import engine

    drawn = engine.draw_clip

    def alike(path: Path, **asked: Any) -> Any:
        shape = asked["first"] or asked["last"]
        if shape is not None and asked["aspect"] is None:
            asked["aspect"] = shape.width / shape.height
        return drawn(
            path,
            **asked | {"prompt": "A pier", "references": []} | dict.fromkeys(("first", "last", "subject")),
        )

    patch.setattr(engine, "draw_clip", alike)


def _digest(asked: dict[str, Any]) -> str:
    said = [(name, _said(value)) for name, value in sorted(asked.items())]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _said(value: Any) -> Any:
    if isinstance(value, Image.Image):
        return value.mode, value.size, hashlib.sha256(value.tobytes()).hexdigest()
    return [_said(one) for one in value] if isinstance(value, list) else value
