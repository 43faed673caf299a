"""A process with a sandbox in it may fork: no thread of the sandbox holds the lock of a module that it imports.

A child would wait for that lock for ever. Luigi's own worker forks as soon as it has several workers.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Picture

pytestmark = pytest.mark.slow

WATCH = """
import subprocess, sys, threading

seen = []

class Watch:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread():
            seen.append(name)

sys.meta_path.insert(0, Watch)
from minimax_tasks.sandbox import Sandbox

with Sandbox(latency=0, scale="90P") as sandbox:
    seen.clear()
    subprocess.run([sys.executable, "-W", "ignore", "-c", sys.argv[1], sandbox.url], check=True)
    sandbox.ledger()
print([name for name in seen if name in sys.modules])
"""

USE = """
import os, sys
os.environ |= {"MINIMAX_API_KEY": "k", "MINIMAX_BASE_URL": sys.argv[1]}
import minimax_tasks as mm
clips = [
    mm.TextToVideo(prompt="Rain.", root="out"),
    mm.TextToVideo(prompt="雨。", root="out"),
    mm.ImageToVideo(prompt="Sun.", first_frame_image="a.png", root="out"),
    mm.StartEndToVideo(prompt="Wind.", first_frame_image="a.png", last_frame_image="b.jpg", root="out"),
]
assert mm.build(clips)
"""


def test_a_running_sandbox_imports_nothing_in_its_threads(picture: Picture) -> None:
    picture("a.png", "teal")
    picture("b.jpg", "orange")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCH, USE],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
