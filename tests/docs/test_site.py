"""The docs are those of this code: pages that are made from it, paths that are named, links, keys with examples."""

import re
from pathlib import Path

import pytest

from docs.__main__ import GENERATED
from docs.board import EXAMPLES, keys
from docs.transitions import PICTURES
from minimax_tasks.video.transition_names import TRANSITIONS
from tests.docs.pages import PAGES, REPOSITORY

NAMED = re.compile(r"\b(?:minimax_tasks|tests|docs|pipelines|prompt_templates)/[\w./*-]*[\w/*]")
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("generated", GENERATED, ids=lambda each: each.__name__)
def test_a_page_that_is_made_from_the_code_is_up_to_date(generated):
    assert generated.PAGE.read_text(encoding="utf-8") == generated.page(), "run python -m docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_files_that_a_page_names_are_there(page: Path):
    text = page.read_text(encoding="utf-8")
    missing = [name for name in NAMED.findall(text) if not list(REPOSITORY.glob(name.rstrip("/")))]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_of_a_page_lead_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    missing = [target for target, _ in LINK.findall(text) if target and not (page.parent / target).exists()]
    assert not missing


def test_every_key_of_a_board_has_an_example():
    for model, examples in EXAMPLES.items():
        assert list(examples) == list(keys(model)), f"docs/board.py: {model.__name__}"


def test_every_transition_has_a_small_picture():
    assert {path.stem for path in PICTURES.glob("*.webp")} == set(TRANSITIONS), (
        "run python -m docs.transitions"
    )
    assert all(path.stat().st_size < 8_000 for path in PICTURES.glob("*.webp"))


def test_nothing_tells_to_install_us_from_an_index():
    """There is no package of our name on any index: who followed such a line would get a stranger's."""
    texts = [*PAGES, *(REPOSITORY / "minimax_tasks").rglob("*.py"), REPOSITORY / "Makefile"]
    for path in texts:
        assert not re.search(r"install[^\n]{0,20}['\" ]minimax[-_]tasks", path.read_text(encoding="utf-8")), (
            path
        )


def test_every_page_is_in_the_menu():
    menu = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (path for path in PAGES if path.is_relative_to(REPOSITORY / "docs")):
        assert page.relative_to(REPOSITORY / "docs").as_posix() in menu, page


def test_every_room_is_on_the_map():
    rooms = {path.name for path in (REPOSITORY / "minimax_tasks").iterdir() if not path.name.startswith("_")}
    described = (REPOSITORY / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    assert not {room for room in rooms - {"py.typed"} if f"`minimax_tasks/{room}" not in described}
