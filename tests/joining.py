"""Joining clips of any length by the edit that the product makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from minimax_tasks.errors import VideoError
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


@dataclass(frozen=True)
class Film(Joined):
    starts: tuple[float, ...] = ()


def join(out: str, pieces: Sequence[Piece], *, chapters: bool = True) -> Film:
    clips = read_layouts([piece.path for piece in pieces])
    lengths = [ClipLength(clip.seconds, clip.fps, clip.frames) for clip in clips]
    sources = [
        CutSource(piece.title, Join(piece.transition, seconds_of(piece), piece.repeats_frame), length)
        for piece, length in zip(pieces, lengths, strict=True)
    ]
    rate = film_rate(lengths) or Fraction(24)
    edit = lay_out(sources, rate)
    if problem := edit.problem():
        raise VideoError(problem)
    placed = [
        video.Piece(
            clip,
            edit.frames(cut.starts_at),
            edit.frames(cut.length),
            piece.title,
            piece.transition,
            edit.frames(cut.overlap),
            cut.drops_repeated_frame,
        )
        for piece, clip, cut in zip(pieces, clips, edit.cuts, strict=True)
    ]
    film = video.join(out, placed, rate, chapters=chapters)
    return Film(**vars(film), starts=tuple(float(cut.starts_at) for cut in edit.cuts))


def seconds_of(piece: Piece) -> float:
    return 0.0 if piece.transition == "cut" else piece.transition_seconds
