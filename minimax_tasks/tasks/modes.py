"""One Luigi task for each way to make a clip; its output is the finished MP4.

What can be judged without reading a picture is judged when the task is constructed (`InvalidRequest`).
"""

from functools import cached_property
from typing import Any, ClassVar

import luigi

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.requests import REQUESTS, AnyRequest
from minimax_tasks.clips.camera_commands import as_sent, judge_commands, spellings_of
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.parameters import OptionalUrlParameter, PictureParameter, PicturesParameter
from minimax_tasks.tasks.stages import Download, PollVideo


def _switch(default: bool, description: str = "") -> luigi.BoolParameter:
    return luigi.BoolParameter(
        default=default, parsing=luigi.BoolParameter.EXPLICIT_PARSING, description=description
    )


class _Mode(Download):
    take = luigi.IntParameter(default=1, description="2, 3, … make another clip of the same request")
    callback_url = OptionalUrlParameter(default=None, significant=False)
    fit = _switch(False, "crop and scale pictures that the service would refuse; others stay as they are")

    # Without ClassVar these two would be all the parameters that type checkers know.
    mode: ClassVar[Mode]
    fields: ClassVar[tuple[str, ...]]

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
        names = (*self.fields, "callback_url", "fit")
        return REQUESTS[self.mode](**{name: getattr(self, name) for name in names})

    @property
    def clip(self) -> ClipRequest:
        """The request with the digests of its pictures, which are read here. Raises `PictureError`.

        Not kept: Luigi hands out one instance for the same parameters, and a picture may change meanwhile.
        """
        return known_clip(Storage(self.root), self.asked, self.take, written=spellings_of(self._written))

    def requires(self) -> PollVideo:
        """The wait for the clip, which requires its submit."""
        return PollVideo(request=self.clip, root=self.root)


class _Video(_Mode):
    prompt = luigi.Parameter(default="", description="at most 2,000 characters")
    duration = luigi.OptionalIntParameter(default=None, description="seconds, 6 when left out")
    resolution = luigi.OptionalParameter(default=None, description="512P, 720P, 768P or 1080P")
    prompt_optimizer = _switch(True)
    fast_pretreatment = _switch(False)
    aigc_watermark = _switch(False)


_COMMON = (
    "model", "prompt", "duration", "resolution", "prompt_optimizer", "fast_pretreatment", "aigc_watermark"
)  # fmt: skip


class TextToVideo(_Video, luigi.Task):
    """A clip from a prompt alone."""

    prompt = luigi.Parameter(description="1 to 2,000 characters")
    model = luigi.Parameter(default="MiniMax-Hailuo-2.3")

    mode = Mode.TEXT
    fields = _COMMON


class ImageToVideo(_Video, luigi.Task):
    """A clip that starts from a picture and takes its shape."""

    first_frame_image = PictureParameter()
    model = luigi.Parameter(default="MiniMax-Hailuo-2.3")

    mode = Mode.IMAGE
    fields = (*_COMMON, "first_frame_image")


class StartEndToVideo(_Video, luigi.Task):
    """A clip from one picture to another."""

    first_frame_image = PictureParameter()
    last_frame_image = PictureParameter()
    model = luigi.Parameter(default="MiniMax-Hailuo-02")

    mode = Mode.START_END
    fields = (*_COMMON, "first_frame_image", "last_frame_image")


class SubjectToVideo(_Video, luigi.Task):
    """A clip with the face of a subject."""

    subject_image = PicturesParameter(description="a picture of the face, or several")
    model = luigi.Parameter(default="S2V-01")

    mode = Mode.SUBJECT
    fields = (*_COMMON, "subject_image")


class TemplateVideo(_Mode, luigi.Task):
    """A clip from one of the service's video templates."""

    template = luigi.Parameter(description="name or id; `minimax-tasks templates` lists them")
    image = PictureParameter(default="", description="a picture, for templates that take one")
    text = luigi.OptionalParameter(default=None, description="a text, for templates that take one")

    mode = Mode.TEMPLATE
    fields = ("template", "image", "text")
