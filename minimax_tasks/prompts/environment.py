"""The Jinja environment of prompts: sandboxed, strict about names, and the same text every time."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from minimax_tasks.prompts.macros import camera_moves, camera_then, people
from minimax_tasks.prompts.wording import end_sentence, sentence

CAMERA_TEMPLATE = "camera.j2"
"""The macros; every other template is a shot's."""

LONGEST_RANGE = 100

_FIRST_COMMENT = re.compile(r"\s*\{#-?(.*?)-?#\}", re.DOTALL)


class PromptError(ValueError):
    """A prompt or a template that cannot be rendered; the message names the place and the way out."""


@dataclass(frozen=True)
class ShotTemplate:
    """A template that a board can name; `about` is the comment at its head."""

    name: str
    about: str
    path: Path


def template_folder() -> Path:
    """The folder of the shipped templates: inside the installed package, or the checkout's own."""
    packaged = Path(__file__).parent / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "prompt_templates"


@lru_cache(maxsize=32)
def environment(folder: Path | None = None) -> ImmutableSandboxedEnvironment:
    """The environment that renders prompts of a board whose own templates are in this folder, if it exists.

    Its templates win over shipped ones of the same name. The macros of `camera.j2` are there without
    import. What draws lots is left out: the same board has to be the same prompt, or it is paid twice.
    """
    folders = [folder] if folder else []
    env = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(each) for each in (*folders, template_folder())]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    del env.filters["random"], env.globals["lipsum"]
    env.filters.update(sentence=sentence, end_sentence=end_sentence)
    env.globals.update(camera_moves=camera_moves, camera_then=camera_then, people=people, range=_short_range)
    macros = env.get_template(CAMERA_TEMPLATE).module
    env.globals.update({name: item for name, item in vars(macros).items() if not name.startswith("_")})
    return env


def _short_range(*bounds: int) -> range:
    """`range`, too short for loops in loops to run for minutes; a prompt has 2,000 characters at most."""
    numbers = range(*bounds)
    if len(numbers) > LONGEST_RANGE:
        raise SecurityError(f"a range of {len(numbers)} numbers; at most {LONGEST_RANGE}")
    return numbers


def shot_templates(folder: Path | None = None) -> tuple[ShotTemplate, ...]:
    """The templates that a board can name, by name: those in its own folder and the shipped ones."""
    found: dict[str, ShotTemplate] = {}
    for root in (template_folder(), *([folder] if folder else [])):
        for path in sorted(root.rglob("*.j2")):
            relative = path.relative_to(root).as_posix()
            if relative == CAMERA_TEMPLATE:
                continue
            name = relative.removesuffix(".j2")
            comment = _FIRST_COMMENT.match(path.read_text(encoding="utf-8"))
            found[name] = ShotTemplate(name, " ".join(comment.group(1).split()) if comment else "", path)
    return tuple(found[name] for name in sorted(found))


def template_names(folder: Path | None = None) -> tuple[str, ...]:
    """The names that a board's `template:` can have."""
    return tuple(template.name for template in shot_templates(folder))


def unknown_template(name: str, folder: Path | None) -> str:
    """The message for a name that no template has: the nearest name and all of them."""
    names = template_names(folder)
    near = get_close_matches(name.casefold(), names, n=1)
    advice = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown template {name!r}; {advice}templates: {', '.join(names)}"
