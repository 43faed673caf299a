"""What a person or a disk gets wrong is told in words with the right exit code, and never keeps the report away."""

from collections.abc import Callable
from pathlib import Path

import pytest

from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox

BOARD = "title: Waves\nshots:\n  - {id: a, action: Rain.}\n  - {id: b, action: Sun., cut: true}\n"

Damage = Callable[[Path], object]

DAMAGES: dict[str, Damage] = {
    "garbage": lambda video: video.write_bytes(b"garbage" * 100),
    "empty": lambda video: video.write_bytes(b""),
    "cut off": lambda video: video.write_bytes(video.read_bytes()[: video.stat().st_size // 2]),
}

COMMANDS = (["plan", "b.yaml"], ["render", "b.yaml", "--partial"], ["resume"], ["ledger"])


@pytest.fixture
def made(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[Path]:
    """The videos of a film that is made."""
    (tmp_path / "b.yaml").write_text(BOARD)
    assert main(["render", "b.yaml", "--root", "out"]) == 0
    capsys.readouterr()
    return sorted(Path("out/clips").glob("*/video.mp4"))


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code, said = main([*words, "--root", "out"]), capsys.readouterr().err
    assert "should not happen" not in said
    assert "--debug" not in said
    assert "Traceback" not in said
    return code, said


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_unreadable_clip_and_a_missing_one_leave_the_report(
    damage: str, made: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path("out/films/waves")
    DAMAGES[damage](made[0])
    for name in ("film.mp4", "report.html", "manifest.json"):
        (folder / name).unlink()
    for words in COMMANDS:
        code, said = told(capsys, *words)
        assert code == (1 if words[0] == "render" else 0), said
    assert (folder / "report.html").exists()
    assert "cannot be read" in (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    made[1].unlink()
    (made[1].parent / "result.json").write_text("{")
    code, said = told(capsys, "render", "b.yaml", "--partial")
    assert code == 1
    assert "cannot be read" in said
    assert (folder / "report.html").exists()


@pytest.mark.parametrize("file", ["submission.json", "result.json", "request.json", "claim.1.json"])
def test_a_damaged_record_is_no_riddle(
    file: str, made: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    made[0].unlink()
    for content in (b"not json", b"[]", b'{"task_id": 5}', b"\xff\xfe", b"null"):
        (made[0].parent / file).write_bytes(content)
        for words in (["plan", "b.yaml"], ["resume"], ["ledger"]):
            assert told(capsys, *words)[0] in (0, 1)


@pytest.mark.parametrize(
    "words",
    [
        ["timeline", "b.yaml", "x.aaf"],
        ["timeline", "b.yaml", "x.mov"],
        ["timeline", "b.yaml", "x"],
        ["timeline", "b.yaml", ""],
        ["timeline", "b.yaml", "."],
        ["timeline", "b.yaml", "gone/x.otio"],
        ["timeline", "b.yaml", "b.yaml/x.otio"],
        ["timeline", "b.yaml", "s3://bucket/x.otio"],
        ["plan", "gone.yaml"],
        ["plan", "."],
        ["render", "gone.yaml"],
        ["render", "b.yaml", "--scale", "90P"],
        ["render", "b.yaml", "--sandbox", "--scale", "x"],
        ["render", "b.yaml", "--scheduler-url", "nonsense"],
        ["resolve", "zz", "--resubmit"],
        ["resolve", "", "--resubmit"],
        ["receive", "--host", "999.1.1.1"],
        ["receive", "--port", "99999"],
    ],
    ids=" ".join,
)
def test_a_mistake_on_the_command_line_is_bad_input(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.yaml").write_text(BOARD)
    code, said = told(capsys, *words)
    assert code == 2, said
    assert said.strip()


@pytest.mark.parametrize("command", ["plan", "render", "resume", "ledger", "receive"])
def test_a_root_that_is_a_file_is_bad_input(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.yaml").write_text(BOARD)
    words = [command, "b.yaml"] if command in ("plan", "render") else [command]
    assert main([*words, "--root", "b.yaml"]) == 2
    said = capsys.readouterr().err
    assert "root = 'b.yaml'" in said
    assert "should not happen" not in said
