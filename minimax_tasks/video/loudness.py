"""How loud sound is, and levelling it. Source: EBU R128, ITU-R BS.1770-4, as FFmpeg's `ebur128` measures it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
import av.filter
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_CEILING = 10 ** (-1.5 / 20)
"""What no peak goes over: a little under the -1 dB that EBU R128 allows, since AAC adds some."""

_SILENT = -60.0
"""LUFS below which there is nothing to level."""


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and the highest true peak, 1 being full scale."""

    lufs: float
    peak: float


def measure(blocks: Iterable[Samples], rate: int) -> Loudness:
    """The loudness of stereo sound at `rate` samples a second."""
    found = Loudness(-70.0, 0.0)
    for frame in _filtered(blocks, rate, ("ebur128", "metadata=1:peak=true:framelog=quiet")):
        facts = frame.metadata
        if "lavfi.r128.I" in facts:  # not in what is left at the end
            found = Loudness(float(facts["lavfi.r128.I"]), float(facts["lavfi.r128.true_peak"]))
    return found


def levelled(mix: Callable[[], Iterator[Samples]], rate: int, lufs: float) -> Iterator[Samples]:
    """The sound that `mix` gives, as loud as `lufs`; peaks that would be too high are held down.

    `mix` is called twice: once to listen to all of it.
    """
    found = measure(mix(), rate)
    if found.lufs <= _SILENT:
        yield from mix()
        return
    gain = 10 ** ((lufs - found.lufs) / 20)
    louder = (np.asarray(block * gain, np.float32) for block in mix())
    if found.peak * gain <= _CEILING:
        yield from louder
        return
    limiter = ("alimiter", f"level=false:limit={_CEILING:.4f}:attack=5:release=50:latency=true")
    for frame in _filtered(louder, rate, limiter, ("aformat", "sample_fmts=fltp")):
        yield frame.to_ndarray().astype(np.float32, copy=False)


def _filtered(blocks: Iterable[Samples], rate: int, *filters: tuple[str, str]) -> Iterator[av.AudioFrame]:
    graph = av.filter.Graph()
    last = graph.add_abuffer(format="fltp", sample_rate=rate, layout="stereo", time_base=Fraction(1, rate))
    for name, options in (*filters, ("abuffersink", "")):
        following = graph.add(name, options or None)
        last.link_to(following)
        last = following
    graph.configure()
    place = 0
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
        place += block.shape[1]
        graph.push(frame)
        yield from _ready(graph)
    graph.push(None)
    yield from _ready(graph)


def _ready(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame
