"""The pictures of a film, drawn from its clips: in order, at one rate, with transitions and held frames."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import av

from minimax_tasks.errors import VideoError
from minimax_tasks.video.conform import conformed, conformed_from
from minimax_tasks.video.overlays import Overlays
from minimax_tasks.video.pieces import Film
from minimax_tasks.video.spans import is_plain
from minimax_tasks.video.transitions import cross


@dataclass(frozen=True)
class FilmFrame:
    """A picture of a film. `begins` marks the first that a piece has for itself."""

    picture: av.VideoFrame
    begins: bool


@dataclass
class FilmFrames:
    """Gives exactly the frames that a film has, whatever its files turn out to hold.

    `short` collects the pieces whose files hold fewer pictures than they promise: their last one is repeated.
    """

    film: Film
    short: list[int] = field(default_factory=list)

    def between(self, begins: int, ends: int) -> Iterator[FilmFrame]:
        """The frames from `begins` to before `ends`; no transition lies over either of them. Raises `VideoError`."""
        for number, frame in enumerate(self._plain(begins, ends), begins):
            yield replace(frame, picture=self._overlays.over(frame.picture, number))

    @cached_property
    def _overlays(self) -> Overlays:
        return Overlays(self.film.overlays, self.film.size)

    def _plain(self, begins: int, ends: int) -> Iterator[FilmFrame]:
        film = self.film
        # The end of the piece before, held back for as long as the coming transition needs it.
        held: deque[FilmFrame] = deque()
        for number, piece in enumerate(film.pieces):
            first, last = max(begins, piece.starts_at), min(ends, piece.starts_at + piece.frames)
            if first >= last:
                continue
            pictures = self._of(number, first - piece.starts_at, last - piece.starts_at)
            if number in film.grades:
                pictures = map(film.grades[number].of, pictures)
            if piece.overlap and first == piece.starts_at:
                head = list(islice(pictures, piece.overlap))
                for mixed in cross([one.picture for one in held], head, piece.transition):
                    yield FilmFrame(mixed, begins=False)
                held.clear()
            is_whole = last == piece.starts_at + piece.frames
            kept = film.overlap(number + 1) if is_whole else 0
            starts = first <= piece.starts_at + piece.overlap
            for picture in pictures:
                held.append(FilmFrame(picture, starts))
                starts = False
                if len(held) > kept:
                    yield held.popleft()

    def _of(self, number: int, first: int, last: int) -> Iterator[av.VideoFrame]:
        """The pictures of a piece, counted from its beginning."""
        film, piece = self.film, self.film.pieces[number]
        begin = min(first, piece.moving - 1)
        wanted = max(1, min(last, piece.moving) - begin)
        found = self.of_clip(number, film.skipped(number) + begin)
        picture: av.VideoFrame | None = None
        given = 0
        for picture in islice(found, wanted):
            given += 1
            yield picture
        if picture is None:
            raise VideoError(f"{film.name(number)}: there is no picture in it")
        if given < wanted and number not in self.short:
            self.short.append(number)
        for _ in range(last - first - given):
            yield picture

    def of_clip(self, number: int, begin: int) -> Iterator[av.VideoFrame]:
        """The frames that the clip of a piece has in the film, from number `begin` on; at least one, if it has any."""
        film, piece = self.film, self.film.pieces[number]
        if begin and is_plain(piece, film):
            yield from conformed_from(piece.clip, film.size, begin, film.shape.fill, piece.crop)
            return
        skipped: av.VideoFrame | None = None
        frames = conformed(piece.clip.path, film.size, film.fps, piece.speed, film.shape.fill, piece.crop)
        for count, skipped in enumerate(frames):
            if count >= begin:
                yield skipped
                begin = 0
        if begin and skipped is not None:
            yield skipped
