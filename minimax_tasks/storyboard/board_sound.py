"""The keys of a board that say what is heard: beds under the film, voices over its shots."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from minimax_tasks.storyboard.board_part import BoardPart, listed

Seconds = Annotated[StrictInt | StrictFloat, Field(ge=0, le=36_000)]
Decibels = Annotated[StrictInt | StrictFloat, Field(ge=-60, le=20)]

USUAL_LOUDNESS = -16.0
"""LUFS of a film with beds or voices: what streaming services level spoken programmes to (source: EBU R128 s2)."""


def _of_file(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


def _files(value: Any) -> Any:
    return [_of_file(one) for one in listed(value)] if isinstance(value, str | dict | list) else value


def _beds(value: Any) -> Any:
    is_bed = isinstance(value, str | list) or (isinstance(value, dict) and "file" in value)
    return {"beds": value} if is_bed else value


def _off(value: Any) -> Any:
    return "off" if value is False else value  # as YAML reads it


Loudness = Annotated[
    Annotated[StrictInt | StrictFloat, Field(ge=-40, le=-5)] | Literal["off"], BeforeValidator(_off)
]


class Bed(BoardPart):
    """Sound under a part of the film: music, atmosphere.

    `from` and `to` are ids of shots, or seconds of the film; `start` is where in the file it begins. `gain` is in
    decibels, and so is `duck`: how much quieter it is while a voice is heard.
    """

    file: StrictStr = Field(min_length=1)
    from_: StrictStr | Seconds | None = Field(None, alias="from")
    to: StrictStr | Seconds | None = None
    start: Seconds = 0
    loop: StrictBool = False
    gain: Decibels = 0
    fade_in: Seconds = 0
    fade_out: Seconds = 0
    duck: Annotated[StrictInt | StrictFloat, Field(ge=0, le=60)] = 0


class Voice(BoardPart):
    """A recording that is heard over a shot, `at` so many seconds after its beginning; it may go on over the next."""

    file: StrictStr = Field(min_length=1)
    at: Seconds = 0
    gain: Decibels = 0


class Audio(BoardPart):
    """The sound of the film beside that of its clips, and how loud all of it is in LUFS."""

    beds: Annotated[list[Bed], BeforeValidator(_files)] = []
    loudness: Loudness | None = None


AudioKey = Annotated[Audio, BeforeValidator(_beds)]
VoiceKey = Annotated[list[Voice], BeforeValidator(_files)]
