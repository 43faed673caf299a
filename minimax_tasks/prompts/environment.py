"""The Jinja environment of prompts: sandboxed, strict about names, and the same text every time."""

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.loaders import split_template_path
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.prompts.bounds import LONGEST_RENDERED, TooMuch, check_size
from minimax_tasks.prompts.macros import acting_words, camera_moves, camera_then, line, people
from minimax_tasks.prompts.sentences import (
    Flag,
    begun_sentence,
    end_sentence,
    finalized,
    phrase,
    without_flags,
)
from minimax_tasks.storage.references import read_local

CHINESE = ".zh"
"""Ends the name of a template that says in Chinese what the one without it says in English."""

CAMERA_TEMPLATE = "camera.j2"
"""The macros; every other template is a shot's."""

LONGEST_RANGE = 100

TEMPLATE_LIMIT = 200_000
"""Bytes of a template; a prompt has 2,000 characters."""

MACROS = frozenset(
    ["cam", "then", "hold", "arc", "crane", "vertigo", "handheld", "who", "acting", "line"]
    + [move.name for move in MOVES]
)
"""The macros of `camera.j2` that a template may call; what they cost depends on what they are given alone."""

_FIRST_COMMENT = re.compile(r"\s*\{#-?(.*?)-?#\}", re.DOTALL)


@dataclass(frozen=True)
class ShotTemplate:
    """A template that a board can name; `about` is the comment at its head."""

    name: str
    about: str
    path: Path


@cache
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
    env = _Environment(
        loader=ChoiceLoader([_Templates(each) for each in (*folders, template_folder())]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalized,
    )
    env.filters = {name: _bounded(function) for name, function in env.filters.items()}
    del env.filters["random"], env.globals["lipsum"]
    env.tests["boolean"] = _is_flag
    env.tests["true"] = lambda value: _is_flag(value) and bool(value)
    env.tests["false"] = lambda value: _is_flag(value) and not value
    env.policies["json.dumps_function"] = _dumps
    env.filters.update(sentence=begun_sentence, end_sentence=end_sentence, phrase=phrase)
    env.globals.update(camera_moves=camera_moves, camera_then=camera_then, range=_short_range)
    env.globals.update(people=people, acting_words=acting_words, line=line)
    macros = env.get_template(CAMERA_TEMPLATE).module
    env.globals.update({name: item for name, item in vars(macros).items() if not name.startswith("_")})
    return env


class _Templates(FileSystemLoader):
    """The templates in a folder, as far as they are files of a size that a template has."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Raises `TemplateError` for a file that is too large."""
        for folder in self.searchpath:
            path = Path(folder).joinpath(*split_template_path(template))
            if path.exists():
                try:
                    _read(path)
                except ValueError as error:
                    raise TemplateError(f"{path.name}: {error}") from None
        return super().get_source(environment, template)


def _read(path: Path) -> str:
    """Raises ValueError for what is no text, no file, or too long."""
    try:
        return read_local(path, TEMPLATE_LIMIT).decode()
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8 text") from None


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool | Flag)


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(without_flags(value), **options)


class _Environment(ImmutableSandboxedEnvironment):
    """Looks at the size of what goes into an operation, a filter or a call, and of what comes out.

    What is left is bounded by `confined`; this bounds memory where the system has no limit for that.
    """

    intercepted_binops = frozenset(["+", "*", "**", "%", "//", "-"])
    intercepted_unops = frozenset()

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        check_size(left), check_size(right)
        if operator == "*" and any(isinstance(side, str | list | tuple) for side in (left, right)):
            times = right if isinstance(right, int) else left
            check_size(range(max(0, times) * len(left if times is right else right)))
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            check_size(1 << max(0, min(left.bit_length() * right - 1, 1000)))
        elif operator == "%" and isinstance(left, str):
            _check_widths(left)
        return check_size(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, *arguments: Any, **options: Any) -> Any:
        _check_arguments(arguments, options)
        owner = getattr(function, "__self__", None)
        if isinstance(owner, str):
            _check_widths(owner)
        return check_size(super().call(context, function, *arguments, **options))


_WIDTH = re.compile(r"\d{5,}")


def _check_widths(pattern: str) -> None:
    """`%1000000000d` and `{:1000000000}` ask for a text of that length."""
    if _WIDTH.search(pattern) and re.search(r"[%{]", pattern):
        raise TooMuch("a field of more than 9,999 characters")


def _check_arguments(arguments: Sequence[Any], options: Mapping[str, Any]) -> None:
    for value in (*arguments, *options.values()):
        if isinstance(value, int) and abs(value) > LONGEST_RENDERED:
            raise TooMuch(
                f"the number {value if value.bit_length() <= 64 else 'given'}; at most {LONGEST_RENDERED:,}"
            )
        check_size(value)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def bounded(*arguments: Any, **options: Any) -> Any:
        _check_arguments([each for each in arguments[1:] if not isinstance(each, str)], options)
        for text in arguments:
            if isinstance(text, str):
                check_size(text)
                _check_widths(text)
        return check_size(function(*arguments, **options))

    return bounded


def _short_range(*bounds: int) -> range:
    """`range`, too short for loops in loops to run for minutes; a prompt has 2,000 characters at most."""
    numbers = range(*bounds)
    if len(numbers) > LONGEST_RANGE:
        raise SecurityError(f"a range of {len(numbers)} numbers; at most {LONGEST_RANGE}")
    return numbers


def template_source(name: str, folder: Path | None) -> tuple[str, Path] | None:
    """The source of a template and where it is; None when there is none of this name."""
    for root in (*([folder] if folder else []), template_folder()):
        path = root.joinpath(*split_template_path(f"{name}.j2"))
        if path.is_file():
            return _read(path), path
    return None


def in_chinese(name: str, folder: Path | None) -> str:
    """The name of a template's Chinese form where there is one next to it, else its own."""
    for root in (*([folder] if folder else []), template_folder()):
        here, chinese = (root.joinpath(*split_template_path(f"{each}.j2")) for each in (name, name + CHINESE))
        if chinese.is_file():
            return name + CHINESE
        if here.is_file():
            return name  # the board's own, which has no other form
    return name


def is_own(path: Path) -> bool:
    """Whether a template is not one of those that are shipped."""
    return not path.is_relative_to(template_folder())


def shot_templates(folder: Path | None = None) -> tuple[ShotTemplate, ...]:
    """The templates that a board can name, by name: those in its own folder and the shipped ones."""
    found: dict[str, ShotTemplate] = {}
    for root in (template_folder(), *([folder] if folder else [])):
        for path in sorted(root.rglob("*.j2")):
            relative = path.relative_to(root).as_posix()
            if relative == CAMERA_TEMPLATE or not path.is_file():
                continue
            name = relative.removesuffix(".j2")
            if name.endswith(CHINESE) and path.with_name(f"{path.name.removesuffix('.zh.j2')}.j2").is_file():
                continue  # the same template in the other language
            try:
                comment = _FIRST_COMMENT.match(_read(path))
            except ValueError:
                comment = None  # it is reported when a board names it
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
