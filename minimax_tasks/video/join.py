"""Joining clips into one film: by copying their packets when that is exact, by encoding otherwise."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal

import av
from av.video.stream import VideoStream

from minimax_tasks.errors import VideoError
from minimax_tasks.video.conform import conformed
from minimax_tasks.video.encode import MP4_OPTIONS, h264_mp4, write_chapters
from minimax_tasks.video.reel import Reel, read_reel
from minimax_tasks.video.source import opened, picture_stream
from minimax_tasks.video.transitions import CUT, TRANSITIONS, cross
from minimax_tasks.video.turn import Turn

__all__ = ["TRANSITIONS", "Joined", "Piece", "VideoError", "join"]

_READERS = 4
"""Most of the time of opening a clip goes to a look at its first frames, in FFmpeg and without the lock."""

_NAMED = 5
"""So many clips are named in a note."""

FILM_OPTIONS = {"preset": "veryfast", "crf": "18"}
"""Good enough that one more encoding is not seen."""


@dataclass(frozen=True)
class Piece:
    """One clip of a film.

    `transition` is how it follows the piece before it: "cut", or one of `TRANSITIONS`, in which the two
    overlap for `transition_seconds`. `repeats_frame` says that its first frame shows the last frame of the
    piece before once more; at a cut one of the two is then left out. The first piece follows nothing.
    """

    path: str
    title: str = ""
    transition: str = CUT
    transition_seconds: float = 0.0
    repeats_frame: bool = False


@dataclass(frozen=True)
class Joined:
    """What came of a join.

    `starts` has the second at which each piece begins, `notes` says for people where the film differs from
    its clips: sound that is left out, other frame rates, clips that were turned.
    """

    method: Literal["copy", "encode"]
    reason: str
    frames: int
    seconds: float
    fps: Fraction
    width: int
    height: int
    starts: tuple[float, ...]
    notes: tuple[str, ...] = ()


def join(out: str, pieces: Sequence[Piece], *, chapters: bool = True) -> Joined:
    """Write the film of the pieces to the local path `out`: an MP4 (H.264, yuv420p) of pictures alone.

    Packets are copied, and so stay exactly as they are, when all clips were encoded alike, every join is a
    cut and every doubled frame can be left out by dropping the last packet of a clip. Otherwise the film is
    encoded, in the size and the frame rate that most pieces have (of two such rates, most frames); pieces of
    another shape get black bars, and pieces that ask to be turned are turned. Sound is left out: the `notes`
    say so.

    Raises `VideoError`, and then leaves no file behind: no pieces, a clip that cannot be read, an unknown
    transition, a transition that is longer than what its clips have to give.
    """
    if not pieces:
        raise VideoError("there is nothing to join")
    with ThreadPoolExecutor(_READERS) as readers:
        reels = list(readers.map(read_reel, [piece.path for piece in pieces]))
    film = _Film(out, tuple(pieces), tuple(reels), chapters)
    reason = _why_not_copy(film)
    film.check_overlaps()
    try:
        joined = _encode(film, reason) if reason else _copy(film)
    except BaseException:
        Path(out).unlink(missing_ok=True)
        raise
    return replace(joined, notes=tuple(_notes(film)))


@dataclass(frozen=True)
class _Film:
    """The pieces of a join, with what is known of their clips."""

    out: str
    pieces: tuple[Piece, ...]
    reels: tuple[Reel, ...]
    chapters: bool

    @property
    def fps(self) -> Fraction:
        pieces = Counter(reel.fps for reel in self.reels)
        frames: Counter[Fraction] = Counter()
        for reel in self.reels:
            frames[reel.fps] += reel.frames
        return max(pieces, key=lambda fps: (pieces[fps], frames[fps]))

    @property
    def size(self) -> tuple[int, int]:
        width, height = Counter(reel.size for reel in self.reels).most_common(1)[0][0]
        return width + width % 2, height + height % 2

    @property
    def titles(self) -> list[str]:
        return [piece.title for piece in self.pieces]

    def name(self, number: int) -> str:
        """What to call a piece in a message."""
        return self.pieces[number].title or self.reels[number].name

    def overlap(self, number: int) -> int:
        """In how many frames a piece and the one before it are mixed; 0 at a cut and for the first piece."""
        if not 0 < number < len(self.pieces):
            return 0
        piece = self.pieces[number]
        return 0 if piece.transition == CUT else round(piece.transition_seconds * self.fps)

    def repeats(self, number: int) -> bool:
        """Whether a piece begins with a frame that is to be seen only once."""
        return number > 0 and self.pieces[number].repeats_frame and not self.overlap(number)

    def check_overlaps(self) -> None:
        """Raise `VideoError` for a transition that is unknown, or longer than what its clips have to give."""
        for number, piece in enumerate(self.pieces):
            if piece.transition not in (CUT, *TRANSITIONS):
                known = ", ".join((CUT, *TRANSITIONS))
                raise VideoError(
                    f"{self.name(number)}: there is no transition {piece.transition!r}; there are {known}"
                )
            if piece.transition_seconds < 0:
                raise VideoError(
                    f"{self.name(number)}: a transition cannot last {piece.transition_seconds:g} s"
                )
        for number, reel in enumerate(self.reels):
            frames = round(reel.seconds * self.fps) - self.repeats(number)
            self.check_length(number, frames)

    def check_length(self, number: int, frames: int) -> None:
        """Raise `VideoError` when so many frames are too few for the transitions at both ends of a piece."""
        needed = self.overlap(number) + self.overlap(number + 1)
        if frames < needed:
            longer = number if self.overlap(number) >= self.overlap(number + 1) else number + 1
            raise VideoError(
                f"{self.name(number)}: it has {float(frames / self.fps):.2f} s, "
                f"but its transitions take {float(needed / self.fps):.2f} s; "
                f"shorten the {self.pieces[longer].transition} into {self.name(longer)}"
            )
        if frames < 1:
            raise VideoError(f"{self.name(number)}: it has no frame but the one that it repeats")


def _why_not_copy(film: _Film) -> str:
    """Why the film has to be encoded; empty when packets can be copied."""
    for number, reel in enumerate(film.reels):
        if film.overlap(number):
            return f"{film.name(number)} begins with a {film.pieces[number].transition}"
        if reel.codec != "h264" or reel.pixels != "yuv420p":
            return f"{film.name(number)} is {reel.codec} {reel.pixels}, which not every browser plays"
        if "mp4" not in reel.container.split(","):
            return f"{film.name(number)} is not an MP4"
        if not reel.even:
            return f"{film.name(number)} does not have a constant frame rate"
        if film.repeats(number) and not film.reels[number - 1].plays_last_decoded_last:
            return f"the frame that {film.name(number)} repeats cannot be taken out without decoding"
        if film.repeats(number) and film.reels[number - 1].frames == 1:
            return f"{film.name(number - 1)} is a single frame"
    first = film.reels[0].stream_facts()
    for number, reel in enumerate(film.reels):
        differing = [fact for fact, value in reel.stream_facts().items() if value != first[fact]]
        if differing:
            return f"{film.name(number)} differs from {film.name(0)} in {', '.join(differing)}"
    return ""


def _notes(film: _Film) -> Iterator[str]:
    """Where the film is not what its clips are."""
    loud = [film.name(number) for number, reel in enumerate(film.reels) if reel.sound]
    if loud:
        yield f"the film is silent: the sound of {_listed(loud)} is left out"
    by_rate: dict[Fraction, list[str]] = {}
    for number, reel in enumerate(film.reels):
        if reel.fps != film.fps:
            by_rate.setdefault(reel.fps, []).append(film.name(number))
    for fps, names in sorted(by_rate.items()):
        what = "left out" if fps > film.fps else "shown twice"
        yield (
            f"the film has {_rate(film.fps)} frames a second: of {_listed(names)} ({_rate(fps)} fps) "
            f"some frames are {what}"
        )
    by_turn: dict[Turn, list[str]] = {}
    for number, reel in enumerate(film.reels):
        if reel.turn:
            by_turn.setdefault(reel.turn, []).append(film.name(number))
    for turn, names in by_turn.items():
        yield f"{_listed(names)}: {turn}, as the file asks"


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _rate(fps: Fraction) -> str:
    return f"{float(fps):.5g}"


def _copy(film: _Film) -> Joined:
    reel = film.reels[0]
    lengths = [
        reel.frames - film.repeats(number + 1) if number + 1 < len(film.reels) else reel.frames
        for number, reel in enumerate(film.reels)
    ]
    begins = [sum(lengths[:number]) for number in range(len(lengths))]
    starts = [float(begin / reel.fps) for begin in begins]
    frames = sum(lengths)
    seconds = float(frames / reel.fps)
    with av.open(film.out, "w", format="mp4", options=MP4_OPTIONS) as container:
        with opened(film.pieces[0].path) as model:
            stream = container.add_stream_from_template(picture_stream(model))
        stream.time_base = reel.time_base
        read = _read_ahead([piece.path for piece in film.pieces])
        for packets, clip, length, begin in zip(read, film.reels, lengths, begins, strict=True):
            for packet in packets[:length]:
                packet.pts = (packet.pts or 0) - clip.first + begin * reel.tick
                packet.dts = (packet.dts or 0) - clip.first + begin * reel.tick
                packet.stream = stream
                container.mux(packet)
        if film.chapters:
            write_chapters(container, film.titles, starts, seconds)
    return Joined(
        "copy",
        "all clips are alike and all joins are cuts",
        frames,
        seconds,
        reel.fps,
        *reel.size,
        tuple(starts),
    )


def _read_ahead(paths: Sequence[str]) -> "Iterator[list[av.Packet[VideoStream]]]":
    """The packets of each clip, with the next ones read meanwhile."""
    with ThreadPoolExecutor(_READERS) as readers:
        coming: deque[Future[list[av.Packet[VideoStream]]]] = deque()
        for path in paths:
            coming.append(readers.submit(_packets, path))
            if len(coming) > _READERS:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _packets(path: str) -> "list[av.Packet[VideoStream]]":
    with opened(path, packets_only=True) as container:
        # PyAV ends a stream with an empty packet, which would end the output too.
        return [packet for packet in container.demux(picture_stream(container)) if packet.size]


def _encode(film: _Film, reason: str) -> Joined:
    fps, size = film.fps, film.size
    starts = []
    with h264_mp4(film.out, size, fps, FILM_OPTIONS) as writer:
        # The end of the piece before, held back for as long as the coming transition needs it.
        held: deque[av.VideoFrame] = deque()
        for number, piece in enumerate(film.pieces):
            starts.append(writer.seconds)
            frames = islice(conformed(piece.path, size, fps), int(film.repeats(number)), None)
            count = 0
            overlap = film.overlap(number)
            if overlap:
                head = list(islice(frames, overlap))
                count = len(head)
                film.check_length(number, count + film.overlap(number + 1))
                for mixed in cross(tuple(held), head, piece.transition):
                    writer.write(mixed)
                held.clear()
            for frame in frames:
                held.append(frame)
                count += 1
                if len(held) > film.overlap(number + 1):
                    writer.write(held.popleft(), keyframe=count == 1)
            film.check_length(number, count)
        if film.chapters:
            write_chapters(writer.container, film.titles, starts, writer.seconds)
    return Joined("encode", reason, writer.frames, writer.seconds, fps, *size, tuple(starts))
