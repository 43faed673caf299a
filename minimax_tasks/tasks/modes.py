"""One Luigi task for each way to make a clip; its output is the finished MP4.

What can be judged without reading a picture is judged when the task is constructed (`InvalidRequest`).
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, ClassVar

import luigi

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.requests import REQUESTS, AnyRequest
from minimax_tasks.clips.camera_commands import as_sent, judge_commands, spellings_of
from minimax_tasks.clips.kept_pictures import KeptPicture
from minimax_tasks.clips.pictures import has_bytes, known_clip
from minimax_tasks.clips.request import ClipRequest, FrameOf
from minimax_tasks.errors import InvalidRequest
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.inputs import TextFile, output_of
from minimax_tasks.tasks.naming import file_words, request_words
from minimax_tasks.tasks.parameters import (
    OptionalTextParameter,
    OptionalUrlParameter,
    PictureParameter,
    PicturesParameter,
    ReferencesParameter,
    TextParameter,
)
from minimax_tasks.tasks.stages import Download, PollVideo


def _default(mode: Mode, name: str) -> Any:
    """The default of a field of the mode's request, which is not said again here."""
    return REQUESTS[mode].model_fields[name].get_default()


def _description(mode: Mode, name: str) -> str:
    return REQUESTS[mode].model_fields[name].description or ""


def _switch(name: str) -> luigi.BoolParameter:
    return luigi.BoolParameter(
        default=_default(Mode.TEXT, name),
        parsing=luigi.BoolParameter.EXPLICIT_PARSING,
        description=_description(Mode.TEXT, name),
    )


class _Mode(Download):
    take = luigi.IntParameter(default=1, description="2, 3, … make another clip of the same request")
    callback_url = OptionalUrlParameter(
        significant=False,
        default=_default(Mode.TEXT, "callback_url"),
        description=_description(Mode.TEXT, "callback_url"),
    )
    fit = _switch("fit")

    # Without ClassVar this would be the only parameter that type checkers know.
    mode: ClassVar[Mode]

    def __init__(self, *arguments: Any, **parameters: Any) -> None:
        super().__init__(*arguments, **parameters)
        ClipRequest(self._outline, take=self.take)
        if not self._comes_later:
            judge_commands(Storage(self.root), self._written, self.take)

    @property
    def asked(self) -> AnyRequest:
        """The API request, its camera commands in the form that is sent. Raises `InvalidRequest`."""
        return as_sent(self._written)

    @property
    def _written(self) -> AnyRequest:
        return self._request(_value_of) if self._comes_later else self._outline

    @cached_property
    def _outline(self) -> AnyRequest:
        """The request with the names of tasks and files in place of what they are going to hold."""
        return self._request(_placeholder)

    def _request(self, value_of: Callable[[str, Any, str], Any]) -> AnyRequest:
        kind = REQUESTS[self.mode]
        return kind(**{name: value_of(name, getattr(self, name), self.root) for name in kind.model_fields})

    @cached_property
    def _comes_later(self) -> bool:
        """Whether a task or a file holds a part of the request, so that it can become another one."""
        values = [value for _, value in self._given()]
        return any(isinstance(value, luigi.Task | TextFile) for value in values)

    def _given(self) -> Iterator[tuple[str, Any]]:
        """The values of the fields of the request; each of several under its number."""
        for name in REQUESTS[self.mode].model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple):
                yield from ((f"{name}[{number}]", one) for number, one in enumerate(value))
            else:
                yield name, value

    def _upstream(self) -> dict[str, luigi.Task]:
        """Field -> the task whose output it is."""
        return {name: value for name, value in self._given() if isinstance(value, luigi.Task)}

    def _is_known(self) -> bool:
        """Whether it is known what is asked: the tasks that make a part of it are complete."""
        return all(task.complete() for task in self._upstream().values())

    @property
    def _words(self) -> str:
        return request_words(self._outline, self.take)

    @property
    def _digits(self) -> str:
        """Those of the key, where it takes no reading to know it."""
        known = not self._comes_later and not any(map(has_bytes, self._outline.pictures().values()))
        return ClipRequest(self.asked, take=self.take).key if known else self._digest

    def complete(self) -> bool:
        """Whether the clip is there; it is not while it is unknown what is asked."""
        return self._is_known() and super().complete()

    @property
    def clip(self) -> ClipRequest:
        """The request with the digests of its pictures, which are read here. Raises `PictureError`.

        Not kept: Luigi hands out one instance for the same parameters, and a picture may change meanwhile.
        """
        root, written = Storage(self.root), self._written
        if self._comes_later:
            judge_commands(root, written, self.take)
        for _, given in self._given():
            if isinstance(given, KeptPicture):
                given.keep(root)
        return known_clip(root, as_sent(written), self.take, written=spellings_of(written))

    def requires(self) -> Any:
        """The wait for the clip, which requires its submit.

        Where other tasks make a part of the request, it is a dict: `clip` is the wait, and the others stand under
        the names of their fields.
        """
        if upstream := self._upstream():
            return {"clip": PollVideo(request=self, root=self.root, owner=self)} | upstream
        return PollVideo(request=self.clip, root=self.root, owner=self)


_TEXTS = frozenset({"prompt", "text"})
"""Fields that hold what a file says, and not where it is."""


def _value_of(name: str, value: Any, root: str) -> Any:
    """What a request takes for a parameter. Raises `InvalidRequest`."""
    match value:
        case tuple():
            return tuple(_value_of(name, one, root) for one in value)
        case KeptPicture():
            return value.reference(Storage(root))
        case TextFile():
            return value.text(name)
        case Download() if name not in _TEXTS:
            if value.root != root:
                raise InvalidRequest(name, repr(value), f"a clip under the same root, {root}")
            return str(FrameOf(value.key, "last"))
        case luigi.Task():
            path = output_of(value, name)
            return TextFile(path).text(name) if name in _TEXTS else path
    return value


def _placeholder(name: str, value: Any, root: str) -> Any:
    match value:
        case tuple():
            return tuple(_placeholder(name, one, root) for one in value)
        case luigi.Task():
            return value.get_task_family()
        case TextFile():
            return file_words(value)
    return _value_of(name, value, root)


class _Video(_Mode):
    prompt = TextParameter(
        default=_default(Mode.IMAGE, "prompt"), description=_description(Mode.IMAGE, "prompt")
    )
    duration = luigi.OptionalIntParameter(
        default=_default(Mode.TEXT, "duration"), description=_description(Mode.TEXT, "duration")
    )
    resolution = luigi.OptionalParameter(
        default=_default(Mode.TEXT, "resolution"), description=_description(Mode.TEXT, "resolution")
    )
    ratio = luigi.OptionalParameter(
        default=_default(Mode.TEXT, "ratio"), description=_description(Mode.TEXT, "ratio")
    )
    prompt_optimizer = _switch("prompt_optimizer")
    fast_pretreatment = _switch("fast_pretreatment")
    aigc_watermark = _switch("aigc_watermark")


class TextToVideo(_Video, luigi.Task):
    """A clip from a prompt alone."""

    prompt = TextParameter(description=_description(Mode.TEXT, "prompt"))
    model = luigi.Parameter(
        default=_default(Mode.TEXT, "model"), description=_description(Mode.TEXT, "model")
    )

    mode = Mode.TEXT


class ImageToVideo(_Video, luigi.Task):
    """A clip that starts from a picture and takes its shape."""

    first_frame_image = PictureParameter(description=_description(Mode.IMAGE, "first_frame_image"))
    model = luigi.Parameter(
        default=_default(Mode.IMAGE, "model"), description=_description(Mode.IMAGE, "model")
    )

    mode = Mode.IMAGE


class StartEndToVideo(_Video, luigi.Task):
    """A clip from one picture to another."""

    first_frame_image = PictureParameter(description=_description(Mode.START_END, "first_frame_image"))
    last_frame_image = PictureParameter(description=_description(Mode.START_END, "last_frame_image"))
    model = luigi.Parameter(
        default=_default(Mode.START_END, "model"), description=_description(Mode.START_END, "model")
    )

    mode = Mode.START_END


class SubjectToVideo(_Video, luigi.Task):
    """A clip with the face of a subject."""

    subject_image = PicturesParameter(description=_description(Mode.SUBJECT, "subject_image"))
    model = luigi.Parameter(
        default=_default(Mode.SUBJECT, "model"), description=_description(Mode.SUBJECT, "model")
    )

    mode = Mode.SUBJECT


def _references(name: str) -> ReferencesParameter:
    return ReferencesParameter(
        default=_default(Mode.REFERENCE, name), description=_description(Mode.REFERENCE, name)
    )


class ReferenceToVideo(_Video, luigi.Task):
    """A clip that takes what it shows, how it moves or how it sounds from pictures, videos and sounds."""

    reference_images = _references("reference_images")
    reference_videos = _references("reference_videos")
    reference_audios = _references("reference_audios")
    reference_seconds = luigi.OptionalFloatParameter(
        default=_default(Mode.REFERENCE, "reference_seconds"),
        description=_description(Mode.REFERENCE, "reference_seconds"),
    )
    model = luigi.Parameter(
        default=_default(Mode.REFERENCE, "model"), description=_description(Mode.REFERENCE, "model")
    )

    mode = Mode.REFERENCE


class TemplateVideo(_Mode, luigi.Task):
    """A clip from one of the service's video templates."""

    template = luigi.Parameter(description=_description(Mode.TEMPLATE, "template"))
    image = PictureParameter(default="", description=_description(Mode.TEMPLATE, "image"))
    text = OptionalTextParameter(
        default=_default(Mode.TEMPLATE, "text"), description=_description(Mode.TEMPLATE, "text")
    )

    mode = Mode.TEMPLATE
