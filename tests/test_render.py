"""Board file in, film out: what the film shows, what a second run pays, what an edit re-makes."""

import itertools
import json
import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from minimax_tasks import RenderStoryboard, build
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.frames import cover
from minimax_tasks.video.probe import probe
from tests.conftest import Picture, point_at
from tests.storyboard.boards import HARBOUR, write_board

pytestmark = pytest.mark.slow


@pytest.fixture
def harbour(tmp_path: Path, picture: Picture) -> str:
    picture("refs/pier.png", "teal", size=(1366, 768))
    picture("refs/boat.png", "orange", size=(1366, 768))
    return write_board(tmp_path, HARBOUR)


def render(board: str, root: Path | str) -> int:
    return main(["render", board, "--root", str(root)])


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24").astype(np.float32) for frame in film.decode(video=0)]


def like(frame: np.ndarray, still: Path) -> float:
    """Mean difference of a frame and a still, in steps of 255."""
    height, width = frame.shape[:2]
    wanted = np.asarray(cover(Image.open(still), (width, height)), np.float32)
    return float(np.abs(frame - wanted).mean())


def test_the_film_shows_what_the_board_asks_frame_by_frame(
    sandbox: Sandbox, harbour: str, tmp_path: Path
) -> None:
    assert render(harbour, tmp_path / "out") == 0
    folder = tmp_path / "out" / "films" / "harbour"
    film = probe(folder / "film.mp4", "decode")
    assert film.ok
    assert (film.codec, film.pix_fmt, film.fps) == ("h264", "yuv420p", 24)
    assert film.frames == 5 * 144 - 2 - 12
    frames = frames_of(folder / "film.mp4")
    pier, boat = tmp_path / "refs/pier.png", tmp_path / "refs/boat.png"
    assert like(frames[0], pier) < 8
    assert like(frames[143], boat) < 8, "020 starts where 010 ends; the doubled frame is dropped"
    assert like(frames[144], boat) < 12
    steps = [float(np.abs(one - two).mean()) for one, two in itertools.pairwise(frames[:400])]
    assert max(steps) < 12, "no jump inside the continued run"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [shot["starts_at"] for shot in manifest["shots"]] == pytest.approx(
        [0, 144 / 24, 287 / 24, (430 - 12) / 24, (574 - 12) / 24], abs=1e-3
    )
    assert [shot["take"] for shot in manifest["shots"]] == [1, 2, 1, 1, 1]


def test_matching_clips_are_copied_and_the_film_starts_fast(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    picture("a.png", size=(1366, 768))
    picture("b.png", "navy", size=(1366, 768))
    board = """\
        title: Two
        frames: {a: a.png, b: b.png}
        shots:
          - {id: one, from: a, to: b, action: First.}
          - {id: two, model: MiniMax-Hailuo-02, action: Second.}
        """
    assert render(write_board(tmp_path, board), "out") == 0
    folder = tmp_path / "out/films/two"
    assert json.loads((folder / "manifest.json").read_text())["joined"] == "copy"
    assert probe(folder / "film.mp4").frames == 287
    head = (folder / "film.mp4").read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_a_second_run_submits_nothing_and_leaves_the_film_alone(
    sandbox: Sandbox, harbour: str, tmp_path: Path
) -> None:
    assert render(harbour, tmp_path / "out") == 0
    assert len(sandbox.ledger()) == 6
    film = tmp_path / "out/films/harbour/film.mp4"
    before = film.stat().st_mtime_ns
    assert render(harbour, tmp_path / "out") == 0
    assert len(sandbox.ledger()) == 6
    assert film.stat().st_mtime_ns == before


def test_an_edit_re_makes_that_shot_what_continues_from_it_and_the_film(
    sandbox: Sandbox, harbour: str, tmp_path: Path
) -> None:
    assert render(harbour, "out") == 0
    before = (tmp_path / "out/films/harbour/film.mp4").read_bytes()
    write_board(tmp_path, HARBOUR.replace("She looks up from the rope.", "She drops the rope."))
    assert render(harbour, "out") == 0
    new = [entry["request"].get("prompt", "") for entry in sandbox.ledger()[6:]]
    assert sorted("drops the rope" in prompt for prompt in new) == [False, True, True]
    assert (tmp_path / "out/films/harbour/film.mp4").read_bytes() != before


def test_a_new_cut_of_the_same_clips_costs_nothing(sandbox: Sandbox, harbour: str, tmp_path: Path) -> None:
    assert render(harbour, "out") == 0
    write_board(tmp_path, HARBOUR.replace("cut: fade 0.5", "cut: wipeleft 0.25"))
    assert not RenderStoryboard(storyboard=harbour, root="out").complete()
    assert render(harbour, "out") == 0
    assert len(sandbox.ledger()) == 6
    assert probe(tmp_path / "out/films/harbour/film.mp4").frames == 5 * 144 - 2 - 6


def test_segments_that_need_not_wait_run_at_the_same_time(
    harbour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(latency=8.0, scale="90P") as slow:
        point_at(monkeypatch, slow.url)
        assert render(harbour, "out") == 0
        at = sorted(entry["created_at"] for entry in slow.ledger())
    assert at[4] - at[0] < 8.0, "five of the six clips wait for nobody"
    assert at[5] - at[0] >= 8.0, "025 waits for the last frame of 020"


def test_on_memory_storage(sandbox: Sandbox, harbour: str) -> None:
    task = RenderStoryboard(storyboard=harbour, root="memory://render/films")
    assert build([task])
    with task.output()["film"].open("rb") as film:
        assert probe(film).ok


def test_the_report_names_every_shot_and_price(sandbox: Sandbox, harbour: str, tmp_path: Path) -> None:
    assert render(harbour, "out") == 0
    page = (tmp_path / "out/films/harbour/report.html").read_text()
    for word in ("Harbour", "010", "025", "MiniMax-Hailuo-2.3", "1.68", "sandbox"):
        assert word in page
    assert not re.search(r'(src|href)="https?:', page)


def test_a_failed_shot_is_named_with_code_and_text_and_the_rest_is_made(
    sandbox: Sandbox, harbour: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "jetty", "fail": 1027}])
    assert render(harbour, "out") == 1
    error = capsys.readouterr().err
    assert "shot 030" in error
    assert "1027" in error
    assert "Traceback" not in error
    assert len(sandbox.ledger()) == 6
    assert render(harbour, "out") == 1
    assert len(sandbox.ledger()) == 6, "a failed clip is not paid for again"


def test_a_private_sandbox_keeps_its_tasks_for_the_next_run(
    harbour: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["render", harbour, "--root", "out", "--sandbox", "--scale", "90P"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "film: out/films/harbour/film.mp4" in out.splitlines()
    assert "report: out/films/harbour/report.html" in out.splitlines()
    journal = tmp_path / "out/sandbox/journal.jsonl"
    before = journal.read_bytes()
    assert main(words) == 0
    assert journal.read_bytes() == before


def test_drawn_clips_never_pass_for_real_ones(
    harbour: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["render", harbour, "--root", "out", "--sandbox", "--scale", "90P"]) == 0
    monkeypatch.setenv("MINIMAX_API_KEY", "a-real-key")
    assert main(["render", harbour, "--root", "out"]) == 2
    assert "use another root" in capsys.readouterr().err


def test_no_key_is_an_error_before_anything_is_written(
    harbour: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(harbour, "out") == 2
    assert "MINIMAX_API_KEY" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_broken_board_ends_with_two_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = write_board(tmp_path, "title: x\nshots:\n  - {id: a, camrea: push in}\n")
    for command in (["render", board, "--sandbox"], ["plan", board]):
        assert main([*command, "--root", "out"]) == 2
        error = capsys.readouterr().err
        assert "camrea" in error
        assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_the_budget_stops_before_the_submit_that_would_pass_it(
    sandbox: Sandbox, harbour: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for budget, submits in (("0.60", 2), ("0.60", 2), ("0.90", 3), ("10", 6)):
        code = main(["render", harbour, "--root", "out", "--budget", budget])
        assert len(sandbox.ledger()) == submits, "what the root spent before counts"
        assert code == (0 if budget == "10" else 1)
        if code:
            assert f"of the budget of USD {float(budget):g} is spent" in capsys.readouterr().err


def test_the_price_that_is_shown_holds_what_is_asked_again(
    sandbox: Sandbox, harbour: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "jetty", "fail": 1027, "most": 1}])
    assert main(["render", harbour, "--root", "out"]) == 1
    capsys.readouterr()
    monkeypatch.setenv("MINIMAX_API_KEY", "")
    assert main(["render", harbour, "--root", "out", "--retry-failed"]) == 2
    told = capsys.readouterr()
    assert "1 to make (USD 0.28)" in told.out
    assert "there is no API key" in told.err


def test_a_clip_in_doubt_is_shown_with_the_command_that_settles_it(
    sandbox: Sandbox, harbour: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "submit", "nth": 1, "lost": True}])
    assert main(["render", harbour, "--root", "out"]) == 1
    capsys.readouterr()
    assert main(["plan", harbour, "--root", "out"]) == 0
    told = re.search(r"in doubt: .* (minimax-tasks resolve [0-9a-f]{32} --root out)", capsys.readouterr().out)
    assert told
    assert told[1] in (tmp_path / "out/films/harbour/report.html").read_text()


def test_drawing_at_another_scale_needs_another_root(
    harbour: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", harbour, "--root", "out", "--scale", "90P"]) == 2
    assert "it needs --sandbox" in capsys.readouterr().err
    assert main(["render", harbour, "--root", "out", "--sandbox", "--scale", "90P"]) == 0
    assert main(["plan", harbour, "--root", "out"]) == 0
    assert "160 x 90" not in capsys.readouterr().out
    assert main(["render", harbour, "--root", "out", "--sandbox"]) == 2
    assert "holds clips drawn at 90P" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--root", "memory://gone"], "gone when this process ends"),
        (["--root", "nosuch://bucket"], "cannot be used: there is no protocol nosuch://"),
        (["--root", "board.yaml"], "root = 'board.yaml' cannot be used"),
        (["--root", "board.yaml/x"], "cannot be used"),
        (["--root", "HERE/out", "--scheduler-url", "http://127.0.0.1:9"], "no scheduler answers there"),
        (["--root", "out", "--scheduler-url", "http://127.0.0.1:9"], "other workers would look for it"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_paid(
    words: list[str],
    says: str,
    harbour: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MINIMAX_API_KEY", "k")
    assert main(["render", harbour, *(word.replace("HERE", str(tmp_path)) for word in words)]) == 2
    assert says in capsys.readouterr().err


def test_a_plan_on_a_root_that_is_a_file_says_so(harbour: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", harbour, "--root", "board.yaml"]) == 2
    assert "root = 'board.yaml' cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BASE_URL", "nonsense", "base_url = 'nonsense'"),
        ("API_KEY", "two\nlines", "no HTTP header can carry"),
    ],
)
def test_settings_that_no_request_can_be_sent_with(
    name: str, value: str, says: str, harbour: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("MINIMAX_API_KEY", "k")
    monkeypatch.setenv(f"MINIMAX_{name}", value)
    assert main(["render", harbour, "--root", "out"]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert "two" not in told


def test_a_film_with_holes_says_so_and_is_filled_for_the_price_of_the_holes(
    sandbox: Sandbox, harbour: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "jetty", "fail": 1027, "most": 1}])
    folder = tmp_path / "out/films/harbour"
    assert main(["render", harbour, "--root", "out"]) == 1
    assert not (folder / "film.mp4").exists()
    assert not (folder / "film.partial.mp4").exists()
    assert "missing: 030 (failed)" in capsys.readouterr().err
    assert main(["render", harbour, "--root", "out", "--partial"]) == 1
    out, err = capsys.readouterr()
    assert "partial film: out/films/harbour/film.partial.mp4" in out
    assert "try again" not in (out + err).lower()
    assert probe(folder / "film.partial.mp4", "decode").frames == 5 * 144 - 2 - 12
    assert not (folder / "film.mp4").exists()
    page = (folder / "report.html").read_text()
    assert "1027" in page
    assert len(sandbox.ledger()) == 6
    assert main(["plan", harbour, "--root", "out"]) == 0
    assert "failed" in capsys.readouterr().out
    assert main(["render", harbour, "--root", "out", "--retry-failed"]) == 0
    assert len(sandbox.ledger()) == 7
    assert (folder / "film.mp4").exists()
    assert not (folder / "film.partial.mp4").exists()


def test_the_report_says_where_each_shot_leaves_the_film(
    sandbox: Sandbox, harbour: str, tmp_path: Path
) -> None:
    assert main(["render", harbour, "--root", "out"]) == 0
    page = (tmp_path / "out/films/harbour/report.html").read_text()
    told = " ".join(re.sub(r"<[^>]*>", " ", page.partition("<main")[2]).split())
    places = re.findall(r"Shot 0\d\d (00:00:\d\d:\d\d) (00:00:\d\d:\d\d)", told)
    # 020 and 025 repeat a frame that is shown once; the fade into 030 lies over the last half second of 025.
    assert places == [
        ("00:00:00:00", "00:00:06:00"),
        ("00:00:06:00", "00:00:11:23"),
        ("00:00:11:23", "00:00:17:22"),
        ("00:00:17:10", "00:00:23:10"),
        ("00:00:23:10", "00:00:29:10"),
    ]


def test_a_take_that_is_not_picked_holds_up_no_film(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "title: Rain\nshots:\n  - {id: a, action: Rain.}\n  - {id: b, cut: true, action: Sun., seconds: SECONDS}\n"
    folder = tmp_path / "out/films/rain"
    assert main(["render", write_board(tmp_path, text.replace("SECONDS", "6")), "--root", "out"]) == 0
    sandbox.add_faults([{"at": "task", "prompt": "Rain", "fail": 1027, "most": 1}])
    board = write_board(tmp_path, text.replace("Rain.}", "Rain., takes: 2}").replace("SECONDS", "10"))
    assert main(["render", board, "--root", "out"]) == 1
    out, err = capsys.readouterr()
    assert "film: out/films/rain/film.mp4" in out
    assert "the film is made, but not: a take 2 (failed)" in err
    assert probe(folder / "film.mp4", "decode").frames == 144 + 240
    assert "1027" in (folder / "report.html").read_text()
    assert main(["render", board, "--root", "out"]) == 1
    assert len(sandbox.ledger()) == 4
    assert main(["render", board, "--root", "out", "--retry-failed"]) == 0
    assert len(sandbox.ledger()) == 5
    assert "1027" not in (folder / "report.html").read_text()


def test_the_report_of_an_unfinished_film_says_what_is_planned_and_what_lies_beside_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    text = "title: Rain\nshots:\n  - {id: a, action: Rain.}\n"
    assert main(["render", write_board(tmp_path, text), "--root", "out"]) == 0
    page = tmp_path / "out/films/rain/report.html"
    assert "made before" not in page.read_text()
    sandbox.add_faults([{"at": "task", "prompt": "Sun", "fail": 1027, "most": 1}])
    board = write_board(tmp_path, text + "  - {id: b, cut: true, action: Sun.}\n")
    assert main(["render", board, "--root", "out"]) == 1
    told = " ".join(re.sub(r"<[^>]*>", " ", page.read_text().partition("<body>")[2]).split())
    assert "Planned time 00:00:12:00" in told
    assert "0 × 0" not in told
    assert "film.mp4 in this folder is the film as it was made before" in told
    assert main(["render", board, "--root", "out", "--retry-failed"]) == 0
    assert "made before" not in page.read_text()


def test_shots_that_ask_for_the_same_are_told_and_counted_once(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "title: 'Gulls [/] [red]x[/red]'\nshots:\n  - {id: a, prompt: A gull.}\n  - {id: b, cut: true, prompt: A gull.}\n"
    board = write_board(tmp_path, text)
    assert main(["plan", board, "--root", "out"]) == 0
    plan = capsys.readouterr().out
    assert "Gulls [/] [red]x[/red]" in plan
    assert "it asks for the same as shot a" in " ".join(plan.split())
    assert "1 to pay" in plan
    assert main(["render", board, "--root", "out"]) == 0
    out = capsys.readouterr().out
    assert "2 shots, 1 clip; 0 known already, 1 to make (USD 0.28)" in out
    assert "shot a and shot b: made" in out
    assert len(sandbox.ledger()) == 1


def test_a_shot_that_waits_for_a_failed_one_says_so(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "Rain", "fail": 1027}])
    board = write_board(
        tmp_path, "title: Wet\nshots:\n  - {id: a, action: Rain.}\n  - {id: b, action: Sun.}\n"
    )
    assert main(["render", board, "--root", "out"]) == 1
    assert "missing: a (failed), b (waits for a)" in capsys.readouterr().err


def test_one_run_with_retry_failed_pays_once_for_a_clip_that_fails_again(
    sandbox: Sandbox, harbour: str
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "jetty", "fail": 1027}])
    assert main(["render", harbour, "--root", "out"]) == 1
    assert main(["render", harbour, "--root", "out", "--retry-failed"]) == 1
    assert len(sandbox.ledger()) == 7
