"""Only the console and the commands speak of our command line: every other room words its errors for Python."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import minimax_tasks
from minimax_tasks.api.catalog.errors import ERROR_CODES
from minimax_tasks.api.errors import error_from_code
from minimax_tasks.clips.state import ClipState, ClipStatus
from minimax_tasks.console.messages import advice_of, is_mistake, problems_of, resolve_command, worded
from minimax_tasks.errors import (
    BoardError,
    CameraError,
    ConfigurationError,
    GenerationFailed,
    MiniMaxError,
    TableError,
    UncertainSubmit,
    UnreadableReference,
)

ROOMS = (
    "api", "clips", "connections.py", "dataset", "errors.py", "problems.py", "prompts", "redaction.py", "sandbox",
    "settings.py", "storage", "storyboard", "video",
)  # fmt: skip
COMMAND = re.compile(r"minimax-tasks|(?<![\w-])--[a-z]|\[minimax\]")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module that are no docstrings, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.lineno, node.value


@pytest.mark.parametrize("room", ROOMS)
def test_no_lower_room_names_a_command(room: str) -> None:
    folder = Path(inspect.getfile(minimax_tasks)).parent / room
    paths = [folder] if folder.suffix else sorted(folder.rglob("*.py"))
    assert paths
    said = [
        f"{path.name}:{line}: {text}" for path in paths for line, text in texts(path) if COMMAND.search(text)
    ]
    assert said == []


def test_the_console_says_which_command_helps() -> None:
    doubt = UncertainSubmit("clip ab: not known.", advice="Settle it", keys=["ab"], root="out", usd=0.28)
    assert worded(doubt).startswith("clip ab: not known. Either give the task id")
    assert "minimax-tasks resolve ab --root out --resubmit" in worded(doubt)
    written = UncertainSubmit("paid as task 7.", advice="Settle it", keys=["ab"], root="out", task_id="7")
    assert worded(written).endswith("minimax-tasks resolve ab --root out --task-id 7")
    many = UncertainSubmit("2 clips.", advice="Settle them", keys=[f"a{n}" for n in range(23)], root="out")
    assert worded(many).count("minimax-tasks resolve") == 20
    assert worded(many).endswith("and 3 more")
    failed = GenerationFailed("clip ab: no reason given", advice="pay again", keys=["ab"], root="out")
    assert worded(failed) == "clip ab: no reason given; --retry-failed pays for another attempt"
    no_key = ConfigurationError("there is no API key", advice="set it", setting="api_key")
    assert worded(no_key) == "there is no API key; set MINIMAX_API_KEY, or api_key under [minimax]"
    taken = BoardError(["the folder is taken."], advice="use `name`", folder="out/films/a", owner="b.yaml")
    assert "--name NAME. If it is that board, moved" in worded(taken)
    table = TableError(["the folder is taken."], advice="use `name`", folder="out/datasets/a", owner="b.csv")
    assert "--name NAME. If it is that table, moved" in worded(table)


def test_advice_without_a_command_of_ours_stays() -> None:
    for row in ERROR_CODES:
        error = error_from_code(row.code, "no", host="api.minimaxi.com", trace_id="t1")
        assert worded(error).endswith("[Trace-Id t1]")
        if advice_of(row) == row.advice:
            assert worded(error) == str(error)
        else:
            assert advice_of(row) in worded(error)
            assert "--retry-failed" in worded(error)
    assert worded(UncertainSubmit("it is the other's", keys=["ab", "cd"], task_id="7")) == "it is the other's"
    assert worded(KeyError()) == "KeyError"


def test_a_state_is_worded_as_its_error() -> None:
    states = {
        "ab": ClipState(ClipStatus.IN_DOUBT, 1, reason="lost; it may have been paid.", advice="settle it"),
        "cd": ClipState(ClipStatus.FAILED, 1, "7", reason="refused", advice="change the prompt", code=1026),
        "ef": ClipState(ClipStatus.FAILED, 1, "8", reason="refused", advice="change it", code=1027),
        "gh": ClipState(ClipStatus.MADE),
        "ij": ClipState(ClipStatus.TO_MAKE, 1, reason="the worker was told to stop"),
    }
    assert problems_of("out", states) == {
        "ab": f"lost; it may have been paid. Settle it with {resolve_command('out', 'ab')} --task-id ID, or --resubmit",
        "cd": "refused; change the prompt",
        "ef": f"refused; {advice_of(next(row for row in ERROR_CODES if row.code == 1027))}",
        "ij": "the worker was told to stop",
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BoardError(["x"]), True),
        (TableError(["x"]), True),
        (CameraError("x"), True),
        (UnreadableReference("x"), True),
        (ConfigurationError("x"), True),
        (UncertainSubmit("x"), False),
        (MiniMaxError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_what_was_given_wrongly_is_told_from_what_went_wrong(error: Exception, expected: bool) -> None:
    assert is_mistake(error) is expected
