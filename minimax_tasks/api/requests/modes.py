"""The modes that make a clip from words, frames or a subject."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import StrictStr

from minimax_tasks.api.catalog.models import Mode, default_model
from minimax_tasks.api.media import Media, Role
from minimax_tasks.api.requests.fields import need_picture, sendable
from minimax_tasks.api.requests.video import VideoRequest
from minimax_tasks.errors import InvalidRequest


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
        need_picture("first_frame_image", self.first_frame_image)

    def media(self) -> tuple[Media, ...]:
        """The first frame."""
        return (Media(Role.FIRST_FRAME, sendable("first_frame_image", self.first_frame_image)),)


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
            need_picture("first_frame_image", self.first_frame_image)
        need_picture("last_frame_image", self.last_frame_image)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        alone = "the API's schema takes a last frame alone, but its text needs first_frame_image for the size"
        return (*super().warnings, *((alone,) if self.first_frame_image is None else ()))

    def media(self) -> tuple[Media, ...]:
        """The frames that there are."""
        roles = {"first_frame_image": Role.FIRST_FRAME, "last_frame_image": Role.LAST_FRAME}
        return tuple(Media(roles[name], sendable(name, value)) for name, value in self.pictures().items())


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
            need_picture("subject_image", image)

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
        return tuple(Media(Role.REFERENCE_IMAGE, sendable("subject_image", image)) for image in self._images)
