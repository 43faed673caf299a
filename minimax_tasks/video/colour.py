"""Pictures into video and back without losing colour.

swscale's quick path loses about 2/255 each time, and FFmpeg reads a file without colour tags as BT.601.
A chain of clips, each started from the last frame of the one before, would drift by more than 100/255 in
ten steps.
"""

from typing import Literal

import av
import numpy as np
from av.video.reformatter import Interpolation
from PIL import Image

Matrix = Literal["ITU709", "ITU601"]
"""How RGB became YUV in a file: BT.709 (high definition) or BT.601 (standard definition)."""

HD_LINES = 576
"""An untagged picture of at least so many lines is taken as BT.709."""

# Either flag alone makes it worse than none: both are needed.
EXACT = int(Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)

BT709 = 1
UNTAGGED = (0, 2)
"""Values of a frame's colorspace that say nothing about its matrix."""


def untagged_matrix(height: int) -> Matrix:
    """The matrix to assume for a picture of `height` lines that does not tell."""
    return "ITU709" if height >= HD_LINES else "ITU601"


def picture_of(frame: av.VideoFrame, matrix: Matrix | None = None) -> Image.Image:
    """The frame as an RGB picture; without `matrix` by its own colour tag."""
    if frame.format.is_rgb:
        return Image.fromarray(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    if matrix is None and frame.colorspace in UNTAGGED:
        matrix = untagged_matrix(frame.height)
    rgb = frame.reformat(format="rgb24", src_colorspace=matrix, interpolation=EXACT)
    return Image.fromarray(np.asarray(rgb.to_ndarray(), np.uint8))


def frame_of(image: Image.Image) -> av.VideoFrame:
    """The picture as a yuv420p frame in BT.709, limited range; both sides have to be even."""
    rgb = av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), format="rgb24")
    frame = rgb.reformat(
        format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", interpolation=EXACT
    )
    frame.colorspace = BT709
    return frame
