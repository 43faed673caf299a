"""Camera commands that people type into the text of a prompt."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.api.catalog.cameras import MOVES, Move
from minimax_tasks.prompts import check_prompt, find_commands, normalise_brackets, parse_camera
from minimax_tasks.prompts.camera import group_errors

MODEL = "MiniMax-Hailuo-02"


def test_commands_come_with_their_place_and_their_moves() -> None:
    prompt = "A man picks up a book [Pedestal up], then reads [Static shot]."
    commands = find_commands(prompt)
    assert [prompt[command.start : command.end] for command in commands] == ["[Pedestal up]", "[Static shot]"]
    assert [move.name for command in commands for move in command.moves] == ["pedestal_up", "static"]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_official_commands_are_neither_wrong_nor_doubtful(move: Move) -> None:
    for word in (move.english, move.chinese):
        assert check_prompt(f"A boat [{word}] at sea.", model=MODEL) == ((), ())
        (command,) = find_commands(f"A boat 【{word}】 at sea.")
        assert command.moves == (move,)


@pytest.mark.parametrize(
    ("bracket", "says"),
    [
        ("[Push out]", "Pull out"),
        ("[push inn]", "Push in"),
        ("[Trak left]", "Truck left"),
        ("[slow push in]", "Push in"),
        ("[the camera pans left]", "Pan left"),
        ("[panning left]", "Pan left"),
        ("[镜头推进]", "Push in"),
        ("[缓慢拉远]", "Pull out"),
        ("[Push in, slowly]", "'slowly'"),
        ("[pan shot]", "Pan"),
        ("[static, push in]", "nothing moves"),
        ("[Push in,Pull out]", "contradict"),
        ("[truck left, tilt up, zoom in, shake]", "at most 3"),
        ("[truck left; tilt up; zoom in; shake]", "at most 3"),
        ("[Push in/Pull out]", "contradict"),
        ("[Pan lefft]", "did you mean Pan left"),
        ("[psuh in]", "Push in"),
        ("[Pan lwft]", "Pan left"),
        ("[push in slowly]", "Push in"),
        ("[pan]", "did you mean Pan left (左摇) or Pan right (右摇)? It has to say which way"),
        ("[zoom]", "which way"),
        ("[left pan]", "Pan left"),
        ("[推近]", "Push in"),
        ("[]", "no camera move is named"),
        ("[　]", "no camera move is named"),
        ("[and]", "no camera move is named"),
        ("【和】", "no camera move is named"),
        ("[push in, and]", "no camera move follows 'and'"),
        ("[& push in]", "no camera move stands before '&'"),
    ],
)
def test_nearly_a_command_is_an_error(bracket: str, says: str) -> None:
    errors, _ = check_prompt(f"A boat {bracket} at sea.")
    assert says in " ".join(errors)


@pytest.mark.parametrize(
    "bracket",
    [
        "[a sign reading OPEN]",
        "[OPEN]",
        "[smiling]",
        "[static noise]",
        "[zoom lens]",
        "[pan of soup]",
        "[hold, please]",
        "[slow motion]",
        "[dramatic music]",
        "[1]",
        "【海报】",
        "【固定的牌子】",
        "[a tracking device]",
        "[left]",
        "[GOLD]",
        "[cold]",
        "[bold]",
        "[share]",
        "[shape]",
        "[snake]",
        "[mixed]",
        "[full]",
        "[rush]",
        "[hollow]",
        "[right]",
        "[locked door]",
        "[door]",
        "[truck driver]",
        "[rock and roll]",
        "[left/right]",
        "[look up]",
        "[fade in]",
        "[wide shot]",
        "[cut to: black]",
        "[上海]",
        "[和平]",
        "[上升的太阳]",
        "[…]",
    ],
)
def test_other_brackets_are_left_alone(bracket: str) -> None:
    assert find_commands(bracket) == ()
    assert check_prompt(bracket, model="S2V-01") == ((), ())
    assert normalise_brackets(bracket) == bracket


@pytest.mark.parametrize(
    "bracket",
    [
        "[tuck in]",
        "[crane]",
        "[slide]",
        "[boom]",
        "[rush in]",
        "[truck lefy]",
        "[orbit]",
        "[push in — tilt up]",
    ],
)
def test_what_may_be_meant_for_the_camera_is_a_warning(bracket: str) -> None:
    errors, (warning,) = check_prompt(bracket)
    assert not errors
    assert "is left as it is; if the camera is meant" in warning
    assert normalise_brackets(bracket) == bracket


@pytest.mark.parametrize(
    "prompt", ["[Push in A boat", "A boat. [推进", "[Pan left, [Tilt up] A boat", "【push in】 [tilt up"]
)
def test_a_bracket_that_is_not_closed_is_told(prompt: str) -> None:
    errors, (warning,) = check_prompt(prompt)
    assert not errors
    assert "is not closed, so it is no command" in warning


@pytest.mark.parametrize("prompt", ["A boat [GOLD", "a[0", "[Push in] a [b", "smile :["])
def test_other_open_brackets_are_nobodys_business(prompt: str) -> None:
    assert check_prompt(prompt) == ((), ())


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("[push in and tilt up]", "[Push in,Tilt up]"),
        ("[推进和上摇]", "[推进,上摇]"),
        ("[PUSH_IN]", "[Push in]"),
        ("[ｐｕｓｈ ｉｎ]", "[Push in]"),
        ("[push in + tilt up]", "[Push in,Tilt up]"),
        ("[Push in, Tilt up]", "[Push in,Tilt up]"),
        ("[Push in; Tilt up]", "[Push in,Tilt up]"),
        ("[Push in/Tilt up]", "[Push in,Tilt up]"),
        ("[Push in | Tilt up]", "[Push in,Tilt up]"),
        ("[Push in then Tilt up]", "[Push in], then [Tilt up]"),
        ("[push in, and then pull out]", "[Push in], then [Pull out]"),
        ("[推进再拉远]", "[推进]，然后[拉远]"),
        ("[camera: push in]", "[Push in]"),
        ("[镜头：推进]", "[推进]"),
        ("【推进】", "[推进]"),
        ("[推進]", "[推进]"),
        ("[[Push in]]", "[Push in]"),
        ("[Push\u200b in]", "[Push in]"),
        ("[push in, dolly in]", "[Push in]"),
        ("[dolly in]", "[Push in]"),
    ],
)
def test_what_is_understood_is_sent_in_one_form(written: str, sent: str) -> None:
    assert normalise_brackets(f"A boat {written} at sea.") == f"A boat {sent} at sea."
    assert check_prompt(written)[0] == ()
    assert check_prompt(sent) == ((), ())


spelled = st.sampled_from(
    [(word, move) for move in MOVES for word in (move.name, move.english, move.chinese, *move.aliases)]
)


@given(
    words=st.lists(spelled, min_size=1, max_size=3),
    separator=st.sampled_from(
        [", ", ",", "，", "、", " and ", " + ", " & ", "; ", "/", " | ", "和", " AND "]
    ),
    dress=st.sampled_from(["[{}]", "【{}】", "［{}］", "[ {} ]", "[camera: {}]", "[{}.]", "[[{}]]"]),
    change=st.sampled_from([str, str.upper, str.title, lambda word: word.replace(" ", "_")]),
)
def test_every_spelling_in_every_dress_is_sent_in_the_words_of_the_service(
    words: list[tuple[str, Move]], separator: str, dress: str, change: Callable[[str], str]
) -> None:
    text = dress.format(separator.join(change(word) for word, _ in words))
    moves = tuple(dict.fromkeys(move for _, move in words))
    sent = normalise_brackets(f"A boat {text} at sea.")
    bracket = sent.removeprefix("A boat ").removesuffix(" at sea.")
    assert bracket in {
        "[" + ",".join(move.english for move in moves) + "]",
        "[" + ",".join(move.chinese for move in moves) + "]",
    }
    assert normalise_brackets(sent) == sent
    errors, _ = check_prompt(text)
    assert bool(errors) == bool(group_errors(moves))


def test_an_alias_is_doubtful() -> None:
    errors, (warning,) = check_prompt("[dolly in]")
    assert not errors
    assert "it is sent as [Push in]" in warning


def test_doubtful_combinations_are_warned_about_unless_camera_warnings_does() -> None:
    assert "one fast drift" in check_prompt("[Truck left,Pan left]", model=MODEL)[1][0]
    assert (
        check_prompt("[Truck left,Pan left]", model=MODEL, camera=parse_camera("truck left, pan left"))[1]
        == ()
    )


def test_brackets_on_a_model_that_does_not_read_them() -> None:
    assert check_prompt("[Push in] a boat", model="S2V-01")[1] == (
        "S2V-01 does not read camera commands: [Push in]",
    )


def test_commands_beside_or_instead_of_those_of_the_board() -> None:
    camera = parse_camera("push in")
    assert check_prompt("[Push in] a boat", model=MODEL, camera=camera)[1] == ()
    assert (
        "of its own as well as `camera:`: Pull out"
        in check_prompt("[Push in] [Pull out]", model=MODEL, camera=camera)[1][0]
    )
    assert "asks for Push in" in check_prompt("[Pull out] a boat", model=MODEL, camera=camera)[1][0]


@pytest.mark.parametrize(
    ("prompt", "normal"),
    [
        ("【推进，下降】海鸥飞过", "[推进,下降]海鸥飞过"),
        ("［Push in、Tilt up］", "[Push in,Tilt up]"),
        ("[Push in] 【海报】，门", "[Push in] 【海报】，门"),
    ],
)
def test_full_width_brackets_and_commas_are_normalised_in_commands_only(prompt: str, normal: str) -> None:
    assert normalise_brackets(prompt) == normal


@given(st.text(alphabet="[]【】，, Push推进inот", max_size=40))
def test_normalising_twice_changes_nothing_more(prompt: str) -> None:
    once = normalise_brackets(prompt)
    assert normalise_brackets(once) == once
    assert [frozenset(group) for command in find_commands(once) for group in command.groups] == [
        frozenset(group) for command in find_commands(prompt) for group in command.groups
    ]
