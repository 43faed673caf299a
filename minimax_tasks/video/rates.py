"""The usual frame rates, and which of them a clip means that is only near one."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor

DEFAULT_FPS = Fraction(24)

USUAL_RATES: tuple[Fraction, ...] = tuple(
    Fraction(count, units)
    for count, units in (
        (8, 1), (10, 1), (12, 1), (15, 1), (16, 1), (20, 1), (24_000, 1001), (24, 1), (25, 1),
        (30_000, 1001), (30, 1), (48, 1), (50, 1), (60_000, 1001), (60, 1), (100, 1), (120, 1),
    )
)  # fmt: skip
"""Rates of film, television and the models that make clips; source: SMPTE ST 2036-1, and files seen in practice."""

_STRAY = 0.25
"""A frame whose time on screen differs from most by more than this share says nothing about the rate."""

_TICKS = 2
"""Ticks of the file's clock by which the sum of the distances may be off, since times are rounded."""


def nearest(value: Fraction) -> int:
    """The nearest whole number; of two the greater."""
    return floor(value + Fraction(1, 2))


def nearest_usual(rate: Fraction) -> Fraction:
    """The nearest usual rate, by ratio."""
    return min(USUAL_RATES, key=lambda usual: max(usual / rate, rate / usual)) if rate > 0 else DEFAULT_FPS


def meant_rate(stated: Sequence[Fraction], times: Sequence[int], time_base: Fraction) -> Fraction:
    """The usual rate that a clip with uneven frames means.

    `stated` is what the file says, the most trusted first; `times` are those of the frames, in ticks of
    `time_base`. The frames decide, without outliers, since a single one can shift the average to any value.
    Between rates that a coarse clock cannot distinguish, what the file states decides, or else a whole number.
    """
    spoken = [nearest_usual(rate) for rate in stated if rate > 0]
    distances = sorted(after - before for before, after in pairwise(sorted(times)) if after > before)
    if not distances:
        return next(iter(spoken), DEFAULT_FPS)
    middle = distances[(len(distances) - 1) // 2]
    most = [one for one in distances if abs(one - middle) <= 1 or abs(one / middle - 1) <= _STRAY]
    measured = 1 / (Fraction(sum(most), len(most)) * time_base)
    leeway = Fraction(_TICKS, sum(most))
    near = [rate for rate in USUAL_RATES if abs(measured / rate - 1) <= leeway] or [nearest_usual(measured)]
    said = [rate for rate in spoken if rate in near]
    whole = [rate for rate in near if rate.denominator == 1]
    return min(said[:1] or whole or near, key=lambda rate: abs(measured / rate - 1))
