"""`minimax-tasks dataset`: judged, priced, made, and how it ends."""

import io
import json
from pathlib import Path

import pytest

from minimax_tasks.clips.state import clip_states
from minimax_tasks.commands.main import main
from minimax_tasks.console.dataset import DatasetProgress
from minimax_tasks.console.output import Output
from minimax_tasks.dataset.plan import make_plan
from minimax_tasks.dataset.shard import ClipNews
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from tests.dataset.tables import lines, load, write_csv

pytestmark = pytest.mark.slow


def waves(tmp_path: Path, *more: dict[str, object], count: int = 3) -> str:
    rows = [{"prompt": f"Wave {number}", "mood": "calm"} for number in range(count)]
    return write_csv(tmp_path / "waves.csv", [*rows, *more])


def test_a_table_becomes_a_dataset(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = waves(tmp_path)
    assert main(["dataset", table, "--root", "out", "--webdataset"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "waves: 3 rows, 3 clips; 0 known already, 3 to make (USD 0.84)"
    assert out.splitlines()[-1] == "dataset: out/datasets/waves"
    assert "3 of 3 · 0:0" in out
    assert "waves: delivered" in out
    assert err == ""
    assert load("out/datasets/waves", tmp_path / "cache").num_rows == 3
    assert Path("out/datasets/waves-wds/00000.tar").exists()
    assert main(["dataset", table, "--root", "out"]) == 0
    assert "3 known already, 0 to make (USD 0.00)" in capsys.readouterr().out
    assert len(sandbox.ledger()) == 3


def test_a_plan_pays_nothing_and_writes_nothing(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = waves(
        tmp_path,
        {"prompt": "Wave 0", "duration": 10},
        {"prompt": "Wave 0"},
        {"prompt": "x", "resolutions": 6},
    )
    assert main(["dataset", table, "--root", "out", "--plan"]) == 0
    out = capsys.readouterr().out
    assert "6 rows" in out
    assert "text-to-video, MiniMax-Hailuo-2.3 768P 10 s" in " ".join(out.split())
    assert "warning: column 'resolutions' is carried along; the request field is called 'resolution'" in out
    assert main(["dataset", table, "--root", "out", "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["total"] == {"rows": 6, "clips": 5, "usd": 1.68, "clips_to_pay": 5, "without_price": 0}
    assert plan["rows"][3] | {"key": ""} == {
        "row": 5,
        "mode": "text-to-video",
        "model": "MiniMax-Hailuo-2.3",
        "resolution": "768P",
        "duration": 10,
        "key": "",
        "state": "to make",
        "usd": 0.56,
    }
    assert plan["name"] == "waves"
    assert plan["folder"] == "out/datasets/waves"
    assert not Path("out").exists()
    assert sandbox.ledger() == []


def test_bad_input_ends_with_2_and_pays_nothing(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = waves(tmp_path, {"prompt": "x", "duration": 7})
    for words in (
        [table],
        [table, "--plan"],
        ["gone.csv"],
        [table, "--encoding", "klingon"],
        [table, "--scale", "90P"],
    ):
        assert main(["dataset", *words, "--root", "out"]) == 2, words
        assert "Traceback" not in capsys.readouterr().err
    good = waves(tmp_path)
    monkeypatch.delenv("MINIMAX_API_KEY")
    monkeypatch.setenv("MINIMAX_BASE_URL", "https://api.minimaxi.com")
    assert main(["dataset", good, "--root", "out"]) == 2
    assert "there is no API key" in capsys.readouterr().err
    assert main(["dataset", good, "--root", "memory://x"]) == 2
    assert sandbox.ledger() == []
    assert not Path("out").exists()


def test_another_table_of_the_name_is_refused_with_a_name_that_works(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_csv(tmp_path / "a/t.csv", [{"prompt": "one"}])
    two = write_csv(tmp_path / "b/t.csv", [{"prompt": "two"}])
    assert main(["dataset", one, "--root", "out"]) == 0
    for words in ([], ["--plan"]):
        assert main(["dataset", two, "--root", "out", *words]) == 2
        assert "such as --name t-b." in capsys.readouterr().err
    assert main(["dataset", two, "--root", "out", "--name", "t-b"]) == 0
    assert [row["prompt"] for row in lines(tmp_path / "out/datasets/t/metadata.jsonl")] == ["one"]


def test_rows_that_fail_the_rest_that_is_delivered_and_another_attempt(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "storm", "fail": 1027, "nth": 1}])
    table = waves(tmp_path, {"prompt": "storm", "mood": "wild"})
    assert main(["dataset", table, "--root", "out"]) == 1
    out, err = capsys.readouterr()
    assert "line 5: failed: " in out
    assert (
        "3 of 4 rows are delivered; 1 failed for good, see out/datasets/waves/failed.jsonl; --retry-failed"
        in err
    )
    assert len(lines(tmp_path / "out/datasets/waves/metadata.jsonl")) == 3
    assert main(["dataset", table, "--root", "out"]) == 1
    assert main(["dataset", table, "--root", "out", "--partial", "--json"]) == 0
    out = capsys.readouterr().out.splitlines()
    result = json.loads("\n".join(out[out.index("{") :]))
    assert (result["rows"], result["delivered"], result["done"]) == (4, 3, True)
    assert result["failed"][0]["code"] == 1027
    assert len(sandbox.ledger()) == 4, "nothing was paid again"
    assert main(["dataset", table, "--root", "out", "--plan"]) == 0
    assert "line 5: " in capsys.readouterr().out
    capsys.readouterr()
    for words, to_pay in (((), "0"), (("--retry-failed",), "1")):
        assert main(["dataset", table, "--root", "out", "--plan", *words]) == 0
        text = [
            line
            for line in capsys.readouterr().out.splitlines()
            if "4 rows" in line or "text-to-video" in line
        ]
        line, total = ([cell for cell in one.split() if cell.replace(".", "").isdigit()] for one in text)
        assert line[-3] == total[-2] == to_pay, "the line and the sum"
        assert line[-1] == total[-1]
    assert main(["dataset", table, "--root", "out", "--retry-failed"]) == 0
    assert "1 to make (USD 0.28)" in capsys.readouterr().out
    assert len(sandbox.ledger()) == 5
    assert len(lines(tmp_path / "out/datasets/waves/metadata.jsonl")) == 4


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ([{"at": "submit", "code": 1008, "every": 1}], "Such as: "),
        ([{"at": "task", "fail": 1027}], "Such as: clip "),
    ],
)
def test_when_nothing_could_be_made_the_last_line_says_why(
    faults: list[dict[str, object]],
    why: str,
    sandbox: Sandbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sandbox.add_faults(faults)
    assert main(["dataset", waves(tmp_path), "--root", "out"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "not a single row could be made; see out/datasets/waves/failed.jsonl. " in last
    assert why in last
    assert str(faults[0].get("code") or faults[0].get("fail")) in last


def test_a_budget_stops_it_and_a_higher_one_goes_on(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = waves(tmp_path)
    assert main(["dataset", table, "--root", "out", "--budget", "0.6"]) == 1
    err = capsys.readouterr().err
    assert "Run it again to go on with the others" in err
    assert (
        "1 clip: not submitted: it costs USD 0.28, USD 0.56 of the budget of USD 0.6 is spent under out."
        in err
    )
    assert len(sandbox.ledger()) == 2
    assert len(lines(tmp_path / "out/datasets/waves/metadata.jsonl")) == 2
    assert main(["dataset", table, "--root", "out", "--budget", "2"]) == 0
    assert len(sandbox.ledger()) == 3


def test_a_doubt_ends_with_1_and_the_command_that_settles_it(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "submit", "prompt": "Wave 1", "lost": True, "nth": 1}])
    assert main(["dataset", waves(tmp_path), "--root", "out", "--partial"]) == 1
    assert "minimax-tasks resolve" in capsys.readouterr().err
    assert len(lines(tmp_path / "out/datasets/waves/metadata.jsonl")) == 2


def test_a_private_sandbox_needs_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", waves(tmp_path), "--root", "drawn", "--sandbox", "--scale", "90P"]) == 0
    assert "drawn by a sandbox: nothing is paid" in capsys.readouterr().out
    assert len(lines(tmp_path / "drawn/datasets/waves/metadata.jsonl")) == 3


def test_a_name_with_the_date_of_the_partition(sandbox: Sandbox, tmp_path: Path) -> None:
    for day in (1, 2):
        table = write_csv(tmp_path / f"lake/2026/11/{day:02}/p.csv", [{"prompt": f"Day {day}"}])
        assert main(["dataset", table, "--root", "out", "--name", "waves-{date}"]) == 0
        assert Path(f"out/datasets/waves-2026-11-{day:02}/metadata.jsonl").exists()


def test_a_terminal_counts_what_runs_and_a_pipe_gets_a_few_lines(tmp_path: Path) -> None:
    root = Storage("out")
    plan = make_plan(waves(tmp_path, count=200), root)
    states = clip_states(root, plan.clips)
    keys = list(plan.clips)
    for terminal in (True, False):
        stream = io.StringIO()
        output = Output(stream, width=60, force_terminal=terminal)
        with DatasetProgress(output, "waves", plan, states) as progress:
            for key in keys[:150]:
                progress.clip_news(key, ClipNews.SUBMITTED, "7")
            for key in keys[:120]:
                progress.clip_news(key, ClipNews.MADE, "")
            for key in keys[120:145]:
                progress.clip_news(key, ClipNews.FAILED, "1027 too\nmuch 海")
            shown = io.StringIO()
            Output(shown, width=60).print(progress.screen())
        lines = [line.rstrip() for line in shown.getvalue().splitlines()]
        assert [line.split(" ", 1)[1] for line in lines[:4]] == [
            "120 made",
            "25 failed    line 146: 1027 too much 海",
            "5 generating",
            "50 to make",
        ]
        assert lines[4] == "120 of 200 · 0:00 · $42.00 of $56.00"
        if not terminal:
            told = stream.getvalue().splitlines()
            assert len(told) < 40
            assert "more rows failed; failed.jsonl has them all" in told
