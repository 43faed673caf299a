"""Requests judged by the rules of the service, apart from the client's own request models.

Where the sources disagree on what is taken, either is taken, but for what the live service was recorded to
refuse: text-to-video on MiniMax-Hailuo-2.3-Fast, and 10 s at 1080P. Messages marked `recorded` are verbatim
from live answers, the others follow their pattern.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from minimax_tasks.api.catalog.models import PROMPT_LIMIT, Mode, ModelMode, find_model_mode, model_modes
from minimax_tasks.api.catalog.templates import TEMPLATES, Template
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.endpoints import ENDPOINTS, mode_endpoint
from minimax_tasks.api.v1.endpoints import GENERATION
from minimax_tasks.sandbox.drawing.pictures import Pictures
from minimax_tasks.sandbox.http.wire import Refused

DEEPEST = 100
"""Lists and objects within each other; what is taken has 3. The journal has to be read again by a parser that
goes down to 1000."""

TEMPLATE_SIZE = ("720P", 6, 24)
"""Resolution, seconds and frame rate of a template's clip; nothing is published."""

OLD_NAMES = {
    "video-01": {Mode.TEXT: "T2V-01", Mode.IMAGE: "I2V-01"},
    "video-01-live2d": {Mode.IMAGE: "I2V-01-live"},
}
"""Names of the first series from before it was split by mode: published clients still send them, and the live
service still takes them."""

FLAGS = {"prompt_optimizer": True, "fast_pretreatment": False, "aigc_watermark": False}
"""The switches of a request and what they are when left out (source: t2v)."""

_OLD_SIZES = {"video-01": {"512P": (6, 10), "768P": (6, 10), "1080P": (6, 10)}}
"""What the live service took for an old name in addition to the sizes of the new one (recorded)."""

_REFUSED_TEXT_MODELS = frozenset({"MiniMax-Hailuo-2.3-Fast"})
"""Listed for text-to-video by some sources and refused by the live service (recorded)."""

_REFUSED_SECONDS = {"1080P": 10}
"""As above, whatever the model."""


@dataclass(frozen=True)
class AcceptedRequest:
    """A request that is good: what is to be drawn, and the request itself with pictures by digest."""

    mode: Mode
    prompt: str
    resolution: str
    seconds: int
    fps: int
    request: Mapping[str, Any]
    first: str = ""
    last: str = ""
    subject: str = ""
    aspect: float | None = None
    callback_url: str = ""
    endpoint_name: str = ""
    """Empty for the first generation, where the mode says it."""
    ratio: str = ""
    references: Sequence[str] = ()
    """Further pictures that are to be seen."""
    usage: Mapping[str, int] = field(default_factory=dict)
    """What the second generation bills."""
    task_type: str = "generation"
    text_result: str = ""
    """What a task that makes no clip gives."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the request came, and its task is asked for."""
        return ENDPOINTS.get(self.endpoint_name) or mode_endpoint(self.mode)

    @property
    def fingerprint(self) -> str:
        """The same for the same request, wherever its callbacks go."""
        asked = {name: value for name, value in self.request.items() if name != "callback_url"}
        text = json.dumps([self.mode, asked], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def read_generation(body: bytearray, pictures: Pictures) -> AcceptedRequest:
    """Judge the body of `/v1/video_generation`. Slow with pictures. Raises `Refused`."""
    asked = RequestBody(body)
    model = asked.required("model")
    prompt = asked.text("prompt")
    first, last = asked.text("first_frame_image"), asked.text("last_frame_image")
    subjects = _subject_images(asked)
    mode = _mode(bool(first), bool(last), bool(subjects))
    model_mode = _model_mode(model, mode)
    if mode is Mode.TEXT and not prompt.strip():
        raise missing("prompt")
    _check_length("prompt", prompt, model_mode.prompt_limit)
    for flag in FLAGS:
        asked.boolean(flag)
    resolution, seconds = _size(model_mode, asked.text("resolution"), asked.integer("duration"))
    callback_url = callback_url_of(asked)
    kept_first = pictures.take(first, "first_frame_image") if first else ""
    kept_last = pictures.take(last, "last_frame_image") if last else ""
    kept_subjects = [pictures.take(image, "subject_reference") for image in subjects]
    request = dict(asked.values)
    request |= {"first_frame_image": kept_first} if kept_first else {}
    request |= {"last_frame_image": kept_last} if kept_last else {}
    request |= {"subject_reference": [{"type": "character", "image": kept_subjects}]} if kept_subjects else {}
    return AcceptedRequest(
        mode, prompt, resolution, seconds, model_mode.fps, request,
        first=kept_first,
        last=kept_last,
        subject=kept_subjects[0] if kept_subjects else "",
        aspect=pictures.aspect(kept_first or kept_last) if kept_first or kept_last else None,
        callback_url=callback_url,
    )  # fmt: skip


def read_template(body: bytearray, pictures: Pictures) -> AcceptedRequest:
    """Judge the body of `/v1/video_template_generation`. Slow with pictures. Raises `Refused`."""
    asked = RequestBody(body)
    template = _template(asked.required("template_id"))
    images, texts = asked.inputs("media_inputs"), asked.inputs("text_inputs")
    if template.image and not any(images):
        raise Refused(2013, "invalid params, param 'media_inputs' is required by this template")
    if template.text and not any(text.strip() for text in texts):
        raise Refused(2013, "invalid params, param 'text_inputs' is required by this template")
    for text in texts:
        _check_length("text_inputs", text)
    callback_url = callback_url_of(asked)
    kept = [pictures.take(image, "media_inputs") for image in images]
    request = dict(asked.values)
    request |= {"media_inputs": [{"value": image} for image in kept]} if kept else {}
    resolution, seconds, fps = TEMPLATE_SIZE
    return AcceptedRequest(
        Mode.TEMPLATE, ". ".join([template.name, *texts]), resolution, seconds, fps, request,
        subject=kept[0] if kept else "",
        callback_url=callback_url,
    )  # fmt: skip


class RequestBody:
    """The fields of a JSON object; null counts as absent, unknown fields are let through."""

    def __init__(self, body: bytearray) -> None:
        try:
            values = json.loads(body.decode(), parse_float=_finite, parse_constant=_finite)
            if b"\\u" in body:
                # Half of a surrogate pair is JSON, but no text: it could not be written down.
                json.dumps(values, ensure_ascii=False).encode()
            if _depth(values) > DEEPEST:
                raise ValueError("too deep")
        except (ValueError, RecursionError):
            raise Refused(2013, "invalid params, the body is not valid JSON") from None
        if not isinstance(values, dict):
            raise Refused(2013, "invalid params, the body is not a JSON object")
        self.values: dict[str, Any] = {name: value for name, value in values.items() if value is not None}

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            raise missing(name)
        return value

    def text(self, name: str) -> str:
        """A text, "" for none."""
        return str(self._typed(name, "", lambda value: isinstance(value, str)))

    def boolean(self, name: str) -> bool:
        """A switch, off for none."""
        return bool(self._typed(name, False, lambda value: isinstance(value, bool)))

    def integer(self, name: str) -> int | None:
        """A whole number, None for none."""
        value = self.values.get(name)
        if value is None or type(value) is int:
            return value
        raise mistyped(name)

    def inputs(self, name: str) -> list[str]:
        """The values of a list of inputs."""
        items = self._typed(name, [], lambda value: isinstance(value, list))
        if not all(isinstance(item, dict) and isinstance(item.get("value"), str) for item in items):
            raise mistyped(name)
        return [item["value"] for item in items]

    def _typed(self, name: str, default: Any, fits: Callable[[Any], bool]) -> Any:
        value = self.values.get(name, default)
        if not fits(value):
            raise mistyped(name)
        return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    return value


def _depth(value: Any) -> int:
    """How many levels of lists and objects there are; counted level by level, however many there are."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
    return depth


def missing(name: str) -> Refused:
    """The refusal of a request without a parameter that it needs."""
    # recorded for `model`
    return Refused(2013, f"invalid params, binding: expr_path={name}, cause=missing required parameter")


def mistyped(name: str) -> Refused:
    """The refusal of a parameter of another JSON type."""
    cause = "parameter type does not match binding data"
    return Refused(2013, f"invalid params, binding: expr_path={name}, cause={cause}")


def _check_length(name: str, text: str, limit: int = PROMPT_LIMIT) -> None:
    if len(text) > limit:
        raise Refused(2013, f"invalid params, param '{name}' only support up to {limit} characters")


def _subject_images(asked: RequestBody) -> list[str]:
    given = asked.values.get("subject_reference", [])
    if not given and isinstance(given, list):
        return []
    match given:
        case [{"type": "character", "image": [*images]}] if images and all(
            isinstance(image, str) and image for image in images
        ):
            return images
    wanted = '[{"type": "character", "image": ["<image>"]}]'
    raise Refused(2013, f"invalid params, param 'subject_reference' must be {wanted}")


def _mode(first: bool, last: bool, subject: bool) -> Mode:
    if subject:
        return Mode.SUBJECT
    if last:
        return Mode.START_END
    if first:
        return Mode.IMAGE
    return Mode.TEXT


def _model_mode(model: str, mode: Mode) -> ModelMode:
    if mode in OLD_NAMES.get(model, {}):
        model_mode = find_model_mode(OLD_NAMES[model][mode], mode)
        assert model_mode is not None
        return replace(model_mode, model=model)
    modes = {row.mode for row in model_modes() if row.model == model and row.endpoint == GENERATION}
    if not modes and model not in OLD_NAMES:
        raise Refused(2013, f"invalid params, model {model} is not supported")
    model_mode = find_model_mode(model, mode) if modes else None
    if model_mode and not (mode is Mode.TEXT and model in _REFUSED_TEXT_MODELS):
        return model_mode
    if mode is Mode.SUBJECT:
        # recorded
        raise Refused(2013, f"invalid params, param 'subject_reference' is incompatible with model {model}")
    if modes == {Mode.SUBJECT}:
        raise Refused(2013, f"invalid params, {model}: subject_reference is required")
    if mode is Mode.TEXT and (modes == {Mode.IMAGE} or model in OLD_NAMES):
        # recorded for I2V-01
        raise Refused(2013, f"invalid params, {model}: first_frame_image is required")
    # recorded for Text-to-Video and First-and-Last-Frame-Video
    raise Refused(2013, f"invalid params, model {model} does not support {_MODE_WORDS[mode]} mode")


_MODE_WORDS = {
    Mode.TEXT: "Text-to-Video",
    Mode.IMAGE: "Image-to-Video",
    Mode.START_END: "First-and-Last-Frame-Video",
}


def _size(model_mode: ModelMode, resolution: str, seconds: int | None) -> tuple[str, int]:
    taken = {name: list(values) for name, values in _OLD_SIZES.get(model_mode.model, {}).items()}
    for size in model_mode.sizes:
        refused = _REFUSED_SECONDS.get(size.resolution)
        taken.setdefault(size.resolution, []).extend(s for s in size.seconds if s != refused)
    resolution = resolution or model_mode.default_resolution
    seconds = model_mode.default_seconds if seconds is None else seconds
    if resolution not in taken:
        # recorded for MiniMax-Hailuo-02, lower case included
        raise Refused(2013, f"invalid params, param 'resolution' only support {_listed(taken)}")
    if seconds not in taken[resolution]:
        allowed = _listed([f"{value}s" for value in sorted(taken[resolution])])
        # recorded for MiniMax-Hailuo-02 1080P
        raise Refused(
            2013,
            f"invalid params, param 'duration' only support {allowed} for model {model_mode.model} {resolution}",
        )
    return resolution, seconds


def _listed(words: Mapping[str, Any] | list[str]) -> str:
    *head, tail = words
    return f"{', '.join(head)} and {tail}" if head else tail


def callback_url_of(asked: RequestBody) -> str:
    """Where callbacks go, "" for nowhere. Raises `Refused` for what is no URL."""
    url = asked.text("callback_url")
    if url and not url.startswith(("http://", "https://")):
        raise Refused(2013, "invalid params, param 'callback_url' must be a URL")
    return url


def _template(template_id: str) -> Template:
    for template in TEMPLATES:
        if template_id in (template.id, *template.other_ids):
            return template
    raise Refused(2013, f"invalid params, template_id {template_id} does not exist")
