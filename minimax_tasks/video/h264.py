"""H.264 as it lies in an MP4: its parameter sets, and packets of an encoder beside those of other files.

An MP4 has the parameter sets of its pictures in front (the `avcC` box), where several of them can stand, each with a
number of its own. So pictures that were encoded elsewhere and pictures that are encoded here share one track when
the sets of the encoder have a number that is free. Source: ISO 14496-15, 5.3.3; ITU-T H.264, 7.3.
"""

import re
from dataclasses import dataclass, replace

_SPS, _PPS, _IDR = 7, 8, 5
_PICTURES = range(1, 6)
"""Types of NAL units that hold a picture."""

_START_CODE = re.compile(b"\x00\x00\x00?\x01")
_MOST_SETS = 31
"""Numbers that a set of parameters may have, from 0."""

_HEAD = 6
"""Bytes of an `avcC` before the first set: version, profile, constraints, level, size of lengths, number of sets."""

PROFILES = {66: "baseline", 77: "main", 100: "high"}
"""The number of a profile in a file -> what the encoder calls it."""


@dataclass(frozen=True)
class ParameterSets:
    """What an `avcC` says: `profile` and `level` are numbers, `length_size` the bytes of a NAL unit's length."""

    profile: int
    constraints: int
    level: int
    length_size: int
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    tail: bytes = b""

    def having(self, more: "ParameterSets") -> "ParameterSets":
        """These sets and those of others, whose numbers are free here."""
        level, constraints = max(self.level, more.level), self.constraints & more.constraints
        return replace(
            self, constraints=constraints, level=level, sps=(*self.sps, *more.sps), pps=(*self.pps, *more.pps)
        )

    def free_number(self) -> int | None:
        """A number that no set here has; None when there is none."""
        taken = {_number(unit[4:]) for unit in self.sps} | {_number(unit[1:]) for unit in self.pps}
        return next((number for number in range(1, _MOST_SETS) if number not in taken), None)

    def to_bytes(self) -> bytes:
        """The `avcC`."""
        head = (
            1,
            self.profile,
            self.constraints,
            self.level,
            0xFC | (self.length_size - 1),
            0xE0 | len(self.sps),
        )
        sets = [*map(_with_length, self.sps), bytes([len(self.pps)]), *map(_with_length, self.pps)]
        return b"".join((bytes(head), *sets, self.tail))


def read_parameter_sets(avcc: bytes) -> ParameterSets | None:
    """What an `avcC` says; None for bytes that are none."""
    if len(avcc) < _HEAD + 1 or avcc[0] != 1:
        return None
    at, found = _HEAD - 1, []
    for mask in (0x1F, 0xFF):
        if at >= len(avcc):
            return None
        count, units = avcc[at] & mask, []
        at += 1
        for _ in range(count):
            length = int.from_bytes(avcc[at : at + 2], "big")
            unit = avcc[at + 2 : at + 2 + length]
            if not length or len(unit) < length:
                return None
            units.append(unit)
            at += 2 + length
        found.append(tuple(units))
    sps, pps = found
    if not sps or not pps:
        return None
    return ParameterSets(avcc[1], avcc[2], avcc[3], (avcc[4] & 3) + 1, sps, pps, avcc[at:])


def sets_of_encoder(extradata: bytes) -> ParameterSets:
    """The parameter sets of an encoder, which gives them with start codes."""
    units = _units(extradata)
    sps = tuple(unit for unit in units if unit[0] & 0x1F == _SPS)
    pps = tuple(unit for unit in units if unit[0] & 0x1F == _PPS)
    return ParameterSets(sps[0][1], sps[0][2], sps[0][3], 4, sps, pps)


def in_lengths(packet: bytes, length_size: int) -> bytes:
    """A packet of an encoder as an MP4 has it: a length in front of each NAL unit, in place of a start code."""
    return b"".join(len(unit).to_bytes(length_size, "big") + unit for unit in _units(packet))


def begins_anew(packet: bytes, length_size: int) -> bool:
    """Whether a packet of an MP4 is a picture that nothing after it looks back over (IDR)."""
    at = 0
    while at + length_size < len(packet):
        length = int.from_bytes(packet[at : at + length_size], "big")
        kind = packet[at + length_size] & 0x1F
        if kind in _PICTURES:
            return kind == _IDR
        at += length_size + length
    return False


def _units(data: bytes) -> list[bytes]:
    # No NAL unit ends with a zero: what is there belongs to the start code behind it.
    return [unit for unit in (part.rstrip(b"\x00") for part in _START_CODE.split(data)) if unit]


def _with_length(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


def _number(data: bytes) -> int:
    """The number (Exp-Golomb) with which some bits begin; -1 when they are no number."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = len(bits) - len(bits.lstrip("0"))
    digits = bits[zeros : 2 * zeros + 1]
    return int(digits, 2) - 1 if digits and len(digits) == zeros + 1 else -1
