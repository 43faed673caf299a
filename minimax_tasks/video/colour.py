"""Pictures into video and back without losing colour.

swscale's quick path loses about 2/255 each time, and FFmpeg reads a file without colour tags as BT.601.
A chain of clips, each started from the last frame of the one before, would drift by more than 100/255 in
ten steps.
"""

from typing import Literal

import av
import av.video.plane
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from minimax_tasks.video.turn import turn_of

Matrix = Literal["ITU709", "ITU601"]
"""How RGB became YUV in a file: BT.709 (high definition) or BT.601 (standard definition)."""

HD_LINES = 576
"""An untagged picture with at least this many lines is taken to be BT.709."""

# Either flag alone makes it worse than none: both are needed.
EXACT = int(Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)

COLORSPACES: dict[Matrix | None, Colorspace] = {"ITU709": Colorspace.ITU709, "ITU601": Colorspace.ITU601}
"""FFmpeg's numbers of the matrices."""

BT709 = 1
UNTAGGED = (0, 2)
"""Values of a frame's colorspace that say nothing about its matrix."""


def untagged_matrix(height: int) -> Matrix:
    """The matrix to assume for an untagged picture of `height` lines."""
    return "ITU709" if height >= HD_LINES else "ITU601"


def reformatted(
    frame: av.VideoFrame,
    *,
    format: str,
    size: tuple[int, int] | None = None,
    from_matrix: Matrix | None = None,
    to_matrix: Matrix | None = None,
    limited: bool = False,
) -> av.VideoFrame:
    """The frame in another format, size (width, height) and matrix, as exactly as swscale can.

    Without `from_matrix` the frame's own tag decides; `limited` converts to the limited range of video.
    """
    width, height = size or (frame.width, frame.height)
    # `frame.reformat` and `frame.to_ndarray` of PyAV 19 leave a reformatter in a thread-local. In a child
    # that Luigi forks, its end waits for threads that are not there: a reformatter of our own, which is
    # gone when this returns, and which starts no threads.
    return VideoReformatter().reformat(
        frame,
        width=width,
        height=height,
        format=format,
        src_colorspace=COLORSPACES.get(from_matrix),
        dst_colorspace=COLORSPACES.get(to_matrix),
        dst_color_range=ColorRange.MPEG if limited else None,
        interpolation=EXACT,
        threads=1,
    )


def plane_pixels(plane: av.video.plane.VideoPlane, depth: int = 1) -> NDArray[np.uint8]:
    """The pixels of a plane of a frame, without the padding of its lines; writing changes the frame.

    `depth` is the number of bytes of a pixel.
    """
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width * depth]


def picture_of(frame: av.VideoFrame, matrix: Matrix | None = None) -> Image.Image:
    """The frame as an RGB picture, turned as its clip asks; without `matrix` its own colour tag decides."""
    if matrix is None and not frame.format.is_rgb and frame.colorspace in UNTAGGED:
        matrix = untagged_matrix(frame.height)
    rgb = reformatted(frame, format="rgb24", from_matrix=None if frame.format.is_rgb else matrix)
    pixels = plane_pixels(rgb.planes[0], 3).reshape(rgb.height, rgb.width, 3)
    return turn_of(frame).image(Image.fromarray(pixels))


def frame_of(image: Image.Image) -> av.VideoFrame:
    """The picture as a yuv420p frame in BT.709, limited range; both sides have to be even."""
    rgb = av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), format="rgb24")
    frame = reformatted(rgb, format="yuv420p", to_matrix="ITU709", limited=True)
    frame.colorspace = BT709
    return frame
