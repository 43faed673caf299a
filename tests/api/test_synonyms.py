"""What people call things, and what is meant."""

import pytest

from minimax_tasks import ImageToVideoRequest, InvalidRequest
from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.api.catalog.combinations import COMBINATIONS, find_combination
from minimax_tasks.api.catalog.synonyms import NOT_THERE
from minimax_tasks.api.suggest import suggest
from minimax_tasks.errors import CameraError
from minimax_tasks.prompts.camera import parse_camera
from minimax_tasks.prompts.render import render_prompt
from minimax_tasks.storyboard.board import Board, Shot
from minimax_tasks.storyboard.board_picture import Picture

KEYS = [field.alias or name for name, field in Shot.model_fields.items()]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("duration", "seconds"),
        ("length", "seconds"),
        ("image", "from"),
        ("first_frame", "from"),
        ("First Frame", "from"),
        ("last_frame", "to"),
        ("end", "to"),
        ("transition", "cut"),
        ("description", "action"),
        ("line", "dialogue"),
        ("movement", "camera"),
        ("台词", "dialogue"),
        ("camrea", "camera"),
        ("actoin", "action"),
        ("zzz", None),
    ],
)
def test_what_means_the_same_comes_before_what_is_spelled_alike(word: str, meant: str | None) -> None:
    assert suggest(word, KEYS) == meant


def test_a_key_is_never_a_synonym_of_another() -> None:
    for key in KEYS:
        assert suggest(key, KEYS) == key


@pytest.mark.parametrize("word", NOT_THERE)
def test_what_is_said_not_to_be_there_is_nowhere_on_a_board(word: str) -> None:
    for part in (Board, Shot, Picture):
        assert suggest(word, part.model_fields) is None


def test_the_same_words_at_the_door_of_the_requests() -> None:
    for word, meant in (("seconds", "duration"), ("image", "first_frame_image"), ("size", "resolution")):
        with pytest.raises(InvalidRequest, match=f"did you mean {meant}"):
            ImageToVideoRequest(first_frame_image="https://x/a.png", **{word: 6})


@pytest.mark.parametrize(
    ("word", "macro"),
    [
        ("dolly zoom", "{{ vertigo('in') }}"),
        ("Dolly-Zoom out", "{{ vertigo('out') }}"),
        ("orbit", "{{ arc('left') }}"),
        ("orbit shot", "{{ arc('left') }}"),
        ("arc right", "{{ arc('right') }}"),
        ("环绕镜头", "{{ arc('left') }}"),
        ("crane", "{{ crane('up') }}"),
        ("crane shot", "{{ crane('up') }}"),
        ("jib down", "{{ crane('down') }}"),
    ],
)
def test_a_camera_move_with_a_name_of_its_own(word: str, macro: str) -> None:
    with pytest.raises(CameraError) as refused:
        parse_camera(word)
    assert f"did you mean {macro}, in the text of a prompt?" in str(refused.value)


def test_combinations_are_what_their_macros_write() -> None:
    for combination in COMBINATIONS:
        written = render_prompt(
            text=f"{combination.macro} x",
            template=None,
            values={},
            camera=(),
            look="",
            characters=[],
            model="MiniMax-Hailuo-2.3",
            language="en",
            folder=None,
        )
        (group,) = parse_camera(combination.moves)
        assert written.startswith("[" + ",".join(move.english for move in group) + "]")


def test_no_name_of_a_move_is_taken_for_a_combination() -> None:
    for move in MOVES:
        for word in (move.english, move.chinese, move.name, *move.aliases):
            assert parse_camera(word) == ((move,),)
    assert find_combination("crane up") is not None, "asked for only when a word names no move"
