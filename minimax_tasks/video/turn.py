"""How a clip is to be turned before it is shown: cameras store what the sensor sees, and note which way is up."""

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.sidedata.sidedata import Type

from minimax_tasks.errors import VideoError
from minimax_tasks.video.source import Source, opened

if TYPE_CHECKING:
    from PIL import Image

_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True)
class Turn:
    """First `mirrored` from left to right, then turned by `degrees` clockwise: 0, 90, 180 or 270."""

    degrees: int = 0
    mirrored: bool = False

    def __bool__(self) -> bool:
        return self != UPRIGHT

    def __str__(self) -> str:
        turned = f"turned by {self.degrees}°" if self.degrees else ""
        return " and ".join(filter(None, ("mirrored" if self.mirrored else "", turned))) or "upright"

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown."""
        return (height, width) if self.degrees % 180 else (width, height)

    def image(self, image: "Image.Image") -> "Image.Image":
        """The picture as shown."""
        if not self:
            return image
        from PIL.Image import Transpose  # who only looks through videos has no need of it

        return image.transpose(Transpose[_TRANSPOSES[self]])


UPRIGHT = Turn()

_TRANSPOSES = {
    Turn(90): "ROTATE_270",  # Pillow counts the other way round
    Turn(180): "ROTATE_180",
    Turn(270): "ROTATE_90",
    Turn(0, True): "FLIP_LEFT_RIGHT",
    Turn(90, True): "TRANSVERSE",
    Turn(180, True): "FLIP_TOP_BOTTOM",
    Turn(270, True): "TRANSPOSE",
}
"""The names that Pillow gives them."""

_BY_MATRIX = {
    (1, 0, 0, 1): UPRIGHT,
    (0, 1, -1, 0): Turn(90),
    (-1, 0, 0, -1): Turn(180),
    (0, -1, 1, 0): Turn(270),
    (-1, 0, 0, 1): Turn(0, True),
    (0, -1, -1, 0): Turn(90, True),
    (1, 0, 0, -1): Turn(180, True),
    (0, 1, 1, 0): Turn(270, True),
}
"""Where the axes go: x' = a x + c y, y' = b x + d y for (a, b, c, d); source: ISO 14496-12, 6.2.2."""


def turn_of(frame: av.VideoFrame) -> Turn:
    """What the display matrix of a decoded frame asks for, to the nearest right angle."""
    attached: Any = frame.side_data  # its stub knows another kind alone
    try:
        data = bytes(attached[Type.DISPLAYMATRIX])
    except KeyError:
        return UPRIGHT
    a, b, _, c, d, *_ = _MATRIX.unpack_from(data)
    along = abs(a) + abs(d) >= abs(b) + abs(c)
    axes = (_sign(a), 0, 0, _sign(d)) if along else (0, _sign(b), _sign(c), 0)
    return _BY_MATRIX.get(axes, UPRIGHT)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def read_turn(source: Source) -> Turn:
    """What a clip asks for; `UPRIGHT` where that cannot be read. Decodes the first picture."""
    try:
        with opened(source, packets_only=True) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None:
                return UPRIGHT
            # Frame threads would decode several pictures before giving the first.
            stream.thread_type = "SLICE"
            stream.codec_context.skip_frame = "DEFAULT"
            return next((turn_of(frame) for frame in container.decode(stream)), UPRIGHT)
    except VideoError:
        return UPRIGHT
