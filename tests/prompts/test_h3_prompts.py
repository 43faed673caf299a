"""Prompts for models of the second generation: clauses in place of commands, and spoken lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.api.catalog.models import H3
from minimax_tasks.prompts.bracket_commands import bracket, check_prompt, find_commands, normalise_brackets
from minimax_tasks.prompts.camera import parse_camera
from minimax_tasks.prompts.dialogue import spoken
from minimax_tasks.prompts.render import render_prompt


def prompt(model: str = H3, camera: str | list[str] = "", **values: str) -> str:
    return render_prompt(
        text=None,
        template="plain",
        values=values,
        camera=parse_camera(camera),
        look="Teal and rust.",
        characters=["a woman in a yellow coat"],
        model=model,
        language="en",
        folder=None,
    )


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("[Push in]A man walks.", "The camera pushes in. A man walks."),
        ("A man walks [Pan left] to the door.", "A man walks, the camera pans left, to the door."),
        ("A man, [Zoom in], looks up", "A man, the camera zooms in, looks up"),
        ("He stops. [Static shot]", "He stops. The camera holds a static shot."),
        ("[Push in], then [Pull out] He goes.", "The camera pushes in, then pulls out. He goes."),
        ("[pedestal up + shake] Rain.", "The camera pedestals up while it shakes slightly. Rain."),
        ("[推进]一个男人走路。", "镜头推进。一个男人走路。"),
        ("[推进]，然后[拉远]一个人", "镜头推进，然后拉远。一个人"),
        ("[Shot 2] At 00:03.500, the camera cuts.", "[Shot 2] At 00:03.500, the camera cuts."),
        ("She says: <d>[English] Go.</d>", "She says: <d>[English] Go.</d>"),
    ],
)
def test_commands_are_sent_as_the_clauses_of_the_guide(written: str, sent: str) -> None:
    assert normalise_brackets(written, H3) == sent
    assert normalise_brackets(sent, H3) == sent
    told = check_prompt(written, model=H3)[1]
    assert bool(find_commands(written)) == any("sent as: " in text for text in told)


moves = st.lists(st.sampled_from(MOVES), min_size=1, max_size=3).map(
    lambda group: bracket(tuple(group), "en")
)
words = st.sampled_from(["", "A man walks", "Rain.", "She looks up, ", "雨。", "Is it her? "])


@given(st.lists(st.tuples(words, moves), min_size=1, max_size=4), words)
def test_no_command_in_brackets_is_left_for_it(parts: list[tuple[str, str]], end: str) -> None:
    sent = normalise_brackets("".join(text + command for text, command in parts) + end, H3)
    assert not find_commands(sent)
    assert "  " not in sent.strip()
    assert ".." not in sent


def test_the_camera_of_a_board_is_a_sentence_and_one_template_reads_well_for_both() -> None:
    assert prompt(camera="push in", action="She looks up.") == (
        "The camera pushes in. A woman in a yellow coat. She looks up. Teal and rust."
    )
    assert prompt("MiniMax-Hailuo-02", camera="push in", action="She looks up.") == (
        "[Push in] A woman in a yellow coat. She looks up. Teal and rust."
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("We should have left at noon.", "[English] We should have left at noon."),
        ("走吧。", "[Chinese] 走吧。"),
        ("行こう、今すぐ。", "[Japanese] 行こう、今すぐ。"),
        ("가자!", "[Korean] 가자!"),
        ("Пойдём.", "[Russian] Пойдём."),
        ("[French] On y va\n maintenant.", "[French] On y va maintenant."),
    ],
)
def test_a_line_is_spoken_in_its_language_where_clips_have_sound(line: str, said: str) -> None:
    assert f"A woman in a yellow coat (S1) says: <d>{said}</d> Teal and rust." in prompt(dialogue=line)
    assert "<d>" not in prompt("MiniMax-Hailuo-02", dialogue=line)


def test_without_a_character_a_voice_speaks_and_a_chinese_one_in_chinese() -> None:
    assert spoken("Go.") == "A voice (S1) says: <d>[English] Go.</d>"
    assert spoken("走吧。", "一位女子") == "一位女子（S1）说：<d>[Chinese] 走吧。</d>"


def test_a_text_that_says_itself_what_is_spoken_stays_as_it_is() -> None:
    written = prompt(action="She whispers: <d>[English] Go.</d>", dialogue="Go.")
    assert written.count("<d>") == 1


def test_prompts_of_seven_thousand_characters_are_sent() -> None:
    assert len(prompt(action="Rain. " * 1100)) > 6000
