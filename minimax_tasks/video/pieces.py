"""The pieces of a film: each clip in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av

from minimax_tasks.errors import VideoError
from minimax_tasks.video.encode import Cue, write_chapters
from minimax_tasks.video.grade import Grade
from minimax_tasks.video.mix import SEAM, PlacedSound
from minimax_tasks.video.overlays import Overlay
from minimax_tasks.video.rates import nearest
from minimax_tasks.video.shape import AS_CLIPS, CENTRE, Crop, Shape, Size
from minimax_tasks.video.stream_layout import StreamLayout
from minimax_tasks.video.transitions import CUT, TRANSITIONS


@dataclass(frozen=True)
class Piece:
    """One clip in its place in a film; `starts_at`, `frames` and `overlap` are frames of the film.

    `frames` is how long it is on screen. For `overlap` it is mixed with the piece before it, by the `transition`:
    "cut" for none, or one of `TRANSITIONS`. With `drops_first` its first frame is left out, since it shows the last
    frame of the piece before once more. The first piece follows nothing.

    It begins at `source_in` seconds of the clip, and is shown `speed` times as fast as that. The last `hold` of its
    frames repeat the one before them, in silence. Its sound is heard at `volume`: 1 as it is, 0 not at all. Where its
    picture is cut to the film's shape, `crop` says what of it is kept. Its colours are matched to the clip before by
    `grade`: "off", "match" for that clip as it is, "chain" for that clip as it is matched itself.
    """

    clip: StreamLayout
    starts_at: int
    frames: int
    title: str = ""
    transition: str = CUT
    overlap: int = 0
    drops_first: bool = False
    volume: float = 1.0
    source_in: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    hold: int = 0
    crop: Crop = CENTRE
    grade: str = "off"

    @property
    def moving(self) -> int:
        """How many of its frames come from the clip."""
        return self.frames - self.hold


@dataclass(frozen=True)
class Film:
    """The pieces of a join."""

    out: str
    pieces: tuple[Piece, ...]
    fps: Fraction
    chapters: bool
    added: tuple[PlacedSound, ...] = ()
    loudness: float | None = None
    captions: Mapping[str, Sequence[Cue]] = field(default_factory=dict)
    shape: Shape = AS_CLIPS
    grades: Mapping[int, Grade] = field(default_factory=dict)
    """Number of a piece -> how its colours are matched."""
    overlays: tuple[Overlay, ...] = ()
    title: str = ""
    poster: bytes = b""
    """The JPEG that stands for it while it does not play."""

    @property
    def clips(self) -> list[StreamLayout]:
        """The clip of each piece."""
        return [piece.clip for piece in self.pieces]

    @property
    def size(self) -> Size:
        """Width and height: as asked for, or else those of most pieces, in even pixels."""
        return self.shape.size_for([clip.size for clip in self.clips])

    @property
    def frames(self) -> int:
        """How many it has."""
        return self.pieces[-1].starts_at + self.pieces[-1].frames

    @property
    def seconds(self) -> Fraction:
        """How long it is."""
        return self.frames / self.fps

    @property
    def has_sound(self) -> bool:
        """Whether anything is heard."""
        return bool(self.added) or any(piece.clip.sound and piece.volume for piece in self.pieces)

    def sound(self, number: int) -> PlacedSound | None:
        """The sound of a piece in its place, None where it has none that is heard."""
        piece = self.pieces[number]
        layout = piece.clip.sound
        if layout is None or not piece.volume:
            return None
        starts_at = piece.starts_at / self.fps
        lasts = min(piece.moving / self.fps, (layout.ends_at - piece.source_in) / piece.speed)
        before, after = self.overlap(number) / self.fps, self.overlap(number + 1) / self.fps
        return PlacedSound(
            piece.clip.path,
            starts_at,
            starts_at + max(Fraction(0), lasts),
            piece.source_in,
            layout.offset,
            before or SEAM,
            after or SEAM,
            piece.volume,
            piece.speed,
        )

    def sounds(self) -> list[PlacedSound]:
        """All sound that is heard."""
        of_clips = [sound for sound in map(self.sound, range(len(self.pieces))) if sound is not None]
        return [*of_clips, *self.added]

    def name(self, number: int) -> str:
        """What to call a piece in a message."""
        return self.pieces[number].title or self.clips[number].name

    def skipped(self, number: int) -> int:
        """How many frames of the film its clip would have before the part that is shown."""
        piece = self.pieces[number]
        return nearest(piece.source_in / piece.speed * self.fps)

    def overlap(self, number: int) -> int:
        """Number of frames in which a piece and the one before it are mixed; 0 after the last piece."""
        return self.pieces[number].overlap if number < len(self.pieces) else 0

    def check_transitions(self) -> None:
        """Raise `VideoError` for an unknown transition or a negative length."""
        for number, piece in enumerate(self.pieces):
            if piece.transition not in (CUT, *TRANSITIONS):
                known = ", ".join((CUT, *TRANSITIONS))
                raise VideoError(
                    f"{self.name(number)}: there is no transition {piece.transition!r}; there are {known}"
                )
            if piece.overlap < 0:
                seconds = float(piece.overlap / self.fps)
                raise VideoError(f"{self.name(number)}: a transition cannot last {seconds:g} s")

    def write_chapters(self, container: av.container.OutputContainer) -> None:
        """Write the pieces as chapters, if asked to."""
        if self.chapters:
            starts = [float(piece.starts_at / self.fps) for piece in self.pieces]
            titles = [piece.title for piece in self.pieces]
            write_chapters(container, titles, starts, float(self.frames / self.fps))
