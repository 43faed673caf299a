"""Sound as numbers, and FFmpeg's frames, filters and encoder of it."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import av.error
import av.filter
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext

Samples = npt.NDArray[np.float32]
"""Sound as numbers from -1 to 1, of shape (channels, samples)."""

BIT_RATE = 192_000
"""Bits a second: more than stereo in AAC needs to sound like the clips."""

ENCODER_OPTIONS = {"aac_coder": "fast"}
"""At this bit rate nobody hears the difference to the slower search."""


def frame_of(samples: Samples, rate: int, place: int) -> av.AudioFrame:
    """Stereo samples as a frame that begins `place` samples after the beginning."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
    return frame


def frames_of(blocks: Iterable[Samples], rate: int) -> Iterator[av.AudioFrame]:
    """Blocks of stereo samples as frames, one after the other."""
    place = 0
    for block in blocks:
        yield frame_of(block, rate, place)
        place += block.shape[1]


def aac_encoder(rate: int) -> AudioCodecContext:
    """An encoder of stereo. Raises `av.error.FFmpegError` for a rate that AAC does not have."""
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "stereo", "fltp"
    encoder.bit_rate, encoder.time_base = BIT_RATE, Fraction(1, rate)
    encoder.options = ENCODER_OPTIONS
    encoder.open()
    return encoder


class Filters:
    """FFmpeg's filters of sound in a row, each with its options."""

    def __init__(self, rate: int, layout: str, *filters: tuple[str, str]) -> None:
        self._graph = av.filter.Graph()
        last = self._graph.add_abuffer(
            format="fltp", sample_rate=rate, layout=layout, time_base=Fraction(1, rate)
        )
        for name, options in (*filters, ("abuffersink", "")):
            following = self._graph.add(name, options or None)
            last.link_to(following)
            last = following
        self._graph.configure()

    def of(self, frames: Iterable[av.AudioFrame], *, ends: bool) -> Iterator[av.AudioFrame]:
        """What is ready after each of some more frames and, with `ends`, what was held back until then."""
        for frame in frames:
            self._graph.push(frame)
            yield from self._ready()
        if ends:
            self._graph.push(None)
            yield from self._ready()

    def _ready(self) -> Iterator[av.AudioFrame]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, av.AudioFrame):
                yield frame
