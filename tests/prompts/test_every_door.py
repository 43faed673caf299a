"""A prompt is judged and sent alike, whether a board, a table or a task brings it."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import minimax_tasks as mm
from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.storyboard.planning.make import make_plan
from tests.storyboard.boards import write_board

MODEL = "MiniMax-Hailuo-2.3"


def by_board(prompt: str, folder: Path) -> ClipRequest:
    board = {"title": "T", "shots": [{"id": "1", "model": MODEL, "prompt": prompt}]}
    path = write_board(folder, json.dumps(board, ensure_ascii="\ud83d" in prompt), "board.json")
    return make_plan(path, root=str(folder / "root"), language="en").shots[0].picked.clip


def by_table(prompt: str, folder: Path) -> ClipRequest:
    table = folder / "table.jsonl"
    table.write_text(json.dumps({"prompt": prompt}))
    (clip,) = mm.VideoDataset(table=str(table), root=str(folder / "root")).plan.clips.values()
    return clip


def by_task(prompt: str, folder: Path) -> ClipRequest:
    return mm.TextToVideo(prompt=prompt, root=str(folder / "root")).clip


def by_stage(prompt: str, folder: Path) -> ClipRequest:
    request = mm.TextToVideoRequest(prompt=prompt)
    return mm.DownloadVideo(request=request, root=str(folder / "root")).clip


Door = Callable[[str, Path], ClipRequest]
doors = pytest.mark.parametrize("door", [by_board, by_table, by_task, by_stage])


@doors
@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("A boat [push in and tilt up] at sea.", "A boat [Push in,Tilt up] at sea."),
        ("A boat【推进】 at sea.", "A boat[推进] at sea."),
        ("A boat [Push in then Tilt up].", "A boat [Push in], then [Tilt up]."),
        ("A sign [GOLD] at a [locked door].", "A sign [GOLD] at a [locked door]."),
        ("A boat [Push in,Tilt up].", "A boat [Push in,Tilt up]."),
    ],
)
def test_one_form_is_sent(door: Door, written: str, sent: str, tmp_path: Path) -> None:
    clip = door(written, tmp_path)
    assert clip.request.body()["prompt"] == sent
    assert clip.key == ClipRequest(mm.TextToVideoRequest(prompt=sent)).key
    assert ClipRequest.from_json(clip.to_json()).key == clip.key


@doors
@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[Pan lefft] A boat", "did you mean Pan left"),
        ("[Push in,Pull out] A boat", "contradict"),
        ("[Push in; Pull out] A boat", "contradict"),
        ("[truck left/tilt up/zoom in/shake] A boat", "at most 3"),
        ("[pan] A boat", "which way"),
        ("[] A boat", "no camera move"),
    ],
)
def test_what_looks_like_a_command_and_is_none_is_told(
    door: Door, written: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises((mm.BoardError, mm.TableError, mm.InvalidRequest), match=told):
        door(written, tmp_path)


@doors
def test_what_may_be_one_is_a_warning(door: Door, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert door("A [crane] at work", tmp_path).request.body()["prompt"] == "A [crane] at work"
    told = [str(warning.message) for warning in caught]
    if door is by_board:
        path = str(tmp_path / "board.json")
        told += make_plan(path, root="root", language="en").shots[0].warnings
    assert any("[crane] is left as it is" in text for text in told)


@doors
@pytest.mark.parametrize("prompt", ["A boat [push in and tilt up].", "A boat [Pan lefft].", "[pan] A boat."])
@pytest.mark.parametrize("file", ["submission.json", "claim.1.json"])
def test_what_was_paid_under_its_old_spelling_is_still_that_clip(
    door: Door, prompt: str, file: str, tmp_path: Path
) -> None:
    paid = ClipRequest(mm.TextToVideoRequest(prompt=prompt))
    folder = tmp_path / "root" / "clips" / paid.key
    folder.mkdir(parents=True)
    (folder / file).write_text('{"task_id": "1"}')
    clip = door(prompt, tmp_path)
    assert (clip.key, clip.request.body()["prompt"]) == (paid.key, prompt)
    assert ClipRequest.from_json(clip.to_json()).key == paid.key


@doors
def test_a_claim_that_was_released_does_not_bring_an_old_spelling_back(door: Door, tmp_path: Path) -> None:
    paid = ClipRequest(mm.TextToVideoRequest(prompt="[push in and tilt up] A boat."))
    folder = tmp_path / "root" / "clips" / paid.key
    folder.mkdir(parents=True)
    for name in ("claim.1.json", "released.1.json"):
        (folder / name).write_text("{}")
    assert door("[push in and tilt up] A boat.", tmp_path).request.body()["prompt"].startswith("[Push in,")


CONTROLS = [
    "\x1b]0;PWN\x07",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\ufdd0",
    "\ufffe",
    "\U0001ffff",
    "\x9b",
    "\ud83d",
]


CLEANED = {
    (by_table, "\ud83d"): "A boat \ufffd at sea",
    (by_board, "\ud83d"): "A boat \ufffd at sea",
    (by_board, "\x7f"): "A boat at sea",
}
"""What is mended where a file is read, so that every board that `json.dumps` writes is a board."""


@doors
@pytest.mark.parametrize("character", CONTROLS, ids=ascii)
def test_control_characters_reach_no_request(door: Door, character: str, tmp_path: Path) -> None:
    cleaned = CLEANED.get((door, character))
    if cleaned is not None:
        assert door(f"A boat {character} at sea", tmp_path).request.body()["prompt"] == cleaned
        return
    with pytest.raises((mm.BoardError, mm.TableError, mm.InvalidRequest)) as caught:
        door(f"A boat {character} at sea", tmp_path)
    assert f"U+{ord(character[0]):04X}" in str(caught.value)
    str(caught.value).encode()
    assert character not in str(caught.value)


@pytest.mark.parametrize("character", [each for each in CONTROLS[:-1] if each != "\ufdd0"], ids=ascii)
@pytest.mark.parametrize("place", ["prompt", "look", "template"])
def test_nor_do_those_that_jinja_makes(character: str, place: str, tmp_path: Path) -> None:
    escaped = "".join(f"\\U{ord(one):08x}" for one in character)
    made = f"{{{{ '{escaped}' }}}}"
    (tmp_path / "prompt_templates").mkdir()
    (tmp_path / "prompt_templates" / "own.j2").write_text(f"A boat {made}")
    shot = {"id": "7", "prompt": f"A boat {made}"} if place == "prompt" else {"id": "7", "template": "own"}
    path = write_board(tmp_path, json.dumps({"title": "T", "shots": [shot]}), "board.json")
    with pytest.raises(mm.BoardError, match=rf"shot 7: .*U\+{ord(character[0]):04X}"):
        make_plan(path, root="root", language="en")


@pytest.mark.parametrize(
    "text",
    ["two\nlines\tand tabs", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽", "مرحبا \u200f", "क्ष \u200d", "e\u0301", "a\u00a0b", "\u200b"],
)
def test_what_people_write_is_allowed(text: str) -> None:
    assert forbidden_character(text) == ""


@pytest.mark.parametrize("camera", ["", "　", "and", "&", "[]", [], ["push in", ""], ["[push in, and]"]])
def test_an_empty_camera_names_its_key(camera: object, tmp_path: Path) -> None:
    board = {"title": "T", "shots": [{"id": "1", "prompt": "A boat.", "camera": camera}]}
    path = write_board(tmp_path, json.dumps(board), "board.json")
    with pytest.raises(mm.BoardError, match="shot 1: camera: no camera move"):
        make_plan(path, root="root", language="en")
