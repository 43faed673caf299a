"""How a shot's text becomes the prompt that is sent."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.api.catalog.models import model_names, reads_brackets
from minimax_tasks.errors import PromptError
from minimax_tasks.prompts import (
    find_commands,
    parse_camera,
    render_prompt,
    shot_templates,
    template_folder,
    template_names,
)

BRACKETS, WORDS = "MiniMax-Hailuo-02", "T2V-01"
BRACKET_MODELS = sorted(filter(reads_brackets, model_names()))


def render(
    text: str | None = None,
    *,
    template: str | None = None,
    values: Mapping[str, object] | None = None,
    camera: str | Sequence[str] = (),
    look: str = "",
    characters: Sequence[str] = (),
    model: str = BRACKETS,
    language: str = "en",
    folder: Path | None = None,
) -> str:
    return render_prompt(
        text=text,
        template=template,
        values=values or {},
        camera=parse_camera(camera),
        look=look,
        characters=characters,
        model=model,
        language=language,
        folder=folder,
    )


class TestPlaces:
    def test_the_camera_goes_in_front_and_the_look_at_the_end(self) -> None:
        assert (
            render("A boat leaves", camera="push in", look="Overcast dawn.")
            == "[Push in] A boat leaves. Overcast dawn."
        )
        assert (
            render("A boat leaves", camera="push in", look="Grain", model=WORDS)
            == "The camera pushes in. A boat leaves. Grain"
        )

    def test_what_the_text_places_itself_stays_where_it_is(self) -> None:
        assert (
            render("{{ look }} A boat {{ camera }} at sea.", camera="push in", look="Dawn.")
            == "Dawn. A boat [Push in] at sea."
        )

    @pytest.mark.parametrize(
        "placing",
        [
            "{{ camera | upper }}",
            "{{ 'x' ~ camera }}",
            "{% set c = camera %}{{ c }}",
            "{{ camera + '' }}",
            "{% filter trim %}{{ camera }}{% endfilter %}",
            "{{ '%s' | format(camera) }}",
            "{{ [camera] | join }}",
        ],
    )
    def test_placing_through_filters_and_variables_counts(self, placing: str) -> None:
        prompt = render(f"A boat {placing}", camera="push in")
        assert prompt.casefold().count("[push in]") == 1
        assert prompt.startswith("A boat")

    def test_asking_whether_there_is_a_camera_does_not_place_it(self) -> None:
        assert render("{% if camera %}Yes{% else %}No{% endif %}", camera="push in") == "[Push in] Yes"
        assert render("{% if camera %}Yes{% else %}No{% endif %}") == "No"

    def test_a_macro_counts_as_having_placed_the_camera(self) -> None:
        assert render("A boat {{ tilt_up() }}", camera="push in") == "A boat [Tilt up]"

    def test_an_empty_text_is_the_camera_and_the_look_alone(self) -> None:
        assert render("") == ""
        assert render("", camera="push in", look="Dawn.") == "[Push in] Dawn."
        assert render("", camera="push in", model=WORDS) == "The camera pushes in."

    def test_chinese(self) -> None:
        assert render("海鸥飞过", camera="推进", look="阴天", language="zh") == "[推进] 海鸥飞过。阴天"
        assert (
            render("海鸥飞过", camera=["推进", "固定"], language="zh", model=WORDS)
            == "镜头推进，然后固定。海鸥飞过"
        )

    def test_full_width_commands_are_normalised(self) -> None:
        assert render("【推进，下降】海鸥") == "[推进,下降]海鸥"

    @given(
        st.text(alphabet="ab .,\n\t。", max_size=30),
        st.sampled_from(["", "Dawn.", "Dawn"]),
        st.sampled_from(["", "push in"]),
    )
    def test_spaces_are_single_and_full_stops_are_not_doubled(
        self, text: str, look: str, camera: str
    ) -> None:
        prompt = render(text, camera=camera, look=look)
        assert prompt == " ".join(prompt.split())
        if ".." not in " ".join(text.split()):
            assert ".." not in prompt


class TestWords:
    """Plain words fit the sentence that they stand in."""

    @pytest.mark.parametrize(
        ("text", "prompt"),
        [
            ("A boat leaves {{ camera }}, then turns.", "A boat leaves as the camera pushes in, then turns."),
            ("A boat leaves, {{ camera }}", "A boat leaves, the camera pushes in."),
            ("A boat leaves. {{ camera }} Gulls cry.", "A boat leaves. The camera pushes in. Gulls cry."),
            ("{{ camera }} toward the boat.", "The camera pushes in toward the boat."),
            ("{{ camera }} {{ tilt_up() }} Gulls cry.", "The camera pushes in, then tilts up. Gulls cry."),
            (
                "{{ camera }} at the boat{{ then('tilt up') }}.",
                "The camera pushes in at the boat, then tilts up.",
            ),
            ("A boat. {{ then('tilt up') }}", "A boat. Then the camera tilts up."),
        ],
    )
    def test_words(self, text: str, prompt: str) -> None:
        assert render(text, camera="push in", model=WORDS) == prompt


class TestMacros:
    @pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
    @pytest.mark.parametrize("model", BRACKET_MODELS)
    def test_every_move_has_a_macro_in_both_languages(self, move: object, model: str) -> None:
        name = move.name  # type: ignore[attr-defined]
        for language in ("en", "zh"):
            (command,) = find_commands(render(f"A {{{{ {name}() }}}} b", model=model, language=language))
            assert command.moves == (move,)

    @pytest.mark.parametrize(
        ("call", "brackets", "words"),
        [
            (
                "cam('push in', 'tilt down')",
                "[Push in,Tilt down]",
                "The camera pushes in while it tilts down.",
            ),
            ("hold()", "[Static shot]", "The camera holds a static shot."),
            (
                "arc('left')",
                "[Truck left,Pan right] arcing around the subject",
                "The camera trucks left while it pans right, arcing around the subject.",
            ),
            (
                "arc('right')",
                "[Truck right,Pan left] arcing around the subject",
                "The camera trucks right while it pans left, arcing around the subject.",
            ),
            (
                "crane('up')",
                "[Pedestal up,Tilt down] in one crane move",
                "The camera rises while it tilts down, in one crane move.",
            ),
            (
                "vertigo()",
                "[Push in,Zoom out] a dolly zoom",
                "The camera pushes in while it zooms out, a dolly zoom.",
            ),
            (
                "vertigo('out')",
                "[Pull out,Zoom in] a dolly zoom",
                "The camera pulls out while it zooms in, a dolly zoom.",
            ),
            ("handheld()", "[Shake]", "The camera shakes slightly, handheld."),
            (
                "handheld('push in')",
                "[Push in,Shake]",
                "The camera pushes in while it shakes slightly, handheld.",
            ),
        ],
    )
    def test_macros(self, call: str, brackets: str, words: str) -> None:
        assert render(f"{{{{ {call} }}}}") == brackets
        assert render(f"{{{{ {call} }}}}", model=WORDS) == words
        imported = f"{{% from 'camera.j2' import {call.partition('(')[0]} %}}{{{{ {call} }}}}"
        assert render(imported) == brackets

    def test_who(self) -> None:
        assert render("{{ who(characters) }}", characters=["a man", "a dog"]) == "a man, and a dog"
        assert render("{{ who(characters) }}", characters=["男人", "狗"], language="zh") == "男人和狗"

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("cam('push inn')", "unknown camera move 'push inn'; did you mean Push in"),
            ("cam('push in', 'pull out')", "contradict each other"),
            ("then('push inn')", "did you mean Push in"),
            ("arc('up')", "unknown camera move 'truck up'"),
            ("cam()", "no camera move is named"),
        ],
    )
    def test_errors_inside_macros_name_the_line_of_the_prompt(self, call: str, message: str) -> None:
        with pytest.raises(PromptError, match=r"^prompt, line 2: .*" + message):
            render(f"A boat\n{{{{ {call} }}}}")


class TestErrors:
    def test_a_missing_value_names_itself_the_line_and_the_nearest_value(self) -> None:
        with pytest.raises(
            PromptError, match=r"^prompt, line 2: 'acton' is undefined; did you mean 'action'"
        ):
            render("A\n{{ acton }}", values={"action": "x"})
        with pytest.raises(PromptError, match="known values: camera, characters, look"):
            render("{{ weather }}")

    def test_a_missing_value_in_a_template_names_the_template(self) -> None:
        with pytest.raises(PromptError, match=r"^template 'product_spin', line .*'product' is undefined"):
            render(template="product_spin")

    def test_an_unknown_template_names_the_nearest_and_all(self) -> None:
        with pytest.raises(
            PromptError, match=r"'establishin'; did you mean 'establishing'\? templates: action_tracking"
        ):
            render(template="establishin")
        with pytest.raises(PromptError, match="unknown template 'camera'"):
            render(template="camera")

    def test_template_and_prompt_together(self) -> None:
        with pytest.raises(PromptError, match="not both"):
            render("A boat", template="plain")

    def test_too_long(self) -> None:
        assert len(render("x" * 2000)) == 2000
        with pytest.raises(PromptError, match="has 2008 characters; at most 2000"):
            render("x" * 2000, look="A dawn")

    @pytest.mark.parametrize("name", ["look", "camera", "characters"])
    def test_a_value_cannot_hide_what_the_board_gives(self, name: str) -> None:
        with pytest.raises(PromptError, match=f"cannot be called '{name}'"):
            render("A", values={name: "x"})

    def test_none_is_not_given(self) -> None:
        assert (
            render("{% if place is defined %}{{ place }}{% else %}nowhere{% endif %}", values={"place": None})
            == "nowhere"
        )

    @pytest.mark.parametrize(
        "text", ["{{ 1 / 0 }}", "{% if %}", "{{ 'a' + 1 }}", "{{ camera.x.y }}", "{{ 3 | nofilter }}"]
    )
    def test_whatever_goes_wrong_in_a_text_names_the_line(self, text: str) -> None:
        with pytest.raises(PromptError, match=r"^prompt, line 3: "):
            render(f"A\n\n{text}")


VALUES = {"day": True, "list": ["rain", 3, 2.5], "flags": [True, False], "names": {"of": True}, "word": "x"}


class TestWhatIsWritten:
    """A prompt has what a board has, and never what only Python has a text for: that may differ in each run."""

    @pytest.mark.parametrize(
        ("text", "prompt"),
        [
            ("{{ day }} {{ not day }}", "true false"),
            (
                "{{ day ~ '!' }} {{ day|string }} {{ '%s' % day }} {{ '{}'.format(day) }}",
                "true! true true true",
            ),
            ("{{ flags|join(' and ') }}", "true and false"),
            ("{{ names|tojson }}", '{"of": true}'),
            ("{% if day is true and day is boolean and day == true %}yes{% endif %}", "yes"),
            ("{{ list }}", "rain, 3, 2.5"),
            ("{{ range(3)|list }}", "0, 1, 2"),
        ],
    )
    def test_values(self, text: str, prompt: str) -> None:
        assert render(text, values=VALUES) == prompt

    @pytest.mark.parametrize(
        "text",
        [
            "{{ people }}", "{{ cam }}", "{{ word.upper }}", "{{ names }}", "{{ flags }}", "{{ none }}",
            "{{ names.get('x') }}", "{{ range(3) }}", "{{ list|map('string') }}", "{{ namespace(a=1) }}",
            "{{ cycler('a') }}", "{{ joiner() }}", "{{ self }}", "{{ '1e400'|float }}", "{{ people|sentence }}",
        ],
    )  # fmt: skip
    def test_what_is_no_text_is_an_error(self, text: str) -> None:
        with pytest.raises(PromptError) as told:
            render(text, values=VALUES)
        assert " at 0x" not in str(told.value)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{{ people }}", "people is to be called, with what it needs in parentheses: people(…)"),
            ("{{ people() }}", "people() needs a value for 'descriptions'"),
            ("{{ vertigo(1, 2) }}", "vertigo() is given more values than it takes"),
            ("{{ word|join(1, 2, 3) }}", "join() is given more values than it takes"),
            ("{{ word + 1 }}", "a text and a number are not added with +; ~ puts them side by side"),
            ("{{ -word }}", "this is no calculation that can be done with such values"),
            ("{{ word() }}", "there is nothing to call here; leave the parentheses out"),
            ("{{ 1 / 0 }}", "it divides by zero"),
        ],
    )
    def test_it_is_told_in_words_for_people(self, text: str, says: str) -> None:
        with pytest.raises(PromptError) as told:
            render(text, values=VALUES)
        assert str(told.value) == f"prompt, line 1: {says}"


class TestSandbox:
    @pytest.mark.parametrize(
        "text",
        [
            "{{ ''.__class__.__mro__ }}",
            "{{ ''['__class__'] }}",
            "{{ '' | attr('__class__') }}",
            "{{ cycler.__init__.__globals__ }}",
            "{{ cam.__globals__ }}",
            "{{ cam._func }}",
            "{{ camera_moves.__globals__['os'] }}",
            "{{ '{0.__class__}'.format(1) }}",
            "{{ '{0.__class__.__mro__}'.format_map({'0': 1}) }}",
            "{{ self._TemplateReference__context }}",
            "{% include '../../etc/passwd' %}",
            "{% include '/etc/passwd' %}",
            "{% import '../camera.py' as c %}",
            "{{ things.append(1) }}",
            "{{ range(10000000) | list }}",
            "{{ lipsum() }}",
            "{{ things | random }}",
        ],
    )
    def test_ways_out_are_refused(self, text: str) -> None:
        with pytest.raises(PromptError):
            render(text, values={"things": [1, 2]})

    def test_values_are_text_not_templates(self) -> None:
        assert render("{{ action }}", values={"action": "{{ 1 + 1 }} <b>&</b>"}) == "{{ 1 + 1 }} <b>&</b>"


class TestFolders:
    def test_a_board_has_its_own_templates_which_win(self, tmp_path: Path) -> None:
        (tmp_path / "night").mkdir()
        (tmp_path / "night" / "street.j2").write_text(
            "{#- A street. Values: none. -#}\nWet street {{ hold() }}"
        )
        (tmp_path / "plain.j2").write_text("Mine: {{ action }}")
        assert render(template="night/street", folder=tmp_path) == "Wet street [Static shot]"
        assert render(values={"action": "x"}, folder=tmp_path) == "Mine: x"
        assert {"night/street", "establishing"} <= set(template_names(tmp_path))
        about = {template.name: template.about for template in shot_templates(tmp_path)}
        assert about["night/street"] == "A street. Values: none."
        assert about["plain"] == ""

    def test_a_template_is_read_again_when_it_changes(self, tmp_path: Path) -> None:
        path = tmp_path / "own.j2"
        path.write_text("One")
        assert render(template="own", folder=tmp_path) == "One"
        path.write_text("Two")
        os.utime(path, (1, 1))
        assert render(template="own", folder=tmp_path) == "Two"

    def test_nothing_outside_the_folder_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "secret.j2").write_text("secret")
        inner = tmp_path / "prompt_templates"
        inner.mkdir()
        for name in ("../secret", str(tmp_path / "secret")):
            with pytest.raises(PromptError, match="unknown template"):
                render(template=name, folder=inner)

    def test_a_folder_that_is_not_there_is_as_none(self, tmp_path: Path) -> None:
        assert render(values={"action": "x"}, folder=tmp_path / "missing") == "X."
        assert template_names(tmp_path / "missing") == template_names()

    def test_an_error_in_an_included_template_names_that_template(self, tmp_path: Path) -> None:
        (tmp_path / "part.j2").write_text("\n{{ wether }}")
        with pytest.raises(
            PromptError, match=r"^template 'part', line 2: 'wether' is undefined; did you mean 'weather'"
        ):
            render("{% include 'part.j2' %}", values={"weather": "rain"}, folder=tmp_path)

    def test_the_shipped_folder_exists(self) -> None:
        assert (template_folder() / "camera.j2").is_file()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She looks up.", "[固定], then [推进] She looks up."),
        ("她抬起头。", "[固定]，然后[推进] 她抬起头。"),
    ],
)
def test_then_between_commands_is_in_the_language_of_the_text(text: str, expected: str) -> None:
    prompt = render_prompt(
        text=text,
        template=None,
        values={},
        camera=parse_camera(["static", "push in"]),
        look="",
        characters=(),
        model="MiniMax-Hailuo-02",
        language="zh",
        folder=None,
    )
    assert prompt.replace("] 她", "]她") == expected.replace("] 她", "]她")


class TestLanguageOfWords:
    """Commands are in the language of the service's region, the words around them in that of the text."""

    def test_two_people_of_an_english_board(self) -> None:
        shown = render(values={"action": "walk away."}, characters=["a woman", "a man"], language="zh")
        assert shown == "A woman, and a man, walk away." or shown == "A woman, and a man walk away."
        assert "和" not in shown

    def test_a_move_that_follows_inside_a_sentence(self) -> None:
        text = "{{ cam('push in') }} and it flies{{ then('pull out') }}."
        assert render(text, language="zh") == "[推进] and it flies, then [拉远]."
        assert render(text.replace("and it flies", "飞走了"), language="zh") == "[推进] 飞走了，然后[拉远]."

    def test_plain_words_for_models_that_read_no_commands(self) -> None:
        values = {"product": "a watch"}
        shown = render(template="product_spin", values=values, model=WORDS, language="zh")
        assert shown == render(template="product_spin", values=values, model=WORDS, language="en")
        assert render("海鸥飞过", camera="push in", model=WORDS, language="en") == "镜头推进。海鸥飞过"

    def test_a_template_speaks_for_itself_where_a_shot_has_no_words(self) -> None:
        assert ", then [推进]" in render(template="morph", camera=["static", "push in"], language="zh")
        assert render("", camera=["static", "push in"], language="zh") == "[固定]，然后[推进]"

    def test_notes_and_names_do_not_change_it(self) -> None:
        values = {"action": "A cat sits below the sign 茶.", "notes": "导演说再来一条", "dialogue": "你好"}
        assert ", then [推进]" in render(values=values, camera=["static", "push in"], language="zh")
