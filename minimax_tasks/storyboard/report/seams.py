"""How well a shot of a film goes on from the one before, measured on the frames that meet there."""

import io
from collections.abc import Mapping
from dataclasses import replace
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
from minimax_tasks.video.seam import Seam, measure_seam, measure_step


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
        before_seam = [
            _graded(picture, grades.get(number - 1)) for picture in _last_two(edit, number - 1, one, clips)
        ]
        after_seam = [
            _graded(picture, grades.get(number)) for picture in _first_two(edit, number, two, clips)
        ]
    except VideoError:
        return None
    step = measure_step(before_seam, after_seam, repeats=cut.drops_repeated_frame)
    return replace(measure_seam(before_seam[-1], after_seam[0]), step=step)


def _last_two(edit: Edit, number: int, seen: ClipPreviews, clips: Mapping[str, str]) -> tuple[bytes, bytes]:
    """What a cut shows last, and the frame before. Decoding is for a cut that ends before its clip does."""
    cut = edit.cuts[number]
    if cut.source_out > Fraction(seen.seconds) - _near(edit):
        return seen.seam_before, seen.seam_last
    last = edit.last_shown(cut)
    before, after = (frame_at(clips[cut.clip], max(0.0, float(at))) for at in (last - _frame(edit), last))
    return seam_picture(before), seam_picture(after)


def _first_two(edit: Edit, number: int, seen: ClipPreviews, clips: Mapping[str, str]) -> tuple[bytes, bytes]:
    """What a cut shows first, and the frame after. Of a frame that both clips have, the film shows one: its two versions
    are compared, since the frames that meet differ by the movement as well.
    """
    cut = edit.cuts[number]
    if cut.drops_repeated_frame or cut.source_in < _near(edit):
        return seen.seam_first, seen.seam_second
    first, second = (frame_at(clips[cut.clip], float(cut.source_in + at)) for at in (0, _frame(edit)))
    return seam_picture(first), seam_picture(second)


def _frame(edit: Edit) -> Fraction:
    return 1 / (edit.rate or DEFAULT_FPS)


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
