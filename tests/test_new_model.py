"""A model is one row: with a made-up row in the catalogue, all that people touch knows the model."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from minimax_tasks import TextToVideo, build
from minimax_tasks.api.catalog import models
from minimax_tasks.api.catalog.models import CameraForm, Mode, ModelMode, Price, Size
from minimax_tasks.commands.main import main
from minimax_tasks.dataset.table import parse_table
from minimax_tasks.errors import InvalidRequest
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.sandbox.http.openapi import describe
from minimax_tasks.video.probe import probe
from tests.storyboard.boards import write_board

NAME = "MiniMax-Made-Up-9"
ROW = ModelMode(
    NAME,
    Mode.TEXT,
    (Size("768P", (4, 8), "scope"), Size("900P", (4,), "scope", caveat="900P is only dreamt of")),
    default_resolution="768P",
    default_seconds=4,
    fps=12,
    fast_pretreatment=False,
    source="scope",
    prices=(Price("768P", 4, 0.11, 0.80), Price("768P", 8, 0.22, 1.60)),
    camera=CameraForm.BRACKETS,
    prompt_limit=3000,
)
LONG = "x" * 2500


@pytest.fixture(autouse=True)
def _the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "MODEL_MODES", (*models.MODEL_MODES, ROW))


def test_the_models_command_shows_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models"]) == 0
    people = capsys.readouterr().out
    assert "768P: 4 s 0.11 · 8 s 0.22" in people
    assert NAME in people.partition("written in brackets for ")[2]
    assert main(["models", "--json"]) == 0
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["model"] == NAME]
    assert row["default"] == {"resolution": "768P", "seconds": 4}
    assert row["sizes"][0]["usd"] == {"4": 0.11, "8": 0.22}


BOARD = f"""
title: Made up
defaults: {{model: {NAME}}}
shots:
  - {{id: "010", cut: true, camera: push in, prompt: "The sea, with gulls."}}
  - {{id: "020", cut: true, seconds: SECONDS, prompt: A harbour at night.}}
"""


def test_a_board_takes_its_lengths_prices_and_brackets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", write_board(tmp_path, BOARD.replace("SECONDS", "8")), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["total"]["usd"] == 0.33
    first, second = (shot["segments"][0] for shot in plan["shots"])
    assert (first["model"], first["seconds"], second["seconds"]) == (NAME, 4, 8)
    assert main(["plan", write_board(tmp_path, BOARD.replace("SECONDS", "6"))]) == 2
    assert "seconds = 6" in (said := capsys.readouterr().err)
    assert "allowed: 4, 8" in said


def test_a_row_of_a_table_asks_for_it() -> None:
    table = parse_table(
        "made-up.csv", f"prompt,model,duration\n[Push in] Sea,{NAME},8\n{LONG},{NAME},6\n".encode()
    )
    (row,) = table.rows
    assert (row.request.usd, row.doubts) == (0.22, ())
    (problem,) = table.problems
    assert "duration = 6" in problem.text
    assert "4, 8" in problem.text


def test_a_task_makes_a_clip_with_it(sandbox: Sandbox, tmp_path: Path) -> None:
    task = TextToVideo(prompt=LONG, model=NAME, root=str(tmp_path / "out"))
    assert build([task])
    assert probe(Path(task.output().path)).frames == 4 * 12
    (entry,) = sandbox.ledger()
    assert entry["request"]["model"] == NAME
    with pytest.raises(InvalidRequest, match="4, 8"):
        TextToVideo(prompt="Sea", model=NAME, duration=5)
    with pytest.warns(UserWarning, match="only dreamt of"):
        TextToVideo(prompt="Sea", model=NAME, resolution="900P")


def test_the_sandbox_judges_by_its_row(sandbox: Sandbox) -> None:
    def message(**body: object) -> str:
        answer = httpx.post(
            f"{sandbox.url}/v1/video_generation",
            json={"model": NAME, "prompt": "Sea", **body},
            headers={"Authorization": "Bearer any"},
            trust_env=False,
            verify=False,
        )
        return str(answer.json()["base_resp"]["status_msg"])

    assert (
        message(duration=5)
        == f"invalid params, param 'duration' only support 4s and 8s for model {NAME} 768P"
    )
    assert "only support up to 3000 characters" in message(prompt="x" * 3001)
    assert "does not exist" not in message()
    assert "success" in message()


def test_the_sandbox_describes_it() -> None:
    asked = describe.__wrapped__()["components"]["schemas"]["GenerationRequest"]["properties"]
    assert NAME in asked["model"]["enum"]
    assert {4, 6, 8, 10} <= set(asked["duration"]["enum"])
    assert (asked["prompt"]["maxLength"], "900P" in asked["resolution"]["enum"]) == (3000, True)


def test_each_mode_of_a_model_has_one_default() -> None:
    rows = models.model_modes()
    for mode in {row.mode for row in rows}:
        assert [row.model for row in rows if row.mode is mode and row.is_default] == [
            models.default_model(mode).model
        ]
    for name in models.model_names():
        of_model = [row for row in rows if row.model == name]
        assert len({(row.prices, row.reads_brackets, row.endpoint) for row in of_model}) == 1


def test_a_row_of_the_second_generation_is_all_that_it_takes(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    like = models.find_model_mode(models.H3, Mode.TEXT)
    assert like is not None
    row = replace(
        like, model="MiniMax-Made-Up-H9", sizes=(Size("640P", (3, 20), "scope"),), default_resolution="640P",
        default_seconds=3, rates=(models.Rate("640P", 0.01),), prompt_limit=50,
    )  # fmt: skip
    monkeypatch.setattr(models, "MODEL_MODES", (*models.MODEL_MODES, row))
    task = TextToVideo(prompt="Sea", model=row.model, ratio="16:9", root=str(tmp_path / "out"))
    assert build([task])
    assert probe(Path(task.output().path)).ok
    (entry,) = sandbox.ledger()
    assert (entry["request"]["model"], entry["request"]["duration"]) == (row.model, 3)
    assert task.asked.usd == 0.03
    with pytest.raises(InvalidRequest, match="3, 20"):
        TextToVideo(prompt="Sea", model=row.model, ratio="16:9", duration=4)
    with pytest.raises(InvalidRequest, match="at most 50"):
        TextToVideo(prompt="x" * 51, model=row.model, ratio="16:9")
