"""The quick tests on each Python that the package supports.

    python -m tests.matrix [--only 3.12-lowest]... [PYTEST MARKS [PYTEST WORDS]]

For every Python from 3.11 to 3.14 that is found on this machine: once with the newest dependencies and once with
the lowest that pyproject.toml allows. `--only` runs one cell of these, named as in the table at the end: what passed,
and loudly what was not found.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
REPOSITORY = Path(__file__).parent.parent
ENVIRONMENTS = REPOSITORY / ".venv-matrix"
NOT_NEEDED = ("schemathesis", "mypy", "ruff", "import-linter", "hypercorn", "h2", "types-PyYAML")
"""What of the extra `dev` no quick test asks for; the rest is installed, the newest that goes with what is tested."""

EXTRAS = ("s3", "azure", "dataset")
"""Those of the package that the quick tests need."""

RESOLUTIONS = {"newest": "highest", "lowest": "lowest-direct"}
"""What a cell is called by -> how uv chooses its dependencies."""

CELLS = tuple(f"{version}-{which}" for version in PYTHONS for which in RESOLUTIONS)

PATIENCE = 1800
"""Seconds after which a run of the tests counts as hanging."""

TEST_PATIENCE = 600
"""Seconds after which it is shown where one test is."""


def main() -> int:
    """Run everything and print a table; the number of runs that failed."""
    options, words = _options()
    cells = options.only or CELLS
    versions = dict.fromkeys(cell.partition("-")[0] for cell in cells)
    found = {version: python for version in versions if (python := find_python(version))}
    results: list[tuple[str, str]] = []
    for cell in cells:
        version, _, which = cell.partition("-")
        if version in found:
            print(f"== Python {cell}: {found[version]}", flush=True)
            results.append((cell, run(found[version], version, RESOLUTIONS[which], options.marks, words)))
    print()
    for cell, result in results:
        print(f"Python {cell:13} {result}")
    for version in versions:
        if version not in found:
            print(f"Python {version:13} NOT FOUND on this machine: NOT TESTED")
    # A cell that was asked for by name and is not there is a failure; a whole matrix is of what there is.
    missing = sum(cell.partition("-")[0] not in found for cell in options.only or ())
    return missing + sum(not result.startswith("passed") for _, result in results)


def _options() -> tuple[argparse.Namespace, list[str]]:
    """What was asked for, and the words for pytest."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--only", action="append", choices=CELLS, help="one cell; may be given several times")
    parser.add_argument("marks", nargs="?", default="not slow")
    return parser.parse_known_args()


def find_python(version: str) -> str | None:
    """The path of an interpreter of this version that really starts."""
    for candidate in _candidates(version):
        try:
            told = subprocess.run(
                [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        number, _, executable = told.stdout.strip().partition(" ")
        if number == version:
            return executable
    return None


def _candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))
    yield from (str(path) for path in Path("/opt").glob(f"python{version}*/bin/python{version}"))
    if os.name == "nt":
        told = subprocess.run(
            ["py", f"-{version}", "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        )
        yield told.stdout.strip() or f"python{version}"


def run(python: str, version: str, resolution: str, marks: str, words: list[str]) -> str:
    """Make a fresh environment, install into it and run the tests; "passed …" or what went wrong."""
    began = time.monotonic()
    place = ENVIRONMENTS / f"{version}-{resolution}"
    inside = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    tested = place / "tested.txt"
    uv = [sys.executable, "-m", "uv"]
    # uv's own Pythons would come from elsewhere; what counts is what is on the machine.
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PYTHONPATH": str(REPOSITORY)}
    install = [*uv, "pip", "install", "--quiet", "--python", str(inside)]
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    choose = [*uv, "pip", "compile", "--quiet", "--python", str(inside), *extras, "pyproject.toml"]
    pytest = [str(inside), "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", "-p", "no:cacheprovider"]
    pytest += ["-o", f"faulthandler_timeout={TEST_PATIENCE}"]
    steps = (
        ("make the environment", [*uv, "venv", "--quiet", "--clear", "--python", python, str(place)]),
        ("choose the dependencies", [*choose, "--resolution", resolution, "--output-file", str(tested)]),
        ("install", [*install, "--requirements", str(tested), "-e", "."]),
        # What the tools would like newer stays as it is: it is what is tested.
        ("install the tools", [*install, "--constraints", str(tested), *tools()]),
        ("tests", [*pytest, "-m", marks, *words]),
    )
    for name, command in steps:
        try:
            done = subprocess.run(command, cwd=REPOSITORY, env=environment, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return f"HANGS: {name} took over {PATIENCE} s"
        if done.returncode:
            return f"FAILED: {name}"
    return f"passed in {time.monotonic() - began:.0f} s"


def tools() -> list[str]:
    """The requirements of the quick tests beside the package, as pyproject.toml has them."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    known = {re.match(r"[\w.-]+", line)[0]: line for line in project["optional-dependencies"]["dev"]}
    return [line for name, line in known.items() if name not in NOT_NEEDED]


if __name__ == "__main__":
    sys.exit(main())
