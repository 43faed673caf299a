"""Clips whose packets are copied into a film, a little ahead of the one that is written.

Packets stay in one thread: FFmpeg gives the lock of Python away and takes it back for each of them. Only what takes a
few long calls is done in another one: making seams.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import av

from minimax_tasks.video.fetching import fetched
from minimax_tasks.video.sound_layout import sound_stream
from minimax_tasks.video.source import opened, picture_stream

_READ = 2
"""Number of clips that are read ahead of the one that is written: the seam to the first is needed at once, and the one to
the second is made in the meantime."""

Packets = Sequence["av.Packet[Any]"]

Splice = Callable[[Iterator[Packets]], "Iterator[Iterator[av.Packet[Any]]]"]
"""Makes the sound of a film of the packets of its clips, in order; a part after each of them, and those at the end.

The parts are made in another thread; what they give is only taken in that of the film."""


@dataclass(frozen=True)
class _Read:
    """The packets of a clip."""

    pictures: Packets
    sound: Packets


class ReadingAhead:
    """The packets of the clips at some paths, in order; with `splice`, their sound. Close it, whatever happens.

    Raises `VideoError` when it comes to a clip that cannot be read.
    """

    def __init__(self, paths: Sequence[str], splice: Splice | None = None) -> None:
        self._paths = fetched(paths)
        self._has_sound = splice is not None
        self._splicer = ThreadPoolExecutor(1)
        self._pictures: deque[Packets] = deque()
        self._heard: deque[Packets] = deque()
        self._parts: deque[Future[Iterator[av.Packet[Any]] | None]] = deque()
        self._splices = splice(self._to_splice()) if splice else iter(())

    def close(self) -> None:
        """Wait for the seam that is being made, and drop the others."""
        self._splicer.shutdown(cancel_futures=True)

    def pictures(self) -> Iterator[Packets]:
        """Those of each clip."""
        while True:
            while len(self._pictures) <= _READ and self._read_next():
                pass
            if not self._pictures:
                return
            yield self._pictures.popleft()

    def sound(self) -> "Iterator[av.Packet[Any]]":
        """The packets of the sound of the film."""
        while True:
            if not self._parts and not self._read_next():
                self._splice_next()
            part = self._parts.popleft().result()
            if part is None:
                return
            yield from part

    def _read_next(self) -> bool:
        """Read a clip, if there is another one, and have its sound spliced."""
        path = next(self._paths, None)
        if path is None:
            return False
        read = _packets(path, self._has_sound)
        self._pictures.append(read.pictures)
        if self._has_sound:
            self._heard.append(read.sound)
            self._splice_next()
        return True

    def _splice_next(self) -> None:
        self._parts.append(self._splicer.submit(next, self._splices, None))

    def _to_splice(self) -> Iterator[Packets]:
        while self._heard:
            yield self._heard.popleft()


def _packets(path: str, sound: bool) -> _Read:
    with opened(path, undecoded=True) as container:
        pictures, heard = picture_stream(container), sound_stream(container) if sound else None
        found: tuple[list[av.Packet[Any]], list[av.Packet[Any]]] = ([], [])
        for packet in container.demux(*filter(None, (pictures, heard))):
            # PyAV ends a stream with an empty packet, which would end the output too.
            if packet.size:
                found[packet.stream is heard].append(packet)
        return _Read(*found)
