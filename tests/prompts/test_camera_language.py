"""What people write after `camera:`, and what models read."""

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.api.catalog.cameras import MOVES, Move
from minimax_tasks.api.catalog.models import model_names, reads_brackets
from minimax_tasks.errors import CameraError
from minimax_tasks.prompts import Groups, camera_warnings, find_move, parse_camera, render_camera
from minimax_tasks.prompts.camera import SPELLINGS, folded

BY_NAME = {move.name: move for move in MOVES}
LANGUAGES = ("en", "zh")
BRACKET_MODELS = sorted(filter(reads_brackets, model_names()))
WORDS_MODEL = "S2V-01"


def is_possible(moves: tuple[Move, ...]) -> bool:
    """The rule in the words of the table: one direction on each axis, and static alone."""
    return len({move.axis for move in moves}) == len(moves) and (
        len(moves) == 1 or BY_NAME["static"] not in moves
    )


def spelled(name: str) -> list[str]:
    move = BY_NAME[name]
    return [move.name, move.english, move.chinese, *move.aliases]


POSSIBLE = [moves for size in (1, 2, 3) for moves in combinations(MOVES, size) if is_possible(moves)]
groups_of_moves = st.lists(st.sampled_from(POSSIBLE), max_size=4).map(tuple)


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_every_spelling_finds_its_move_whatever_its_case_and_hyphens(move: Move) -> None:
    for word in spelled(move.name):
        for written in (
            word,
            word.upper(),
            f" {word.title()} ",
            word.replace(" ", "-"),
            word.replace(" ", "_"),
        ):
            assert find_move(written) is move


def test_no_spelling_means_two_moves() -> None:
    written = {(folded(word), move.name) for move in MOVES for word in spelled(move.name)}
    assert len(written) == len(SPELLINGS)


def test_a_string_is_at_the_same_time_and_a_list_is_one_after_the_other() -> None:
    push, down, static = BY_NAME["push_in"], BY_NAME["pedestal_down"], BY_NAME["static"]
    assert parse_camera("push in, pedestal down") == ((push, down),)
    assert parse_camera(["static", "push in, pedestal down"]) == ((static,), (push, down))
    assert parse_camera("") == parse_camera([]) == ()


@pytest.mark.parametrize(
    "value",
    [
        "push in, tilt up",
        "push in，tilt up",
        "推进、上摇",
        "push in + tilt up",
        "push in & tilt up",
        "push in and tilt up",
        "push in, and tilt up",
        "Push-In AND tilt_up",
        "[Push in,Tilt up]",
        "【推进，上摇】",
        "推进和上摇",
        "推进同时上摇",
        "push in; tilt up",
        "push in/tilt up",
        "camera: push in, tilt up",
        "推進和上搖",
    ],
)
def test_separators(value: str) -> None:
    assert parse_camera(value) == ((BY_NAME["push_in"], BY_NAME["tilt_up"]),)


@pytest.mark.parametrize(
    "value",
    [
        "static then push in",
        "static, and then push in",
        "static → push in",
        "固定再推进",
        "[Static shot], then [Push in]",
        "[固定]，然后[推进]",
        "[固定][推进]",
    ],
)
def test_the_word_then_parts_groups(value: str) -> None:
    assert parse_camera(value) == ((BY_NAME["static"],), (BY_NAME["push_in"],))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pair_and_triple_is_taken_or_refused_by_the_rule(size: int, language: str) -> None:
    for moves in combinations(MOVES, size):
        text = ", ".join(move.chinese if language == "zh" else move.english for move in moves)
        if is_possible(moves):
            assert parse_camera(text) == (moves,)
        else:
            with pytest.raises(CameraError, match=r"contradict|nothing moves"):
                parse_camera(text)


def test_four_moves_at_once_are_too_many_and_a_repeated_one_counts_once() -> None:
    with pytest.raises(CameraError, match=r"4 camera moves at the same time .*; at most 3"):
        parse_camera("truck left, tilt up, zoom in, shake")
    assert len(parse_camera("truck left, tilt up, zoom in, zoom in")) == 1


def test_opposites_are_told_how_to_come_one_after_the_other() -> None:
    with pytest.raises(CameraError, match=r"write a list: \[push in, pull out\]"):
        parse_camera("push in, pull out")
    assert len(parse_camera(["push in", "pull out"])) == 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("push inn", "Push in"),
        ("push out", "Pull out"),
        ("trak left", "Truck left"),
        ("推近", "Push in"),
        ("左揺", "Pan left"),
        ("pedestal", "Pedestal up"),
        ("dolly", "Push in"),
        ("static shoot", "Static shot"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_moves(written: str, meant: str) -> None:
    with pytest.raises(CameraError, match=f"unknown camera move '{written}'; did you mean .*{meant}"):
        parse_camera(written)


@given(
    st.sampled_from([move.english for move in MOVES]), st.integers(0, 20), st.characters(categories=["Ll"])
)
def test_one_wrong_letter_is_found_out(word: str, place: int, letter: str) -> None:
    place %= len(word)
    wrong = word[:place] + letter + word[place + 1 :]
    if find_move(wrong) is None:
        with pytest.raises(CameraError, match="did you mean .*" + word):
            parse_camera(wrong)


def test_a_word_like_no_move_is_answered_with_all_of_them() -> None:
    with pytest.raises(CameraError, match=r"known moves: Truck left.*Static shot"):
        parse_camera("xylophone")


@pytest.mark.parametrize(
    "value",
    [
        *[
            "　",
            " ",
            "\u00a0",
            "and",
            "&",
            "+",
            "、",
            "和",
            "同时",
            "[]",
            "【】",
            "camera:",
            "then",
            "push in then",
        ],
        *[["push in", "and"], ["push in", ""], ["push in, and"], ["[push in, and]"], ["and push in"], [""]],
    ],
)
def test_nothing_where_a_move_belongs_is_told(value: str | list[str]) -> None:
    with pytest.raises(CameraError, match="no camera move"):
        parse_camera(value)


@pytest.mark.parametrize("value", ["push in" + " " * 100_000, "x" * 100_000, ["push in"] * 1000])
def test_what_is_too_long_for_an_instruction_is_not_read(value: str | list[str]) -> None:
    with pytest.raises(CameraError, match="characters; at most 500"):
        parse_camera(value)


@pytest.mark.parametrize("value", [3, {"push": "in"}, [["push in"]], [None]])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(CameraError, match="one text for moves at the same time"):
        parse_camera(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", BRACKET_MODELS)
@pytest.mark.parametrize("language", LANGUAGES)
@given(groups=groups_of_moves)
def test_what_is_rendered_in_brackets_is_read_back(model: str, language: str, groups: Groups) -> None:
    assert parse_camera(render_camera(groups, model=model, language=language)) == groups


def test_brackets_and_words_in_both_languages() -> None:
    groups = parse_camera(["push in, pedestal down", "static"])
    written = {
        (model, language): render_camera(groups, model=model, language=language)
        for model in ("MiniMax-Hailuo-02", WORDS_MODEL)
        for language in LANGUAGES
    }
    assert written == {
        ("MiniMax-Hailuo-02", "en"): "[Push in,Pedestal down], then [Static shot]",
        ("MiniMax-Hailuo-02", "zh"): "[推进,下降]，然后[固定]",
        (WORDS_MODEL, "en"): "The camera pushes in while it sinks, then holds a static shot",
        (WORDS_MODEL, "zh"): "镜头推进，同时下降，然后固定",
    }


@given(groups_of_moves)
def test_words_hold_no_brackets_and_every_move(groups: Groups) -> None:
    text = render_camera(groups, model=WORDS_MODEL, language="en")
    assert "[" not in text
    assert all(move.words in text for group in groups for move in group)


def test_a_move_named_twice_is_written_once_and_warned_about() -> None:
    groups = parse_camera("push in, dolly in")
    assert render_camera(groups, model="MiniMax-Hailuo-02", language="en") == "[Push in]"
    assert camera_warnings(groups, 6, "MiniMax-Hailuo-02") == ("Push in is named twice at the same time",)


@pytest.mark.parametrize(
    ("value", "warning"),
    [
        ("truck left, pan left", "one fast drift"),
        ("pedestal up, tilt up", "lose the subject"),
        ("push in, zoom in", "magnify twice"),
        ("tracking, truck left", "follows the subject"),
        ("tracking, pull out", "decides the distance"),
    ],
)
def test_doubtful_combinations_are_warned_about_in_any_order(value: str, warning: str) -> None:
    for words in permutations(value.split(", ")):
        (found,) = camera_warnings(parse_camera(", ".join(words)), 6, "MiniMax-Hailuo-02")
        assert warning in found


@pytest.mark.parametrize("value", ["truck left, pan right", "pedestal up, tilt down", "push in, zoom out"])
def test_arc_crane_and_dolly_zoom_are_fine(value: str) -> None:
    assert camera_warnings(parse_camera(value), 6, "MiniMax-Hailuo-02") == ()


@pytest.mark.parametrize(("seconds", "fits"), [(6, 2), (10, 3)])
def test_too_many_moves_for_the_length(seconds: int, fits: int) -> None:
    moves = ["push in", "pan left", "tilt up", "shake"]
    assert camera_warnings(parse_camera(moves[:fits]), seconds, "MiniMax-Hailuo-02") == ()
    (warning,) = camera_warnings(parse_camera(moves[: fits + 1]), seconds, "MiniMax-Hailuo-02")
    assert f"in {seconds} s" in warning


def test_a_model_that_reads_no_commands_is_warned_about() -> None:
    (warning,) = camera_warnings(parse_camera("push in"), 6, WORDS_MODEL)
    assert warning.startswith("S2V-01 does not read camera commands")
    assert camera_warnings((), 6, WORDS_MODEL) == ()
