"""The mode that makes a clip from references: pictures, videos and sounds."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, StrictFloat, StrictStr

from minimax_tasks.api.catalog.models import Mode, ReferenceLimits, default_model
from minimax_tasks.api.media import Media, Role
from minimax_tasks.api.requests.descriptions import describe_references
from minimax_tasks.api.requests.fields import need_picture, sendable
from minimax_tasks.api.requests.video import VideoRequest
from minimax_tasks.errors import InvalidRequest


class ReferenceToVideoRequest(VideoRequest):
    """A clip that takes what it shows, how it moves or how it sounds from pictures, videos and sounds."""

    mode: ClassVar[Mode] = Mode.REFERENCE
    picture_fields: ClassVar[tuple[str, ...]] = ("reference_images",)
    recording_fields: ClassVar[tuple[str, ...]] = ("reference_videos", "reference_audios")
    decided_by: ClassVar[str] = "reference_images"
    also_decided_by: ClassVar[tuple[str, ...]] = ("reference_videos", "reference_audios")

    model: StrictStr = default_model(Mode.REFERENCE).model
    reference_images: tuple[StrictStr, ...] = Field((), description=describe_references("images", "pictures"))
    reference_videos: tuple[StrictStr, ...] = Field((), description=describe_references("videos", "videos"))
    reference_audios: tuple[StrictStr, ...] = Field((), description=describe_references("audios", "sounds"))
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
                need_picture(name, reference)
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
            Media(role, sendable(name, reference))
            for name, role in self._roles.items()
            for reference in getattr(self, name)
        )
