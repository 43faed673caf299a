"""The pages of the engines: whatever stands there is run by the engine's own tests, and can be installed."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import ENGINE_PAGES, REPOSITORY, blocks
from tests.engines.pages import FILE


@pytest.mark.parametrize("page", ENGINE_PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_is_run_by_the_tests_of_its_engine(page: Path) -> None:
    tests = (REPOSITORY / f"tests/engines/test_{page.stem}.py").read_text(encoding="utf-8")
    said = "".join(block.text for block in blocks(page) if block.language == "sh")
    for block in blocks(page):
        if not block.is_run:
            continue
        if FILE.fullmatch(block.title):
            name = Path(block.title).stem
            used = block.title in tests + said or f"from {name} import" in tests or f'"{name}"' in tests
            assert used, f"{block.place}: nothing uses {block.title}"
        else:
            assert block.language == "sh", f"{block.place}: give this block the name of a file"
        if block.language == "python":
            compile(block.text, block.place, "exec")


@pytest.mark.parametrize("page", ENGINE_PAGES, ids=lambda page: page.stem)
def test_a_page_names_the_extra_of_its_engine(page: Path) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"pip install '\.\[(\w+)\]'", page.read_text(encoding="utf-8"))
    assert named == [page.stem]
    assert page.stem in project["optional-dependencies"]
