"""The boards that the project ships: values that a board may have, pictures that the service takes."""

from pathlib import Path

import pytest
import yaml
from PIL import Image

from minimax_tasks.api.catalog.models import V1_PICTURES
from minimax_tasks.prompts import camera_warnings, check_prompt, find_commands, parse_camera, render_prompt

FOLDER = Path(__file__).parents[2] / "pipelines" / "storyboards"
BOARDS = sorted(FOLDER.glob("*.yaml"))
STILLS = sorted((FOLDER / "stills").glob("*.jpg"))
SHOT_KEYS = frozenset(
    [
        "id",
        "template",
        "prompt",
        "from",
        "to",
        "continue",
        "cut",
        "camera",
        "model",
        "resolution",
        "seconds",
        "prompt_optimizer",
        "takes",
        "pick",
        "characters",
        "subject",
        "action",
        "place",
        "dialogue",
        "notes",
        "vars",
    ]
)
OWN_VALUES = ("action", "place", "dialogue", "notes")


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_prompt_of_a_board_renders_without_error_or_warning(path: Path, language: str) -> None:
    board = yaml.safe_load(path.read_text(encoding="utf-8"))
    for shot in board["shots"]:
        assert isinstance(shot["id"], str)
        assert set(shot) <= SHOT_KEYS
        assert {shot.get("from"), shot.get("to")} - {None} <= set(board["frames"])
        model, seconds = shot.get("model", board["defaults"]["model"]), board["defaults"]["seconds"]
        camera = parse_camera(shot.get("camera", ()))
        prompt = render_prompt(
            text=shot.get("prompt"),
            template=shot.get("template"),
            values={key: shot[key] for key in OWN_VALUES if key in shot} | shot.get("vars", {}),
            camera=camera,
            look=board["look"],
            characters=[board["cast"][name]["desc"] for name in shot.get("characters", ())],
            model=model,
            language=language,
            folder=None,
        )
        assert check_prompt(prompt, model=model, camera=camera) == ((), ())
        written = tuple(command.moves for command in find_commands(prompt))
        assert written
        assert camera_warnings(written, seconds, model) == ()


@pytest.mark.parametrize("path", STILLS, ids=lambda path: path.stem)
def test_every_still_is_a_picture_that_the_service_takes_and_has_a_source(path: Path) -> None:
    with Image.open(path) as picture:
        assert picture.format in V1_PICTURES.formats
        assert min(picture.size) >= V1_PICTURES.shortest
        assert V1_PICTURES.aspect[0] <= picture.width / picture.height <= V1_PICTURES.aspect[1]
    assert path.stat().st_size < 400_000
    assert f"`{path.name}`" in (FOLDER / "stills" / "SOURCES.md").read_text(encoding="utf-8")


def test_every_frame_of_a_board_is_there() -> None:
    for path in BOARDS:
        for still in yaml.safe_load(path.read_text(encoding="utf-8"))["frames"].values():
            assert (FOLDER / still).is_file()
