"""What was spent, on which shot or row, and that nothing was where a sandbox drew."""

import json
import re
from pathlib import Path

import pytest

import minimax_tasks as mm
from minimax_tasks import RenderStoryboard, VideoDataset
from minimax_tasks.clips.ledger import Payment
from minimax_tasks.clips.request import in_one_line
from minimax_tasks.commands.main import main
from minimax_tasks.console.ledger import ledger_table
from minimax_tasks.console.output import Output
from minimax_tasks.sandbox import Sandbox
from tests.dataset.tables import write_csv
from tests.storyboard.boards import write_board

PROMPT = (
    "Mist drifts off the water while the ferry waits and a woman in yellow oilskin looks up from the rope"
)
BOARD = f"""\
title: Harbour
shots:
  - {{id: "010", prompt: "{PROMPT}", takes: 2}}
  - {{id: "020", cut: true, prompt: "雾散了，船离开码头，远处的灯塔在晨光里慢慢显出来"}}
"""


def test_rows_name_shot_and_take_and_row(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [
        RenderStoryboard(storyboard=write_board(tmp_path, BOARD), root="out"),
        VideoDataset(
            table=write_csv(tmp_path / "waves.csv", [{"prompt": "Wave"}, {"prompt": "Wind"}]), root="out"
        ),
    ]
    assert mm.build(tasks)
    names = ["Harbour, shot 010, take 1", "Harbour, shot 010, take 2", "Harbour, shot 020, take 1"]
    names += ["waves, row 2", "waves, row 3"]

    def told() -> dict[str, object]:
        assert main(["ledger", "--root", "out", "--json"]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    ledger = told()
    assert sorted(payment["purpose"] for payment in ledger["payments"]) == names  # type: ignore[attr-defined]
    assert (ledger["service"], ledger["paid"]) == ("sandbox", False)
    for claim in Path("out/clips").glob("*/claim.*.json"):  # as earlier versions wrote them
        claim.write_text(json.dumps({k: v for k, v in json.loads(claim.read_text()).items() if k != "for"}))
    ledger = told()
    assert sorted(payment["purpose"] for payment in ledger["payments"]) == names  # type: ignore[attr-defined]
    assert main(["ledger", "--root", "out"]) == 0
    said = capsys.readouterr().out
    assert "nothing was paid" in said
    assert "shot 010, take 2" in said
    Path("out/clips/made-by.json").write_text('{"service": "minimax"}')
    assert main(["ledger", "--root", "out"]) == 0
    assert "nothing was paid" not in capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_table_fits_a_terminal_and_cuts_no_word(width: int, tmp_path: Path) -> None:
    what = f"MiniMax-Hailuo-2.3 768P 6 s: {PROMPT}"
    purpose = "Harbour, shot 010, take 2"
    rows = [
        Payment("0" * 32, 3, "2026-11-25T10:00:00.000+00:00", 0.28, state, "1" * 18, what, purpose)
        for state in ("delivered", "in doubt", "accepted late", "failed")
    ]
    path = tmp_path / "said.txt"
    with path.open("w", encoding="utf-8") as out:
        Output(file=out, width=width).print(ledger_table(rows, drawn=True, width=width))
    said = path.read_text(encoding="utf-8")
    assert max(map(len, said.splitlines())) <= width
    assert "1" * 18 in said
    assert "000000000000" in said
    whole = set(re.findall(r"\w+", PROMPT))
    shown = [word for word in re.findall(r"[A-Za-z]+", said) if len(word) > 3]
    for word in whole:
        beginnings = [other for other in shown if word.startswith(other) and other not in whole]
        assert not beginnings, "a word of the prompt is there whole or not at all"


def test_texts_are_cut_between_words() -> None:
    assert in_one_line("one two three", 20) == "one two three"
    assert in_one_line("one two three", 10) == "one two…"
    assert in_one_line("one two three", 8) == "one two…"
    assert in_one_line("one\n two", 9) == "one two"
    assert in_one_line("a" * 50, 10) == "a" * 9 + "…"
    assert in_one_line("768P 6 s: 雾散了，船离开码头", 14) == "768P 6 s: 雾散了…"


def test_resume_does_not_call_a_doubt_finished(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "submit", "lost": True, "nth": 1}])
    clip = mm.TextToVideo(prompt="Wave", root="out")
    assert not mm.build([clip])
    assert main(["resume", "--root", "out"]) == 1
    assert f"minimax-tasks resolve {clip.key} --root out --task-id ID" in capsys.readouterr().err
    assert main(["resolve", clip.key, "--root", "out", "--task-id", sandbox.ledger()[0]["task_id"]]) == 0
    assert main(["resume", "--root", "out"]) == 0


def test_the_ledger_as_metrics(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tmp_path / 'a "root"')
    assert main(["ledger", "--root", root, "--prometheus"]) == 0
    assert "minimax_clips{" not in capsys.readouterr().out
    sandbox.add_faults([{"at": "task", "fail": 1027, "prompt": "storm"}])
    assert not mm.build([mm.TextToVideo(prompt=prompt, root=root) for prompt in ("calm", "sun", "storm")])
    assert main(["ledger", "--root", root, "--prometheus"]) == 0
    told = capsys.readouterr().out
    labels = f'root={json.dumps(root)},service="sandbox"'
    assert f'minimax_clips{{{labels},state="delivered"}} 2\n' in told
    assert f'minimax_usd{{{labels},state="delivered"}} 0.56\n' in told
    assert f'minimax_clips{{{labels},state="failed"}} 1\n' in told
    for line in told.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) minimax_\w+ .+|minimax_\w+\{.+\} [\d.]+", line), line
