"""Whether an MP4 shows its pictures as they are stored, told without decoding one.

Decoding the first picture tells how a clip is to be turned, and takes longer than reading all of its index. Most clips
say at once that they are not turned at all. Source: ISO 14496-12, 8.2.2 and 8.3.2; ITU-T H.264, D.1.27.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

_UNIT = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The matrix that leaves a picture as it is."""

_MOST = 16_000_000
"""Bytes of an index that is looked at: twelve hours of film have less."""

_MOST_BOXES = 1000

_SEI, _ORIENTATION = 6, 47
"""The type of a NAL unit with remarks, and the type of the remark that pictures are to be turned."""


def is_upright(path: str) -> bool:
    """Whether an MP4 says of itself and of all its tracks that they are not turned. False for whatever is not clear."""
    try:
        with open(path, "rb") as file:
            index = _index(file)
    except OSError:
        return False
    matrices = [index[begin:end] for begin, end in _of_kinds(index, 0, len(index))]
    return len(matrices) > 1 and all(_UNIT in matrix for matrix in matrices)


def may_ask_for_a_turn(packet: bytes, length_size: int) -> bool:
    """Whether a packet of H.264 in an MP4 may hold the remark that its pictures are to be turned."""
    at = 0
    while at + length_size < len(packet):
        length = int.from_bytes(packet[at : at + length_size], "big")
        at += length_size
        if packet[at] & 0x1F == _SEI and _ORIENTATION in _remarks(packet[at + 1 : at + length]):
            return True
        at += length
    return False


def _remarks(data: bytes) -> Iterator[int]:
    """The types of the remarks in a NAL unit."""
    at = 0
    while at + 1 < len(data):
        sums = [0, 0]
        for which in range(2):
            while at < len(data) - 1 and data[at] == 0xFF:
                sums[which] += 0xFF
                at += 1
            if at >= len(data):
                return
            sums[which] += data[at]
            at += 1
        yield sums[0]
        at += sums[1]


def _index(file: BinaryIO) -> bytes:
    """What is in the box `moov`; nothing where there is none."""
    for _ in range(_MOST_BOXES):
        head = file.read(8)
        if len(head) < 8:
            break
        size, kind = struct.unpack(">I4s", head)
        read = 8
        if size == 1:
            size, read = int.from_bytes(file.read(8), "big"), 16
        if kind == b"moov":
            return file.read(min(size - read, _MOST)) if size > read else b""
        if size < read:
            break
        file.seek(size - read, 1)
    return b""


def _of_kinds(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the headers of the film and of its tracks lie, which hold the matrices."""
    while begin + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        if size < 8:
            return
        inner = (begin + 8, min(begin + size, end))
        if kind in (b"mvhd", b"tkhd"):
            yield inner
        elif kind == b"trak":
            yield from _of_kinds(data, *inner)
        begin += size
