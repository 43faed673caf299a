"""The requests, one for each mode, checked against the catalogue when they are constructed.

Where public material disagrees on what the service takes, either is taken, what is safest is sent, and a
`MiniMaxCatalogWarning` says so.

A field of a picture, a video or a sound holds a *reference* until the request is sent: an http(s) URL, a data URL, the
address of an uploaded file (`mm_file://`), or whatever the caller resolves (`with_pictures`) into one of them.
`body()` gives the exact JSON of the wire, which the model's generation of the API writes.
"""

import warnings
from collections.abc import Container, Iterable, Mapping
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from minimax_tasks.api.catalog.models import (
    RATIOS,
    V1_PICTURES,
    Mode,
    ModelMode,
    Optimizer,
    PictureLimits,
    ReferenceLimits,
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
from minimax_tasks.api.media import Media, Role
from minimax_tasks.api.suggest import suggest
from minimax_tasks.api.v1.endpoints import TEMPLATE_GENERATION
from minimax_tasks.errors import InvalidRequest, MiniMaxCatalogWarning

ADAPTIVE = "adaptive"
"""The ratio of a clip that has the shape of its pictures."""

UPLOADED = "mm_file://"
"""What the address of a file that was uploaded to the service starts with."""


class _Request(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), use_attribute_docstrings=True
    )

    mode: ClassVar[Mode]
    picture_fields: ClassVar[tuple[str, ...]] = ()
    recording_fields: ClassVar[tuple[str, ...]] = ()
    """The fields with videos and sounds."""
    decided_by: ClassVar[str] = ""
    """The field that says, where it is given, that this is the mode."""
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


def _ratios() -> str:
    return f"shape of the clip, for models that take one: {_listed(RATIOS)}"


def _references(kind: str, words: str) -> str:
    limits = [row.references for row in model_modes() if row.references is not None]
    return f"at most {max(getattr(each, kind) for each in limits)} {words}"


class VideoRequest(_Request):
    """What the modes that a model makes share."""

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
    ratio: StrictStr | None = Field(None, description=_ratios())

    def check(self) -> None:
        """Raise `InvalidRequest` for a model, prompt, size or shape that the service would refuse."""
        super().check()
        row = self.model_mode  # raises for an unknown model
        limit = row.prompt_limit
        _need_readable("prompt", self.prompt)
        if len(self.prompt) > limit:
            raise InvalidRequest(
                "prompt", self.prompt, f"at most {limit} characters", f"{len(self.prompt)} characters"
            )
        if (row.needs_prompt or self.mode is Mode.TEXT) and not self.prompt.strip():
            why = "text-to-video needs one" if self.mode is Mode.TEXT else f"{self.model} always needs one"
            raise InvalidRequest("prompt", self.prompt, f"1 to {limit} characters", why)
        self._check_size()
        self._check_ratio()
        for name, reference in self.pictures().items():
            if reference.startswith(UPLOADED) and not self.endpoint.takes_uploads:
                raise InvalidRequest(
                    name,
                    reference,
                    "an http(s) URL, a data URL or a path",
                    f"{self.model} knows no uploaded files",
                )

    def _check_ratio(self) -> None:
        ratios = self.model_mode.ratios
        if not ratios:
            if self.ratio is not None:
                why = f"the clips of {self.model} have one shape, or that of their first frame"
                raise InvalidRequest("ratio", self.ratio, "nothing", why)
            return
        if self.ratio is not None and self.ratio not in ratios:
            raise InvalidRequest("ratio", self.ratio, ratios, "there is no such ratio")
        if self.mode is Mode.TEXT and self.ratio in (None, ADAPTIVE):
            why = f"{self.model} needs one for a clip from text alone"
            raise InvalidRequest("ratio", self.ratio, [one for one in ratios if one != ADAPTIVE], why)

    @property
    def picture_limits(self) -> PictureLimits:
        """What pictures the model takes."""
        return self.model_mode.pictures

    @property
    def reference_limits(self) -> ReferenceLimits | None:
        """What references the model takes; None where it takes none."""
        return self.model_mode.references

    @property
    def sent_ratio(self) -> str | None:
        """The shape that is asked for; a clip with frames has theirs. None for a model that takes no ratio."""
        if not self.model_mode.ratios:
            return None
        return ADAPTIVE if self._has_frames or self.ratio is None else self.ratio

    @property
    def _has_frames(self) -> bool:
        return self.mode in (Mode.IMAGE, Mode.START_END)

    def media(self) -> tuple[Media, ...]:
        """The files that are sent, in their order. Raises `PictureError` for one that was not read yet."""
        return ()

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
        if not self.prompt_optimizer and model_mode.optimizer is Optimizer.NONE:
            reasons.append(
                f"{self.model} cannot be told to leave a prompt as it is: prompt_optimizer is left out"
            )
        if self._has_frames and self.ratio not in (None, ADAPTIVE):
            reasons.append(f"ratio = {self.ratio} is left out: the clip has the shape of its frame")
        if self.ratio is None:
            reasons.append(model_mode.wants_ratio)
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
        return self.model_mode.usd(*self.size, pictures=len(self.pictures()))

    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`, defaults filled in: a part of the clip's key."""
        facts = self.facts()
        # Whatever else is told of a clip: another member here is another key, and clips that were paid are not found.
        always = {name: facts[name] for name in ("prompt", "model", "resolution", "duration")}
        return always | self.endpoint.wire.identity(self)

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
        """Prompt, model, resolution, duration and ratio, defaults filled in."""
        resolution, seconds = self.size
        return {
            "prompt": self.prompt,
            "model": self.model,
            "resolution": resolution,
            "duration": seconds,
            "ratio": self.sent_ratio,
        }

    def fields(self) -> dict[str, Any]:
        """What was given and the model, since the default one may become another."""
        return super().fields() | {"model": self.model}

    @property
    def sends_size(self) -> bool:
        """Whether `duration` and `resolution` are on the wire."""
        row = self.model_mode
        default = self.size == (row.default_resolution, row.default_seconds)
        return row.sends_size is SendSize.ALWAYS or not default

    @property
    def sends_expansion_off(self) -> bool:
        """Whether the model is told not to write more into the prompt."""
        return not self.prompt_optimizer and self.model_mode.optimizer is Optimizer.EXPANSION

    def body(self) -> dict[str, Any]:
        """The JSON of the wire, as the model's generation of the API has it."""
        return self.endpoint.wire.body(self)

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

    def media(self) -> tuple[Media, ...]:
        """The first frame."""
        return (Media(Role.FIRST_FRAME, _sendable("first_frame_image", self.first_frame_image)),)


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

    def media(self) -> tuple[Media, ...]:
        """The frames that there are."""
        roles = {"first_frame_image": Role.FIRST_FRAME, "last_frame_image": Role.LAST_FRAME}
        return tuple(Media(roles[name], _sendable(name, value)) for name, value in self.pictures().items())


class SubjectToVideoRequest(VideoRequest):
    """A clip with a subject: for S2V-01 a face, for others up to nine pictures.

    `duration` and `resolution` are judged, but not sent to S2V-01.
    """

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
        most = self.model_mode.subjects
        if most is not None and len(self._images) > most:
            raise InvalidRequest(
                "subject_image", self.subject_image, f"1 to {most} pictures", f"{len(self._images)} pictures"
            )
        for image in self._images:
            _need_picture("subject_image", image)

    @property
    def _images(self) -> tuple[str, ...]:
        return (self.subject_image,) if isinstance(self.subject_image, str) else self.subject_image

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        several = "the API reference has exactly one picture of the subject"
        doubted = len(self._images) > 1 and self.model_mode.subjects is None
        return (*super().warnings, *((several,) if doubted else ()))

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

    def media(self) -> tuple[Media, ...]:
        """The pictures of the subject."""
        return tuple(Media(Role.REFERENCE_IMAGE, _sendable("subject_image", image)) for image in self._images)


class ReferenceToVideoRequest(VideoRequest):
    """A clip that takes what it shows, how it moves or how it sounds from pictures, videos and sounds."""

    mode: ClassVar[Mode] = Mode.REFERENCE
    picture_fields: ClassVar[tuple[str, ...]] = ("reference_images",)
    recording_fields: ClassVar[tuple[str, ...]] = ("reference_videos", "reference_audios")
    decided_by: ClassVar[str] = "reference_images"
    also_decided_by: ClassVar[tuple[str, ...]] = ("reference_videos", "reference_audios")

    model: StrictStr = default_model(Mode.REFERENCE).model
    reference_images: tuple[StrictStr, ...] = Field((), description=_references("images", "pictures"))
    reference_videos: tuple[StrictStr, ...] = Field((), description=_references("videos", "videos"))
    reference_audios: tuple[StrictStr, ...] = Field((), description=_references("audios", "sounds"))
    reference_seconds: StrictFloat | None = None
    """Seconds of all reference videos together, which are paid for: measured where the videos can be read, else at
    most what is allowed."""

    def check(self) -> None:
        """Raise `InvalidRequest` for files, or a mixture of them, that the service would refuse."""
        super().check()
        limits = self._limits
        total = sum(len(getattr(self, name)) for name in self._roles)
        for name, most in zip(self._roles, (limits.images, limits.videos, limits.audios), strict=True):
            given = getattr(self, name)
            if len(given) > most:
                raise InvalidRequest(name, given, f"at most {most}", f"{len(given)} are given")
            for reference in given:
                _need_picture(name, reference)
        if total > limits.files:
            raise InvalidRequest(
                "reference_images", self.reference_images, f"at most {limits.files} files of all kinds together",
                f"with videos and sounds there are {total}",
            )  # fmt: skip
        if not self.reference_images and not self.reference_videos:
            why = (
                "sounds need a picture or a video with them"
                if self.reference_audios
                else "there is no reference"
            )
            field = "reference_audios" if self.reference_audios else "reference_images"
            raise InvalidRequest(
                field, getattr(self, field), "at least one picture or video as a reference", why
            )
        together = limits.video.together
        if self.reference_seconds is not None and not 0 <= self.reference_seconds <= together:
            raise InvalidRequest("reference_seconds", self.reference_seconds, f"0 to {together:g}")

    @property
    def _limits(self) -> ReferenceLimits:
        limits = self.reference_limits
        assert limits is not None, "every row of this mode has them"
        return limits

    _roles: ClassVar[dict[str, Role]] = {
        "reference_images": Role.REFERENCE_IMAGE,
        "reference_videos": Role.REFERENCE_VIDEO,
        "reference_audios": Role.REFERENCE_AUDIO,
    }

    @property
    def usd(self) -> float | None:
        """The published price in USD with its references, at most; None when there is none."""
        seconds = self.reference_seconds
        if seconds is None:
            seconds = self._limits.video.together if self.reference_videos else 0.0
        pictures = len(self.reference_images)
        return self.model_mode.usd(*self.size, pictures=pictures, reference_seconds=seconds)

    def pictures(self) -> dict[str, str]:
        """`reference_images[0]`, … -> picture reference."""
        return self._numbered("reference_images")

    def recordings(self) -> dict[str, str]:
        """`reference_videos[0]`, …, `reference_audios[0]`, … -> reference."""
        return self._numbered(*self.recording_fields)

    def _numbered(self, *names: str) -> dict[str, str]:
        return {f"{name}[{i}]": one for name in names for i, one in enumerate(getattr(self, name))}

    def with_pictures(self, resolved: Mapping[str, str]) -> Self:
        """The same request with other references."""
        return self.model_copy(
            update={
                name: tuple(
                    resolved.get(f"{name}[{i}]", reference) for i, reference in enumerate(getattr(self, name))
                )
                for name in self._roles
            }
        )

    def media(self) -> tuple[Media, ...]:
        """Pictures, then videos, then sounds: the prompt may count on their order."""
        return tuple(
            Media(role, _sendable(name, reference))
            for name, role in self._roles.items()
            for reference in getattr(self, name)
        )


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
    | ReferenceToVideoRequest
    | TemplateRequest
)

REQUESTS: dict[Mode, type[AnyRequest]] = {
    Mode.TEXT: TextToVideoRequest,
    Mode.IMAGE: ImageToVideoRequest,
    Mode.START_END: StartEndToVideoRequest,
    Mode.SUBJECT: SubjectToVideoRequest,
    Mode.REFERENCE: ReferenceToVideoRequest,
    Mode.TEMPLATE: TemplateRequest,
}
"""Mode -> its request."""


def mode_of(fields: Container[str]) -> Mode:
    """The mode of a request by which fields it has, as on the wire."""
    for mode, request in reversed(REQUESTS.items()):
        if any(name in fields for name in (request.decided_by, *request.also_decided_by)):
            return mode
    return Mode.TEXT


def is_url(reference: str) -> bool:
    """Whether a reference is sent as it is: an http(s) URL, a data URL, or the address of an uploaded file."""
    return reference.startswith(("http://", "https://", "data:", UPLOADED))


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
