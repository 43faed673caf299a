"""The pages of README and docs, and the code blocks in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).parents[2]

PAGES = sorted(
    [
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ]
)

ENGINE_PAGES = sorted((REPOSITORY / "docs/engines").glob("*.md"))
"""Pages whose blocks need another engine: `tests/engines` runs them in its environment."""

NOT_RUN = "Not run by our tests: "
"""How the title of a block begins that cannot run offline; the reason follows, for every reader to see."""


@dataclass(frozen=True)
class Block:
    """A code block: its language, its title (`title="board.yaml"`) and where it begins."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    @property
    def place(self) -> str:
        """`docs/install.md:12`."""
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Whether the title gives no reason why it cannot be."""
        return not self.title.startswith(NOT_RUN)


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page. Code that is only indented is refused: it has no language."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        assert token.type != "code_block", f"{page}:{(token.map or [0])[0] + 1}: fence this block"
        if token.type == "fence":
            language, _, rest = token.info.partition(" ")
            title = rest.partition('title="')[2].rpartition('"')[0]
            yield Block(page, (token.map or [0])[0] + 1, language, title, token.content)
