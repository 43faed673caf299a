"""Finds damaged packets by their bytes, without decoding them.

In an MP4 the pictures of H.264 and HEVC are stored as units, each preceded by its length. A unit begins with a
bit that is 0 and never ends with a zero byte (ITU-T H.264 7.4.1, H.265 7.4.2; the box: ISO/IEC 14496-15).
Zeros in a file that was half written, and lengths that lead nowhere, are so found at once.
"""

import av.stream

_LENGTH_AT = {"h264": 4, "hevc": 21}
"""Offset of the byte in a codec's configuration record whose last two bits hold the length's size minus one."""


def length_size(stream: av.stream.Stream) -> int:
    """Size in bytes of the length before each unit; 0 for a stream that is not made of such units."""
    context = stream.codec_context
    return length_size_of(context.codec.canonical_name, context.extradata) if context is not None else 0


def length_size_of(codec: str, record: bytes | None) -> int:
    """`length_size` of a stream with this configuration record."""
    at = _LENGTH_AT.get(codec)
    if at is None or not record or len(record) <= at or record[0] != 1:
        return 0
    return (record[at] & 3) + 1


def is_damaged(data: bytes, units: int) -> bool:
    """Whether a packet cannot be what the encoder wrote; `units` is the stream's `length_size`."""
    return not data.strip(b"\0") or unit_headers(data, units) is None


def unit_headers(data: bytes, units: int, at: int = 0, end: int | None = None) -> list[int] | None:
    """The first byte of each unit of the packet between two places of the data; None for a damaged one."""
    found: list[int] = []
    end = len(data) if end is None else end
    while units and at < end:
        begin = at + units
        at = begin + int.from_bytes(data[at:begin], "big")
        if not begin < at <= end or (first := data[begin]) & 0x80 or not data[at - 1]:
            return None
        found.append(first)
    return found
