"""How loud sound is, and levelling it. Source: EBU R128, ITU-R BS.1770-4, as FFmpeg's `ebur128` measures it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from minimax_tasks.video.samples import Filters, Samples, frames_of

_CEILING = 10 ** (-1.5 / 20)
"""What no peak goes over: a little under the -1 dB that EBU R128 allows, since AAC adds some."""

_SILENT = -60.0
"""LUFS below which there is nothing to level."""

_TRIES = 2
"""Times that sound is made louder again because peaks were held down."""

_NEAR = 0.1
"""LU under the wish that nobody hears."""

_MOST_MISSING = 3.0
"""LU that are made up for at once: what is mostly peaks would be crushed, and stays quieter instead."""


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and the highest true peak, 1 being full scale."""

    lufs: float
    peak: float


def measure(blocks: Iterable[Samples], rate: int) -> Loudness:
    """The loudness of stereo sound at `rate` samples a second."""
    found = Loudness(-70.0, 0.0)
    meter = Filters(rate, "stereo", ("ebur128", "metadata=1:peak=true:framelog=quiet"))
    for frame in meter.of(frames_of(blocks, rate), ends=True):
        facts = frame.metadata
        if "lavfi.r128.I" in facts:  # not in what is left at the end
            found = Loudness(float(facts["lavfi.r128.I"]), float(facts["lavfi.r128.true_peak"]))
    return found


def levelled(mix: Callable[[], Iterator[Samples]], rate: int, lufs: float) -> Iterator[Samples]:
    """The sound that `mix` gives, as loud as `lufs`; peaks that would be too high are held down.

    `mix` is called twice: once to listen to all of it. Where peaks are held down it is heard again, since that takes some
    of the loudness away.
    """
    found = measure(mix(), rate)
    if found.lufs <= _SILENT:
        yield from mix()
        return
    gain = _factor(lufs - found.lufs)
    if found.peak * gain <= _CEILING:
        yield from _louder(mix, gain)
        return
    for _ in range(_TRIES):
        missing = lufs - measure(_held_down(mix, gain, rate), rate).lufs
        if missing < _NEAR:
            break
        gain *= _factor(min(missing, _MOST_MISSING))
    yield from _held_down(mix, gain, rate)


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _louder(mix: Callable[[], Iterator[Samples]], gain: float) -> Iterator[Samples]:
    return (np.asarray(block * gain, np.float32) for block in mix())


def _held_down(mix: Callable[[], Iterator[Samples]], gain: float, rate: int) -> Iterator[Samples]:
    held_down = ("alimiter", f"level=false:limit={_CEILING:.4f}:attack=5:release=50:latency=true")
    limiter = Filters(rate, "stereo", held_down, ("aformat", "sample_fmts=fltp"))
    for frame in limiter.of(frames_of(_louder(mix, gain), rate), ends=True):
        yield frame.to_ndarray().astype(np.float32, copy=False)
