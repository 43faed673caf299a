"""One Luigi task for each way to make a clip; its output is the finished MP4.

What can be judged without reading a picture is judged when the task is constructed (`InvalidRequest`).
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import luigi

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.requests import REQUESTS, AnyRequest
from minimax_tasks.clips.camera_commands import as_sent, judge_commands, spellings_of
from minimax_tasks.clips.kept_pictures import KeptPicture
from minimax_tasks.clips.pictures import has_bytes, known_clip
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.naming import request_words
from minimax_tasks.tasks.parameters import (
    OptionalUrlParameter,
    PictureParameter,
    PicturesParameter,
    ReferencesParameter,
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
        ClipRequest(self.asked, take=self.take)
        judge_commands(Storage(self.root), self._written, self.take)

    @cached_property
    def asked(self) -> AnyRequest:
        """The API request, its camera commands in the form that is sent. Raises `InvalidRequest`."""
        return as_sent(self._written)

    @cached_property
    def _written(self) -> AnyRequest:
        kind, root = REQUESTS[self.mode], Storage(self.root)
        return kind(**{name: _as_reference(getattr(self, name), root) for name in kind.model_fields})

    @property
    def _words(self) -> str:
        return request_words(self.asked, self.take)

    @property
    def _digits(self) -> str:
        """Those of the key, where it takes no reading to know it."""
        known = not any(map(has_bytes, self.asked.pictures().values()))
        return ClipRequest(self.asked, take=self.take).key if known else self._digest

    @property
    def clip(self) -> ClipRequest:
        """The request with the digests of its pictures, which are read here. Raises `PictureError`.

        Not kept: Luigi hands out one instance for the same parameters, and a picture may change meanwhile.
        """
        root = Storage(self.root)
        for picture in self._kept_pictures():
            picture.keep(root)
        return known_clip(root, self.asked, self.take, written=spellings_of(self._written))

    def _kept_pictures(self) -> Iterator[KeptPicture]:
        for name in REQUESTS[self.mode].picture_fields:
            given = getattr(self, name)
            for one in given if isinstance(given, tuple) else (given,):
                if isinstance(one, KeptPicture):
                    yield one

    def requires(self) -> PollVideo:
        """The wait for the clip, which requires its submit."""
        return PollVideo(request=self.clip, root=self.root, owner=self)


def _as_reference(value: Any, root: Storage) -> Any:
    """What a request takes for a parameter."""
    if isinstance(value, tuple):
        return tuple(_as_reference(one, root) for one in value)
    return value.reference(root) if isinstance(value, KeptPicture) else value


class _Video(_Mode):
    prompt = luigi.Parameter(
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

    prompt = luigi.Parameter(description=_description(Mode.TEXT, "prompt"))
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
    text = luigi.OptionalParameter(
        default=_default(Mode.TEMPLATE, "text"), description=_description(Mode.TEMPLATE, "text")
    )

    mode = Mode.TEMPLATE
