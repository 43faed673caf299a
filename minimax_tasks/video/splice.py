"""Coded sound of clips that are alike, copied into a film: only what a cut touches is encoded again.

Each packet of AAC is heard together with half of the one before it, so that the packets of two clips that
follow each other click. Around each cut a few packets are therefore decoded, faded and encoded again; the first
and the last of these overlap with copied ones that hold the same sound. All packets of a film lie on one grid:
the sound of a clip is moved onto it, by half a packet at most (16 ms at 32 kHz), each clip by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count, islice, starmap
from typing import Any

import av
import av.error
import numpy as np

from minimax_tasks.errors import VideoError
from minimax_tasks.video.aac_windows import ends_usually
from minimax_tasks.video.mix import SEAM, PlacedSound, faded
from minimax_tasks.video.rates import nearest
from minimax_tasks.video.reading_ahead import Packets
from minimax_tasks.video.samples import Samples, aac_encoder, frames_of
from minimax_tasks.video.sound_layout import BLOCK, SEARCHED, SoundLayout

SHORTEST = Fraction(1, 3)
"""Seconds: the sound of a shorter clip is all cut, and there is nothing to copy."""

_TRIES = 4
"""Times that a cut is encoded, each a little longer, until its ends fit."""

_LEAD = 2
"""Blocks that are encoded before the first that is used: more do not make it any better."""

_ENDS = 16
"""Packets at each end of a file of which it may say more than their times."""

_RISE = np.linspace(0, 1, BLOCK, dtype=np.float32)


def can_copy(layout: SoundLayout) -> bool:
    """Whether packets of this sound can stand among such as are encoded here: even stereo AAC-LC."""
    if not layout.even or layout.channels != 2 or not layout.codec.startswith("aac"):
        return False
    try:
        own = bytes(aac_encoder(layout.rate).extradata or b"")
    except av.error.FFmpegError:  # a rate that AAC does not have
        return False
    return bool(layout.configuration) and own.startswith(layout.configuration)


@dataclass(frozen=True)
class _Clip:
    """A clip's packets on the grid of the film: the first one is block number `at`.

    It is heard from sample `begin` of the film to sample `end`, where its sound lasts that long.
    """

    packets: Packets
    at: int
    begin: int
    end: int

    def joins_after(self, block: int) -> bool:
        """Whether a packet that is encoded here can follow a block, or stand for it and be followed by the next."""
        number = block - self.at
        return 0 <= number < len(self.packets) and ends_usually(self.packets[number])

    def copied(self, block: int) -> "av.Packet[Any]":
        """The packet of a block, without what its file says of samples to leave out: that was true of its place there.

        A file says that of packets at its ends.
        """
        number = block - self.at
        packet = self.packets[number]
        return packet if _ENDS <= number < len(self.packets) - _ENDS else _alone(packet)

    def heard(self, blocks: range, grid: int, fade: int, decoder: Any) -> Samples:
        """What is heard of it in some blocks, faded at both ends."""
        samples = np.zeros((2, len(blocks) * BLOCK), np.float32)
        # One packet more in front: the first that is decoded lacks the half that it is heard together with.
        # What lies outside the clip is silent, whatever its packets hold.
        soonest = max(blocks.start, (self.begin - grid) // BLOCK)
        latest = min(blocks.stop, (self.end - 1 - grid) // BLOCK + 1)
        numbers = range(max(soonest - self.at - 1, 0), min(latest - self.at, len(self.packets)))
        for number in numbers:
            place = (self.at + number - blocks.start) * BLOCK
            found = _decoded(decoder, self.packets[number])
            if found is not None and place >= 0:
                samples[:, place : place + BLOCK] = found
        start = grid + blocks.start * BLOCK
        places = np.arange(start, start + samples.shape[1])
        samples *= faded(places, self.begin, self.end, fade, fade).astype(np.float32)
        return samples


class Splicer:
    """Makes one stream of the sound of clips; `add` them in order, then `finish`. Times of packets are samples.

    The first clip is heard from its own beginning, at that of the film.
    """

    def __init__(self, rate: int, seconds: Fraction) -> None:
        self._rate = rate
        self._tick = Fraction(1, rate)
        self._total = nearest(seconds * rate)
        self._fade = nearest(SEAM * rate)
        self._grid = 0
        self._before: _Clip | None = None
        self._decoders: dict[bytes, Any] = {}
        self._next = 0
        """The number of the block that is to be written next."""

    def add(self, sound: PlacedSound, layout: SoundLayout, packets: Packets) -> "Iterator[av.Packet[Any]]":
        """Place a clip. Gives the packets that are certain now that it is known what follows the one before."""
        begin, end = nearest(sound.starts_at * self._rate), nearest(sound.ends_at * self._rate)
        moved_by = begin - nearest(sound.source_in * self._rate)
        first = layout.first + moved_by
        if self._before is None:
            self._grid = first % BLOCK
        at = nearest(Fraction(first - self._grid, BLOCK))
        place = self._grid + at * BLOCK
        # On the grid it may begin a little late or end a little early, and what lies beyond is not meant to be heard.
        late = place - first
        clip = _Clip(packets, at, max(begin, begin + late), min(end, end + late))
        if self._before is None:
            self._next = at
        before, self._before = self._before, clip
        return self._cut(before, clip) if before else iter(())

    def finish(self) -> "Iterator[av.Packet[Any]]":
        """The packets to the end of the film."""
        return self._cut(self._before, None) if self._before else iter(())

    def _cut(self, before: _Clip, after: _Clip | None) -> "Iterator[av.Packet[Any]]":
        """The packets up to a cut and over it. The cut is made at once, and copied packets when they are taken."""
        first, last, encoded = self._over(before, after)
        begins, self._next = self._next, last + 1
        copied = ((before.copied(number), number) for number in range(begins, first))
        return starmap(self._timed, chain(copied, zip(encoded, count(first), strict=False)))

    def _over(self, before: _Clip, after: _Clip | None) -> "tuple[int, int, list[av.Packet[Any]]]":
        """The first and the last block that a cut touches, and their packets.

        They reach a little further where sound changes suddenly: packets only join where their windows are alike.
        """
        latest = max(self._next, self._block(before.end - self._fade) - 1)
        earlier = range(latest, max(latest - SEARCHED, self._next) - 1, -1)
        firsts = _few(block for block in earlier if before.joins_after(block - 1)) or [latest]
        lasts = [self._block(self._total - 1)]
        if after is not None:
            soonest = self._block(after.begin + self._fade - 1)
            later = range(soonest, soonest + SEARCHED)
            lasts = _few(block for block in later if after.joins_after(block)) or [soonest]
        for attempt in range(max(len(firsts), len(lasts))):
            first, last = firsts[min(attempt, len(firsts) - 1)], lasts[min(attempt, len(lasts) - 1)]
            # More blocks at each end: a packet holds half of the next block, and the encoder looks at what is around.
            blocks = range(first - _LEAD, last + 3)
            samples = np.zeros((2, len(blocks) * BLOCK), np.float32)
            for clip in filter(None, (before, after)):
                samples += clip.heard(blocks, self._grid, self._fade, self._decoder(clip))
            samples[:, :BLOCK] *= _RISE  # a sudden beginning would make the encoder change its windows
            # The encoder gives one packet before the first block that it is fed.
            lead, *encoded = _encoded(np.clip(samples, -1, 1), self._rate)[_LEAD : last - first + _LEAD + 2]
            if ends_usually(lead) and (after is None or ends_usually(encoded[-1])):
                break
        return first, last, encoded

    def _decoder(self, clip: _Clip) -> Any:
        """A decoder for the packets of a clip: to make one takes as long as to decode a cut."""
        parameters = bytes(clip.packets[0].stream.codec_context.extradata or b"")
        decoder = self._decoders.get(parameters)
        if decoder is None:
            decoder = self._decoders[parameters] = av.CodecContext.create("aac", "r")
            decoder.extradata = parameters
            decoder.open()
        decoder.flush_buffers()
        return decoder

    def _block(self, sample: int) -> int:
        return (sample - self._grid) // BLOCK

    def _timed(self, packet: "av.Packet[Any]", number: int) -> "av.Packet[Any]":
        packet.pts = packet.dts = self._grid + number * BLOCK
        packet.duration = min(BLOCK, max(1, self._total - packet.pts))
        packet.time_base = self._tick
        return packet


def _few(blocks: Iterable[int]) -> list[int]:
    """As many as are tried; no more packets are looked into than that takes."""
    return list(islice(blocks, _TRIES))


def _alone(packet: "av.Packet[Any]") -> "av.Packet[Any]":
    """What is in a packet, without what its file says of it."""
    return av.Packet(packet)  # type: ignore[arg-type]  # anything with a buffer


def _decoded(decoder: Any, packet: "av.Packet[Any]") -> Samples | None:
    try:
        frames = decoder.decode(_alone(packet))
    except av.error.FFmpegError as error:
        raise VideoError(f"its sound is damaged: {error.strerror}") from error
    samples = frames[0].to_ndarray() if frames else None
    return samples if samples is not None and samples.shape == (2, BLOCK) else None


def _encoded(samples: Samples, rate: int) -> "list[av.Packet[Any]]":
    """The packets of all blocks but the last, of which the encoder has only seen that they follow."""
    encoder = aac_encoder(rate)
    blocks = (samples[:, place : place + BLOCK] for place in range(0, samples.shape[1], BLOCK))
    return [packet for frame in frames_of(blocks, rate) for packet in encoder.encode(frame)]
