"""Walks the published text that sets the scope (`data/scope.txt`), table by table."""

import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import (
    ImageToVideoRequest,
    MiniMaxError,
    StartEndToVideoRequest,
    SubjectToVideoRequest,
    TemplateRequest,
    TextToVideoRequest,
)
from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.api.catalog.errors import UNKNOWN_CODE, find_error
from minimax_tasks.api.catalog.hosts import DEFAULT_HOST
from minimax_tasks.api.catalog.models import Mode, models_for, reads_brackets
from minimax_tasks.prompts.camera import parse_camera, render_camera

SCOPE = (Path(__file__).parent / "data/scope.txt").read_text(encoding="utf-8")
URL = "https://example.com/a.png"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head: a cell a line, rows begin with `|`."""
    lines = SCOPE.splitlines()
    below = lines[lines.index(heading) + 1 :]
    found: list[list[str]] = []
    for line in takewhile(lambda line: "|" in line, below):
        if line.startswith("|"):
            found.append([])
        found[-1].append(line.strip("| "))
    return found[1:]


def sizes(resolutions: str, durations: str) -> list[tuple[str, int]]:
    """`512P, 768P (default)` and `6s (1080P), 6/10s (768P)` as pairs."""
    names = re.findall(r"\d+P", resolutions)
    pairs = []
    for values, where in re.findall(r"([\d/]+)s(?: \(([^)]*)\))?", durations):
        for name in re.findall(r"\d+P", where) or names:
            pairs += [(name, int(value)) for value in values.split("/")]
    return pairs


TEXT, IMAGE = rows("Text-to-Video (T2V) Models"), rows("Image-to-Video (I2V) Models")
CELLS = [
    *((TextToVideoRequest, {"prompt": "x"}, row[0], *size) for row in TEXT for size in sizes(row[1], row[2])),
    *(
        (ImageToVideoRequest, {"first_frame_image": URL}, row[0], *size)
        for row in IMAGE
        for size in sizes(row[1], row[2])
    ),
]


def known(mode: Mode, table: list[list[str]]) -> list[str]:
    """The models of a table as the catalogue has them, which may have newer ones."""
    listed = {row[0] for row in table}
    return [row.model for row in models_for(mode) if row.model in listed]


def test_the_tables_are_read_whole() -> None:
    assert [row[0] for row in TEXT] == known(Mode.TEXT, TEXT)
    assert [row[0] for row in IMAGE] == known(Mode.IMAGE, IMAGE)
    assert len(CELLS) == (3 + 3 + 5 + 1 + 1) + (2 + 2 + 6 + 1 + 1 + 1)
    assert f"https://{DEFAULT_HOST}" in SCOPE


@pytest.mark.parametrize(("kind", "needed", "model", "resolution", "seconds"), CELLS)
def test_every_listed_size_is_taken(
    kind: Any, needed: dict[str, str], model: str, resolution: str, seconds: int
) -> None:
    request = kind(**needed, model=model, resolution=resolution, duration=seconds)
    body = request.body()
    assert body.get("resolution", request.model_mode.default_resolution) == resolution
    assert body.get("duration", request.model_mode.default_seconds) == seconds


@pytest.mark.parametrize(
    ("row", "size"), [(row, part) for row in (*TEXT, *IMAGE) for part in row[1].split(", ")]
)
def test_marked_defaults_are_the_defaults(row: list[str], size: str) -> None:
    if "(default)" in size:
        model_mode = next(o for o in models_for(Mode.TEXT) if o.model == row[0])
        assert size.startswith(model_mode.default_resolution)


def test_the_models_of_the_other_modes() -> None:
    for heading, mode in (
        ("Start-End Frame Model", Mode.START_END),
        ("Subject Reference Model", Mode.SUBJECT),
    ):
        assert [row[0] for row in rows(heading)] == known(mode, rows(heading))


@pytest.mark.parametrize("name", [row[0] for row in rows("Common Parameters (All Modes)")])
@pytest.mark.parametrize(
    "kind", [TextToVideoRequest, ImageToVideoRequest, StartEndToVideoRequest, SubjectToVideoRequest]
)
def test_every_mode_has_the_common_parameters(kind: Any, name: str) -> None:
    assert name in kind.model_fields


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (ImageToVideoRequest, "Image-to-Video Parameters"),
        (StartEndToVideoRequest, "Start-End Frame Parameters"),
        (SubjectToVideoRequest, "Subject Reference Parameters"),
    ],
)
def test_the_parameters_of_a_mode_are_on_its_wire(kind: Any, heading: str) -> None:
    pictures = {name: URL for name in kind.model_fields if name.endswith("_image")}
    assert {row[0] for row in rows(heading)} <= kind(**pictures).body().keys()


def test_the_camera_instructions() -> None:
    heading = next(line for line in SCOPE.splitlines() if line.startswith("Supported in ["))
    listed = re.findall(r"\[(\w+)\]", "".join(row[1] for row in rows(heading)))
    assert sorted(listed) == sorted(move.chinese for move in MOVES)
    for instruction in listed:
        parsed = parse_camera(f"[{instruction}]")
        assert render_camera(parsed, model="MiniMax-Hailuo-2.3", language="zh") == f"[{instruction}]"
    assert all(map(reads_brackets, ("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02", "T2V-01-Director")))


def test_statuses_and_error_codes() -> None:
    statuses = re.search(r"Query status: (.*)", SCOPE)
    codes = re.search(r"Error codes: (.*)", SCOPE)
    assert statuses
    assert codes
    for status in statuses[1].split(", "):
        answer = QueryAnswer.model_validate(
            {"task_id": "1", "status": status, "base_resp": {"status_code": 0}}
        )
        expected = {"Success": State.SUCCESS, "Fail": State.FAILED}.get(status, State.RUNNING)
        assert answer.state is expected
    for code in map(int, re.findall(r"\d+", codes[1])):
        assert code == 0 or find_error(code) is not UNKNOWN_CODE


@pytest.mark.parametrize("row", rows("Video Templates"), ids=lambda row: row[0])
def test_every_template_by_name_and_by_id(row: list[str]) -> None:
    name, template_id, needs, _ = row
    inputs = {"image": URL if "Image" in needs else None, "text": "x" if "Text" in needs else None}
    by_name = TemplateRequest(template=name, **inputs).body()
    assert by_name == TemplateRequest(template=template_id, **inputs).body()
    assert by_name["template_id"] == template_id or name == "Winter Romance"
    for missing in (field for field, value in inputs.items() if value):
        with pytest.raises(MiniMaxError):
            TemplateRequest(template=name, **inputs | {missing: None})
