"""Joining clips of any length by the edit that the product makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from minimax_tasks.errors import VideoError
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.edit import ClipLength, CutSource, film_rate, lay_out
from minimax_tasks.storyboard.plan import Join
from minimax_tasks.video import join as video
from minimax_tasks.video.join import Joined
from minimax_tasks.video.stream_layout import read_layouts


@dataclass(frozen=True)
class Piece:
    path: str
    title: str = ""
    transition: str = "cut"
    transition_seconds: float = 0.0
    repeats_frame: bool = False
    volume: float = 1.0
    trim: str | None = None
    speed: float | None = None
    hold: float | None = None


@dataclass(frozen=True)
class Film(Joined):
    starts: tuple[float, ...] = ()


def join(out: str, pieces: Sequence[Piece], *, chapters: bool = True) -> Film:
    clips = read_layouts([piece.path for piece in pieces])
    lengths = [ClipLength(clip.seconds, clip.fps, clip.frames) for clip in clips]
    sources = [
        CutSource(
            Shot(id=piece.title or f"{number}", trim=piece.trim, speed=piece.speed, hold=piece.hold),
            Join(piece.transition, seconds_of(piece), piece.repeats_frame),
            length,
        )
        for number, (piece, length) in enumerate(zip(pieces, lengths, strict=True))
    ]
    rate = film_rate(lengths) or Fraction(24)
    edit = lay_out(sources, rate)
    if problem := edit.problem():
        raise VideoError(problem)
    placed = [
        replace(placed, title=piece.title, transition=piece.transition, volume=piece.volume)
        for piece, placed in zip(pieces, edit.pieces(clips), strict=True)
    ]
    film = video.join(out, placed, rate, chapters=chapters)
    return Film(**vars(film), starts=tuple(float(cut.starts_at) for cut in edit.cuts))


def seconds_of(piece: Piece) -> float:
    return 0.0 if piece.transition == "cut" else piece.transition_seconds
