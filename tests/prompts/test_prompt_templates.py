"""The shipped templates read well, whatever optional values are there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.errors import PromptError
from minimax_tasks.prompts import find_commands, parse_camera, render_prompt, shot_templates, template_names
from minimax_tasks.prompts.sentences import end_sentence, sentence

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


CORES = [
    "mist drifts", "The old jetty", "10 boats", "“Wait” he says", "iPhone on a table", "1930s Shanghai", "eBay",
    "🎬 clap", "waves 🌊", "(quietly) he sits", "مرحبا بالعالم", "नमस्ते दुनिया", "船は港を出る", "ボートが出る", "一位女人",
    "低声说再见", "她抬起头，望向大海", "《红楼梦》放在桌上", "“等等。”他说", "ﬁne rain", "ß", "a man, tall", "5", "3.5 m",
    "Wait", "x", "élan", "Ärger", "наводнение", "it's 5 o'clock", "a [GOLD] sign",
]  # fmt: skip
ENDINGS = ["", ".", "。", "!", "?", "！", "…", ",", "，", ";", ".”", " ", "\n", "॥", ":"]
values_of_people = st.one_of(
    st.builds("{}{}".format, st.sampled_from(CORES), st.sampled_from(ENDINGS)),
    st.integers(0, 2000),
    st.floats(0, 10).map(lambda number: round(number, 1)),
    st.sampled_from(["", " ", ".", "。", "…", "-", ","]),
    st.lists(st.sampled_from(CORES), min_size=1, max_size=3),
)
UNTIDY = re.compile(
    r"\.\.|\., |,,|，，|，。|。，|。,|。\.|\.。| [,.;!?，。；！？]|\?\.|!\.|：。|：，|:\.|\s\s|\(\)|\[\]|（）|[\ufdd0-\ufdef]"
    r"|[.!?] (?!iPhone|eBay|ﬁ|ß)[a-zà-ÿа-я]|。 "
)


def assert_tidy(prompt: str, values: list[object]) -> None:
    assert not UNTIDY.search(prompt), (UNTIDY.search(prompt), prompt)
    for value in values:
        for part in value if isinstance(value, list) else [value]:
            words = str(part).strip(" \n.。!?！…,，;:॥”-")
            assert words.casefold() in prompt.casefold(), (part, prompt)


@pytest.mark.parametrize("name", [*template_names(), None])
@given(data=st.data())
def test_random_values_make_good_sentences(name: str | None, data: st.DataObject) -> None:
    """Whatever people write in a value, the sentence around it holds, and what they wrote is in it."""
    about = {template.name: template.about for template in shot_templates()}.get(name or "plain", "")
    used = [value for value in VALUES if re.search(rf"\b{value}\b", about.partition("Values")[2])]
    required = REQUIRED.get(name or "", set())
    chosen = sorted(required | set(data.draw(st.lists(st.sampled_from(used), unique=True))))
    drawn: dict[str, object] = {key: data.draw(values_of_people) for key in chosen}
    people = data.draw(
        st.lists(st.builds("{}{}".format, st.sampled_from(CORES), st.sampled_from(ENDINGS)), max_size=3)
    )
    if name in ("product_spin", "insert"):
        people = []
    look = data.draw(
        st.sampled_from(["", "Overcast dawn, 35 mm grain.", "Grain", "阴天，青绿色调", "阴天。"])
    )
    prompt = render_prompt(
        text=None,
        template=name,
        values=drawn,
        camera=parse_camera(data.draw(st.sampled_from(["", "push in", ["push in, tilt up", "static"]]))),
        look=look,
        characters=people,
        model=data.draw(st.sampled_from(["MiniMax-Hailuo-02", "S2V-01", "T2V-01"])),
        language=data.draw(st.sampled_from(["en", "zh"])),
        folder=None,
    )
    assert_tidy(prompt, [*(value for key, value in drawn.items() if key != "dialogue"), *people])


PLACES = ["A boat, {}, at sea.", "Waves. {}. Foam.", "({}) Waves.", "Camera: {}. Foam.", "{}, waves.", "A boat {}.",
          "海浪，{}，远去。", "雨停了。{}", "{} {}", "Foam ({}).", "{}A boat", "A boat; {}", "Shot: {}, slow."]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("model", ["MiniMax-Hailuo-02", "T2V-01"])
@pytest.mark.parametrize("camera", ["", "push in"])
def test_the_punctuation_around_a_camera_is_settled(place: str, model: str, camera: str) -> None:
    prompt = render_prompt(
        text=place.replace("{}", "{{ camera }}"), template=None, values={}, camera=parse_camera(camera), look="Dawn.",
        characters=(), model=model, language="en", folder=None,
    )  # fmt: skip
    assert not UNTIDY.search(prompt.replace("]. ", "] ")), prompt
    assert prompt.endswith("Dawn.")


CHINESE_VALUES = {
    "place": "清晨的码头。", "time": "雨后", "action": "低声说再见。", "reveal": "几艘渔船。", "dialogue": "你来了。",
    "expression": "先是惊讶，随后释然", "product": "一块钢表", "surface": "湿石板", "material": "拉丝钢表面。",
    "from_state": "空无一人的街道。", "to_state": "熙熙攘攘的人群", "detail": "黄铜表盘", "foreground": "深色的树叶。",
}  # fmt: skip


@pytest.mark.parametrize("name", template_names())
@pytest.mark.parametrize("model", ["MiniMax-Hailuo-02", "S2V-01"])
@pytest.mark.parametrize("camera", ["", "推进", ["固定", "推进"]])
def test_every_template_speaks_chinese_with_a_chinese_shot(
    name: str, model: str, camera: str | list[str]
) -> None:
    prompt = render_prompt(
        text=None, template=name, values=CHINESE_VALUES, camera=parse_camera(camera), look="阴天，青绿色调。",
        characters=["一位穿黄色雨衣的中年女人。", "一个高个子男人"], model=model, language="zh", folder=None,
    )  # fmt: skip
    assert not UNTIDY.search(prompt), prompt
    assert not re.search(r"[A-Za-z]", prompt), prompt
    assert " " not in re.sub(r"\] ", "]", prompt), prompt  # a blank may part commands from the text only
    assert not re.search(r"[,.;:!?()]", re.sub(r"\[[^\]]*\]", "", prompt)), prompt


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("plain", "[推进] 清晨的码头。一位女人，低声说再见。阴天。"),
        (
            "establishing",
            "大远景：清晨的码头，雨后。[推进]，画面中渐渐出现几艘渔船。一位女人，低声说再见。阴天。",
        ),
        (
            "dialogue_cu",
            "近景特写：一位女人。清晨的码头。低声说再见。正在交谈，说话神态自然。神情：先是惊讶，随后释然。"
            "[推进]，浅景深，焦点落在双眼。阴天。",
        ),
        ("reveal", "深色的树叶占满画面。[推进]，缓缓越过，露出几艘渔船。一位女人，低声说再见。阴天。"),
    ],
)
def test_chinese_examples(name: str, prompt: str) -> None:
    shown = render_prompt(
        text=None, template=name, values=CHINESE_VALUES, camera=parse_camera("推进"), look="阴天", folder=None,
        characters=["一位女人"], model="MiniMax-Hailuo-02", language="zh",
    )  # fmt: skip
    assert shown + "。" == prompt


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "'reveal' is undefined"),
        (True, "the value is true"),
        ({"a": 1}, "the value is names with values"),
    ],
)
def test_a_missing_or_wrong_value_is_told(value: object, said: str) -> None:
    with pytest.raises(PromptError, match=f"^template 'reveal', line .*{said}"):
        render_prompt(
            text=None, template="reveal", values={"reveal": value}, camera=(), look="", characters=(),
            model="MiniMax-Hailuo-02", language="en", folder=None,
        )  # fmt: skip


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
        chinese = template.path.with_name(f"{template.name}.zh.j2")
        if template.name != "plain":
            body += chinese.read_text(encoding="utf-8")
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
        ("ﬁne", "ﬁne."),
        ("ボートが出る", "ボートが出る。"),
        ("नमस्ते", "नमस्ते।"),
        ("?!", ""),
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
