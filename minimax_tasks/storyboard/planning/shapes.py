"""The shapes of a board's pictures through the whole chain: what is cropped, and what gets black bars.

A clip has the shape of the picture that it starts from, its last frame is cropped to that shape, and a shot
that continues from such an end starts on the same crop. A clip from text alone is always 16:9.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from minimax_tasks.api.catalog.models import find_model_mode, picture_limits
from minimax_tasks.api.picture_shapes import cropped_size, judge_crop, same_shape
from minimax_tasks.clips.pictures import different_shapes
from minimax_tasks.errors import PictureError
from minimax_tasks.storyboard.board import Board
from minimax_tasks.storyboard.plan import Source
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.sources import Material
from minimax_tasks.video.shape import Shape, Size, called, is_alike, with_lines

FROM_TEXT: Size = (16, 9)
"""The shape of a clip that is made from words alone; there is no parameter for another."""


def decide_crops(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Decide which first frames are cropped, and judge what is left of last frames that are."""
    shapes = _Shapes(drafts)
    for draft in drafts:
        draft.crop = shapes.crop(draft)
    for draft in drafts:
        if draft.first is None or draft.last is None:
            continue
        own, whole = shapes.size(draft.last), shapes.size(draft.first)
        if own is None or whole is None:
            continue
        first = cropped_size(whole, draft.crop) if draft.crop else whole
        try:
            left = judge_crop(
                own, first, field="to", name=draft.last.full, limits=picture_limits(draft.model)
            )
        except PictureError as error:
            problems.wrong(draft, "to", f"to = {draft.last.full}: {error.why}; allowed: {error.allowed}")
            continue
        if left != own:
            lost = 1 - left[0] * left[1] / (own[0] * own[1])
            draft.warnings.append(f"{different_shapes(first, own)}; {lost:.0%} of it is lost")


def shapes_of(drafts: Drafts) -> dict[str, Size]:
    """Id of a shot -> the shape of its clip, of those of which it is known before anything is made."""
    known = _Shapes(drafts)
    return {draft.shot.id: shape for draft in drafts if (shape := known.shape(draft))}


def judge_shapes(drafts: Drafts, board: Board, problems: BoardProblems) -> None:
    """A shot that its model cannot make in the shape of the film needs a word on how it is to fill it."""
    wanted = board.shape.aspect
    if wanted is None or (board.picture and board.picture.fill):
        return
    shapes = shapes_of(drafts)
    for draft in drafts:
        shape = shapes.get(draft.shot.id)
        is_of_text = draft.first is None and not draft.is_own
        if (
            shape is None
            or is_alike(Fraction(*shape), wanted)
            or not is_of_text
            or not _is_always_wide(draft)
        ):
            continue
        own = called(Fraction(*shape))
        problems.wrong(
            draft,
            "id",
            f"the film is {called(wanted)}, and {draft.model} makes a clip from words alone in {own}; start it `from` a "
            f"picture of {called(wanted)}, use MiniMax-H3, or say with `picture: {{fill: …}}` how such clips fill the "
            "film: crop, blur or bars",
        )


def unlike_film(shapes: Mapping[str, Size], film: Shape) -> Iterator[str]:
    """What is said about shots that have another shape than the film is asked to have; a line for each shape."""
    if film.aspect is None:
        return
    groups: dict[str, list[str]] = {}
    lost: dict[str, Fraction] = {}
    for shot, size in shapes.items():
        own = Fraction(*size)
        if not is_alike(own, film.aspect):
            groups.setdefault(called(own), []).append(shot)
            lost[called(own)] = 1 - min(own / film.aspect, film.aspect / own)
    for name, shots in groups.items():
        one = len(shots) == 1
        becomes = {
            "crop": f"{'It is' if one else 'They are'} cropped: {float(lost[name]):.0%} of the picture is lost; `crop` "
            "in a shot says what is kept",
            "blur": f"{'It stands' if one else 'They stand'} on a blurred copy of the picture",
            "bars": f"{'It gets' if one else 'They get'} black bars; `fill` in `picture` has others",
        }
        yield (
            f"{len(shots)} shot{' is' if one else 's are'} {name} in a film of {called(film.aspect)}: {' '.join(shots)}. "
            f"{becomes[film.fill]}"
        )


def with_bars(drafts: Drafts) -> Iterator[str]:
    """What is said about shots that are of another shape than most, in one line for all of them."""
    known = _Shapes(drafts)
    shapes = [(draft, shape) for draft in drafts if (shape := known.shape(draft))]
    if not shapes:
        return
    shots = Counter(shape for _, shape in shapes)
    usual = max(shots, key=lambda one: sum(shots[other] for other in shots if same_shape(one, other)))
    odd = [draft for draft, shape in shapes if not same_shape(shape, usual)]
    if not odd:
        return
    one, of_text = len(odd) == 1, [draft for draft in odd if draft.first is None and not draft.is_own]
    warning = (
        f"{len(odd)} shot{' is' if one else 's are'} not {aspect(usual)} as most are: {_ids(odd)}. In the film "
        f"{'it gets' if one else 'they get'} black bars"
    )
    if len(of_text) < len(odd):
        warning += (
            f"; to fill the screen, crop the pictures to {aspect(usual)} (`fit` does not: it only crops what the "
            "service would refuse)"
        )
    yield warning
    if of_text and all(_is_always_wide(draft) for draft in of_text):
        yield (
            f"{_ids(of_text)}: text-to-video is always 16:9. To fill a film of {aspect(usual)}, start from a picture "
            f"of {aspect(usual)}"
        )


def usual_shape(drafts: Drafts) -> Size:
    """The shape that most shots have, in small whole numbers, by those that do not take the film's; 16:9 when unknown."""
    known = _Shapes(drafts, without_drawn=True)
    shots = Counter(aspect(shape) for draft in drafts if (shape := known.shape(draft)))
    if not shots:
        return FROM_TEXT
    wide, high = (Fraction(side) for side in shots.most_common(1)[0][0].split(":"))
    return (wide / high).as_integer_ratio()


class _Shapes:
    """Sizes and shapes of the shots of a board, as far as they can be known before anything is made."""

    def __init__(self, drafts: Drafts, *, without_drawn: bool = False) -> None:
        self._by_id = drafts.by_id
        self._without_drawn = without_drawn
        self._known: dict[str, Size | None] = {}

    def shape(self, draft: ShotDraft) -> Size | None:
        """The shape of a shot's clip: the size of the picture from which it comes in the end, as it is cropped.

        None when that is not known: of a picture on the web, of a subject, or in a circle.
        """
        if draft.shot.id not in self._known:
            self._known[draft.shot.id] = None  # the answer within a circle
            self._known[draft.shot.id] = self._shape(draft)
        return self._known[draft.shot.id]

    def crop(self, draft: ShotDraft) -> Size | None:
        """The shape to which a first frame is cropped, being the end of another shot; None when it is whole."""
        if draft.first is None or not draft.first.end_of:
            return None
        own, wanted = self._own(draft.first), self.shape(self._by_id[draft.first.end_of])
        return None if own is None or wanted is None or same_shape(own, wanted) else wanted

    def size(self, source: Source) -> Size | None:
        """The size of a picture, whole; that of a frame is the size that its clip is asked to have."""
        other = self._by_id.get(source.shot)
        if other is None or source.own is not None or source.clip:
            return self._own(source)
        shape = self.shape(other)
        # Sides of clips are even numbers (source: 1366 x 768 of three recorded answers).
        return with_lines(shape, other.lines) if shape and other.lines else None

    def _shape(self, draft: ShotDraft) -> Size | None:
        if draft.is_own:
            return draft.own.shape if draft.own else None
        if draft.shot.video_template:
            return None
        if draft.first is None:
            row = find_model_mode(draft.model, draft.mode)
            if row is not None and row.ratios and not draft.is_framed:
                return _size_of(draft.ratio or "")
            return None if draft.shot.subject or draft.shot.from_ or draft.shot.references else FROM_TEXT
        own = self._own(draft.first)
        crop = self.crop(draft)
        return cropped_size(own, crop) if own and crop else own

    def _own(self, source: Source) -> Size | None:
        """The shape of a picture, whole."""
        if source.own is not None:
            is_drawn = source.own.shape is None
            return None if is_drawn and self._without_drawn else source.own.frame_size
        if source.clip:
            return source.size
        if source.still is not None:
            return (source.still.width, source.still.height) if source.still.width else None
        other = self._by_id.get(source.shot)  # there is none of a picture that cannot be used
        return self.shape(other) if other else None


def aspect(size: Size) -> str:
    """A shape as people call it: `16:9`, or `2.39:1`."""
    return called(Fraction(*size))


def _is_always_wide(draft: ShotDraft) -> bool:
    row = find_model_mode(draft.model, draft.mode)
    return row is None or not row.ratios


def _size_of(ratio: str) -> Size | None:
    wide, _, high = ratio.partition(":")
    return (int(wide), int(high)) if wide.isdecimal() and high.isdecimal() and int(high) else None


def _ids(drafts: Sequence[ShotDraft]) -> str:
    return " ".join(draft.shot.id for draft in drafts)
