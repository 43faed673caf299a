"""The five requests, checked against the catalogue when they are constructed.

Where public material disagrees on what the service takes, either is taken, what is safest is sent, and a
`MiniMaxCatalogWarning` says so.

A picture field holds a *reference* until the request is sent: an http(s) URL, a data URL, or whatever the
caller resolves (`with_pictures`) into one of the two. `body()` gives the exact JSON of the wire.
"""

import warnings
from collections.abc import Container, Iterable, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from minimax_tasks.api.catalog.models import (
    Mode,
    ModelMode,
    SendSize,
    Size,
    default_model,
    find_model_mode,
    model_modes,
    model_names,
    models_for,
)
from minimax_tasks.api.catalog.templates import TEMPLATES, Template, find_template
from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.suggest import suggest
from minimax_tasks.api.v1.endpoints import TEMPLATE_GENERATION
from minimax_tasks.errors import InvalidRequest, MiniMaxCatalogWarning


class _Request(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), use_attribute_docstrings=True
    )

    mode: ClassVar[Mode]
    picture_fields: ClassVar[tuple[str, ...]] = ()
    decided_by: ClassVar[str] = ""
    """The field that says, where it is given, that this is the mode."""

    callback_url: StrictStr | None = None
    """An http(s) URL to which the service sends the status."""
    fit: StrictBool = False
    """Crop and scale pictures that the service would refuse; others stay as they are. Not on the wire."""

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise _readable(error, type(self)) from None
        self.check()
        for reason in self.warnings:
            # From this very line, so that Python's own filter shows each reason once in a process.
            warnings.warn(reason, MiniMaxCatalogWarning, stacklevel=1)

    def check(self) -> None:
        """Raise `InvalidRequest` for what the service would refuse, as far as no picture must be read."""
        if self.callback_url is not None and not self.callback_url.startswith(("http://", "https://")):
            raise InvalidRequest("callback_url", self.callback_url, "an http:// or https:// URL")

    @property
    def endpoint(self) -> Endpoint:
        """Where it is sent, and its task is asked for."""
        raise NotImplementedError

    def body(self) -> dict[str, Any]:
        """The JSON of the wire: only fields that this model takes, defaults left out."""
        raise NotImplementedError

    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`, defaults filled in: a part of the clip's key."""
        raise NotImplementedError

    def older_identities(self) -> tuple[dict[str, Any], ...]:
        """What older versions put into the key in place of members of `identity`."""
        return ()

    @property
    def label(self) -> str:
        """What makes the clip, for people: model and size, or the template."""
        raise NotImplementedError

    @property
    def prompt_text(self) -> str | None:
        """The prompt, None where there is none to give."""
        return None

    def facts(self) -> dict[str, Any]:
        """Prompt, model, resolution and duration, defaults filled in; None for what does not apply."""
        return dict.fromkeys(("prompt", "model", "resolution", "duration"))

    def fields(self) -> dict[str, Any]:
        """What was given, from which the same request can be made again."""
        return self.model_dump(exclude_defaults=True)

    def pictures(self) -> dict[str, str]:
        """Field -> picture reference, for the fields that have one."""
        return {name: getattr(self, name) for name in self.picture_fields if getattr(self, name)}

    def with_pictures(self, resolved: Mapping[str, str]) -> Self:
        """The same request with other picture references."""
        return self.model_copy(update=dict(resolved))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        return ()

    @property
    def usd(self) -> float | None:
        """The published price in USD, or None when there is none."""
        return None


def _listed(words: Iterable[object]) -> str:
    *head, tail = map(str, words)
    return f"{', '.join(head)} or {tail}" if head else tail


def _usual_seconds() -> str:
    return _listed(sorted({row.default_seconds for row in model_modes()}))


def _prompt_limit() -> str:
    return f"at most {_listed(f'{limit:,}' for limit in sorted({row.prompt_limit for row in model_modes()}))} characters"


def _resolutions() -> str:
    found = sorted({(len(size.resolution), size.resolution) for row in model_modes() for size in row.sizes})
    return _listed(name for _, name in found)


class VideoRequest(_Request):
    """What the four modes that a model makes share."""

    model: StrictStr
    prompt: StrictStr = Field("", description=_prompt_limit())
    duration: StrictInt | None = Field(None, description=f"seconds, {_usual_seconds()} when left out")
    resolution: StrictStr | None = Field(None, description=_resolutions())
    prompt_optimizer: StrictBool = True
    """Let the service rewrite the prompt."""
    fast_pretreatment: StrictBool = False
    """Shorten the time of the prompt optimizer."""
    aigc_watermark: StrictBool = False
    """Put the service's watermark into the clip."""

    def check(self) -> None:
        """Raise `InvalidRequest` for a model, prompt or size that the service would refuse."""
        super().check()
        limit = self.model_mode.prompt_limit  # raises for an unknown model
        _need_readable("prompt", self.prompt)
        if len(self.prompt) > limit:
            raise InvalidRequest(
                "prompt", self.prompt, f"at most {limit} characters", f"{len(self.prompt)} characters"
            )
        self._check_size()

    @property
    def model_mode(self) -> ModelMode:
        """The catalogue's row for this model in this mode."""
        found = find_model_mode(self.model, self.mode)
        if found is None:
            names = [model_mode.model for model_mode in models_for(self.mode)]
            near = suggest(self.model, names)
            why = f"not a model for {self.mode}" if self.model in model_names() else "there is no such model"
            raise InvalidRequest(
                "model", self.model, names, why + (f", did you mean {near}?" if near else "")
            )
        return found

    @property
    def endpoint(self) -> Endpoint:
        """Where it is sent, and its task is asked for."""
        return self.model_mode.endpoint

    @property
    def size(self) -> tuple[str, int]:
        """Resolution and seconds that are asked for, defaults filled in."""
        if self.model_mode.sends_size is SendSize.NEVER:
            return self.model_mode.default_resolution, self.model_mode.default_seconds
        return self._given_size

    @property
    def sends_fast_pretreatment(self) -> bool:
        """Whether `fast_pretreatment` is on the wire: the model has it, and an optimizer to shorten."""
        return self.fast_pretreatment and self.prompt_optimizer and self.model_mode.fast_pretreatment

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        model_mode = self.model_mode
        row = self._size_row(*self._given_size)
        reasons = [model_mode.caveat, row.caveat if row else ""]
        if model_mode.sends_size is SendSize.NEVER and (self.duration, self.resolution) != (None, None):
            reasons.append(
                f"duration and resolution are listed for all modes, but the API reference has neither for "
                f"{self.mode}: they are left out, and the service chooses"
            )
        if self.fast_pretreatment and not self.sends_fast_pretreatment:
            reasons.append(
                "fast_pretreatment shortens the prompt optimizer, which is off: it is left out"
                if model_mode.fast_pretreatment
                else "fast_pretreatment is listed for all modes and models, but the API reference does not "
                f"have it for {self.model} in {self.mode}: it is left out"
            )
        return tuple(filter(None, reasons))

    @property
    def usd(self) -> float | None:
        """The published price in USD, or None when there is none."""
        price = self.model_mode.price(*self.size)
        return price.usd if price else None

    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`, defaults filled in: a part of the clip's key."""
        return self.facts() | {
            "prompt_optimizer": self.prompt_optimizer,
            "fast_pretreatment": self.sends_fast_pretreatment,
            "aigc_watermark": self.aigc_watermark,
        }

    @property
    def label(self) -> str:
        """What makes the clip, for people."""
        resolution, seconds = self.size
        return f"{self.model} {resolution} {seconds} s"

    @property
    def prompt_text(self) -> str | None:
        """The prompt."""
        return self.prompt

    def facts(self) -> dict[str, Any]:
        """Prompt, model, resolution and duration, defaults filled in."""
        resolution, seconds = self.size
        return {
            "prompt": self.prompt,
            "model": self.model,
            "resolution": resolution,
            "duration": seconds,
        }

    def fields(self) -> dict[str, Any]:
        """What was given and the model, since the default one may become another."""
        return super().fields() | {"model": self.model}

    def body(self) -> dict[str, Any]:
        """The JSON of the wire: only fields that this model takes, defaults left out."""
        body: dict[str, Any] = {"model": self.model}
        if self.prompt:
            body["prompt"] = self.prompt
        resolution, seconds = self.size
        model_mode = self.model_mode
        default = (resolution, seconds) == (model_mode.default_resolution, model_mode.default_seconds)
        if model_mode.sends_size is SendSize.ALWAYS or not default:
            body |= {"duration": seconds, "resolution": resolution}
        if not self.prompt_optimizer:
            body["prompt_optimizer"] = False
        if self.sends_fast_pretreatment:
            body["fast_pretreatment"] = True
        if self.aigc_watermark:
            body["aigc_watermark"] = True
        if self.callback_url:
            body["callback_url"] = self.callback_url
        return body

    @property
    def _given_size(self) -> tuple[str, int]:
        resolution = (self.resolution or self.model_mode.default_resolution).upper()
        return resolution, self.model_mode.default_seconds if self.duration is None else self.duration

    def _size_row(self, resolution: str, seconds: int) -> Size | None:
        rows = [size for size in self.model_mode.sizes if size.resolution == resolution]
        return next((size for size in rows if seconds in size.seconds), None)

    def _check_size(self) -> None:
        resolution, seconds = self._given_size
        if self._size_row(resolution, seconds):
            return
        sizes = self.model_mode.sizes
        allowed = sorted({s for size in sizes if size.resolution == resolution for s in size.seconds})
        if not allowed:
            known = list(dict.fromkeys(size.resolution for size in sizes))
            raise InvalidRequest(
                "resolution", self.resolution, known, f"not made by {self.model} in {self.mode}"
            )
        others = [f"{seconds} s at {size.resolution}" for size in sizes if seconds in size.seconds]
        hint = f" ({' or '.join(others)} is possible)" if others else ""
        raise InvalidRequest(
            "duration", self.duration, allowed, f"not made by {self.model} at {resolution}{hint}"
        )


class TextToVideoRequest(VideoRequest):
    """A clip from a prompt alone."""

    mode: ClassVar[Mode] = Mode.TEXT

    model: StrictStr = default_model(Mode.TEXT).model
    """`minimax-tasks models` lists them."""

    def check(self) -> None:
        """Raise `InvalidRequest` for what the service would refuse."""
        super().check()
        if not self.prompt.strip():
            raise InvalidRequest(
                "prompt",
                self.prompt,
                f"1 to {self.model_mode.prompt_limit} characters",
                "text-to-video needs one",
            )


class ImageToVideoRequest(VideoRequest):
    """A clip that starts from a picture and takes its shape."""

    mode: ClassVar[Mode] = Mode.IMAGE
    picture_fields: ClassVar[tuple[str, ...]] = ("first_frame_image",)
    decided_by: ClassVar[str] = "first_frame_image"

    model: StrictStr = default_model(Mode.IMAGE).model
    first_frame_image: StrictStr
    """The picture that the clip starts from."""

    def check(self) -> None:
        """Raise `InvalidRequest` for what the service would refuse."""
        super().check()
        _need_picture("first_frame_image", self.first_frame_image)

    def body(self) -> dict[str, Any]:
        """The JSON of the wire."""
        return super().body() | {"first_frame_image": _sendable("first_frame_image", self.first_frame_image)}


class StartEndToVideoRequest(VideoRequest):
    """A clip from one picture to another."""

    mode: ClassVar[Mode] = Mode.START_END
    picture_fields: ClassVar[tuple[str, ...]] = ("first_frame_image", "last_frame_image")
    decided_by: ClassVar[str] = "last_frame_image"

    model: StrictStr = default_model(Mode.START_END).model
    # Not required by the API's schema; everything else that is published needs it.
    first_frame_image: StrictStr | None = None
    """The picture that the clip starts from."""
    last_frame_image: StrictStr
    """The picture that the clip ends with."""

    def check(self) -> None:
        """Raise `InvalidRequest` for what the service would refuse."""
        super().check()
        if self.first_frame_image is not None:
            _need_picture("first_frame_image", self.first_frame_image)
        _need_picture("last_frame_image", self.last_frame_image)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        alone = "the API's schema takes a last frame alone, but its text needs first_frame_image for the size"
        return (*super().warnings, *((alone,) if self.first_frame_image is None else ()))

    def body(self) -> dict[str, Any]:
        """The JSON of the wire."""
        return super().body() | {name: _sendable(name, value) for name, value in self.pictures().items()}


class SubjectToVideoRequest(VideoRequest):
    """A clip with the face of a subject. `duration` and `resolution` are judged, but never sent."""

    mode: ClassVar[Mode] = Mode.SUBJECT
    picture_fields: ClassVar[tuple[str, ...]] = ("subject_image",)
    decided_by: ClassVar[str] = "subject_image"

    model: StrictStr = default_model(Mode.SUBJECT).model
    subject_image: StrictStr | tuple[StrictStr, ...]
    """A picture of the face, or several of the same subject (the API reference has exactly one)."""

    def check(self) -> None:
        """Raise `InvalidRequest` for what the service would refuse."""
        super().check()
        if not self._images:
            raise InvalidRequest("subject_image", self.subject_image, "a picture of the subject's face")
        for image in self._images:
            _need_picture("subject_image", image)

    @property
    def _images(self) -> tuple[str, ...]:
        return (self.subject_image,) if isinstance(self.subject_image, str) else self.subject_image

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        several = "the API reference has exactly one picture of the subject"
        return (*super().warnings, *((several,) if len(self._images) > 1 else ()))

    def pictures(self) -> dict[str, str]:
        """`subject_image` or, of several, `subject_image[0]`, `subject_image[1]`, … -> picture reference."""
        images = self._images
        if len(images) == 1:
            return {"subject_image": images[0]}
        return {f"subject_image[{i}]": image for i, image in enumerate(images)}

    def with_pictures(self, resolved: Mapping[str, str]) -> Self:
        """The same request with other picture references."""
        images = tuple(resolved.get(name, image) for name, image in self.pictures().items())
        return self.model_copy(
            update={"subject_image": images[0] if isinstance(self.subject_image, str) else images}
        )

    def body(self) -> dict[str, Any]:
        """The JSON of the wire."""
        images = [_sendable("subject_image", image) for image in self._images]
        return super().body() | {"subject_reference": [{"type": "character", "image": images}]}


class TemplateRequest(_Request):
    """A clip from one of the service's video templates, found by name or by id."""

    mode: ClassVar[Mode] = Mode.TEMPLATE
    picture_fields: ClassVar[tuple[str, ...]] = ("image",)
    decided_by: ClassVar[str] = "template"

    template: StrictStr
    """Name or id; `minimax-tasks templates` lists them."""
    image: StrictStr | None = None
    """A picture, for templates that take one."""
    text: StrictStr | None = None
    """A text, for templates that take one."""

    def check(self) -> None:
        """Raise `InvalidRequest` for an unknown template, or an input that it needs or does not take."""
        super().check()
        row = self.row
        _need_readable("text", self.text or "")
        for field, given, wanted in (("image", self.image, row.image), ("text", self.text, row.text)):
            if wanted and not (given and given.strip()):
                raise InvalidRequest(field, given, wanted, f"the template {row.name} needs it")
            if given and not wanted:
                raise InvalidRequest(field, given, "nothing", f"the template {row.name} takes no {field}")

    @property
    def endpoint(self) -> Endpoint:
        """Where it is sent, and its task is asked for."""
        return TEMPLATE_GENERATION

    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`: a part of the clip's key."""
        return {"template_id": self.row.id, "text": self.text or None}

    def older_identities(self) -> tuple[dict[str, Any], ...]:
        """Older versions distinguished no text from an empty one."""
        return () if self.text else ({"text": ""},)

    @property
    def label(self) -> str:
        """What makes the clip, for people."""
        return f"template {self.row.name}"

    @property
    def row(self) -> Template:
        """The catalogue's row of the template."""
        found = find_template(self.template)
        if found is None:
            names = [template.name for template in TEMPLATES]
            near = suggest(self.template, names)
            why = "no such template" + (f", did you mean {near}?" if near else "")
            raise InvalidRequest("template", self.template, names, why)
        return found

    @property
    def warnings(self) -> tuple[str, ...]:
        """A warning when the template was asked for by an id that is published wrongly."""
        if self.template.strip() in self.row.other_ids:
            return (f"template id {self.template} is a published slip; {self.row.id} is sent",)
        return ()

    @property
    def usd(self) -> float | None:
        """The published price in USD, or None when there is none."""
        return self.row.usd

    def body(self) -> dict[str, Any]:
        """The JSON of the wire."""
        body: dict[str, Any] = {"template_id": self.row.id}
        if self.image:
            body["media_inputs"] = [{"value": _sendable("image", self.image)}]
        if self.text:
            body["text_inputs"] = [{"value": self.text}]
        if self.callback_url:
            body["callback_url"] = self.callback_url
        return body


AnyRequest = (
    TextToVideoRequest
    | ImageToVideoRequest
    | StartEndToVideoRequest
    | SubjectToVideoRequest
    | TemplateRequest
)

REQUESTS: dict[Mode, type[AnyRequest]] = {
    Mode.TEXT: TextToVideoRequest,
    Mode.IMAGE: ImageToVideoRequest,
    Mode.START_END: StartEndToVideoRequest,
    Mode.SUBJECT: SubjectToVideoRequest,
    Mode.TEMPLATE: TemplateRequest,
}
"""Mode -> its request."""


def mode_of(fields: Container[str]) -> Mode:
    """The mode of a request by which fields it has, as on the wire."""
    for mode, request in reversed(REQUESTS.items()):
        if request.decided_by in fields:
            return mode
    return Mode.TEXT


def is_url(reference: str) -> bool:
    """Whether a picture reference is sent as it is: an http(s) URL or a data URL."""
    return reference.startswith(("http://", "https://", "data:"))


def _need_readable(field: str, value: str) -> None:
    if character := forbidden_character(value):
        raise InvalidRequest(field, value, "a text without it", f"there is {character}, in it")


def _need_picture(field: str, value: str) -> None:
    if not value.strip():
        raise InvalidRequest(
            field, value, "an http(s) URL, a data URL, or a path to a JPEG, PNG or WebP picture"
        )


def _sendable(field: str, value: str) -> str:
    if not is_url(value):
        raise InvalidRequest(field, value, "an http(s) URL or a data URL", "the picture was not read yet")
    return value


def _readable(error: ValidationError, kind: type[_Request]) -> InvalidRequest:
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
