"""The fixture that others get, in a pytest run of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent

THEIR_TESTS = """
import os, sys

LOADED_BY_PYTEST = [name for name in sys.modules if name.split(".")[0] in ("minimax_tasks", "luigi")]

import pytest

def test_the_plugin_alone_loads_nothing():
    assert LOADED_BY_PYTEST == []

@pytest.mark.parametrize("run", [1, 2])
def test_a_clip_is_made(minimax_sandbox, run):
    from minimax_tasks import TextToVideo, build
    assert build([TextToVideo(prompt="A lighthouse at dusk")], log_level="ERROR")
    (task,) = minimax_sandbox.ledger()
    assert (task["status"], task["downloads"]) == ("Success", 1)

@pytest.mark.minimax_sandbox(faults=[{"at": "task", "fail": 1027}], key="s3cret")
def test_a_clip_that_is_moderated_fails(minimax_sandbox):
    from minimax_tasks import TextToVideo, build
    assert not build([TextToVideo(prompt="A lighthouse at dusk")], log_level="CRITICAL")

def test_nothing_is_left_of_it():
    assert not [name for name in os.environ if name.startswith("MINIMAX_")]
"""


@pytest.mark.slow
def test_a_test_of_somebody_else_gets_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TESTS)
    words = ["-p", "minimax_tasks_pytest", "--strict-markers", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout
    assert not (tmp_path / "minimax-output").exists()
