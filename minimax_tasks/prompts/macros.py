"""The Python side of the macros in `camera.j2`: they write for the model and languages of the shot being rendered."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from minimax_tasks.api.catalog.models import reads_brackets
from minimax_tasks.errors import CameraError
from minimax_tasks.prompts.camera import Groups, group_phrase, parse_camera, render_camera
from minimax_tasks.prompts.sentences import (
    CAMERA,
    THEN,
    as_text,
    begun_sentence,
    is_brand,
    is_chinese,
    mark,
    phrase,
)


@dataclass(frozen=True)
class PromptContext:
    """What the prompt is being rendered for: a model, and the languages of its commands and words.

    `model` reads it; `language` is that of commands in brackets, `words` that of everything else.
    """

    model: str
    language: str
    words: str

    @property
    def is_chinese(self) -> bool:
        """Whether the words between commands are Chinese."""
        return self.words == "zh"

    def written(self, groups: Groups) -> str:
        """The instruction for these moves."""
        return render_camera(groups, model=self.model, language=self.language, words=self.words)

    def instruction(self, groups: Groups) -> str:
        """The marked instruction for a shot's moves."""
        return mark(CAMERA, self.written(groups))


# Jinja gives macros that a template imports no access to what the template was rendered with.
_prompt_context: ContextVar[PromptContext] = ContextVar("prompt_context")


@contextmanager
def rendering_for(context: PromptContext) -> Iterator[None]:
    """Let the macros write for this model and these languages while a prompt is rendered."""
    token = _prompt_context.set(context)
    try:
        yield
    finally:
        _prompt_context.reset(token)


def camera_moves(words: Sequence[object], english: str = "", chinese: str = "") -> str:
    """The marked instruction for moves at the same time, with a remark after it in the prompt's language.

    Raises `CameraError` as `parse_camera` does, and when there is no move.
    """
    context = _prompt_context.get()
    groups = _read(words)
    instruction = context.written(groups)
    remark = chinese if context.is_chinese else english
    pause = "，" if context.is_chinese else " " if reads_brackets(context.model) else ", "
    return mark(CAMERA, instruction + pause + remark if remark else instruction)


def camera_then(words: Sequence[object]) -> str:
    """The marked instruction for moves that follow the ones before them. Raises as `camera_moves` does."""
    context = _prompt_context.get()
    model, language = context.model, context.language
    phrases = [
        group_phrase(group, model=model, language=language, words=context.words) for group in _read(words)
    ]
    return mark(THEN, ("，然后" if context.is_chinese else ", then ").join(phrases))


def people(descriptions: Sequence[object]) -> str:
    """The descriptions of a shot's characters as one phrase."""
    each = [text for description in descriptions if (text := phrase(description))]
    if not _prompt_context.get().is_chinese:
        return ", and ".join(each)
    return "和".join(filter(None, ("、".join(each[:-1]), *each[-1:])))


def line(*parts: object) -> str:
    """What the parts say as one sentence, with commas between them; parts without words are left out."""
    joint = "，" if _prompt_context.get().is_chinese else ", "
    spoken = [(text, as_text(part)) for part in parts if (text := phrase(part))]
    asks = re.search(r"[!?！？]*$", spoken[-1][1]) if spoken else None
    return begun_sentence(joint.join(text for text, _ in spoken) + (asks.group() if asks else ""))


def acting_words(characters: Sequence[object], action: object = "") -> str:
    """The people and what they do, as one sentence or two.

    In English an action with a small first letter carries the sentence on. Chinese has no letter that
    tells, and a comma there reads well before a verb and before a sentence of its own.
    """
    persons, act = people(characters), as_text(action)
    if not persons or not phrase(act):
        return begun_sentence(persons or act)
    if is_chinese(act[0]) and is_chinese(persons[-1]):
        return begun_sentence(f"{persons}，{act.lstrip('，、。 ')}")
    if act[0].islower() and not is_brand(act):
        return begun_sentence(persons + (", " if "," in persons else " ") + act)
    return f"{begun_sentence(persons)} {begun_sentence(act)}"


def _read(words: Sequence[object]) -> Groups:
    groups = parse_camera(", ".join(map(str, words)))
    if not groups:
        raise CameraError("no camera move is named, as in cam('push in')")
    return groups
