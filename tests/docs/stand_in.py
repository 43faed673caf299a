"""Stands for a program on the pages of the docs: `stand_in.py PROGRAM ARGUMENT …`.

`minimax-tasks`, `luigi` and `python` are the real ones. `make` is asked whether it knows the target; `pip`
and `git` are not run, since what they would fetch is not here.
"""

import os
import subprocess
import sys


def command(program: str, arguments: list[str]) -> list[str]:
    """The command to run instead; an empty one does nothing."""
    real = {"python": [], "python3": [], "luigi": ["-m", "luigi"], "minimax-tasks": ["-m", "minimax_tasks"]}
    if program in ("python", "python3") and arguments[:2] in (["-m", "venv"], ["-m", "pip"]):
        return []
    if program in real:
        return [sys.executable, *real[program], *arguments]
    if program == "make":
        return ["/usr/bin/make", "--dry-run", "--silent", *arguments]
    return []


if __name__ == "__main__":
    asked = command(sys.argv[1], sys.argv[2:])
    if not asked:
        sys.exit(0)
    if sys.argv[1] == "make":
        sys.exit(subprocess.run(asked, stdout=subprocess.DEVNULL, check=False).returncode)
    os.execv(asked[0], asked)
