"""A service whose clips are ready when the test says so, and what has to be true of them in the end."""

import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from minimax_tasks.sandbox import Sandbox, engine
from minimax_tasks.sandbox.http import app
from minimax_tasks.video.probe import probe
from tests.conftest import point_at

GENERATION = 3600.0
"""Seconds that a clip takes: none is ready before the test moves the clock."""


class HeldService:
    """A sandbox whose clock stands still, as far as its clips go, and the root that its clips go to."""

    def __init__(self, sandbox: Sandbox, root: Path, clock: types.SimpleNamespace) -> None:
        self.sandbox = sandbox
        self.root = root
        self._clock = clock

    @property
    def submitted(self) -> int:
        """How many clips are under way: paid, and their task ids written down."""
        return len(list(self.root.glob("clips/*/submission.json")))

    @property
    def made(self) -> int:
        """How many clips are on storage."""
        return len(list(self.root.glob("clips/*/video.mp4")))

    def let_go(self) -> None:
        """All clips are ready from now on."""
        self._clock.ahead = 2 * GENERATION

    def check(self, clips: int) -> None:
        """Every clip was paid once and is on storage, whole."""
        entries = self.sandbox.ledger()
        paid = Counter(entry["request"]["prompt"] for entry in entries)
        assert (len(entries), len(paid), set(paid.values())) == (clips, clips, {1})
        assert not any(entry["leaked_key"] for entry in entries)
        videos = list(self.root.glob("clips/*/video.mp4"))
        assert len(videos) == clips
        for video in videos:
            assert probe(str(video), "header").ok


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldService]:
    """A held service, with the settings pointed at it."""
    import time

    clock = types.SimpleNamespace(ahead=0.0, monotonic=time.monotonic)
    clock.time = lambda: time.time() + clock.ahead
    monkeypatch.setattr(app, "time", clock)
    monkeypatch.setattr(engine, "time", clock)
    root = tmp_path / "root"
    with Sandbox(latency=GENERATION, scale="90P") as sandbox:
        point_at(monkeypatch, sandbox.url)
        monkeypatch.setenv("MINIMAX_ROOT", str(root))
        yield HeldService(sandbox, root, clock)
