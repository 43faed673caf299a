"""The files that pictures come in: what a file is by its first bytes, and a file without its ballast.

Ballast is what is no part of the picture and only in the way: texts and colour profiles of over 1 MB (the
work flows of drawing programs, the profiles of monitors), profiles of another colour space than the pixels,
and EXIF data that cannot be read. The pixels are never touched here.
"""

import io
import re
import zlib
from collections.abc import Iterator

from PIL import Image

from minimax_tasks.errors import ControlFlow

MOST_BALLAST = 1_000_000
"""Bytes, unpacked, that the texts or the colour profile of a picture may have. Readers refuse more: Pillow
1 MiB a text or profile, libpng 8 MB."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_ICC, _EXIF = b"ICC_PROFILE\0", b"Exif\0\0"

_OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), name)
    for pattern, name in (
        (rb".{4}ftyp(?:avi[fs]|(?:.{4}){2,8}avif)", "AVIF"),
        (
            rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)",
            "HEIC (HEIF), as phones make it, which MiniMax-H3 takes by URL alone",
        ),
        (rb".{4}ftypcrx ", "a camera's raw picture"),
        (rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI ", "a video"),
        (rb"GIF8[79]a", "GIF"),
        (rb"BM.{4}\0{4}", "BMP"),
        (rb"II[*+]\0|MM\0[*+]", "TIFF or a camera's raw picture"),
        (rb"FUJIFILMCCD-RAW", "a camera's raw picture"),
        (rb"8BPS", "Photoshop's PSD"),
        (rb"gimp xcf", "GIMP's XCF"),
        (rb"\0\0\x01\0.{2}", "ICO"),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL"),
        (rb"%PDF", "PDF"),
        (rb"%!PS", "PostScript"),
        (
            rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:(?:<!--.*?-->|<!DOCTYPE svg[^>]*>)\s*)*<svg[\s>]",
            "SVG",
        ),
    )
)
"""What the first bytes of files of other formats look like -> the format's name."""

_NO_PICTURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), why)
    for pattern, why in (
        (rb"$", "it is not a picture but an empty file"),
        (rb"\s*<(?:!doctype html|html|head|body)", "it is not a picture but a web page"),
        (rb"version https://git-lfs", "it is not a picture but what Git LFS left in its place"),
        (rb"PK\x03\x04", "it is not a picture but a ZIP archive"),
    )
)


def what_it_is(data: bytes) -> str:
    """Why bytes that are no JPEG, PNG or WebP cannot be sent, for people."""
    head = data[:4096]
    for pattern, name in _OTHERS:
        if pattern.match(head):
            return f"it is {name}; save it as JPEG or PNG"
    if head.startswith((_PNG, _JPEG)) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "it is damaged"
    return next((why for pattern, why in _NO_PICTURES if pattern.match(head)), "it is not a picture")


def without_ballast(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The same file without its ballast, and a note for people about each part that was left out.

    A file without ballast comes back as it is, byte for byte; so does one that is damaged or not known.
    """
    notes: dict[str, None] = {}
    try:
        if data.startswith(_PNG):
            data = _lean_png(data, notes)
        elif data.startswith(_JPEG):
            data = _lean_jpeg(data, notes)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            data = _lean_webp(data, notes)
    except _Damaged:
        return data, ()
    return data, tuple(notes)


def profile_space(profile: bytes | None) -> bytes:
    """The colour space of an ICC profile as its header has it (`RGB `, `GRAY`, `CMYK`), empty for none."""
    return bytes(profile[16:20]) if profile and len(profile) >= 128 else b""


class _Damaged(ControlFlow):
    """The file does not hold what its header promises."""


def _lean_png(data: bytes, notes: dict[str, None]) -> bytes:
    kept, texts = [data[:8]], 0
    grey = data[25:26] in (b"\0", b"\4")
    for kind, start, end, body in _png_chunks(data):
        ballast = ""
        if kind[0] & 0x20 and kind != b"tRNS" and not _is_whole(data, start, end):
            ballast = f"a damaged part of it ({kind.decode('latin-1')})"
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            texts += _text_size(kind, body) if texts <= MOST_BALLAST else 0
            ballast = "the text in it, of over 1 MB," if texts > MOST_BALLAST else ""
        elif kind == b"iCCP":
            ballast = _wrong_profile(_unpacked(body.partition(b"\0")[2][1:]), grey=grey)
        elif kind == b"eXIf" and not _is_exif(body):
            ballast = "its EXIF data, which cannot be read,"
        if ballast:
            notes[f"{ballast} is left out of what is sent"] = None
        else:
            kept.append(data[start:end])
    return b"".join(kept) if notes else data


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Kind, start, end and content of each chunk; the pixels' own content is not copied."""
    place = 8
    while place + 12 <= len(data):
        kind = data[place + 4 : place + 8]
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data):
            raise _Damaged
        yield kind, place, end, b"" if kind == b"IDAT" else data[place + 8 : end - 4]
        if kind == b"IEND":
            return
        place = end
    raise _Damaged


def _is_whole(data: bytes, start: int, end: int) -> bool:
    return zlib.crc32(data[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")


def _text_size(kind: bytes, body: bytes) -> int:
    """Bytes of a text chunk, unpacked; more than the limit for one that cannot be unpacked."""
    rest = body.partition(b"\0")[2]
    if kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].split(b"\0", 2)[-1]  # behind the language and the translated keyword
    elif kind == b"zTXt":
        packed = rest[1:]
    else:
        return len(body)
    text = _unpacked(packed)
    return MOST_BALLAST + 1 if text is None else len(text)


def _unpacked(packed: bytes) -> bytes | None:
    """The unpacked data, cut off at the limit; None when it cannot be unpacked."""
    try:
        return zlib.decompressobj().decompress(packed, MOST_BALLAST + 1)
    except zlib.error:
        return None


def _wrong_profile(profile: bytes | None, *, grey: bool) -> str:
    """What to call a colour profile that the pixels cannot have; empty for a right one."""
    if profile is not None and len(profile) > MOST_BALLAST:
        return "its colour profile, of over 1 MB,"
    space = profile_space(profile)
    if not space:
        return "its colour profile, which cannot be read,"
    if space == (b"GRAY" if grey else b"RGB "):
        return ""
    pixels = "grey" if grey else "RGB"
    return f"its colour profile, for {space.decode('latin-1').strip()} while its pixels are {pixels},"


def _is_exif(body: bytes) -> bool:
    """Whether EXIF data can be read as far as the rotation."""
    exif = Image.Exif()
    try:
        exif.load(body)
        exif.get(0x0112)
    # Whatever a reader of broken bytes stumbles over: struct.error, SyntaxError, KeyError, …
    except Exception:
        return False
    return True


def _lean_jpeg(data: bytes, notes: dict[str, None]) -> bytes:
    segments = list(_jpeg_segments(data))
    if not segments:
        raise _Damaged
    colours = next((body[5] for marker, _, _, body in segments if marker in _SOF and len(body) > 5), 3)
    icc = [body[len(_ICC) :] for marker, _, _, body in segments if marker == 0xE2 and body.startswith(_ICC)]
    profile = b"".join(part[2:] for part in sorted(icc))
    # Four colours are print, which is made RGB through its profile, or not sent at all.
    wrong = _wrong_profile(profile, grey=colours == 1) if icc and colours != 4 else ""
    kept, place = [data[:2]], 2
    for marker, start, end, body in segments:
        ballast = ""
        if marker == 0xE2 and body.startswith(_ICC):
            ballast = wrong
        elif marker == 0xE1 and body.startswith(_EXIF) and not _is_exif(body):
            ballast = "its EXIF data, which cannot be read,"
        if ballast:
            notes[f"{ballast} is left out of what is sent"] = None
        else:
            kept.append(data[start:end])
        place = end
    return b"".join([*kept, data[place:]]) if notes else data


_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segment with the size and the number of colours."""


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Marker, start, end and content of each segment before the pixels."""
    place = 2
    while data[place : place + 1] == b"\xff":
        while data[place + 1 : place + 2] == b"\xff":  # a marker may be filled up
            place += 1
        marker = data[place + 1] if place + 1 < len(data) else 0xD9
        if marker == 0xDA or marker == 0xD9:
            return
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if end > len(data) or end < place + 4:
            raise _Damaged
        yield marker, place, end, data[place + 4 : end]
        place = end
    raise _Damaged


def _lean_webp(data: bytes, notes: dict[str, None]) -> bytes:
    kept, flags, place = [], 0, 12
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = data[place + 8 : place + 8 + size]
        if len(body) < size:
            raise _Damaged
        ballast = ""
        if kind == b"ICCP":
            ballast, flag = _wrong_profile(body, grey=False), 0x20
        elif kind == b"EXIF" and not _is_exif(body):
            ballast, flag = "its EXIF data, which cannot be read,", 0x08
        if ballast:
            notes[f"{ballast} is left out of what is sent"] = None
            flags |= flag
        else:
            kept.append(data[place : place + 8 + size + size % 2])
        place += 8 + size + size % 2
    if not notes:
        return data
    rest = bytearray(b"".join(kept))
    if rest[:4] == b"VP8X":
        rest[8] &= ~flags
    return b"RIFF" + (len(rest) + 4).to_bytes(4, "little") + b"WEBP" + bytes(rest)


def head_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the header of a JPEG, PNG or WebP, however many pixels those are."""
    Image.init()
    for kind in ("JPEG", "PNG", "WEBP"):
        factory, accept = Image.OPEN[kind]
        if accept is None or not accept(data[:16]):
            continue
        try:
            return factory(io.BytesIO(data), "").size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None
    return None
