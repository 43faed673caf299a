"""How a packet of AAC overlaps with its neighbours, read from its first bits.

Two packets only add up to the sound they hold together where their halves have the same length and shape.
Source: ISO/IEC 14496-3, 4.4.2.1 (raw_data_block), 4.4.2.7 (fill_element), 4.4.2.1 table 4.6 (ics_info).
"""

from dataclasses import dataclass
from enum import IntEnum

_MONO, _PAIR, _FILL = 0, 1, 6
"""Kinds of elements."""

_MANY = 15
"""A fill element of at least this length has another byte of it."""


class WindowSequence(IntEnum):
    """How the windows of a packet lie."""

    LONG = 0
    START = 1
    SHORT = 2
    STOP = 3


@dataclass(frozen=True)
class Window:
    """The window of a packet. `shape` is that of its second half: 0 for a sine, 1 for Kaiser-Bessel."""

    sequence: WindowSequence
    shape: int

    @property
    def ends_usually(self) -> bool:
        """Whether its second half is as FFmpeg's encoder makes it for sound without sudden changes."""
        return self.sequence in (WindowSequence.LONG, WindowSequence.STOP) and self.shape == 1


def ends_usually(packet: object) -> bool:
    """Whether the second half of a packet is long and Kaiser-Bessel, so that one encoded here can follow it."""
    window = window_of(memoryview(packet)[:_MOST].tobytes())  # type: ignore[arg-type]
    return window is not None and window.ends_usually


def window_of(packet: bytes) -> Window | None:
    """The window of a packet of mono, or of stereo whose channels share it; None for any other."""
    bits = _Bits(packet)
    kind = bits.read(3)
    while kind == _FILL:
        length = bits.read(4)
        if length == _MANY:
            length += bits.read(8) - 1
        bits.read(8 * length)
        kind = bits.read(3)
    if kind not in (_MONO, _PAIR):
        return None
    bits.read(4)
    if kind == _PAIR and not bits.read(1):
        return None
    if kind == _MONO:
        bits.read(8)
    bits.read(1)
    return Window(WindowSequence(bits.read(2)), bits.read(1)) if bits.left >= 0 else None


class _Bits:
    """Bits from the front; beyond the end they are 0."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:_MOST], "big")
        self.left = 8 * min(len(data), _MOST)

    def read(self, count: int) -> int:
        self.left -= count
        value = self._value >> self.left if self.left >= 0 else 0
        return value & ((1 << count) - 1)


_MOST = 400
"""Bytes that are looked at: a fill element has 270 at most."""
