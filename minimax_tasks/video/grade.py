"""Matching the colours of one clip to those of another, where both show the same picture.

A model that continues from a frame often comes back a little brighter or greyer than what it was given. Mean and spread
of brightness and of both colour differences are brought to those of the picture before; each is one curve for the whole
clip, so that nothing flickers, and bounded, so that no steps show.
"""

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from minimax_tasks.video.colour import plane_pixels

_SPREAD = (0.8, 1.25)
"""By how much contrast or saturation may change."""

_SHIFT = (24.0, 12.0, 12.0)
"""By how many of 255 steps brightness and both colour differences may."""

_WORTH = 0.2
"""dB by which two pictures must come nearer to each other."""

_WEIGHTS = (4, 1, 1)
"""Of brightness and of both colour differences: there are four times as many pixels of the first."""

_FLAT = 1.0
"""A spread under which a plane has nothing to stretch."""

Curve = NDArray[np.uint8]


@dataclass(frozen=True)
class Grade:
    """A curve of 256 values for each plane of a picture, and how near two pictures were without it and with it, in dB."""

    curves: tuple[Curve, Curve, Curve]
    before: float
    after: float

    def of(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A yuv420p frame in the matched colours."""
        graded = av.VideoFrame(frame.width, frame.height, "yuv420p")
        for curve, plane, source in zip(self.curves, graded.planes, frame.planes, strict=True):
            plane_pixels(plane)[:] = curve[plane_pixels(source)]
        return graded


def matched(reference: av.VideoFrame, frame: av.VideoFrame) -> Grade | None:
    """What brings a frame to the colours of another one that shows the same; None where that is not worth while.

    Both are yuv420p and of one size.
    """
    curves = []
    errors = [0.0, 0.0]
    for number, (one, two) in enumerate(zip(reference.planes, frame.planes, strict=True)):
        wanted, has = (plane_pixels(plane).astype(np.float32) for plane in (one, two))
        curve: Curve = _curve(wanted, has, _SHIFT[number])
        curves.append(curve)
        graded = curve[plane_pixels(two)].astype(np.float32)
        for which, picture in enumerate((has, graded)):
            errors[which] += _WEIGHTS[number] * float(((wanted - picture) ** 2).mean())
    before, after = (_decibels(error / sum(_WEIGHTS)) for error in errors)
    luma, blue, red = curves
    return Grade((luma, blue, red), before, after) if after >= before + _WORTH else None


def _curve(wanted: NDArray[np.float32], has: NDArray[np.float32], most: float) -> Curve:
    spread = 1.0
    if wanted.std() > _FLAT and has.std() > _FLAT:
        spread = float(np.clip(wanted.std() / has.std(), *_SPREAD))
    middle = float(has.mean())
    shift = float(np.clip(wanted.mean() - middle, -most, most))
    values = (np.arange(256, dtype=np.float32) - middle) * spread + middle + shift
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _decibels(error: float) -> float:
    return 99.0 if error == 0 else min(99.0, 10 * float(np.log10(255**2 / error)))
