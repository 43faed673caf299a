"""The track of sound of a film that is being written, kept beside the pictures as they come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import av
import av.container
import numpy as np
from av.audio.stream import AudioStream

from minimax_tasks.video.loudness import levelled
from minimax_tasks.video.mix import FILM_RATE, PlacedSound, mixed
from minimax_tasks.video.samples import BIT_RATE, ENCODER_OPTIONS, Samples, frames_of


@dataclass
class SoundTrack:
    """Packets of sound on their way into a film. `packets` gives them in order, when they are needed."""

    container: av.container.OutputContainer
    stream: AudioStream
    packets: "Iterator[av.Packet[Any]]"
    _next: "av.Packet[Any] | None" = None

    def __post_init__(self) -> None:
        self._rate = self.stream.rate

    def advance(self, seconds: float) -> None:
        """Write what is heard before a time of the film."""
        sample = seconds * self._rate
        while True:
            packet = next(self.packets, None) if self._next is None else self._next
            if packet is None or (packet.pts or 0) >= sample:
                self._next = packet
                return
            self._next = None
            packet.stream = self.stream
            self.container.mux(packet)

    def finish(self) -> None:
        """Write the rest."""
        self.advance(float("inf"))


def mixed_track(
    container: av.container.OutputContainer,
    sounds: Sequence[PlacedSound],
    seconds: Fraction,
    lufs: float | None = None,
) -> SoundTrack:
    """A track of sounds that are mixed and encoded, as long as the film and, with `lufs`, as loud as that."""
    stream = container.add_stream("aac", rate=FILM_RATE, options=ENCODER_OPTIONS, layout="stereo")
    stream.bit_rate = BIT_RATE
    mix = partial(mixed, sounds, seconds)
    blocks = mix() if lufs is None else levelled(mix, FILM_RATE, lufs)
    return SoundTrack(container, stream, _encoded(stream, blocks))


def _encoded(stream: AudioStream, blocks: Iterator[Samples]) -> "Iterator[av.Packet[Any]]":
    for frame in frames_of((np.clip(block, -1, 1) for block in blocks), FILM_RATE):
        yield from stream.encode(frame)
    yield from stream.encode(None)
