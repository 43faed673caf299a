"""What format a file has, by its first bytes, when it is not a video that we know."""

from pathlib import Path

_FIRST_BYTES = 512

_MAGIC = (
    (4, b"ftypqt", "mov"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
    (0, b"\x1aE\xdf\xa3", "mkv"),
    (8, b"AVI ", "avi"),
    (0, b"FLV\x01", "flv"),
    (0, b"OggS", "ogv"),
    (0, b"\x00\x00\x01\xba", "mpg"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "wmv"),
)
"""Offset of a format's bytes, the bytes, and the extension of its files (sources: the formats' specifications)."""

_TEXT_CODES = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)) - {0x7F})


def extension_of(file: Path) -> str:
    """How the file's name should end; "bin" for unknown bytes, "" for an empty file or a text such as a web page."""
    with file.open("rb") as opened:
        first = opened.read(_FIRST_BYTES)
    if not first:
        return ""
    for at, magic, extension in _MAGIC:
        if first[at:].startswith(magic):
            return "webm" if extension == "mkv" and b"webm" in first else extension
    if first[:1] == b"G" and (len(first) <= 188 or first[188:189] == b"G"):
        return "ts"
    return "bin" if first.translate(None, _TEXT_CODES) else ""
