"""Where a sound that is repeated begins again: whether the step there can be heard."""

from fractions import Fraction

import numpy as np

from minimax_tasks.video.mix import PlacedSound, mixed

LOOP_FADE = Fraction(3, 1000)
"""Seconds in which a sound that does not loop fades on either side of the place where it begins again."""

_NEARBY = Fraction(5, 1000)
"""Seconds on either side whose steps are compared with the one at the seam."""

_FACTOR = 2.5
"""How many times as large as those nearby a step may be: a loop begins again on a whole sample of the film, so that its
last step is up to a sample longer, and at its ends a resampler does not know what follows."""

_INAUDIBLE = 10 ** (-50 / 20)
"""A step that is not heard, whatever is around it: -50 dBFS."""

_BESIDE = 2
"""Samples on either side that belong to the seam: where resampling ends and begins."""


def loop_fade(path: str, length: Fraction, volume: float = 1.0) -> Fraction:
    """How long a sound of `length` seconds has to fade where it is repeated: 0 where it goes on without a click.

    Both ends are decoded as in a film, and little else. Raises `VideoError`.
    """
    near = min(_NEARBY, length / 2)
    none = Fraction(0)
    ends = PlacedSound(path, none, near, length - near, fade_in=none, fade_out=none, volume=volume)
    begins = PlacedSound(path, near, 2 * near, fade_in=none, fade_out=none, volume=volume)
    steps = np.abs(np.diff(np.concatenate(list(mixed((ends, begins), 2 * near)), axis=1))).max(axis=0)
    seam = steps.size // 2
    at = slice(max(0, seam - _BESIDE), seam + _BESIDE + 1)
    nearby = np.delete(steps, at).max(initial=0)
    return none if steps[at].max(initial=0) <= max(_FACTOR * nearby, _INAUDIBLE) else LOOP_FADE
