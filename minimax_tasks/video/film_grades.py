"""How the colours of a film's pieces are matched, each to the piece before."""

from collections import deque

import av

from minimax_tasks.video.film_frames import FilmFrames
from minimax_tasks.video.grade import Grade, matched
from minimax_tasks.video.pieces import Film
from minimax_tasks.video.spans import is_plain


def grades_of(film: Film) -> dict[int, Grade]:
    """Number of a piece -> its grade, where it is to have one and that brings the pictures at its seam nearer.

    They are the last picture of the clip before and the first of its own, which show the same. Raises `VideoError`.
    """
    grades: dict[int, Grade] = {}
    for number, piece in enumerate(film.pieces):
        if piece.grade == "off" or not number:
            continue
        reference, frame = _last(film, number - 1), next(FilmFrames(film).of_clip(number, 0), None)
        if reference is None or frame is None:
            continue
        if piece.grade == "chain" and number - 1 in grades:
            reference = grades[number - 1].of(reference)
        grade = matched(reference, frame)
        if grade is not None:
            grades[number] = grade
    return grades


def _last(film: Film, number: int) -> av.VideoFrame | None:
    piece = film.pieces[number]
    begin = piece.clip.frames - 1 if is_plain(piece, film) else 0
    last = deque(FilmFrames(film).of_clip(number, begin), 1)
    return last[0] if last else None
