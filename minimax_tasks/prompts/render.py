"""A shot's text or template with its values, as the prompt that is sent."""

import contextlib
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from minimax_tasks.api.catalog.models import prompt_limit, speaks
from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.errors import CameraError, PromptError
from minimax_tasks.prompts.bounds import LONGEST_SOURCE, TooMuch, collected, is_easy, size_of
from minimax_tasks.prompts.bracket_commands import normalise_brackets
from minimax_tasks.prompts.camera import Groups
from minimax_tasks.prompts.confined import MEGABYTES, Exceeded, render_confined
from minimax_tasks.prompts.dialogue import WRITTEN, spoken
from minimax_tasks.prompts.environment import (
    CAMERA_TEMPLATE,
    MACROS,
    environment,
    in_chinese,
    is_own,
    template_source,
    unknown_template,
)
from minimax_tasks.prompts.macros import PromptContext, rendering_for
from minimax_tasks.prompts.sentences import (
    CAMERA,
    LOOK,
    THEN,
    NoCamera,
    NoText,
    closed_up,
    end_sentence,
    is_placed,
    join_sentences,
    language_of,
    mark,
    settle,
    with_flags,
)

DEFAULT_TEMPLATE = "plain"
"""What renders a shot with neither a template nor a prompt."""

_TEXT = "<template>"  # what Jinja calls a template that came from no file
_NOT_SHOWN = ("dialogue", "notes")
"""Values that templates leave to the report, so that their language says nothing about the prompt's."""

_RESERVED = ("look", "characters", "camera")


def render_prompt(
    *,
    text: str | None,
    template: str | None,
    values: Mapping[str, object],
    camera: Groups,
    look: str,
    characters: Sequence[str],
    model: str,
    language: str,
    folder: Path | None,
    as_written: bool = False,
) -> str:
    """The prompt of a shot as it is sent: whitespace collapsed, camera and look in their places, length checked.

    Each camera command gets its one form; with `as_written` those in the text are left as they are.

    `text` is the prompt itself, `template` the name of a template, at most one of them; with neither it is
    the template `plain`. Values that are None count as not given. Where the text does not place the camera,
    the instruction goes in front; where it does not place the look, the look goes at the end. The line of
    `dialogue` follows for a model whose clips have sound, unless the text has one in `<d>`. `folder`
    holds the board's own templates. `language` is that of camera commands, "en" or "zh"; words that are put
    between and around them speak that of the shot's own text.

    Raises `PromptError` for whatever is wrong in the text or the template, naming the line, and for a
    prompt that is too long.
    """
    if text is not None and template is not None:
        raise PromptError("a shot has `template:` or `prompt:`, not both")
    if taken := [name for name in _RESERVED if name in values]:
        raise PromptError(
            f"a shot's values cannot be called {taken[0]!r}: a template sees the board's own there"
        )

    for origin, given_text in (("prompt", text or ""), ("look", look), *_texts(values), *_people(characters)):
        if character := forbidden_character(" ".join(given_text.split())):
            raise PromptError(f"{origin}: there is {character}, in it; take it out")

    known = {name: value for name, value in values.items() if value is not None}
    name = (template or DEFAULT_TEMPLATE).removesuffix(".j2") if text is None else None
    if name == CAMERA_TEMPLATE.removesuffix(".j2"):
        raise PromptError(unknown_template(name, folder))
    given = [value for key, value in known.items() if isinstance(value, str) and key not in _NOT_SHOWN]
    words = language_of(
        [text or "", look, *characters, *given], _language_of_template(name, folder, language)
    )
    if name and words == "zh":
        with contextlib.suppress(TemplateNotFound, OSError, ValueError):  # rendering says so
            name = in_chinese(name, folder)
    context = PromptContext(model, language, words)
    instruction = context.instruction(camera)
    known |= {"look": mark(LOOK, look.strip()), "characters": tuple(characters)}
    known["camera"] = instruction or NoCamera()
    rendered = _render(text, name, known, folder, context)
    body = " ".join(rendered.split())
    if name:
        body = closed_up(body)
    line = known.get("dialogue")
    if isinstance(line, str) and speaks(model) and WRITTEN not in body:
        body = join_sentences(end_sentence(body), spoken(line, *characters[:1]))
    prompt = _place(body, instruction, look, chinese=context.is_chinese)
    if character := forbidden_character(prompt):
        raise PromptError(f"{_origin(name)}: there is {character}, in the rendered prompt; take it out")
    limit, sent = prompt_limit(model), normalise_brackets(prompt, model)
    if len(sent) > limit:
        raise PromptError(
            f"{_origin(name)}: the rendered prompt has {len(prompt)} characters; at most {limit}"
        )
    return prompt if as_written else sent


def _texts(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        yield name, name
        if isinstance(value, str) and name not in _NOT_SHOWN:
            yield name, value


def _people(characters: Sequence[str]) -> Iterator[tuple[str, str]]:
    return (("characters", description) for description in characters)


def _place(body: str, instruction: str, look: str, *, chinese: bool) -> str:
    is_camera_placed = is_placed(CAMERA, body) or is_placed(THEN, body)
    front = "" if is_camera_placed else settle(instruction, chinese=chinese)
    end = "" if is_placed(LOOK, body) else " ".join(look.split())
    shot = join_sentences(front, settle(body, chinese=chinese))
    return join_sentences(end_sentence(shot) if body else shot, end) if end else shot


def _language_of_template(name: str | None, folder: Path | None, otherwise: str) -> str:
    if name is None:
        return otherwise
    try:
        found = template_source(name, folder)
    except (TemplateNotFound, OSError, ValueError):
        found = None
    return language_of([found[0]], otherwise) if found else otherwise  # rendering says that there is none


def _render(
    text: str | None,
    name: str | None,
    known: Mapping[str, object],
    folder: Path | None,
    context: PromptContext,
) -> str:
    """Render here what is easy to render, and everything else in a process with limits."""
    if text is not None and "{" not in text:
        return text
    if _is_easy(text, name, known, folder):
        with rendering_for(context):
            return _render_here(text, name, known, folder)
    job = {
        "text": text,
        "name": name,
        "known": known,
        "folder": str(folder) if folder else None,
        "context": [context.model, context.language, context.words],
    }
    try:
        answer = render_confined(job)
    except Exceeded as error:
        raise PromptError(f"{_origin(name)}: {error}") from None
    if "error" in answer:
        raise PromptError(answer["error"])
    return str(answer["text"])


def render_job(job: Mapping[str, Any]) -> dict[str, str]:
    """What the process with limits does: `text`, or `error` with the message."""
    folder = Path(job["folder"]) if job["folder"] else None
    known = job["known"] | {"characters": tuple(job["known"]["characters"])}
    known["camera"] = known["camera"] or NoCamera()
    try:
        with rendering_for(PromptContext(*job["context"])):
            return {"text": _render_here(job["text"], job["name"], known, folder)}
    except PromptError as error:
        return {"error": str(error)}


def _is_easy(text: str | None, name: str | None, known: Mapping[str, object], folder: Path | None) -> bool:
    """Whether the cost of rendering is known beforehand. What is wrong in a source shows when it is rendered."""
    if folder is not None and (folder / CAMERA_TEMPLATE).is_file():
        return False
    source = text
    if name is not None:
        try:
            found = template_source(name, folder)
        except (TemplateNotFound, OSError, ValueError):
            return True
        if found is None or not is_own(found[1]):
            return True
        source = found[0]
    if len(source or "") > LONGEST_SOURCE:
        raise PromptError(f"{_origin(name)}: it has {len(source or '')} characters; at most {LONGEST_SOURCE}")
    try:
        return is_easy(environment(folder), source or "", MACROS, looped=size_of(known.values()))
    except RecursionError:
        raise PromptError(f"{_origin(name)}: brackets in brackets, too deep to read") from None
    except (TemplateSyntaxError, ValueError):  # a number of thousands of digits is a ValueError
        return True


def _render_here(text: str | None, name: str | None, known: Mapping[str, object], folder: Path | None) -> str:
    try:
        env = environment(folder)
        template = env.from_string(text or "") if name is None else env.get_template(f"{name}.j2")
        return collected(template.generate({key: with_flags(value) for key, value in known.items()}))
    except TemplateNotFound as error:
        missing = (error.name or "").removesuffix(".j2")
        message = unknown_template(missing, folder)
        raise PromptError(message if missing == name else f"{_where(error, name)}: {message}") from error
    except TemplateSyntaxError as error:
        where = f"{_origin(error.name.removesuffix('.j2') if error.name else None)}, line {error.lineno}"
        raise PromptError(f"{where}: {error.message}") from error
    except UndefinedError as error:
        raise PromptError(f"{_where(error, name)}: {_undefined(str(error.message), known)}") from error
    except TooMuch as error:
        raise PromptError(f"{_where(error, name)}: it asks for too much: {error}") from error
    except MemoryError:
        raise PromptError(f"{_origin(name)}: it takes more than {MEGABYTES} MB, which is the limit") from None
    except RecursionError:
        raise PromptError(f"{_origin(name)}: it calls or includes itself without end") from None
    except (CameraError, NoText, SecurityError, TemplateError) as error:
        raise PromptError(f"{_where(error, name)}: {error}") from error
    except Exception as error:  # a template can raise anything that Python can
        if "integer string conversion" in str(error):
            raise PromptError(
                f"{_origin(name)}: it asks for too much: a number of thousands of digits"
            ) from None
        raise PromptError(f"{_where(error, name)}: {_in_words(error)}") from error


_IN_WORDS = (
    (re.compile(r"(\w+)\(\) missing \d+ required positional arguments?: (.+)"), r"\1() needs a value for \2"),
    (re.compile(r"macro '(\w+)' takes .*"), r"\1() is given more values than it takes"),
    (re.compile(r"(?:sync_)?(?:do_)?(\w+)\(\) takes .*"), r"\1() is given more values than it takes"),
    (
        re.compile(r"can only concatenate .*"),
        "a text and a number are not added with +; ~ puts them side by side",
    ),
    (
        re.compile(r"(?:unsupported|bad) operand.*"),
        "this is no calculation that can be done with such values",
    ),
    (
        re.compile(r"'[^']*' object is not callable"),
        "there is nothing to call here; leave the parentheses out",
    ),
    (re.compile(r".*division by zero|.*modulo by zero"), "it divides by zero"),
)
"""What Python says of a template -> what it means for somebody who writes boards."""


def _in_words(error: Exception) -> str:
    said = str(error)
    for pattern, words in _IN_WORDS:
        if found := pattern.fullmatch(said):
            return found.expand(words)
    return f"{type(error).__name__}: {said}"


def _origin(name: str | None) -> str:
    return f"template {name!r}" if name else "prompt"


def _where(error: Exception, name: str | None) -> str:
    """The innermost line of a template that the error went through; the macros only if there is no other."""
    places = [
        (None if frame.filename == _TEXT else Path(frame.filename).name.removesuffix(".j2"), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == _TEXT or frame.filename.endswith(".j2")
    ]
    own = [place for place in places if place[0] != CAMERA_TEMPLATE.removesuffix(".j2")]
    if not places:
        return _origin(name)
    origin, line = (own or places)[-1]
    return f"{_origin(origin)}, line {line}"


def _undefined(message: str, known: Iterable[str]) -> str:
    """Jinja's message about a missing value, with the value that may be meant."""
    found = re.match(r"'(\w+)' is undefined", message)
    if not found:
        return message
    names = sorted(known)
    near = get_close_matches(found.group(1), names, n=1)
    return f"{message}; " + (f"did you mean {near[0]!r}?" if near else f"known values: {', '.join(names)}")
