"""The wheel, installed alone in an empty environment, renders a board."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Picture
from tests.storyboard.boards import HARBOUR, write_board

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(REPOSITORY)],
        check=True,
        capture_output=True,
    )
    (built,) = dist.glob("*.whl")
    return built


def test_the_wheel_alone_renders_a_board(wheel: Path, tmp_path: Path, picture: Picture) -> None:
    environment = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = environment / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True)
    picture("refs/pier.png")
    picture("refs/boat.png")
    board = write_board(tmp_path, HARBOUR)
    done = subprocess.run(
        [environment / "bin/minimax-tasks", "render", board, "--sandbox", "--scale", "90P"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "minimax-output/films/harbour/film.mp4").stat().st_size > 10_000


def test_the_wheel_brings_its_fixture_to_pytest(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    words = ["install", "--quiet", "--no-deps", "--target", str(place), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    theirs = tmp_path / "tests" / "test_theirs.py"
    theirs.parent.mkdir()
    theirs.write_text("def test_it(minimax_sandbox):\n    assert minimax_sandbox.ledger() == []\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=theirs.parent,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
