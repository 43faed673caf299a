"""What the commands show, on terminals and pipes of any encoding, and on machines that lack something."""

import io
import json
import socket
import sys
from pathlib import Path

import opentimelineio as otio
import pytest

from minimax_tasks.cli import main
from minimax_tasks.console.output import Output
from minimax_tasks.sandbox import Sandbox
from tests.storyboard.boards import write_board

ENCODINGS = ("ascii", "cp1252", "gbk", "latin-1", "cp437", "shift_jis", "utf-8")

WIDE = """\
    title: 港口 – “Harbour” ⛵
    look: Overcast dawn.
    shots:
      - {id: "010", prompt: "雾散了，船离开码头。"}
      - {id: "020", action: "She waits… “soon”, she says.", camera: push in}
    """


class Terminal:
    """Standard output and error of one encoding, as strict as Python makes them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def run(self, encoding: str, *words: str) -> tuple[int, str, str]:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in "oe"]
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            code = main(list(words))
        out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams)  # type: ignore[attr-defined]
        return code, out, err


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_encoding_ends_a_command(encoding: str, terminal: Terminal, tmp_path: Path) -> None:
    board = write_board(tmp_path, WIDE)
    for command in ("templates", "cameras", "models", "errors"):
        code, out, err = terminal.run(encoding, command)
        assert (code, err) == (0, "")
        assert out
        code, machine, _ = terminal.run(encoding, command, "--json")
        assert code == 0
        assert json.loads(machine)
    code, out, err = terminal.run(encoding, "plan", board)
    assert (code, err) == (0, "")
    assert "020" in out
    code, out, _ = terminal.run(encoding, "plan", board, "--json")
    assert json.loads(out)["title"] == "港口 – “Harbour” ⛵"
    assert json.loads(out)["shots"][0]["prompt"].startswith("雾散了，船离开码头。")


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "cp1252"])
def test_a_render_says_where_its_film_is_in_any_encoding(
    encoding: str, terminal: Terminal, tmp_path: Path
) -> None:
    words = ["render", write_board(tmp_path, WIDE), "--root", "out", "--sandbox", "--scale", "90P"]
    code, out, err = terminal.run(encoding, *words)
    assert (code, err) == (0, "")
    assert next(Path("out/films").glob("*/film.mp4")).is_file()
    assert "film: out/films/" in out


def test_tables_are_as_wide_as_what_the_encoding_shows(terminal: Terminal, tmp_path: Path) -> None:
    """An escape is six columns where the character was two, and is measured so."""
    _, out, _ = terminal.run("ascii", "cameras")
    assert len({len(line) for line in out.splitlines()[2:] if line.startswith(("|", "+"))}) == 1


def test_a_stream_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["models"]) == 0
    assert main(["models", "--json"]) == 0


def test_no_control_of_others_reaches_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["plan", "\x1b[2Jx\x9b31m\u202etxt.yaml"]) == 2
    told = capsys.readouterr().err
    assert r"\x1b[2Jx\x9b31m\u202etxt.yaml: there is no such file" in told
    shown = io.StringIO()
    Output(shown).whole("[red]:smile: \x07")
    assert shown.getvalue() == "[red]:smile: \\x07\n"


def test_luigi_is_given_its_words_in_any_order(capfd: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["--module", "minimax_tasks", "TextToVideo", "--nonsense"],
        ["TextToVideo", "--module", "minimax_tasks", "--nonsense"],
        ["TextToVideo", "--nonsense"],
        ["--module=minimax_tasks", "TextToVideo", "--nonsense"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["luigi", *words])
        assert stopped.value.code == 2
        assert "unrecognized arguments: --nonsense" in capfd.readouterr().err


def test_no_folder_for_temporary_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in […]")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    assert main(["plan", write_board(tmp_path, WIDE)]) == 2
    assert capsys.readouterr().err == "there is no writable folder for temporary files; set TMPDIR to one\n"
    assert main(["models"]) == 0


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("film.edl", "a timeline of the kind '.edl' is not written; allowed: .otio, as in film.otio"),
        ("film.otioz", "'.otioz' is not written; allowed: .otio"),
        ("film", "it has no ending; allowed: .otio"),
        (
            "none/film.otio",
            "there is no folder none; allowed: a local file that can be written, ending in .otio",
        ),
        ("board.yaml/film.otio", "board.yaml is not a folder"),
        ("folder.otio", "this is a folder"),
        ("s3://bucket/film.otio", "a timeline is written to a local file"),
    ],
)
def test_the_name_of_a_timeline_is_judged_before_any_clip(
    out: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(tmp_path, WIDE)
    (tmp_path / "folder.otio").mkdir()
    assert main(["timeline", board, out, "--root", "nosuch://root"]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_a_timeline_from_a_root_with_a_hash_can_be_bundled(sandbox: Sandbox, tmp_path: Path) -> None:
    board = write_board(tmp_path, "title: One\nshots:\n  - {id: a, action: Rain.}\n")
    assert main(["render", board, "--root", "take #1 100%"]) == 0
    assert main(["timeline", board, "cut.otio", "--root", "take #1 100%"]) == 0
    otio.adapters.write_to_file(otio.adapters.read_from_file("cut.otio"), "cut.otioz")
    assert Path("cut.otioz").stat().st_size > 1000


def test_one_clip_that_cannot_be_read_keeps_no_report_from_being_written(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(
        tmp_path,
        'title: Two\nshots:\n  - {id: "010", action: Rain.}\n  - {id: "020", cut: true, action: Sun.}\n',
    )
    assert main(["render", board, "--root", "out"]) == 0
    capsys.readouterr()
    assert main(["plan", board, "--root", "out", "--json"]) == 0
    key = json.loads(capsys.readouterr().out)["shots"][1]["segments"][0]["key"]
    (tmp_path / f"out/clips/{key}/video.mp4").write_bytes(b"no video at all")
    (tmp_path / f"out/clips/{key}/rushes.json").unlink(missing_ok=True)
    film = tmp_path / "out/films/two"
    for name in ("manifest.json", "report.html"):
        (film / name).unlink()
    assert main(["render", board, "--root", "out", "--partial"]) == 1
    told = capsys.readouterr()
    assert f"020 (clips/{key}/video.mp4 cannot be read" in told.err
    assert "This should not happen" not in told.err
    assert "report: out/films/two/report.html" in told.out
    assert f"remove clips/{key}/video.mp4" in (film / "report.html").read_text()
    assert (film / "film.partial.mp4").is_file()
    assert main(["timeline", board, "cut.otio", "--root", "out"]) == 1
    assert "left out: 020" in capsys.readouterr().err
    (tmp_path / f"out/clips/{key}/video.mp4").unlink()
    assert main(["render", board, "--root", "out"]) == 0
    assert len(sandbox.ledger()) == 2


def test_a_receiver_on_the_sixth_version_of_the_protocol(tmp_path: Path) -> None:
    from minimax_tasks.receiver import _listen

    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    with _listen("::1", 0) as listening:
        assert listening.family == socket.AF_INET6
