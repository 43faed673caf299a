"""The names of files on storage have one home."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from minimax_tasks.clips import layout

PACKAGE = Path(layout.__file__).parents[1]
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

NAMES = re.compile(
    r"(request|submission|result|warnings|previews|made-by|drawn-at|made-from)\.json|video\.(mp4|unchecked)"
    r"|film(\.partial)?\.mp4|report\.html$|manifest\.json|(metadata|failed)\.jsonl|\.dataset\.json"
    r"|^(claim|released|doubt|submission|cancelled)\.|(^|/)(clips|pictures|tasks|callbacks|films|datasets)/"
)
"""What only `layout` spells."""
ANYWHERE = re.compile(re.sub(r"[$^]", "", NAMES.pattern))
"""The same, wherever in a file it stands."""
BETWEEN_PARTS = re.compile(r"""['"]\s*[rRbBfFuU]*['"]""")
"""What stands between two parts of one text."""


def spelled(path: Path) -> Iterator[str]:
    """The texts of a module that are no docstrings, if one may have such a name: most need not be parsed for it."""
    source = path.read_text(encoding="utf-8")
    if not ANYWHERE.search(BETWEEN_PARTS.sub("", source)):
        return
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@pytest.mark.parametrize("module", MODULES)
def test_no_other_module_spells_a_name_on_storage(module: str) -> None:
    if module == "clips/layout.py":
        return
    assert [text for text in spelled(PACKAGE / module) if NAMES.search(text)] == []


def test_the_number_in_a_name_is_read_back() -> None:
    for number in (1, 2, 10, 345):
        assert layout.claim_number(layout.claim_name(number)) == number
        assert layout.released_number(layout.released_name(number)) == number
        assert layout.cancelled_number(layout.cancelled_name(number)) == number
        assert layout.submission_number(layout.submission_name(number)) == number


@pytest.mark.parametrize(
    "name", ["claim.json", "claim.0.json", "claim.01.json", "claim.².json", "claim.1", "released.1.json", ""]
)
def test_other_names_are_no_claims(name: str) -> None:
    assert layout.claim_number(name) == 0
