"""The files that go into a clip, by what they are for: the same in every generation of the API."""

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a picture, a video or a sound is for."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE_IMAGE = "reference_image"
    REFERENCE_VIDEO = "reference_video"
    REFERENCE_AUDIO = "reference_audio"


class Media(NamedTuple):
    """A file of a request: what it is for, and the URL, data URL or `mm_file://` address that is sent."""

    role: Role
    url: str
