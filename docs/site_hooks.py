"""What `mkdocs` does besides Markdown: links to files of the repository, and the public names of the package."""

import os
import re
from pathlib import Path
from typing import Any

import minimax_tasks

DOCS = Path(__file__).parent
REPOSITORY = DOCS.parent

_LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]*)([^)]*\))")
_NAMES = re.compile(r"<!-- public names: (\w+) -->")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Links that leave `docs/` lead to the repository; a list of public names stands where a page asks for it.

    Raises `FileNotFoundError` for a link to a file that is not there.
    """
    here = DOCS / Path(page.file.src_uri).parent

    def leading(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(here / match[2]))
        if target.is_relative_to(DOCS):
            return match[0]
        if not target.exists():
            raise FileNotFoundError(f"{page.file.src_uri}: {match[2]}")
        return f"{match[1]}{config.repo_url}/blob/main/{target.relative_to(REPOSITORY).as_posix()}{match[3]}"

    listed = _NAMES.sub(lambda match: "\n\n".join(_entry(each) for each in public_names(match[1])), markdown)
    return _LINK.sub(leading, listed)


def _entry(name: str) -> str:
    """What stands on the page for a public name; for a task, also its parameters."""
    import luigi

    found = getattr(minimax_tasks, name.rpartition(".")[2])
    if not (isinstance(found, type) and issubclass(found, luigi.Task)):
        return f"::: {name}"
    rows = "".join(
        f"| `{parameter}` | {_default(value)} | {value.description or ''} |\n"
        for parameter, value in found.get_params()
    )
    return f"::: {name}\n\n| parameter | default | meaning |\n|---|---|---|\n{rows}"


def _default(parameter: Any) -> str:
    from luigi.parameter import _no_value

    return "required" if parameter._default is _no_value else f"`{parameter._default!r}`"


def public_names(kind: str) -> list[str]:
    """The full names of what is public: "tasks", "requests", "errors", "other"."""
    found = {name: getattr(minimax_tasks, name) for name in minimax_tasks.__all__}
    return [
        f"{each.__module__}.{each.__qualname__}" for name, each in found.items() if _kind(name, each) == kind
    ]


def _kind(name: str, each: Any) -> str:
    import luigi

    if isinstance(each, type) and issubclass(each, Exception):
        return "errors"
    if isinstance(each, type) and issubclass(each, luigi.Task):
        return "tasks"
    return "requests" if name.endswith("Request") else "other"
