"""The shipped templates read well, whatever optional values are there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.prompts import find_commands, parse_camera, render_prompt, shot_templates, template_names
from minimax_tasks.prompts.wording import end_sentence, sentence

REQUIRED = {
    "product_spin": {"product"},
    "action_tracking": {"action"},
    "insert": {"detail"},
    "reveal": {"reveal"},
}
VALUES = {
    "place": "a fishing harbour",
    "time": "at first light",
    "action": "mist drifts off the water.",
    "reveal": "the boats",
    "dialogue": "You came back.",
    "expression": "amused",
    "product": "a steel watch",
    "surface": "wet slate",
    "material": "brushed steel",
    "from_state": "a closed bud",
    "to_state": "an open rose.",
    "detail": "a brass dial",
    "foreground": "tall grass",
}
ILL = re.compile(r"\.\.|,,| [.,;:!?]|,\.|\.,|\s\s|\?\.|^\W*$|\.[A-Z]|: \.|[\ufdd0-\ufdef]")


@pytest.mark.parametrize("name", template_names())
@given(data=st.data())
def test_any_values_give_good_punctuation(name: str, data: st.DataObject) -> None:
    optional = sorted(set(VALUES) - REQUIRED.get(name, set()))
    chosen = REQUIRED.get(name, set()) | set(data.draw(st.lists(st.sampled_from(optional), unique=True)))
    camera = data.draw(st.sampled_from(["", "push in", ["push in, tilt up", "static"]]))
    characters = data.draw(st.sampled_from([(), ("a man",), ("a woman, yellow coat", "a dog")]))
    action = data.draw(st.sampled_from(["mist drifts", "Mist drifts.", "Does it rain?", "she says “now.”"]))
    prompt = render_prompt(
        text=None,
        template=name,
        values={key: VALUES[key] for key in chosen} | ({"action": action} if "action" in chosen else {}),
        camera=parse_camera(camera),
        look="Overcast dawn, 35 mm grain.",
        characters=characters,
        model=data.draw(st.sampled_from(["MiniMax-Hailuo-02", "S2V-01"])),
        language=data.draw(st.sampled_from(["en", "zh"])),
        folder=None,
    )
    assert not ILL.search(prompt), prompt
    assert prompt.endswith("Overcast dawn, 35 mm grain.")
    assert prompt[0].isupper() or prompt[0] in "[镜"
    if camera:
        assert (
            parse_camera(camera)[0] in [command.moves for command in find_commands(prompt)]
            or "[" not in prompt
        )


@pytest.mark.parametrize(
    ("name", "values", "prompt"),
    [
        (
            "establishing",
            {"place": "a fishing harbour", "action": "mends a net"},
            "Wide establishing shot of a fishing harbour. [Pull out,Pedestal up] A man mends a net.",
        ),
        (
            "action_tracking",
            {"action": "runs along the jetty"},
            "Medium shot. A man runs along the jetty. "
            "[Tracking shot], at the same pace, the background streaming past.",
        ),
        (
            "insert",
            {"detail": "a brass dial"},
            "Extreme close-up insert: a brass dial. [Static shot], macro lens, background soft.",
        ),
        ("plain", {"action": "looks up"}, "A man looks up."),
        ("plain", {"action": "He looks up"}, "A man. He looks up."),
    ],
)
def test_examples(name: str, values: dict[str, object], prompt: str) -> None:
    rendered = render_prompt(
        text=None,
        template=name,
        values=values,
        camera=(),
        look="",
        characters=["a man"],
        model="MiniMax-Hailuo-02",
        language="en",
        folder=None,
    )
    assert rendered == prompt


def test_every_template_says_what_it_is_for_and_what_it_takes() -> None:
    for template in shot_templates():
        assert "Values" in template.about, template.name
        for value in REQUIRED.get(template.name, ()):
            assert re.search(rf"{value} \([^)]*required", template.about), template.name


def test_every_value_a_template_uses_is_in_its_comment() -> None:
    for template in shot_templates():
        body = template.path.read_text(encoding="utf-8").partition("-#}")[2]
        code = re.sub(r"'[^']*'", "", "".join(re.findall(r"\{[{%].*?[%}]\}", body)))
        for value in VALUES:
            if re.search(rf"\b{value}\b", code):
                assert re.search(rf"\b{value}\b", template.about), (template.name, value)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("mist drifts", "Mist drifts."),
        ("Really?", "Really?"),
        ("and so …", "And so …"),
        ("iPhone", "iPhone."),
        ("one, two,", "One, two."),
        ("海鸥飞过", "海鸥飞过。"),
        ("海鸥飞过，", "海鸥飞过。"),
        ("“Now.”", "“Now.”"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_sentences(text: str, whole: str) -> None:
    assert sentence(text) == whole


@given(st.text(max_size=30))
def test_a_sentence_is_ended_once(text: str) -> None:
    assert end_sentence(end_sentence(text)) == end_sentence(text)
