"""The key of a board for titles: cards that are a shot of their own, and words over the picture of a shot."""

import unicodedata
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, StrictStr

from minimax_tasks.storyboard.board_part import BoardPart
from minimax_tasks.storyboard.board_sound import Seconds
from minimax_tasks.video.lettering.look_names import LOOKS, USUAL

Over = Literal["picture", "black", "white"]
MOST_TEXT, MOST_SUBTITLE = 80, 120
"""Letters of a title and of its subtitle; a Chinese character counts as two."""

_LOOKS = ", ".join(LOOKS)

EXPECTED_OF_TITLES = {
    "title": "a text, or {text: The Last Ferry, look: classic, from: 0.5, to: 4}, or a list of them",
    "look": _LOOKS,
    "over": f"{', '.join(get_args(Over))}; black and white make a card of its own",
    "seconds": "how long a card stays, from 0.5 to 60",
    "from": "seconds of the shot, such as 0.5",
    "to": "seconds of the shot, such as 4",
    "fade": "seconds from 0 to 5, such as 0.5",
}
"""What the keys of a title may hold, in words."""


def _a_look(value: str) -> str:
    if value not in LOOKS:
        raise ValueError(_LOOKS)
    return value


class Title(BoardPart):
    """Words in the picture.

    `over` is black or white for a card, which is a shot of `seconds`; else they lie over the shot's picture, `from` and
    `to` seconds of the shot as it is shown. `fade` is how long they take to appear and to go.
    """

    text: StrictStr = Field(min_length=1)
    subtitle: StrictStr | None = Field(None, min_length=1)
    look: Annotated[StrictStr, AfterValidator(_a_look)] = USUAL
    over: Over = "picture"
    seconds: Annotated[StrictInt | StrictFloat, Field(ge=0.5, le=60)] | None = None
    from_: Seconds | None = Field(None, alias="from")
    to: Seconds | None = None
    fade: Annotated[StrictInt | StrictFloat, Field(ge=0, le=5)] = 0.5

    @property
    def is_card(self) -> bool:
        """Whether it is a shot of its own."""
        return self.over != "picture"

    @property
    def words(self) -> str:
        """What it says, in one line."""
        return " – ".join(" ".join(part.split()) for part in (self.text, self.subtitle) if part)


def _titles(value: Any) -> Any:
    found = value if isinstance(value, list) else [value]
    return [{"text": one} if isinstance(one, str) else one for one in found]


TitleKey = Annotated[list[Title], BeforeValidator(_titles), Field(max_length=20)]


def letters_in(text: str) -> int:
    """How long a text is, where a Chinese character counts as two letters and a mark over one as none."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
        for letter in " ".join(text.split())
        if not unicodedata.combining(letter)
    )
