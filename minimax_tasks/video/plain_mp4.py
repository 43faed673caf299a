"""Reads the index of an MP4 as services write them, without FFmpeg: one picture track of H.264, all frames as long.

FFmpeg gives Python's lock away and takes it again for each packet, which costs more than looking at the packet where
other threads are busy. Everything out of the ordinary is `None` here: FFmpeg then says what it is, or what is wrong.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from minimax_tasks.errors import ControlFlow

_AT_TOP = frozenset({b"ftyp", b"free", b"skip", b"wide", b"mdat", b"moov"})
"""Boxes that lie side by side in a file that was written whole. Fragments come in others."""

_TEXTS = frozenset({b"text", b"sbtl", b"subt"})
"""Kinds of tracks beside the pictures in which there is nothing to judge."""

_UPRIGHT = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

_IN_THE_FILE = struct.pack(">3I4sI", 0, 1, 12, b"url ", 1)
"""Says that the only place of a track's packets is the file itself (8.7.2)."""

_BEFORE_PARTS = 78
"""Bytes of a description of pictures before the boxes in it (ISO/IEC 14496-12, 12.1.3)."""


@dataclass(frozen=True)
class PlainMp4:
    """The picture track of a plain MP4."""

    width: int
    height: int
    fps: Fraction
    seconds: float
    avc: bytes
    """The decoder's configuration, an `avcC` box."""
    packets: tuple[tuple[int, int], ...]
    """Beginning and end in the file of each packet, in the order of decoding."""
    keyframes: tuple[int, ...]
    """Which packets stand for themselves, from 0."""


class _Unusual(ControlFlow):
    """It has to be read by FFmpeg."""


def read_plain_mp4(data: bytes) -> PlainMp4 | None:
    """The index of a file; None for all but the plainest whole MP4."""
    try:
        return _read(data)
    except (_Unusual, struct.error, IndexError, ZeroDivisionError, OverflowError):
        return None


def _read(data: bytes) -> PlainMp4:
    top = list(_boxes(data, 0, len(data)))
    _demand(top[0][0] == b"ftyp" and _AT_TOP.issuperset(kind for kind, *_ in top))
    movie = _only(top, b"moov")
    inside = list(_boxes(data, *movie))
    _demand(all(kind != b"mvex" for kind, *_ in inside))
    pictures = None
    for kind, begin, end in inside:
        if kind == b"trak":
            track = list(_boxes(data, begin, end))
            media = list(_boxes(data, *_only(track, b"mdia")))
            at, _ = _only(media, b"hdlr")
            of = data[at + 8 : at + 12]
            if of == b"vide":
                _demand(pictures is None)
                pictures = track, media
            else:
                _demand(of in _TEXTS)
                _read_table(data, media)
    _demand(pictures is not None)
    assert pictures is not None
    at, _ = _only(inside, b"mvhd")
    _demand(data[at] == 0 and data[at + 36 : at + 72] == _UPRIGHT)
    return _read_track(data, *pictures, movie_scale=_number(data, at + 12))


_Boxes = list[tuple[bytes, int, int]]


def _read_track(data: bytes, track: _Boxes, media: _Boxes, *, movie_scale: int) -> PlainMp4:
    at, _ = _only(track, b"tkhd")
    _demand(data[at] == 0 and data[at + 40 : at + 76] == _UPRIGHT)
    scale, lasts, table, packets = _read_table(data, media)
    count = len(packets)
    _demand(all(begin < end for begin, end in packets))
    at, _ = _only(table, b"stts")
    entries, _, each = struct.unpack_from(">3I", data, at + 4)
    _demand(entries == 1 and 0 < each < 2**24 and each * count == lasts)
    shown = _shown_at(data, table, count, each)
    first, last = min(shown), max(shown)
    _demand(_is_shown_whole(data, track, first, last, each, Fraction(scale, movie_scale)))
    width, height, avc = _described(data, *_only(table, b"stsd"))
    return PlainMp4(
        width,
        height,
        Fraction(scale, each),
        float(Fraction(last + each - first, scale)),
        avc,
        packets,
        _keyframes(data, table, count),
    )


def _read_table(data: bytes, media: _Boxes) -> tuple[int, int, _Boxes, tuple[tuple[int, int], ...]]:
    """The units of a track in a second, how many it lasts, its tables, and where its packets are."""
    at, _ = _only(media, b"mdhd")
    _demand(data[at] == 0)
    scale, lasts = struct.unpack_from(">2I", data, at + 12)
    information = list(_boxes(data, *_only(media, b"minf")))
    at, end = _only(list(_boxes(data, *_only(information, b"dinf"))), b"dref")
    _demand(data[at:end] == _IN_THE_FILE)
    table = list(_boxes(data, *_only(information, b"stbl")))
    at, end = _only(table, b"stsd")
    _demand(_number(data, at + 4) == 1 and len(list(_boxes(data, at + 8, end))) == 1)
    at, _ = _only(table, b"stsz")
    same, count = struct.unpack_from(">2I", data, at + 4)
    _demand(0 < scale < 2**31 and 0 < count <= len(data))
    at_times, _ = _only(table, b"stts")
    runs = _numbers(data, at_times + 8, 2 * _number(data, at_times + 4))
    _demand(sum(runs[::2]) == count)
    sizes = (same,) * count if same else _numbers(data, at + 12, count)
    return scale, lasts, table, tuple(_placed(data, table, sizes))


def _keyframes(data: bytes, table: _Boxes, count: int) -> tuple[int, ...]:
    """Which packets stand for themselves: all, where nothing is said."""
    if all(kind != b"stss" for kind, *_ in table):
        return tuple(range(count))
    at, _ = _only(table, b"stss")
    numbers = _numbers(data, at + 8, _number(data, at + 4))
    _demand(numbers[0] == 1 and max(numbers) <= count and sorted(set(numbers)) == list(numbers))
    return tuple(number - 1 for number in numbers)


def _shown_at(data: bytes, table: _Boxes, count: int, each: int) -> list[int]:
    """When each packet is shown, in units of its track."""
    if all(kind != b"ctts" for kind, *_ in table):
        return [0, each * (count - 1)]  # in between there is none that is shown earlier or later
    at, _ = _only(table, b"ctts")
    _demand(data[at] == 0)
    runs = _numbers(data, at + 8, 2 * _number(data, at + 4))
    shown: list[int] = []
    for times, later in zip(runs[::2], runs[1::2], strict=True):
        _demand(len(shown) + times <= count and later < 2**24)
        shown += [each * number + later for number in range(len(shown), len(shown) + times)]
    _demand(len(shown) == count)
    return shown


def _is_shown_whole(data: bytes, track: _Boxes, first: int, last: int, each: int, units: Fraction) -> bool:
    """Whether its edit list, if it has one, leaves out none of its pictures."""
    if all(kind != b"edts" for kind, *_ in track):
        return True
    at, _ = _only(list(_boxes(data, *_only(track, b"edts"))), b"elst")
    entries = _number(data, at + 4)
    lasts, begins, rate = struct.unpack_from(">qqI" if data[at] else ">IiI", data, at + 8)
    return entries == 1 and rate == 0x10000 and begins == first and begins + lasts * units >= last + each / 2


def _described(data: bytes, begin: int, end: int) -> tuple[int, int, bytes]:
    """Width, height and `avcC` of the only description."""
    at, stop = _only(list(_boxes(data, begin + 8, end)), b"avc1")
    width, height = struct.unpack_from(">2H", data, at + 24)
    start, finish = _only(list(_boxes(data, at + _BEFORE_PARTS, stop)), b"avcC")
    avc = data[start:finish]
    _demand(len(avc) > 6 and avc[0] == 1)
    return width, height, avc


def _placed(data: bytes, table: _Boxes, sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where each packet begins and ends, all of them within the file."""
    wide = [kind for kind, *_ in table if kind in (b"stco", b"co64")]
    _demand(len(wide) == 1)
    at, _ = _only(table, wide[0])
    chunks = _numbers(data, at + 8, _number(data, at + 4), "Q" if wide[0] == b"co64" else "I")
    at, _ = _only(table, b"stsc")
    runs = _numbers(data, at + 8, 3 * _number(data, at + 4))
    _demand(runs[:1] == (1,))
    ends = (*runs[3::3], len(chunks) + 1)
    number = 0
    for first, after, each in zip(runs[::3], ends, runs[1::3], strict=True):
        _demand(0 < first < after <= len(chunks) + 1 and number + (after - first) * each <= len(sizes))
        for begin in chunks[first - 1 : after - 1]:
            for size in sizes[number : number + each]:
                _demand(begin + size <= len(data))
                yield begin, begin + size
                begin += size
            number += each
    _demand(number == len(sizes) and set(runs[2::3]) == {1})


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of the content of each box, which fill the room."""
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        _demand(size >= header and at + size <= end)
        yield kind, at + header, at + size
        at += size


def _only(boxes: _Boxes, kind: bytes) -> tuple[int, int]:
    found = [(begin, end) for one, begin, end in boxes if one == kind]
    _demand(len(found) == 1)
    return found[0]


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _numbers(data: bytes, at: int, count: int, size: str = "I") -> tuple[int, ...]:
    _demand(count <= len(data))
    return struct.unpack_from(f">{count}{size}", data, at)


def _demand(ordinary: bool) -> None:
    if not ordinary:
        raise _Unusual
