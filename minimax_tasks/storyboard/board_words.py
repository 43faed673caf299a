"""The keys of a board for what is spoken: a line, lines with their times, or either by language; and how it is read."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr

from minimax_tasks.storyboard.board_part import BoardPart
from minimax_tasks.storyboard.board_sound import Seconds

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
"""A language as files name it: `en`, `zh`, `pt-BR` (source: BCP 47)."""


class Line(BoardPart):
    """A line with its time: `from` and `to` are seconds of the shot as it is shown; left out, its beginning and end."""

    text: StrictStr = Field(min_length=1)
    from_: Seconds | None = Field(None, alias="from")
    to: Seconds | None = None


def _lines(value: Any) -> Any:
    if isinstance(value, list):
        return [{"text": one} if isinstance(one, str) else one for one in value]
    return value


def _languages(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not LANGUAGE.fullmatch(name):
            raise ValueError("languages are named as in en, zh or pt-BR")
    return value


Lines = Annotated[StrictStr | list[Line], BeforeValidator(_lines)]
ByLanguage = Annotated[dict[StrictStr, Lines], Field(min_length=1), AfterValidator(_languages)]
DialogueKey = Lines | ByLanguage


EXPECTED_CAPTIONS = {
    "captions": "burn, which writes what is spoken into the pictures, or {burn: fr} for another language of `dialogue`",
    "burn": "a language of `dialogue`, such as fr",
}
"""Key -> what it may be."""


def _a_language(value: str) -> str:
    if value and not LANGUAGE.fullmatch(value):
        raise ValueError(EXPECTED_CAPTIONS["burn"])
    return value


class Captions(BoardPart):
    """`burn` is the language whose captions are written into the pictures, "" for the first of the board."""

    burn: Annotated[StrictStr, AfterValidator(_a_language)]


def _of_first_language(value: Any) -> Any:
    return {"burn": ""} if value == "burn" else value


CaptionsKey = Annotated[Captions, BeforeValidator(_of_first_language)]


def by_language(dialogue: "str | list[Line] | dict[str, str | list[Line]] | None") -> dict[str, list[Line]]:
    """Language -> lines; "" for lines of which the board names no language."""
    if not dialogue:
        return {}
    found = dialogue if isinstance(dialogue, dict) else {"": dialogue}
    return {
        name: [Line(text=lines)] if isinstance(lines, str) else list(lines)
        for name, lines in found.items()
        if lines
    }


def spoken_text(dialogue: "str | list[Line] | dict[str, str | list[Line]] | None") -> str | None:
    """What is said, in the first language: for a prompt, and for people."""
    lines = next(iter(by_language(dialogue).values()), None)
    return None if lines is None else " ".join(line.text.strip() for line in lines)
