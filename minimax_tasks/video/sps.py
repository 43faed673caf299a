"""What the parameter set of a sequence of H.264 says of its pictures, read without decoding one.

Decoding the first picture of a clip takes three times as long as all the rest of reading its index, and most clips say
the same in a few bits. Source: ITU-T H.264, 7.3.2.1.1 and E.1.1.
"""

from dataclasses import dataclass
from fractions import Fraction

_HIGH = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""Profiles that say which colours and how many bits they have; the others have 8 bits and a colour for four pixels."""

_ASPECTS = (
    (0, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11), (80, 33), (18, 11), (15, 11),
    (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
"""Width and height of a pixel by number; source: ITU-T H.264, table E-1."""

_OTHER_ASPECT = 255
_LIMITED = 1
"""FFmpeg's number of the range of brightness that video has."""

PIXELS = "yuv420p"
"""What FFmpeg calls the pixels of all pictures of which the facts are read."""


@dataclass(frozen=True)
class PictureFacts:
    """The shape of the pixels, the range of their brightness, and their colours. None for what is not said."""

    pixel_aspect: Fraction | None
    range: int | None
    colours: tuple[int, int, int] | None
    """Matrix, primaries and transfer."""


def read_facts(unit: bytes) -> PictureFacts | None:
    """What a parameter set says; None for pictures other than `PIXELS`, and for one that cannot be read in short."""
    try:
        return _facts(_Bits(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")))
    except IndexError:
        return None


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def take(self, count: int) -> int:
        """A number of so many bits."""
        end = self._at + count
        if end > len(self._bits):
            raise IndexError(end)
        bits, self._at = self._bits[self._at : end], end
        return int(bits, 2)

    def number(self) -> int:
        """A number of as many bits as it needs (Exp-Golomb)."""
        zeros = self._bits.find("1", self._at) - self._at
        if zeros < 0:
            raise IndexError(self._at)
        self._at += zeros
        return self.take(zeros + 1) - 1

    def numbers(self, count: int) -> None:
        """Pass over some of them."""
        for _ in range(count):
            self.number()


def _facts(bits: _Bits) -> PictureFacts | None:
    profile = bits.take(8)
    bits.take(16)
    bits.number()
    if profile in _HIGH:
        if bits.number() != 1 or bits.number() or bits.number():
            return None  # another kind of colours, or more than 8 bits
        bits.take(1)
        if bits.take(1):
            return None  # with tables of its own
    bits.number()
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.take(1)
        bits.numbers(2)
        bits.numbers(bits.number())
    bits.number()
    bits.take(1)
    bits.numbers(2)
    if not bits.take(1):
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        bits.numbers(4)
    if not bits.take(1):
        return PictureFacts(None, None, None)
    aspect = _aspect(bits)
    if bits.take(1):
        bits.take(1)
    spread: int | None = None
    colours: tuple[int, int, int] | None = None
    if bits.take(1):
        bits.take(3)
        if bits.take(1):
            return None  # the full range, for which FFmpeg has pixels of another name
        spread = _LIMITED
        if bits.take(1):
            primaries, transfer, matrix = bits.take(8), bits.take(8), bits.take(8)
            colours = (matrix, primaries, transfer)
    return PictureFacts(aspect, spread, colours)


def _aspect(bits: _Bits) -> Fraction | None:
    if not bits.take(1):
        return None
    number = bits.take(8)
    wide, high = (bits.take(16), bits.take(16)) if number == _OTHER_ASPECT else (0, 1)
    if number < len(_ASPECTS):
        wide, high = _ASPECTS[number]
    return Fraction(wide, high) if wide and high else None
