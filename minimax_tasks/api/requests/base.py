"""What every request has: it is checked when it is constructed, and says what is sent and what it costs."""

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr, ValidationError

from minimax_tasks.api.catalog.models import V1_PICTURES, Mode, PictureLimits
from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.suggest import suggest
from minimax_tasks.errors import InvalidRequest, MiniMaxCatalogWarning

_GIVEN: dict[frozenset[str], set[str]] = {}
"""Names of fields that were given -> the one set of them that all requests hold: a hundred thousand are held at once, and
nothing changes the set of a frozen model."""


class Request(BaseModel):
    """A request of any mode."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), use_attribute_docstrings=True
    )

    mode: ClassVar[Mode]
    picture_fields: ClassVar[tuple[str, ...]] = ()
    recording_fields: ClassVar[tuple[str, ...]] = ()
    """The fields with videos and sounds."""
    decided_by: ClassVar[str] = ""
    """The field that makes a request one of this mode, wherever it is given."""
    also_decided_by: ClassVar[tuple[str, ...]] = ()
    """Further such fields."""

    callback_url: StrictStr | None = None
    """An http(s) URL to which the service sends the status."""
    fit: StrictBool = False
    """Crop and scale pictures that the service would refuse; others stay as they are. Not on the wire."""

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise _readable(error, type(self)) from None
        given = self.model_fields_set
        object.__setattr__(self, "__pydantic_fields_set__", _GIVEN.setdefault(frozenset(given), given))
        self.check()
        for reason in self.warnings:
            # From this very line, so that Python's own filter shows each reason once in a process.
            warnings.warn(reason, MiniMaxCatalogWarning, stacklevel=1)

    def check(self) -> None:
        """Raise `InvalidRequest` for what the service would refuse, as far as no picture must be read."""
        if self.callback_url is not None and not self.callback_url.startswith(("http://", "https://")):
            raise InvalidRequest("callback_url", self.callback_url, "an http:// or https:// URL")

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """Where it is sent, and its task is asked for."""

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """The JSON of the wire: only fields that this model takes, defaults left out."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`, defaults filled in: a part of the clip's key."""

    def older_identities(self) -> tuple[dict[str, Any], ...]:
        """What older versions put into the key in place of members of `identity`."""
        return ()

    @property
    @abstractmethod
    def label(self) -> str:
        """What makes the clip, for people: model and size, or the template."""

    @property
    def prompt_text(self) -> str | None:
        """The prompt, None where there is none to give."""
        return None

    def facts(self) -> dict[str, Any]:
        """Prompt, model, resolution, duration and ratio, defaults filled in; None for what does not apply."""
        return dict.fromkeys(("prompt", "model", "resolution", "duration", "ratio"))

    def fields(self) -> dict[str, Any]:
        """What was given, from which the same request can be made again."""
        return self.model_dump(exclude_defaults=True)

    @property
    def picture_limits(self) -> PictureLimits:
        """What pictures it takes."""
        return V1_PICTURES

    def pictures(self) -> dict[str, str]:
        """Field -> picture reference, for the fields that have one."""
        return {name: getattr(self, name) for name in self.picture_fields if getattr(self, name)}

    def recordings(self) -> dict[str, str]:
        """Field -> reference of a video or a sound, for those that there are; like `pictures`."""
        return {}

    def with_pictures(self, resolved: Mapping[str, str]) -> Self:
        """The same request with other references of pictures and recordings."""
        return self.model_copy(update=dict(resolved))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        return ()

    @property
    def usd(self) -> float | None:
        """The published price in USD, or None when there is none."""
        return None


def _readable(error: ValidationError, kind: type[Request]) -> InvalidRequest:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else "request"
    if first["type"] == "extra_forbidden":
        names = sorted(kind.model_fields)
        near = suggest(field, names)
        why = f"{kind.mode} has no such field" + (f", did you mean {near}?" if near else "")
        return InvalidRequest(field, first["input"], names, why)
    if first["type"] == "missing":
        return InvalidRequest(field, None, "a value", f"{kind.mode} needs it")
    why = ""
    if first["type"] == "string_unicode" and (character := forbidden_character(str(first["input"]))):
        why = f"there is {character}, in it"
    return InvalidRequest(field, first["input"], _EXPECTED.get(first["type"], first["msg"]), why)


_EXPECTED = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_unicode": "a text without it",
}
