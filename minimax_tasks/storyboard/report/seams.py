"""How well a shot of a film goes on from the one before, measured on the frames that meet there."""

import io
from collections.abc import Mapping
from fractions import Fraction

from PIL import Image

from minimax_tasks.clips.frames import LENGTH_TOLERANCE
from minimax_tasks.errors import VideoError
from minimax_tasks.storyboard.edit import Edit
from minimax_tasks.storyboard.report.previews import ClipPreviews, seam_picture
from minimax_tasks.video.colour import frame_of, picture_of
from minimax_tasks.video.frames import frame_at
from minimax_tasks.video.grade import Grade
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.seam import Seam, measure_seam


def film_seam(
    edit: Edit,
    number: int,
    previews: Mapping[str, ClipPreviews],
    clips: Mapping[str, str],
    grades: Mapping[int, Grade],
) -> Seam | None:
    """How the cut with this number goes on from the one before, in the colours that the film has.

    None where it is not to go on from it, or where a clip is missing or has no such frame. `clips` has local paths
    by key.
    """
    if not number or not edit.cuts[number].join.repeats_frame:
        return None
    before, cut = edit.cuts[number - 1], edit.cuts[number]
    one, two = previews.get(before.clip), previews.get(cut.clip)
    if one is None or two is None:
        return None
    try:
        last = _last(edit, number - 1, one, clips)
        first = _first(edit, number, two, clips)
    except VideoError:
        return None
    return measure_seam(_graded(last, grades.get(number - 1)), _graded(first, grades.get(number)))


def _last(edit: Edit, number: int, seen: ClipPreviews, clips: Mapping[str, str]) -> bytes:
    """What a cut shows last. Decoding is for a cut that ends before its clip does."""
    cut = edit.cuts[number]
    if cut.source_out > Fraction(seen.seconds) - _near(edit):
        return seen.seam_last
    return seam_picture(frame_at(clips[cut.clip], max(0.0, float(edit.last_shown(cut)))))


def _first(edit: Edit, number: int, seen: ClipPreviews, clips: Mapping[str, str]) -> bytes:
    """What a cut shows first. Of a frame that both clips have, the film shows one: they are compared."""
    cut = edit.cuts[number]
    if cut.drops_repeated_frame or cut.source_in < _near(edit):
        return seen.seam_first
    return seam_picture(frame_at(clips[cut.clip], float(cut.source_in)))


def _near(edit: Edit) -> Fraction:
    """Seconds that make no other frame; lengths that were not measured are not exact."""
    return 1 / (2 * edit.rate) if edit.rate else max(Fraction(LENGTH_TOLERANCE), 1 / (2 * DEFAULT_FPS))


def _graded(picture: bytes, grade: Grade | None) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    if grade is None:
        return image
    even = image.resize((image.width + image.width % 2, image.height + image.height % 2))
    return picture_of(grade.of(frame_of(even)), "ITU709")
