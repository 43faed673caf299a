"""The wheel, installed alone in an empty environment, renders a board."""

import email
import os
import re
import subprocess
import sys
import tarfile
import zipfile
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
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    python = environment / "bin/python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, str(wheel)], check=True)
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


def test_what_an_index_shows_has_no_relative_addresses(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith("METADATA"))
        metadata = email.message_from_bytes(files.read(name))
    shown = metadata.get_payload()
    assert "![" in shown
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", shown) == []
    assert {line.partition(",")[0] for line in metadata.get_all("Project-URL")} >= {"Repository", "Changelog"}
    assert metadata["Author"]
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= set(
        metadata.get_all("Classifier")
    )


def test_the_tests_run_from_the_source_distribution(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--outdir", str(tmp_path), str(REPOSITORY)],
        check=True,
        capture_output=True,
    )
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as files:
        files.extractall(tmp_path, filter="data")
    (place,) = (path for path in tmp_path.iterdir() if path.is_dir())
    for name in ("docs/wide.jpg", "mkdocs.yml", "CONTRIBUTING.md", "CHANGELOG.md", ".pre-commit-config.yaml"):
        assert (place / name).exists(), name
    collected, ran = (
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
        for words in (["--collect-only"], ["tests/api/test_catalogue.py", "tests/test_cli.py"])
    )
    assert collected.returncode == 0, collected.stdout[-2000:]
    assert ran.returncode == 0, ran.stdout[-2000:]
