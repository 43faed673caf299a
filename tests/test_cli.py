"""The commands as a person types them."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.api.catalog.models import MODEL_MODES
from minimax_tasks.api.catalog.templates import TEMPLATES
from minimax_tasks.commands.main import main
from tests.conftest import Picture
from tests.storyboard.boards import HARBOUR, write_board

COMMAND = str(Path(sys.executable).with_name("minimax-tasks"))


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_the_catalogue_for_people_and_machines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    people, machines = shown(capsys, "models"), json.loads(shown(capsys, "models", "--json"))
    assert len(machines) == len(MODEL_MODES)
    assert all(row["model"] in people and row["source"] for row in machines)
    people, machines = shown(capsys, "cameras"), json.loads(shown(capsys, "cameras", "--json"))
    assert [row["chinese"] for row in machines] == [move.chinese for move in MOVES]
    assert all(f"[{move.english}]" in people and f"[{move.chinese}]" in people for move in MOVES)
    people, machines = shown(capsys, "templates"), json.loads(shown(capsys, "templates", "--json"))
    assert {row["id"] for row in machines} == {template.id for template in TEMPLATES}
    assert all(template.id in people for template in TEMPLATES)


@pytest.fixture
def harbour(tmp_path: Path, picture: Picture) -> str:
    picture("refs/pier.png")
    picture("refs/boat.png")
    return write_board(tmp_path, HARBOUR)


def test_a_plan_pays_nothing_and_writes_nothing(
    harbour: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = json.loads(shown(capsys, "plan", harbour, "--json"))
    assert plan["total"] == {"usd": 1.68, "clips_to_pay": 6, "without_price": 0}
    assert [shot["id"] for shot in plan["shots"]] == ["010", "020", "025", "030", "040"]
    assert plan["shots"][2]["segments"][0]["waits_for"][0]["shot"] == "020"
    assert plan["shots"][0]["segments"][0]["mode"] == "start-end-to-video"
    assert not (tmp_path / "minimax-output").exists()


def test_a_plan_says_where_each_shot_is_in_the_film(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(
        tmp_path,
        """
        title: Cut
        defaults: {model: MiniMax-Hailuo-2.3, seconds: 6}
        shots:
          - {id: a, action: Rain., trim: 1..3.5}
          - {id: b, action: Sun., skip: true, cut: true}
          - {id: c, action: Snow., cut: fade 0.5, speed: 2}
          - {id: d, action: Wind., cut: true, hold: 1.25}
        """,
    )
    plan = json.loads(shown(capsys, "plan", board, "--json"))
    assert [(shot["id"], shot["starts_at"], shot["length"]) for shot in plan["shots"]] == [
        ("a", 0.0, 2.5),
        ("b", None, None),
        ("c", 2.0, 3.0),
        ("d", 5.0, 7.25),
    ]
    assert plan["seconds"] == 12.25
    assert f"{plan['seconds']:g} s in all" in " ".join(shown(capsys, "plan", board).split())


@pytest.mark.parametrize("columns", ["80", "140"])
def test_a_plan_can_be_read_on_any_terminal(
    harbour: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    table = shown(capsys, "plan", harbour)
    words = " ".join(table.split())
    for word in (
        "010",
        "take 2 *",
        "start-end",
        "Hailuo-2.3",
        "MiniMax-Hailuo-02 768P",
        "6 s",
        "* goes into the film",
        "waits for 020",
        "fade 0.5 s",
        "1.68",
    ):
        assert word in words
    assert max(map(len, table.splitlines())) <= int(columns)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "COMMAND"),
        (["rendr"], "render"),
        (["render"], "BOARD"),
        (["render", "none.yaml"], "none.yaml"),
        (["plan", "none.yaml"], "no such file"),
        (["render", "x.yaml", "--budget", "lots"], "'lots'; allowed: an amount of USD, 0 or more"),
        (["render", "x.yaml", "--workers", "many"], "'many'; allowed: a whole number"),
        (["plan", "x.yaml", "--root", "nosuch://x"], "root = 'nosuch://x' cannot be used"),
        (["ledger", "--root", "nosuch://x"], "root = 'nosuch://x' cannot be used"),
        (["render", "x.yaml", "--workers", "0"], "1 or more"),
        (["sandbox", "--rpm", "none"], "--rpm"),
        (["sandbox", "--faults", "none.yaml"], "none.yaml"),
    ],
)
def test_mistakes_on_the_command_line_end_with_two_and_one_message(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(words)
    except SystemExit as end:  # argparse says so itself
        code = end.code
    shown = capsys.readouterr()
    assert code == 2
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_the_installed_command_ends_with_what_its_function_says(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "plan", "none.yaml"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("none.yaml: there is no such file")


def test_a_bad_setting_is_named_with_its_place(
    harbour: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINIMAX_POLL_INTERVAL", "soon")
    assert main(["plan", harbour]) == 2
    assert "poll_interval = 'soon' (MINIMAX_POLL_INTERVAL)" in capsys.readouterr().err


def test_the_sandbox_says_where_it_listens_and_stops_when_told() -> None:
    running = subprocess.Popen([COMMAND, "sandbox", "--scale", "90P"], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    first = running.stdout.readline()
    assert first.startswith("MiniMax sandbox listening on http://127.0.0.1:")
    assert httpx.get(first.split()[-1] + "/sandbox/ledger").json() == []
    running.terminate()
    assert running.wait(timeout=60) == 0


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("command", ["sandbox", "receive"])
def test_an_address_that_cannot_be_used(
    command: str, taken_port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, says in (
        (["--port", taken_port], "in use"),
        (["--port", "99999"], "65535"),
        (["--port", "-1"], "65535"),
        (["--host", "nowhere.invalid"], "--host nowhere.invalid"),
    ):
        assert main([command, *words]) == 2
        shown = capsys.readouterr()
        assert says in shown.err
        assert len(shown.err.splitlines()) == 1
        assert shown.out == ""


def test_a_state_that_is_no_folder_of_a_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/journal.jsonl").write_text('{"event": "accepted", "by": "another program"}\n')
    (tmp_path / "odd/journal.jsonl").mkdir(parents=True)
    for state in ("file", "file/below", "other", "odd"):
        assert main(["sandbox", "--state", state]) == 2
        shown = capsys.readouterr()
        assert state in shown.err
        assert len(shown.err.splitlines()) == 1
        assert shown.out == ""


@pytest.mark.parametrize("text", ["no list", "[{at: nowhere}]", "[", "\ufffe"])
def test_faults_that_make_no_sense(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "faults.yaml").write_text(text, encoding)
        assert main(["sandbox", "--faults", "faults.yaml"]) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("faults = 'faults.yaml': ")
        assert len(shown.err.splitlines()) == 1


@pytest.mark.parametrize("root", ["file", "nosuch://bucket"])
def test_a_root_that_takes_no_callbacks(
    root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert main(["receive", "--root", root]) == 2
    shown = capsys.readouterr()
    assert f"root = '{root}'" in shown.err
    assert len(shown.err.splitlines()) == 1


def test_the_camera_list_says_how_moves_follow_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cameras"]) == 0
    assert "[static, push in]" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["VideoDataset", "--table", "nope.csv"], "nope.csv: there is no such file"),
        (["VideoDataset", "--table", "."], "folder"),
        (["RenderStoryboard", "--storyboard", "nope.yaml"], "nope.yaml: there is no such file"),
        (["RenderStoryboard", "--storyboard", "bad.yaml"], "`minimax-tasks transitions` lists them all"),
        (
            ["ImageToVideo", "--first-frame-image", "nope.png"],
            "first_frame_image = 'nope.png': there is no such",
        ),
        (["SubjectToVideo", "--subject-image", "nope.png", "--prompt", "x"], "subject_image"),
        (["TemplateVideo", "--template", "Diving", "--image", "nope.png"], "image = 'nope.png'"),
        (
            ["TextToVideo", "--prompt", "x", "--duration", "six"],
            "duration = 'six': OptionalIntParameter does not",
        ),
        (["TextToVideo", "--prompt", "x", "--TextToVideo-take", "b"], "take: IntParameter does not take it"),
        (["TextToVideo", "--prompt", "x", "--fit", "maybe"], "fit = 'maybe': BoolParameter does not take it"),
        (["SubjectToVideo", "--subject-image", "[a"], "subject_image = '[a'"),
    ],
)
def test_a_mistake_is_told_in_words_by_the_luigi_command_too(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text(
        "title: x\nshots:\n  - {id: a, action: x}\n  - {id: b, action: x, cut: iris}\n"
    )
    assert main(["luigi", *words, "--root", "out", "--local-scheduler", "--no-lock"]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told
