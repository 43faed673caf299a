"""How a board names what is not generated: a shot that is footage, a still or anything else with frames of its own."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictStr, model_validator

from minimax_tasks.storyboard.board_part import BoardPart

OWN_KEYS = ("clip", "still", "title")
"""Keys of which a shot has one at most, and is not generated when it has one; a `title` if it is a card."""

EXPECTED_CLIP = "a video file, or a clip that another root has: {root: ../harbour, key: …}"


EXPECTED_TEMPLATE = (
    "a template of the service: {name: Diving, image: refs/cat.png}, or its `id` in place of `name`"
)


class OwnVideo(BoardPart):
    """A video that is there: a file, or a clip of another root by its key."""

    file: StrictStr | None = Field(None, min_length=1)
    root: StrictStr | None = Field(None, min_length=1)
    key: StrictStr | None = Field(None, pattern=r"^[0-9a-f]{32}$")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "OwnVideo":
        if (self.file is None) == (self.root is None) or (self.root is None) != (self.key is None):
            raise ValueError(EXPECTED_CLIP)
        return self


class VideoTemplate(BoardPart):
    """One of the service's video templates, by name or id, with the picture and the text that it takes."""

    name: StrictStr | None = Field(None, min_length=1)
    id: StrictStr | None = Field(None, min_length=1)
    image: StrictStr | None = Field(None, min_length=1)
    text: StrictStr | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "VideoTemplate":
        if (self.name is None) == (self.id is None):
            raise ValueError(EXPECTED_TEMPLATE)
        return self

    @property
    def wanted(self) -> str:
        """Its name or id."""
        return str(self.name or self.id)


def _as_template(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


TemplateKey = Annotated[VideoTemplate, BeforeValidator(_as_template)]


def _as_video(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


ClipKey = Annotated[OwnVideo, BeforeValidator(_as_video)]
