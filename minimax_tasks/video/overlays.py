"""Words over the pictures of a film: blended into its frames where they are shown, faded, and risen a little."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from minimax_tasks.video.colour import plane_pixels

Draw = Callable[[tuple[int, int]], "list[Leaf]"]
"""Draws what is shown in a film of this width and height."""

_Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Leaf:
    """A picture with transparency, as large as the film; of several in turn each has its `share` of time."""

    image: Image.Image
    share: float = 1.0


@dataclass(frozen=True)
class Overlay:
    """A picture, or several in turn, over a film from frame `begins` to before frame `ends`.

    It fades in and out within so many frames. While it fades in it rises by `rise`, a part of the film's height.
    `name` is what it is, for people: `captions`, `the title of Shot 010`.
    """

    begins: int
    ends: int
    draw: Draw
    name: str = "words"
    fade_in: int = 0
    fade_out: int = 0
    rise: float = 0.0

    def strength(self, frame: int) -> float:
        """How much of it is seen in a frame of the film, from 0 to 1."""
        into, left = frame - self.begins + 1, self.ends - frame
        share = min(into / (self.fade_in + 1), left / (self.fade_out + 1), 1.0)
        return share * share * (3 - 2 * share)

    def sunk(self, frame: int, height: int) -> float:
        """How many pixels below its place it is in a frame."""
        left = 1 - min((frame - self.begins + 1) / (self.fade_in + 1), 1.0)
        return height * self.rise * left * left * left


@dataclass(frozen=True)
class _Layer:
    """A part of a picture as planes of Y, U and V, each multiplied by how much it covers, and where it lies."""

    left: int
    top: int
    planes: tuple[tuple[_Plane, _Plane], ...]
    """Value and cover, for Y, U and V."""


@dataclass
class Overlays:
    """All that lies over the pictures of a film of one size."""

    overlays: tuple[Overlay, ...]
    size: tuple[int, int]
    _drawn: dict[int, list[tuple[Leaf, _Layer | None]]] = field(default_factory=dict)

    def over(self, picture: av.VideoFrame, frame: int) -> av.VideoFrame:
        """The picture with what lies over this frame of the film; another picture where anything does."""
        shown = [number for number, one in enumerate(self.overlays) if one.begins <= frame < one.ends]
        for number in [number for number in self._drawn if self.overlays[number].ends <= frame]:
            del self._drawn[number]
        if not shown:
            return picture
        copy = _copied(picture)
        for number in shown:
            layer = self._layer(number, frame)
            if layer is not None:
                _blend(copy, layer, self.overlays[number].strength(frame))
        return copy

    def _layer(self, number: int, frame: int) -> _Layer | None:
        overlay = self.overlays[number]
        if number not in self._drawn:
            self._drawn[number] = [(leaf, _layer_of(leaf.image)) for leaf in overlay.draw(self.size)]
        leaf, layer = _turned_to(
            self._drawn[number], (frame - overlay.begins) / (overlay.ends - overlay.begins)
        )
        sunk = overlay.sunk(frame, self.size[1])
        return layer if sunk < _UNSEEN else _layer_of(_moved_down(leaf.image, sunk))


_UNSEEN = 0.05
"""Of a pixel."""


def _turned_to(leaves: list[tuple[Leaf, _Layer | None]], share: float) -> tuple[Leaf, _Layer | None]:
    """The leaf that is shown when this share of the time has passed."""
    whole = sum(leaf.share for leaf, _ in leaves)
    passed = 0.0
    for leaf, layer in leaves:
        passed += leaf.share
        if share * whole < passed:
            return leaf, layer
    return leaves[-1]


def uncovered(overlays: Iterable[Overlay], begins: int, ends: int) -> Iterator[tuple[int, int]]:
    """The runs of frames between two that nothing lies over, in order."""
    at = begins
    for one in sorted(overlays, key=lambda one: one.begins):
        if one.ends <= at or one.begins >= ends:
            continue
        if one.begins > at:
            yield at, one.begins
        at = max(at, one.ends)
    if at < ends:
        yield at, ends


def _copied(picture: av.VideoFrame) -> av.VideoFrame:
    """The same picture to draw on: a decoder may still need its own, and a held frame is shown again."""
    copy = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for own, others in zip(copy.planes, picture.planes, strict=True):
        plane_pixels(own)[:] = plane_pixels(others)
    copy.colorspace, copy.color_range = picture.colorspace, picture.color_range
    return copy


def _blend(picture: av.VideoFrame, layer: _Layer, strength: float) -> None:
    for number, (plane, (value, cover)) in enumerate(zip(picture.planes, layer.planes, strict=True)):
        shift = 1 if number else 0
        top, left = layer.top >> shift, layer.left >> shift
        part = plane_pixels(plane)[top : top + value.shape[0], left : left + value.shape[1]]
        high, wide = part.shape
        mixed = part * (1 - strength * cover[:high, :wide]) + strength * value[:high, :wide]
        part[:] = np.rint(mixed).clip(0, 255).astype(np.uint8)


def _layer_of(image: Image.Image) -> _Layer | None:
    """The part of a picture that is not transparent, in BT.709 and limited range; None where there is none."""
    box = image.getchannel("A").getbbox()
    if box is None:
        return None
    left, top = box[0] & ~1, box[1] & ~1
    right, bottom = box[2] + (box[2] & 1), box[3] + (box[3] & 1)
    pixels = np.asarray(image.crop((left, top, right, bottom)), np.float32)
    red, green, blue, cover = (pixels[:, :, number] / np.float32(255) for number in range(4))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    whole = ((16 + 219 * luma) * cover, cover)
    coarse = _halved(cover)
    colours = ((blue - luma) / 1.8556, (red - luma) / 1.5748)
    return _Layer(
        left, top, (whole, *((_halved((128 + 224 * colour) * cover), coarse) for colour in colours))
    )


def _halved(plane: _Plane) -> _Plane:
    high, wide = plane.shape
    halved: _Plane = plane.reshape(high // 2, 2, wide // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    return halved


def _moved_down(image: Image.Image, pixels: float) -> Image.Image:
    """The picture that much lower, by parts of a pixel as well: it would tremble otherwise."""
    return image.transform(
        image.size, Image.Transform.AFFINE, (1, 0, 0, 0, 1, -pixels), Image.Resampling.BILINEAR
    )
