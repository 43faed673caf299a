"""Clips whose packets are copied into a film, a little ahead of the one that is written.

FFmpeg gives the lock of Python away and takes it back for each packet, so two threads that move packets take longer
than one. Only what is done in a few long calls is left to other threads: bringing files into memory, and making seams.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import av

from minimax_tasks.video.sound_layout import sound_stream
from minimax_tasks.video.source import opened, picture_stream

_FETCHED = 4
"""Number of files that are brought into memory before they are read: a disk may be slow, or far away."""

_READ = 1
"""Number of clips that are read ahead of the one that is written: enough time to make the seam to it."""

_CHUNK = 2**20
"""Bytes."""

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
        self._paths = deque(paths)
        self._to_fetch, self._held = iter(paths), bytearray(_CHUNK)
        self._has_sound = splice is not None
        self._fetcher, self._splicer = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._pictures: deque[Packets] = deque()
        self._heard: deque[Packets] = deque()
        self._parts: deque[Future[Iterator[av.Packet[Any]] | None]] = deque()
        self._splices = splice(self._to_splice()) if splice else iter(())
        for _ in range(_FETCHED):
            self._fetch_next()

    def close(self) -> None:
        """Wait for what is under way, and drop the rest."""
        for pool in (self._fetcher, self._splicer):
            pool.shutdown(cancel_futures=True)

    def pictures(self) -> Iterator[Packets]:
        """Those of each clip."""
        while self._paths or self._pictures:
            while self._paths and len(self._pictures) <= _READ:
                self._read_next()
            yield self._pictures.popleft()

    def sound(self) -> "Iterator[av.Packet[Any]]":
        """The packets of the sound of the film."""
        while True:
            if not self._parts:
                self._read_next()
            part = self._parts.popleft().result()
            if part is None:
                return
            yield from part

    def _fetch_next(self) -> None:
        path = next(self._to_fetch, None)
        if path is not None:
            self._fetcher.submit(_fetch, path, self._held)

    def _read_next(self) -> None:
        """Read a clip and, when there is none any more, only splice."""
        if self._paths:
            self._fetch_next()
            read = _packets(self._paths.popleft(), self._has_sound)
            self._pictures.append(read.pictures)
            self._heard.append(read.sound)
        if self._has_sound:
            self._parts.append(self._splicer.submit(next, self._splices, None))

    def _to_splice(self) -> Iterator[Packets]:
        while self._heard:
            yield self._heard.popleft()


def _fetch(path: str, held: bytearray) -> None:
    """Have the system keep a file in memory. Whoever reads it says what is wrong with it."""
    with suppress(OSError), open(path, "rb", buffering=0) as file:
        while file.readinto(held):
            pass


def _packets(path: str, sound: bool) -> _Read:
    with opened(path, undecoded=True) as container:
        pictures, heard = picture_stream(container), sound_stream(container) if sound else None
        found: tuple[list[av.Packet[Any]], list[av.Packet[Any]]] = ([], [])
        for packet in container.demux(*filter(None, (pictures, heard))):
            # PyAV ends a stream with an empty packet, which would end the output too.
            if packet.size:
                found[packet.stream is heard].append(packet)
        return _Read(*found)
