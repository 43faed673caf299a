"""Boards of anybody: every one is a board or a list of mistakes with file and line, soon, and nothing is opened."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from minimax_tasks import BoardError
from minimax_tasks.commands.main import main
from minimax_tasks.redaction import whole_tree
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.storyboard.yaml_document import read_document
from tests.storage.test_references import HOSTILE
from tests.storyboard.boards import write_board


def mistakes(path: str) -> tuple[str, ...]:
    with pytest.raises(BoardError) as refused:
        make_plan(path, root="root", language="en")
    return refused.value.problems


def plan_of(folder: Path, board: object) -> list[str]:
    path = write_board(folder, json.dumps(board), "board.json")
    return [shot.prompt for shot in make_plan(path, root="root", language="en").shots]


BOMBS = {
    "lists in lists": "a: " + "[" * 3_000,
    "lists in lists that end": "a: " + "[" * 3_000 + "]" * 3_000,
    "objects in JSON": '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "mappings in lines": "".join(" " * depth + "a:\n" for depth in range(3_000)),
    "an alias of itself": "a: &a [*a]\n",
    "a merge of itself": "a: &a {<<: *a}\n",
    "aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
    "merges": "a0: &a0 {k: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)),
    "many keys": "title: T\n" + "".join(f"k{number}: 1\n" for number in range(20_000)),
    "many shots": "title: T\nshots:\n" + "  - {id: a}\n" * 6_000,
    "a long comment": "title: T\n# " + "x" * 2_000_000,
    "a file too large": "# " + "x" * 11_000_000,
    "two documents": "title: T\n---\ntitle: U\n",
    "an unknown alias": "title: *t\n",
    "a number of 5,000 digits": "title: T\nshots: [{id: a, action: x, seconds: " + "9" * 5_000 + "}]\n",
    "an exponent": "title: T\nshots: [{id: a, action: x}, {id: b, action: x, cut: fade 1e99999999}]\n",
    "a fraction": "title: T\nshots: [{id: a, action: x}, {id: b, action: x, cut: fade 1/2}]\n",
    "foreign digits": "title: T\nshots: [{id: a, action: x}, {id: b, action: x, cut: fade ٣}]\n",
    "an underscore": "title: T\nshots: [{id: a, action: x}, {id: b, action: x, cut: fade 1_0}]\n",
    "octal seconds": "title: T\nshots: [{id: a, action: x, seconds: 06}]\n",
    "a long name": "title: T\nshots: [{id: a, action: x, from: " + "f" * 3_000 + ".png}]\n",
    "a long id": "title: T\nshots: [{id: '" + "%" * 3_000 + "', action: x}]\n",
    "a long key": "title: T\n" + "k" * 900 + ": 1\nshots: [{id: a, action: x}]\n",
    "a constructor": "title: T\nshots: !!python/object/apply:os.system [ls]\n",
    "a set": "title: T\nshots: !!set {a}\n",
    "a binary": "title: !!binary aGVsbG8=\n",
    "a directive": "%YAML 9.9\n---\ntitle: T\n",
    "a frame like that of a shot": "title: T\nframes: {a.last: x.png}\nshots: [{id: a, action: x}]\n",
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_hostile_board_is_a_list_of_mistakes(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_board(tmp_path, BOMBS[case])
    began = time.process_time()
    assert main(["plan", path, "--root", str(tmp_path / "root")]) == 2
    assert time.process_time() - began < 20
    said = capsys.readouterr().err
    assert "board.yaml" in said
    assert "This should not happen" not in said
    assert "Traceback" not in said
    assert max(map(len, said.splitlines())) < 5_000
    assert len(said.splitlines()) < 300


@pytest.mark.parametrize("reference", HOSTILE)
@pytest.mark.parametrize("key", ["from", "subject"])
def test_a_hostile_reference_is_told_with_its_line(
    reference: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda *_, **__: pytest.fail("opened"), raising=True)
    text = f"title: T\nframes:\n  f: {json.dumps(reference)}\nshots: [{{id: a, action: x, {key}: f}}]\n"
    path = tmp_path / "board.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.undo()
    assert any(f"{path}:3: shot a: picture f" in told for told in mistakes(str(path)))


WRITTEN = [
    "16:9",
    "12:30",
    "NO",
    "ON",
    "yes",
    "042",
    "0x1F",
    "1_000",
    "1.10",
    "+5",
    "1.0e+3",
    ".inf",
    "~",
    "null",
]
PLACES = [
    "{x: VALUE}",
    "{l: [a, VALUE]}",
    "{d: {k: VALUE}}",
    "{d: {k: [{z: VALUE}]}}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("written", WRITTEN)
def test_what_yaml_reads_otherwise_reaches_no_prompt(written: str, place: str, tmp_path: Path) -> None:
    shot = (
        f"{{id: a, prompt: 'A {{{{ x }}}}{{{{ l }}}}{{{{ d }}}}', vars: {place.replace('VALUE', written)}}}"
    )
    told = mistakes(write_board(tmp_path, f"title: T\nshots:\n  - {shot}\n"))
    assert any(":3: shot a" in line and "board.yaml" in line for line in told)
    assert any(written in line for line in told)


@pytest.mark.parametrize(
    "written", ["2020-13-45", "2020-12-25", "3", "-3", "3.0", "2.5", "1e3", "true", "false", "'042'", '"NO"']
)
def test_what_is_read_as_it_is_written_is_sent_so(written: str, tmp_path: Path) -> None:
    text = f"title: T\nshots:\n  - {{id: a, prompt: 'A boat {{{{ x }}}} there', vars: {{x: {written}}}}}\n"
    plan = make_plan(write_board(tmp_path, text), root="root", language="en")
    assert plan.shots[0].prompt == f"A boat {written.strip(chr(39) + chr(34))} there"


def test_a_date_is_text(tmp_path: Path) -> None:
    plan = make_plan(
        write_board(tmp_path, "title: T\nshots: [{id: a, prompt: 2020-13-45}]\n"), root="root", language="en"
    )
    assert plan.shots[0].prompt == "2020-13-45"


def test_what_json_dumps_writes_is_a_board(tmp_path: Path) -> None:
    board = {
        "title": "T\x7f",
        "shots": [{"id": "1", "prompt": "🎬 film {{ x }}", "vars": {"x": 3, "k" * 2_000: "a"}}],
    }
    for options in ({}, {"indent": "\t"}, {"ensure_ascii": False}, {"indent": 2, "sort_keys": True}):
        path = write_board(tmp_path, json.dumps(board, **options))
        plan = make_plan(path, root="root", language="en")
        assert (plan.board.title, plan.shots[0].prompt) == ("T", "🎬 film 3")
    assert plan_of(tmp_path, {"title": "T", "shots": [{"id": "1", "prompt": "half \ud83d here"}]}) == [
        "half \ufffd here"
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.dictionaries(st.text(st.characters(exclude_characters="\x7f"), max_size=8), _JSON, max_size=4),
    st.sampled_from([None, 1, "\t"]),
)
@example({"\ud800": None}, None)
@example({"\ud83c\udfac": "\ud83c\udfac", "\ud83c": "a\udfac"}, 1)
def test_json_is_read_as_json_reads_it(value: dict[str, object], indent: int | str | None) -> None:
    """But for halves of characters, which become whole ones, as everywhere (`whole`)."""
    meant = whole_tree(value)
    assume(len(meant) == len(value))  # else a key stands there twice
    found = read_document(json.dumps(value, indent=indent))
    if any("control character" in what for _, what in found.problems) or "\\u007f" in json.dumps(value):
        return
    assert found.value == meant
    assert found.lines[()] == 1


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_a_problem_with_a_line(text: str) -> None:
    for whole in (text, "{" + text, "a: " + text, "- " + text + "\n- &x " + text):
        found = read_document(whole)
        assert all(0 < line <= len(whole) + 2 for line, _ in found.problems)
