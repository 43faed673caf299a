"""Machines that lack something, made of this one: its file systems read-only, no fonts, no home, a user without a name,
and two containers on one root.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minimax_tasks.sandbox import Sandbox
from tests.storyboard.boards import write_board

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parent.parent
CONTAINER = ("unshare", "--mount", "--pid", "--fork", "--mount-proc")
IN_A_CONTAINER = (
    *CONTAINER,
    *(() if os.name == "nt" or os.geteuid() == 0 else ("--user", "--map-root-user")),
)
NAMELESS = ("unshare", "--user", "--map-user=12345", "--map-group=12345")

BARE = """
writable=$1; shift
mount --bind "$writable" "$writable" || exit 99
while read -r _ place kind _; do
    case "$place" in "$writable" | /proc* | /sys* | /dev/pts) ;; *) mount -o remount,bind,ro "$place" ;; esac
done < /proc/self/mounts 2>/dev/null
for place in /usr/share/fonts /usr/local/share/fonts; do
    if [ -d "$place" ]; then mount -t tmpfs -o ro none "$place"; fi
done
for place in /tmp /var/tmp /dev/shm /usr "$HOME" .; do
    if touch "$place/written" 2>/dev/null; then echo "$place can be written to"; exit 99; fi
done
exec "$@"
"""
"""Makes all that can be seen read-only but one folder, takes the fonts away, and goes on as a command."""

WIDE = """\
    title: 港口
    shots:
      - {id: "010", prompt: "雾散了，船离开码头。"}
      - {id: "020", action: She waits., camera: push in}
    """


def can(*words: str) -> bool:
    return bool(shutil.which("unshare")) and subprocess.run([*words, "true"], check=False).returncode == 0


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if not can(*IN_A_CONTAINER, *NAMELESS):
        pytest.skip("BARE MACHINES NOT TRIED: this user may make no namespaces here")


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    folder = tmp_path / "writable"
    folder.mkdir()
    return folder


def bare(writable: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a bare machine, as somebody who has no name, no home and no environment."""
    done = subprocess.run(
        [*IN_A_CONTAINER, "sh", "-c", BARE, "sh", writable, "env", "-u", "HOME", *NAMELESS, *map(str, words)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(Path.home()),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 99, done.stdout
    return done


def minimax_tasks(*words: object) -> tuple[object, ...]:
    return (sys.executable, "-m", "minimax_tasks", *words)


def test_a_film_without_fonts_home_shared_memory_and_name(tmp_path: Path, writable: Path) -> None:
    board = write_board(tmp_path, WIDE)
    words = minimax_tasks("render", board, "--sandbox", "--scale", "90P", "--root", writable / "out")
    done = bare(writable, *words, TMPDIR=str(writable))
    assert (done.returncode, done.stderr) == (0, "")
    assert (writable / "out/films/港口/film.mp4").is_file()
    assert [line for line in done.stdout.splitlines() if "no font of this machine has 港, 口" in line]
    assert [path.name for path in writable.iterdir()] == ["out"], "nothing is left among the temporary files"


def test_an_ordinary_task_after_a_film(sandbox: Sandbox, tmp_path: Path, writable: Path) -> None:
    board = write_board(tmp_path, WIDE)
    words = ("Premiere", "--module", "pipelines.storyboard", "--board", board, "--root", writable / "out")
    done = bare(
        writable,
        *minimax_tasks("luigi", *words, "--local-scheduler"),
        TMPDIR=str(writable),
        MINIMAX_API_KEY="k",
        MINIMAX_BASE_URL=sandbox.url,
    )
    assert done.returncode == 0, done.stderr
    assert (writable / "out/films/港口/premiere.txt").read_text(encoding="utf-8").startswith("港口: 2 shots")
    assert len(sandbox.ledger()) == 2


@pytest.mark.parametrize(
    ("words", "temporary", "says"),
    [
        ((), False, "there is no writable folder for temporary files; set TMPDIR to one\n"),
        (("--root", "/usr/films"), True, "root = '/usr/films' cannot be used: "),
        ((), True, "root = 'minimax-output' cannot be used: "),
    ],
    ids=["no folder for temporary files", "a root that is read-only", "a folder that is read-only"],
)
def test_what_is_missing_is_one_line_and_nothing_is_paid(
    sandbox: Sandbox, tmp_path: Path, writable: Path, words: tuple[str, ...], temporary: bool, says: str
) -> None:
    board = write_board(tmp_path, WIDE)
    done = bare(
        writable,
        *minimax_tasks("render", board, *words),
        **({"TMPDIR": str(writable)} if temporary else {}),
        MINIMAX_API_KEY="k",
        MINIMAX_BASE_URL=sandbox.url,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(says), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sandbox.ledger() == []


CLIP = """
import sys
import minimax_tasks as mm
sys.exit(not mm.build([mm.TextToVideo(prompt="Rain.", root=sys.argv[1])]))
"""


def test_two_containers_on_one_root_pay_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """The second looks at the claim while the first, of the same host and the same process id, waits for its answer."""
    sandbox.add_faults([{"at": "submit", "nth": 1, "delay": 6}])
    words = [*IN_A_CONTAINER, sys.executable, "-c", CLIP, str(tmp_path / "root")]
    environment = {**os.environ, "MINIMAX_API_KEY": "k", "MINIMAX_BASE_URL": sandbox.url}
    environment["PYTHONPATH"] = str(REPOSITORY)
    workers = [subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)]
    until = time.monotonic() + 120
    while not (claims := list(tmp_path.glob("root/clips/*/claim.1.json"))) and time.monotonic() < until:
        time.sleep(0.05)
    assert json.loads(claims[0].read_text())["process"] == 1
    workers.append(subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True))
    told = [worker.communicate(timeout=200)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], told
    assert len(sandbox.ledger()) == 1
    assert len(list(tmp_path.glob("root/clips/*/video.mp4"))) == 1
