"""The wheel, installed alone in an empty environment, renders a board."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import Picture
from tests.storyboard.boards import HARBOUR, write_board

REPOSITORY = Path(__file__).parent.parent


def test_the_wheel_alone_renders_a_board(tmp_path: Path, picture: Picture) -> None:
    dist = tmp_path / "dist"
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(REPOSITORY)],
        check=True,
        capture_output=True,
    )
    (wheel,) = dist.glob("*.whl")
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
