"""A still as a shot: a picture over which a camera moves, drawn here and free."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.api.catalog.models import V1_PICTURES, PictureLimits
from minimax_tasks.clips.pictures import PICTURE_LIMIT, read_picture
from minimax_tasks.errors import PictureError, VideoError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.references import version_of
from minimax_tasks.storyboard.own.own_clip import DrawnClip, own_key
from minimax_tasks.storyboard.own.still_camera import Box, camera_boxes
from minimax_tasks.video.shape import Size

if TYPE_CHECKING:
    from PIL import Image

LIMITS = PictureLimits(
    formats=V1_PICTURES.formats,
    most_bytes=PICTURE_LIMIT,
    shortest=64,
    longest=None,
    aspect=(1 / 10, 10),
    says_bytes=f"at most {PICTURE_LIMIT / 1e6:g} MB",
)
"""What is drawn may be wider than what is sent: a panorama is there to be panned over."""

DRAWING = 1
"""The version of how it is drawn: part of the key, so that another way makes other files."""

_DENSE = 1.5
"""Pixels of the picture for one of the film: more of them change nothing that is seen."""

_judged_before: dict[tuple[str, str], tuple[str, Size]] = {}
"""Reference and version of a picture -> the SHA-256 of its file, and its upright size."""


@dataclass(frozen=True)
class DrawnStill(DrawnClip):
    """A picture, by its path or URL and the SHA-256 of its file, with the camera's moves over it."""

    KIND: ClassVar[str] = "still"

    camera: tuple[tuple[Move, ...], ...] = ()

    def pictures(self, size: Size, frames: int) -> "Iterator[Image.Image]":
        """Every picture of it. Raises `VideoError` for a picture that has changed."""
        image, boxes = self._over(size, frames)
        shown: tuple[Box, Image.Image] | None = None
        for box in boxes:
            if shown is None or shown[0] != box:
                shown = (box, _part(image, size, box))
            yield shown[1]

    def picture(self, size: Size, number: int, frames: int) -> "Image.Image":
        """The picture with this number, drawn alone."""
        image, boxes = self._over(size, frames)
        return _part(image, size, boxes[number])

    def _over(self, size: Size, frames: int) -> "tuple[Image.Image, list[Box]]":
        """The picture, no larger than it is needed, and what each frame shows of it."""
        from PIL import Image

        image = opened_still(self.reference, self.digest)
        boxes = camera_boxes(self.camera, frames, float(self.seconds), image.size, size)
        smallest = min(right - left for left, _, right, _ in boxes)
        scale = _DENSE * size[0] / smallest
        if scale >= 1:
            return image, boxes
        small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        across, down = small[0] / image.width, small[1] / image.height
        image = image.resize(small, Image.Resampling.LANCZOS)
        return image, [(box[0] * across, box[1] * down, box[2] * across, box[3] * down) for box in boxes]


def opened_still(reference: str, digest: str) -> "Image.Image":
    """The picture with this SHA-256, upright and in RGB. Raises `VideoError` for one that has changed or is gone."""
    from PIL import Image

    try:
        data = read_picture(reference, field="still")
        if hashlib.sha256(data).hexdigest() != digest:
            raise VideoError(f"the still {shown(reference)} has changed; run it again")
        with Image.open(io.BytesIO(_upright(data, shown(reference))[0])) as image:
            return image.convert("RGB")
    except PictureError as error:
        raise VideoError(f"the still {shown(reference)}: {error.why}") from None


def judged_still(reference: str, label: str) -> tuple[str, Size, str | None]:
    """SHA-256, upright size and version of a picture that is used here. Raises `PictureError`."""
    version = version_of(reference)  # asked before it is read: what changes meanwhile has another
    known = _judged_before.get((reference, version)) if version else None
    if known is None:
        data = read_picture(reference, field="still")
        known = hashlib.sha256(data).hexdigest(), _upright(data, label)[1]
        if version:
            _judged_before[reference, version] = known
    return *known, version


def read_drawn_still(
    reference: str, label: str, seconds: int, camera: tuple[tuple[Move, ...], ...]
) -> DrawnStill:
    """Read and judge a picture for a shot of `seconds`. Raises `PictureError`."""
    digest, _, version = judged_still(reference, label)
    moves = [[move.name for move in group] for group in camera]
    key = own_key("still", sha256=digest, seconds=seconds, camera=moves, drawing=DRAWING)
    return DrawnStill(
        key, label, Fraction(seconds), reference=reference, digest=digest, read_version=version, camera=camera
    )


def _upright(data: bytes, label: str) -> tuple[bytes, Size]:
    """The picture the right way up, without transparency, in 8-bit RGB or grey. Raises `PictureError`."""
    from minimax_tasks.api.pictures import judge_picture

    judged = judge_picture(data, field="still", name=label, fit=True, limits=LIMITS)
    return judged.data, (judged.width, judged.height)


def _part(image: "Image.Image", size: Size, box: Box) -> "Image.Image":
    """A part of a picture at this size: each pixel is weighed from all that it covers, to a fraction of a pixel."""
    from PIL import Image

    return image.resize(size, Image.Resampling.LANCZOS, box=box)
