"""What the commands show, on terminals and pipes of any encoding, and on machines that lack something."""

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from minimax_tasks.commands.main import COMMANDS, Needs, main
from minimax_tasks.console.output import Output
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storyboard.exports.formats import EXPORTS
from minimax_tasks.video.fonts import cjk_font
from minimax_tasks.video.transition_names import TRANSITIONS
from tests.conftest import Picture
from tests.storyboard.boards import write_board

ENDINGS = ", ".join(EXPORTS)
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


def test_tables_are_as_wide_as_what_the_encoding_shows(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An escape is six columns where the character was two, and is measured so."""
    monkeypatch.delenv("COLUMNS", raising=False)  # set by what runs the tests side by side
    _, out, _ = terminal.run("ascii", "cameras")
    head, rule, *rows = out.splitlines()[1:18]
    assert set(rule) <= {"-", "+"}
    assert {len(line) for line in (head, *rows)} == {len(rule)}


def test_a_stream_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["models"]) == 0
    assert main(["models", "--json"]) == 0


def test_no_control_of_others_reaches_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["plan", "\x1b[2Jx\x9b31m\u202etxt.yaml"]) == 2
    told = capsys.readouterr().err
    assert not {"\x1b", "\x9b", "\u202e"} & set(told)
    assert "txt.yaml: there is no such file" in told
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


def test_no_folder_for_temporary_files_is_said_before_luigi_is_loaded() -> None:
    """Luigi asks for the folder while it is imported, so it takes an interpreter that has not loaded it yet."""
    words = [[command.name] for command in COMMANDS if command.needs >= Needs.SCRATCH]
    asked = """
import sys, tempfile
def nowhere():
    raise FileNotFoundError(2, "No usable temporary directory found in […]")
tempfile.gettempdir = nowhere
from minimax_tasks.commands.main import main
print([main(words) for words in eval(sys.argv[1])])
import minimax_tasks
try:
    minimax_tasks.TextToVideo
except minimax_tasks.ConfigurationError as error:
    print(error, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", asked, repr(words)], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{[2] * len(words)}\n"
    line = "there is no writable folder for temporary files; set TMPDIR to one\n"
    assert done.stderr == line * (len(words) + 1)


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("film.odt", f"a timeline of the kind '.odt' is not written; allowed: {ENDINGS}, as in film.otio"),
        ("film.doc", f"'.doc' is not written; allowed: {ENDINGS}"),
        ("film", f"it has no ending; allowed: {ENDINGS}"),
        (
            "none/film.otio",
            f"there is no folder none; allowed: a local file that can be written, ending in {ENDINGS}",
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
    otio = pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")
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
    (tmp_path / f"out/clips/{key}/previews.json").unlink(missing_ok=True)
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
    (tmp_path / f"out/clips/{key}/video.mp4").unlink()
    assert main(["render", board, "--root", "out"]) == 0
    assert len(sandbox.ledger()) == 2


def test_one_clip_that_cannot_be_read_is_left_out_of_a_timeline(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")
    board = write_board(tmp_path, 'title: One\nshots:\n  - {id: "010", action: Rain.}\n')
    assert main(["render", board, "--root", "out"]) == 0
    (video,) = Path("out/clips").glob("*/video.mp4")
    video.write_bytes(b"no video at all")
    assert main(["timeline", board, "cut.otio", "--root", "out"]) == 1
    assert "left out: 010" in capsys.readouterr().err


def test_a_receiver_on_the_sixth_version_of_the_protocol(tmp_path: Path) -> None:
    from minimax_tasks.commands.receive import _listen

    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    with _listen("::1", 0) as listening:
        assert listening.family == socket.AF_INET6


FILM = """\
    title: The last ferry
    look: Overcast dawn.
    defaults: {resolution: 768P, seconds: 6}
    shots:
      - {id: "010", prompt: "[Push in] A harbour at dawn.", seconds: 10}
      - {id: "020", camera: [static, push in], action: She looks up.}
      - {id: "030", action: She walks on., camera: tracking}
      - {id: "040", cut: true, action: Rain.}
      - {id: "050", cut: true, action: Wind over the water., camera: "push in, tilt up"}
      - {id: "060", cut: true, action: Wind., camera: crane up}
      - {id: "070", cut: fade 0.5, action: The rope.}
      - {id: "080", cut: true, action: The rope falls.}
      - {id: "090", cut: true, action: The rope sinks.}
      - {id: "100", cut: true, action: waits by the rail.}
      - {id: "110", cut: true, from: "010@2.5", action: waits by the rail.}
      - {id: "120", cut: true, action: The sea.}
    """


def test_a_plan_of_twelve_shots_fits_one_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["plan", write_board(tmp_path, FILM)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 22
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if line[:1].isdigit() and " s " in line]
    assert len(rows) == 12 + 1, "one for each shot, and the total"
    (first,) = [line for line in lines if line.startswith("010 ")]
    assert first.split() == ["010", "10", "s", "text", "push", "in", "–", "to", "make", "0.56"]
    rules = [number for number, line in enumerate(lines) if set(line) == {"─"}]
    assert len(rules) == 3, "below the head, behind the only chain, above the total"
    assert lines[rules[1] - 1].startswith("030")


def test_a_plan_of_twelve_shots_in_pairs_and_takes_fits_one_screen_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cut, takes = ", cut: true", ", takes: 2"
    shots = "\n".join(
        f'  - {{id: "{number:03}", action: Rain {number}{"" if number % 2 else cut}{takes if number % 4 == 0 else ""}}}'
        for number in range(12)
    )
    board = f"title: Pairs\ndefaults: {{resolution: 768P, seconds: 6}}\nshots:\n{shots}\n"
    assert main(["plan", write_board(tmp_path, board)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 23
    assert sum("continues" in line for line in lines) == 6, "what the rules showed is still said"


def test_a_warning_that_several_shots_share_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = """\
        title: Small
        shots:
          - {id: a, prompt: "[dolly in] x"}
          - {id: b, cut: true, prompt: "[dolly in] y"}
          - {id: c, cut: true, prompt: "[dolly in] z"}
        """
    path = write_board(tmp_path, board)
    assert main(["plan", path]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "'dolly in'" in line]
    assert len(told) == 1
    assert told[0].startswith("warning: shots a, b, c: ")
    assert main(["plan", path, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["warnings"]
    assert [text[:8] for text in listed] == ["shot a: ", "shot b: ", "shot c: "]


def test_a_warning_is_wrapped_at_words() -> None:
    shown = io.StringIO()
    output = Output(shown, width=40, force_terminal=True)
    output.sentence("warning: the shape of the first picture is not that of most shots", None)
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines).startswith(
        "warning: the shape of the first picture is not"
    )
    assert all(line.startswith("  ") for line in lines[1:])


@pytest.mark.slow
def test_the_plan_says_why_a_clip_is_to_be_made(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], picture: Picture
) -> None:
    picture("pier.png", "teal", size=(1366, 768))
    board = """\
        title: Why
        look: Overcast dawn.
        cast: {mara: a woman in a coat}
        frames: {pier: pier.png}
        shots:
          - {id: "010", from: pier, action: Rain falls.}
          - {id: "020", action: Wind rises.}
          - {id: "030", action: The rope moves.}
          - {id: "040", cut: true, characters: [mara], action: waits., camera: push in}
        """
    first = write_board(tmp_path, board)
    assert main(["render", first, "--root", "out"]) == 0
    assert "changed" not in capsys.readouterr().out

    def whys(*changes: tuple[str, str]) -> dict[str, str]:
        text = board
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = write_board(tmp_path, text)
        assert main(["plan", path, "--root", "out", "--json"]) == 0
        plan = json.loads(capsys.readouterr().out)
        return {
            f"{shot['id']}.{segment['take']}": segment["why"]
            for shot in plan["shots"]
            for segment in shot["segments"]
            if segment["why"]
        }

    assert whys() == {}
    assert whys(("Overcast dawn", "Bright noon")) == {
        "010.1": "look changed",
        "020.1": "look changed",
        "030.1": "look changed",
        "040.1": "look changed",
    }
    assert whys(("Wind rises", "Wind falls")) == {"020.1": "action changed", "030.1": "020 changed"}
    assert whys(('          - {id: "020", action: Wind rises.}\n', "")) == {
        "030.1": "now continues 010, was 020"
    }
    assert whys(("push in}", "pull out}")) == {"040.1": "camera changed"}
    assert whys(("a coat", "a red coat")) == {"040.1": "characters changed"}
    assert whys(("push in}", "push in, takes: 2}")) == {"040.2": "take 2 is new"}
    assert whys(("push in}", "push in, model: MiniMax-Hailuo-02}")) == {
        "040.1": "model MiniMax-Hailuo-02, was MiniMax-Hailuo-2.3"
    }
    assert whys(("push in}", "push in, seconds: 10}")) == {"040.1": "seconds 10, was 6"}
    added = '          - {id: "050", cut: true, action: The sea.}\n'
    assert whys(("push in}\n", "push in}\n" + added)) == {"050.1": "new"}
    assert whys(("from: pier, ", "")) == {"010.1": "from the text, was pier", "020.1": "010 changed"} | {
        "030.1": "020 changed"
    }
    picture("pier.png", "orange", size=(1366, 768))
    assert whys()["010.1"] == "picture pier changed"
    picture("pier.png", "teal", size=(1366, 768))
    path = write_board(tmp_path, board.replace("Overcast dawn", "Bright noon"))
    assert main(["plan", path, "--root", "out"]) == 0
    assert "look changed: shots 010, 020, 030, 040 (4 clips, USD 1.12)" in capsys.readouterr().out
    assert main(["render", path, "--root", "out"]) == 0
    assert "look changed: shots 010, 020, 030, 040 (4 clips, USD 1.12)" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [70, 80])
@pytest.mark.parametrize("table", ["models", "cameras", "templates", "errors", "transitions"])
def test_a_table_can_be_read_at_this_width(
    table: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([table]) == 0
    out = capsys.readouterr().out
    assert max(map(cell_len, out.splitlines())) <= columns
    assert "…" not in out.replace("{{ … }}", ""), "nothing is cut"


def test_every_transition_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transitions", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed] == list(TRANSITIONS)
    assert all(row["shows"] for row in listed)
    assert main(["transitions"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} " in out for name in TRANSITIONS)


def test_letters_without_a_font_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minimax_tasks.video.fonts.CJK_FONTS", ("no-such-font.ttf",))
    cjk_font.cache_clear()
    words = ["render", write_board(tmp_path, WIDE), "--root", "out", "--sandbox", "--scale", "90P"]
    assert main(words) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "no font of this machine has" in line]
    assert len(told) == 1
    assert told[0].startswith(
        "warning: no font of this machine has 港, 口, 雾, 散, 了, …: drawn clips leave such"
    )
    assert main(words) == 0
    assert "no font" not in capsys.readouterr().out, "nothing is drawn any more"
    cjk_font.cache_clear()


def limited(files: int, *words: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2); "
        "from minimax_tasks.commands.main import main; sys.exit(main(sys.argv[2:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(files), *words], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_sixty_four_open_files_are_enough_and_fewer_are_told_of(tmp_path: Path) -> None:
    shots = "".join(f"  - {{id: s{n}, cut: true, action: Wave {n}.}}\n" for n in range(30))
    words = ["render", write_board(tmp_path, "title: Waves\nshots:\n" + shots), "--sandbox", "--scale", "90P"]
    done = limited(64, *words, "--root", "enough")
    assert (done.returncode, done.stderr) == (0, "")
    assert "only 64 files may be open at once (ulimit -n): 4 clips are drawn at a time" in done.stdout
    done = limited(40, *words, "--root", "few")
    assert done.returncode == 2
    assert done.stderr == "only 40 files may be open at once; allow 64 or more (ulimit -n 64)\n"
    assert not (tmp_path / "few").exists()


def test_a_root_that_cannot_be_written_to_is_told_before_anything_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    board = write_board(tmp_path, WIDE)
    for root in ("file", "file/below"):
        assert main(["render", board, "--root", root, "--sandbox"]) == 2
        told = capsys.readouterr().err
        assert f"root = '{root}' cannot be used" in told
        assert len(told.splitlines()) == 1


@pytest.mark.parametrize(("command", "ending"), [("render", "yaml"), ("dataset", "csv")])
def test_a_file_whose_name_is_no_unicode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, ending: str
) -> None:
    """As on a disk from a system in GBK: what is written down of it is JSON all the same."""
    text = "prompt\nRain.\n" if ending == "csv" else "title: Rain\nshots:\n  - {id: a, action: Rain.}\n"
    try:
        source = Path(os.fsdecode(os.fsencode(tmp_path) + "/港口.".encode("gbk")) + ending)
        source.write_text(text, encoding="utf-8")
    except (OSError, UnicodeError) as error:
        pytest.skip(f"no such names here: {error}")
    root = tmp_path / "root"
    code = main([command, str(source), "--sandbox", "--scale", "90P", "--root", str(root)])
    assert (code, capsys.readouterr().err) == (0, "")
    (record,) = root.glob("*/*/.made-from.json")
    assert json.loads(record.read_bytes())


def test_what_names_of_files_cannot_have_here_is_one_line(tmp_path: Path) -> None:
    """In a locale without UTF-8, with all that Python does about that switched off."""
    board = write_board(tmp_path, WIDE)
    done = subprocess.run(
        [sys.executable, "-m", "minimax_tasks", "render", board, "--sandbox", "--root", tmp_path / "root"],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("names of files are written in ascii here, which lacks letters of "), (
        done.stderr
    )
    assert done.stderr.endswith("; set PYTHONUTF8=1, or a locale with UTF-8 such as LC_ALL=C.UTF-8\n")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("root/clips/*/"))


def test_luigi_s_lock_of_another_user_stops_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "luigi").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("os.access", lambda path, mode: str(path) != str(tmp_path / "luigi"))
    monkeypatch.setenv("MINIMAX_API_KEY", "")
    assert main(["luigi", "TextToVideo", "--prompt", "x", "--root", "out", "--local-scheduler"]) == 1
    assert list(tmp_path.glob("luigi-*"))
