"""How the sound of a clip lies in its file: what decides whether it can be copied into a film."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import av.container
from av.audio.stream import AudioStream

from minimax_tasks.video.aac_windows import ends_usually

BLOCK = 1024
"""Samples of a packet of AAC-LC; source: ISO/IEC 14496-3, 4.5.1."""

SEARCHED = 16
"""Packets from an end of a clip among which one is looked for that another encoder's can follow."""

_CONFIGURATION = 2
"""Bytes that name kind, rate and channels of AAC, before extensions; source: ISO/IEC 14496-3, 1.6.2."""


_LC = 2
"""The number of the kind AAC-LC; source: ISO/IEC 14496-3, table 1.17."""

_LOWEST_OF_PLAIN = 5
"""The number of 32 kHz among the rates, which get lower; source: ISO/IEC 14496-3, table 1.18."""

_NO_EXTENSION = bytes.fromhex("56e500")
"""Says of AAC that it has no extension; source: ISO/IEC 14496-3, 1.6.2.1."""


@dataclass(frozen=True)
class SoundLayout:
    """The sound of one clip. Times are samples at `rate`; 0 is when the first picture of the clip is shown.

    `first` is where its first packet starts and `end` where its last one ends; `offset` is when the first
    picture is shown, by the clock of the file. `even` is whether the packets follow each other without a gap,
    each as long as the others, and there are some near both ends at which packets of another encoder can join.
    """

    codec: str
    rate: int
    channels: int
    parameters: bytes
    first: int
    end: int
    offset: Fraction
    even: bool

    @property
    def ends_at(self) -> Fraction:
        """When the sound ends, in seconds of the clip."""
        return Fraction(max(0, self.end), self.rate)

    @property
    def configuration(self) -> bytes:
        """Kind, rate and channels of AAC as its decoder is told them, without extensions."""
        return self.parameters[:_CONFIGURATION]

    def stream_facts(self) -> dict[str, object]:
        """Properties that the sound of two clips must share to be copied into one film."""
        return {
            "kind of sound": self.codec,
            "sample rate": self.rate,
            "channels": self.channels,
            "sound parameters": self.configuration,
        }


def sound_stream(container: av.container.InputContainer) -> AudioStream | None:
    """The first stream of sound that can be decoded, None where there is none."""
    usable = [one for one in container.streams.audio if one.codec_context is not None and one.rate]
    return usable[0] if usable else None


def said_profile(stream: AudioStream) -> str:
    """The profile of AAC as its decoder would name it, from the file alone; empty where only that can tell.

    AAC-LC of a low rate may hold another kind that a decoder only sees in the packets.
    """
    said = bytes(stream.codec_context.extradata or b"")
    if stream.codec_context.codec.canonical_name != "aac" or len(said) < _CONFIGURATION:
        return ""
    kind, rate = said[0] >> 3, (said[0] & 7) << 1 | said[1] >> 7
    is_plain = said[_CONFIGURATION:] in (b"", _NO_EXTENSION)
    return "LC" if kind == _LC and rate <= _LOWEST_OF_PLAIN and is_plain else ""


def sound_layout(
    stream: AudioStream, packets: Sequence["av.Packet[Any]"], shown_from: Fraction
) -> SoundLayout | None:
    """The layout of sound from its packets; `shown_from` is the time of the first picture in seconds.

    None where it has no packets, or none that carry times.
    """
    spans = [(one.pts, one.duration or 0) for one in packets if one.size and one.pts is not None]
    if not spans or stream.time_base is None:
        return None
    samples = stream.time_base * stream.rate
    block = round(BLOCK / samples)
    starts = [start for start, _ in spans]
    follow = all(after - before == block for before, after in pairwise(starts))
    whole = all(length == block for _, length in spans[:-1])
    offset = shown_from * stream.rate
    last, length = spans[-1]
    profile = stream.codec_context.profile or said_profile(stream)
    return SoundLayout(
        codec=f"{stream.codec_context.codec.canonical_name} {profile}".strip(),
        rate=stream.rate,
        channels=stream.channels,
        parameters=bytes(stream.codec_context.extradata or b""),
        first=round(starts[0] * samples - offset),
        end=round((last + (length or block)) * samples - offset),
        offset=shown_from,
        even=samples == 1 and follow and whole and _joins_near_ends(packets),
    )


def _joins_near_ends(packets: Sequence["av.Packet[Any]"]) -> bool:
    whole = [packet for packet in packets if packet.size]
    return len(whole) > 1 and all(
        any(map(ends_usually, part)) for part in (whole[1:SEARCHED], whole[-SEARCHED:-2])
    )
