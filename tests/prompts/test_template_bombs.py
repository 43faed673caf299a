"""Templates that would run or grow for ever end with a message; what people write is rendered right here."""

import json
import os
import threading
from pathlib import Path

import pytest

import minimax_tasks as mm
from minimax_tasks.errors import PromptError
from minimax_tasks.prompts import confined, render_prompt
from minimax_tasks.storyboard.planning.make import make_plan
from tests.storyboard.boards import write_board

LOOPS = "{% for a in range(100) %}" * 4 + "x" + "{% endfor %}" * 4
DOUBLING = "".join(
    f"{{% macro m{n}() %}}{{{{ m{n - 1}() }}}}{{{{ m{n - 1}() }}}}{{% endmacro %}}" for n in range(1, 40)
)
BOMBS = {
    "loops": LOOPS,
    "loops without output": LOOPS.replace("x", "{% set y = a %}"),
    "macros": "{% macro m0() %}xxxxxxxx{% endmacro %}" + DOUBLING + "{{ m39() }}",
    "wordwrap": "{{ 'x' * 10**8 | wordwrap }}",
    "wordwrap of a product": "{{ ('x' * 10**8) | wordwrap }}",
    "width": "{{ '%1000000000d' % 1 }}",
    "format filter": "{{ '%1000000000d' | format(1) }}",
    "format method": "{{ '{:1000000000}'.format(1) }}",
    "nested format": "{{ '{:{}}'.format(1, 1000000000) }}",
    "star width": "{{ '%*d' % (1000000000, 1) }}",
    "center": "{{ 'x' | center(10**9) }}",
    "center method": "{{ 'x'.center(1000000000) }}",
    "ljust": "{{ 'x'.ljust(1000000000) }}",
    "slice": "{{ [1] | slice(10**9) | list }}",
    "batch": "{{ [1] | batch(10**9, 'x') | list }}",
    "namespace": "{% set n = namespace(x='x') %}{% for i in range(100) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "namespace of lists": "{% set n = namespace(x=['x']) %}{% for i in range(100) %}"
    "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "comparison": "{% set n = namespace(x=[], y=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}"
    "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
    "sets": "{% set a = 'xx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "blocks": "{% set a %}xx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60,
    "power": "{{ 9**9**9 }}",
    "power of a variable": "{% set n = 9 %}{{ n ** n ** n }}",
    "shouting powers": "{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "join": "{{ range(100) | join('x' * 10**7) }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "recursion twice": "{% macro m() %}{{ m() ~ m() }}{% endmacro %}{{ m() }}",
    "recursive loop": "{% for a in [1, 1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "replace": "{{ ('x' * 9999) | replace('x', 'x' * 9999) }}",
    "indent": "{{ 'x' | indent(10**9, true) }}",
    "round": "{{ 1.5 | round(10**9) }}",
    "tojson": "{{ range(100) | list | tojson(10**9) }}",
    "expandtabs": "{{ '\\t'.expandtabs(1000000000) }}",
    "brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long": "{{ 1 }}" * 10_000,
    "digits": "{{ " + "9" * 10_000 + " }}",
    "cycle": "{% set n = namespace(i=0) %}" + "{% for a in 'x' * 40000 %}{% for b in 'x' * 40000 %}"
    "{% set n.i = 1 %}{% endfor %}{% endfor %}",
}  # fmt: skip


def render(text: str, **values: object) -> str:
    return render_prompt(
        text=text, template=None, values=values, camera=(), look="", characters=["a man", "a dog"],
        model="MiniMax-Hailuo-02", language="en", folder=None,
    )  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_with_the_limit(name: str) -> None:
    with pytest.raises(
        PromptError, match=r"^prompt.*(limit|too much|at most|without end|too deep|too long|Error)"
    ):
        render(BOMBS[name])
    assert render("{{ 2 + 3 }} boats") == "5 boats"  # what comes after is rendered


def test_the_message_names_the_shot_or_the_template(tmp_path: Path) -> None:
    (tmp_path / "prompt_templates").mkdir()
    (tmp_path / "prompt_templates" / "bomb.j2").write_text(LOOPS)
    shots = [{"id": "7", "prompt": BOMBS["power"]}, {"id": "8", "template": "bomb"}]
    path = write_board(tmp_path, json.dumps({"title": "T", "shots": shots}), "board.json")
    with pytest.raises(mm.BoardError) as caught:
        make_plan(path, root="root", language="en")
    seven, eight = caught.value.problems
    assert "shot 7: prompt, line 1: it asks for too much" in seven
    assert "shot 8: template 'bomb'" in eight


def test_macros_of_the_boards_own_are_watched_too(tmp_path: Path) -> None:
    (tmp_path / "camera.j2").write_text("{% set x = 'x' * 10**9 %}" + LOOPS)
    with pytest.raises(PromptError):
        render_prompt(
            text="A {{ 1 }}", template=None, values={}, camera=(), look="", characters=(),
            model="MiniMax-Hailuo-02", language="en", folder=tmp_path,
        )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "A boat {{ camera }} at sea.",
        "{{ action | sentence }} {{ cam('push in') }} {{ place | default('here') }}",
        "{% if place %}In {{ place }}.{% else %}Nowhere.{% endif %}",
        "{% for one in characters %}{{ one }}{{ ', ' if not loop.last }}{% endfor %}",
        "{{ characters | join(', ') }} {{ 'x' ~ action }}",
        "{% from 'camera.j2' import acting %}{{ acting(characters, action) }}",
    ],
)
def test_what_people_write_needs_no_process(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(job: object) -> None:
        raise AssertionError(job)

    monkeypatch.setattr("minimax_tasks.prompts.render.render_confined", refuse)
    assert render(text, action="a boat leaves", place="the sea")


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("{% set c = characters[0] %}{{ c }}", "a man"),
        ("{{ 2 * 3 }} boats, {{ '%02d' % 7 }}, {{ 'ab' | center(6) }}.", "6 boats, 07, ab ."),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a') }}{{ m(action) }}", "<a><你好>"),
        ("{% for i in range(3) %}{{ i }}{{ cam('push in') }}{% endfor %}", "0[Push in]1[Push in]2[Push in]"),
        ("{{ things | map('upper') | join('-') }} {{ things | tojson }}", 'A-B ["a", "b"]'),
    ],
)
def test_what_does_more_is_the_same_in_the_other_process(text: str, prompt: str) -> None:
    assert render(text, action="你好", things=["a", "b"]) == prompt


def test_threads_share_it() -> None:
    found: list[str] = []

    def work(number: int) -> None:
        found.extend(render(f"{{% set n = {number} %}}{{{{ n }}}} boats {step}") for step in range(20))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"{number} boats {step}" for number in range(4) for step in range(20))


def test_a_process_that_was_killed_is_followed_by_another() -> None:
    assert render("{{ 1 + 1 }}") == "2"
    process = confined._renderer._process
    assert process is not None
    process.kill()
    process.wait()
    assert render("{{ 1 + 1 }}") == "2"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_has_its_own() -> None:
    assert render("{{ 1 + 1 }}") == "2"
    child = os.fork()
    if not child:
        os._exit(0 if confined._renderer._process is None and render("{{ 1 + 2 }}") == "3" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert render("{{ 2 + 2 }}") == "4"
