"""How well one picture continues another: the numbers of a join."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
WIDTH = 256
"""Pictures are compared at this width, so that compression noise does not count."""

IDENTICAL = 99.0
"""The PSNR given to two equal pictures, in place of infinity."""


@dataclass(frozen=True)
class Seam:
    """Two pictures compared, and how a film moves over the place where they meet.

    `psnr` in dB: above 32 they pass for the same picture, below 24 the step is plain to see. `luma` is the
    change of brightness in steps of 255. `contrast`, `saturation` and `sharpness` are after : before. `step` is how much
    changes from the last frame before to the first one after, in parts of what changes from frame to frame around it: at
    1 nothing is seen, well above it the picture jumps. None where that was not measured.
    """

    psnr: float
    luma: float
    contrast: float
    saturation: float
    sharpness: float
    step: float | None = None


_STILL = 0.5
"""Levels of 255 by which frames may differ and nothing moves: the noise of compression."""


def measure_step(before: Sequence[Image.Image], after: Sequence[Image.Image], *, repeats: bool) -> float:
    """`Seam.step` between the last two frames of one clip and the first two of the next.

    With `repeats` the last of the one and the first of the other are the same moment, of which the film shows one: where
    it is copied, often the second. Then it is the larger of the two steps that it may show.
    """
    (one, two), (three, four) = (
        [_pixels(image, before[0].size) for image in pair] for pair in (before, after)
    )
    around = (_change(one, two) + _change(three, four)) / 2
    seen = max(_change(one, three), _change(two, four)) if repeats else _change(two, three)
    return (seen + _STILL) / (around + _STILL)


def measure_seam(before: Image.Image, after: Image.Image) -> Seam:
    """Compare the last picture of one clip with the first of the next."""
    one = _pixels(before, before.size)
    two = _pixels(after, before.size)
    luma_one, luma_two = one @ LUMA, two @ LUMA
    return Seam(
        psnr=_psnr(one, two),
        luma=float(luma_two.mean() - luma_one.mean()),
        contrast=_ratio(float(luma_two.std()), float(luma_one.std())),
        saturation=_ratio(_saturation(two), _saturation(one)),
        sharpness=_ratio(_sharpness(luma_two), _sharpness(luma_one)),
    )


def _pixels(image: Image.Image, shape: tuple[int, int]) -> NDArray[np.float32]:
    width, height = shape
    size = (WIDTH, max(2, round(WIDTH * height / width)))
    return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX), np.float32)


def _change(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    return float(np.abs(one - two).mean())


def _psnr(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    error = float(((one - two) ** 2).mean())
    return IDENTICAL if error == 0 else min(IDENTICAL, 10 * float(np.log10(255**2 / error)))


def _saturation(pixels: NDArray[np.float32]) -> float:
    return float((pixels.max(axis=-1) - pixels.min(axis=-1)).mean())


def _sharpness(luma: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean())


def _ratio(after: float, before: float) -> float:
    # Of two flat or grey pictures neither is the sharper: the small term makes their ratio 1, not 0/0.
    return (after + 0.1) / (before + 0.1)
