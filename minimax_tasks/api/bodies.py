"""Response bodies, unpacked and bounded as they arrive, so that neither a bomb nor an endless one fills the memory."""

import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from minimax_tasks.errors import ControlFlow

_STEP = 2**20
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class Answer(Protocol):
    """What `body` needs of an answer; httpx's has it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by names in any case."""

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """The pieces of the body as they come."""


class TooLong(ControlFlow):
    """A body is longer than allowed."""


class Unreadable(ControlFlow):
    """A body is compressed in a way that was not requested, or is damaged."""


async def body(response: Answer, most: int) -> AsyncIterator[bytes]:
    """The unpacked pieces of a body. Raises `TooLong` after `most` bytes, and `Unreadable`."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity") and coding not in _PACKED:
        raise Unreadable
    unpack = zlib.decompressobj(wbits=47) if coding in _PACKED else None
    size = 0
    async for packed in response.aiter_raw():
        piece, rest = packed, b""
        while True:
            if unpack is not None:
                try:
                    piece = unpack.decompress(rest or packed, _STEP)
                except zlib.error:
                    raise Unreadable from None
                rest = unpack.unconsumed_tail
            size += len(piece)
            if size > most:
                raise TooLong
            yield piece
            if not rest:
                break
    if unpack is not None and size and not unpack.eof:
        raise Unreadable
