"""The track of sound of a film that is being written, kept beside the pictures as they come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.container
from av.audio.stream import AudioStream

from minimax_tasks.video.mix import ENCODER_OPTIONS, FILM_BIT_RATE, FILM_RATE, PlacedSound, mixed
from minimax_tasks.video.sound_layout import BLOCK


@dataclass
class SoundTrack:
    """Packets of sound on their way into a film. `packets` gives them in order, when they are needed."""

    container: av.container.OutputContainer
    stream: AudioStream
    packets: "Iterator[av.Packet[Any]]"
    _next: "av.Packet[Any] | None" = None

    def advance(self, seconds: float) -> None:
        """Write what is heard before a time of the film."""
        while True:
            if self._next is None:
                self._next = next(self.packets, None)
            packet = self._next
            if packet is None or (packet.pts or 0) >= seconds * self.stream.rate:
                return
            packet.stream = self.stream
            self.container.mux(packet)
            self._next = None

    def finish(self) -> None:
        """Write the rest."""
        self.advance(float("inf"))


def mixed_track(
    container: av.container.OutputContainer, sounds: Sequence[PlacedSound], seconds: Fraction
) -> SoundTrack:
    """A track of sounds that are mixed and encoded, as long as the film."""
    stream = container.add_stream("aac", rate=FILM_RATE, options=ENCODER_OPTIONS, layout="stereo")
    stream.bit_rate = FILM_BIT_RATE
    return SoundTrack(container, stream, _encoded(stream, sounds, seconds))


def _encoded(
    stream: AudioStream, sounds: Sequence[PlacedSound], seconds: Fraction
) -> "Iterator[av.Packet[Any]]":
    for number, block in enumerate(mixed(sounds, seconds)):
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = FILM_RATE, number * BLOCK, Fraction(1, FILM_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)
