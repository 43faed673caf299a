"""A still that is cropped once, here, so that every shot which starts from it or ends on it has the same picture."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from minimax_tasks.storyboard.own.drawn_still import judged_still, opened_still
from minimax_tasks.storyboard.own.own_clip import FrameSource, own_key
from minimax_tasks.video.shape import Crop, Size

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class CroppedStill(FrameSource):
    """A part of a picture: `box` has its left, top, width and height in pixels of the upright picture."""

    KIND: ClassVar[str] = "still"

    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    lost: float = 0.0
    """How much of the picture is cut off, from 0 to 1."""

    @property
    def shape(self) -> Size:
        """Its size in pixels."""
        return self.box[2:]

    @property
    def frame_size(self) -> Size:
        """Its size in pixels."""
        return self.shape

    def frame(self, place: str) -> "Image.Image":
        """The part, whatever the place. Raises `VideoError` for a picture that has changed."""
        left, top, width, height = self.box
        return opened_still(self.reference, self.digest).crop((left, top, left + width, top + height))


def crop_still(reference: str, label: str, crop: Crop, aspect: Fraction | None) -> CroppedStill | None:
    """The part of a picture that is kept for an aspect, None for that of the `crop`'s region; None when that is all.

    Raises `PictureError`.
    """
    digest, size, version = judged_still(reference, label)
    box = crop.box(size, aspect)
    if box[2:] == size:
        return None
    lost = 1 - box[2] * box[3] / (size[0] * size[1])
    key = own_key("cropped", sha256=digest, box=list(box))
    return CroppedStill(key, label, box, lost, reference=reference, digest=digest, read_version=version)
