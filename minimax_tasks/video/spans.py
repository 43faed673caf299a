"""Which parts of a film are copied and which are encoded: as much is copied as plays exactly as it is.

A part of a clip is copied packet by packet where the film shows it as it is: no transition, speed or hold, and from a
packet that can be decoded on its own. What lies between is encoded, in a way that fits the copied packets: the same
size, colour, profile and delay, and parameter sets with a number that is free in theirs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minimax_tasks.video.colour import BT709, UNTAGGED, untagged_matrix
from minimax_tasks.video.encode import LIMITED_RANGE
from minimax_tasks.video.h264 import PROFILES, ParameterSets, read_parameter_sets
from minimax_tasks.video.overlays import uncovered
from minimax_tasks.video.pieces import Film, Piece
from minimax_tasks.video.shape import Size
from minimax_tasks.video.stream_layout import StreamLayout
from minimax_tasks.video.turn import UPRIGHT

_LENGTH_SIZE = 4
"""Bytes of the lengths in the packets of everyone who writes MP4s."""


@dataclass(frozen=True)
class Span:
    """A part of a film, from frame `begins` to before frame `ends`. It is encoded unless it is `copied`."""

    begins: int
    ends: int
    copied: "Copied | None" = None


@dataclass(frozen=True)
class Copied:
    """The packets of the piece `number` from `first` to before `last`. Its clip's frame 0 would be frame `at`."""

    number: int
    first: int
    last: int
    at: int


@dataclass(frozen=True)
class Spans:
    """All parts of a film in order; `model` is a clip like all those that are copied, None where none is.

    `reasons` says what has to be encoded, and why.
    """

    spans: tuple[Span, ...]
    model: StreamLayout | None
    reasons: tuple[str, ...]

    @property
    def copied(self) -> int:
        """How many frames are copied."""
        return sum(span.ends - span.begins for span in self.spans if span.copied)


def spans_of(film: Film) -> Spans:
    """What is copied of a film, and what is encoded."""
    why = [_why_whole(film, number) for number in range(len(film.pieces))]
    model = _model(film, why)
    if model is None:
        whole = tuple(_with_words(film, number, reason) for number, reason in enumerate(why) if reason)
        return Spans((Span(0, film.frames),), None, whole)
    facts = model.stream_facts()
    for number, piece in enumerate(film.pieces):
        own = piece.clip.stream_facts()
        differing = [fact for fact, value in own.items() if value != facts[fact]]
        if differing and not why[number]:
            like = next(at for at, other in enumerate(film.pieces) if other.clip is model)
            why[number] = f"{film.name(number)} differs from {film.name(like)} in {', '.join(differing)}"
    copies = [one for number, reason in enumerate(why) if not reason for one in _copied(film, number, why)]
    spans = tuple(_with_the_rest(copies, film.frames))
    reasons = [
        _with_words(film, number, reason) if reason else _why_in_part(film, number, why)
        for number, reason in enumerate(why)
    ]
    told = tuple(filter(None, reasons))
    if all(span.copied for span in spans):
        return Spans(spans, model, ())
    if unlike := _why_not_like(model):
        return Spans((Span(0, film.frames),), None, (*told, f"nothing is copied beside that: {unlike}"))
    return Spans(spans, model, told) if copies else Spans(spans, None, told)


def _why_whole(film: Film, number: int) -> str:
    """Why nothing of a piece can be copied; empty when something may be."""
    piece, name = film.pieces[number], film.name(number)
    clip = piece.clip
    if piece.speed != 1:
        return f"{name} is shown at another speed"
    if number in film.grades:
        return f"the colours of {name} are matched to those of {film.name(number - 1)}"
    if clip.codec != "h264" or clip.pixels != "yuv420p":
        return f"{name} is {clip.codec} {clip.pixels}, which not every browser plays"
    if "mp4" not in clip.container.split(","):
        return f"{name} is not an MP4"
    if not clip.even:
        return f"{name} does not have a constant frame rate"
    if not piece.crop.is_whole:
        return f"{name} is cropped"
    if film.shape.is_asked and clip.size != film.size:
        return f"{name} is {_pixels(clip.size)}, and the film {_pixels(film.size)}"
    return ""


def _pixels(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _model(film: Film, why: list[str]) -> StreamLayout | None:
    """A clip like most of those of which something may be copied, in frames; None where there is none."""
    alike: Counter[tuple[object, ...]] = Counter()
    first: dict[tuple[object, ...], StreamLayout] = {}
    for piece, reason in zip(film.pieces, why, strict=True):
        if not reason and piece.clip.fps == film.fps and piece.clip.size == film.size:
            facts = tuple(piece.clip.stream_facts().values())
            first.setdefault(facts, piece.clip)
            alike[facts] += piece.frames
    return first[max(alike, key=lambda facts: alike[facts])] if alike else None


def _copied(film: Film, number: int, why: Sequence[str]) -> Iterator[Span]:
    """The parts of a piece that are copied: what no words lie over, as far as a file can be cut there."""
    piece, skipped = film.pieces[number], film.skipped(number)
    at = piece.starts_at - skipped
    begins = piece.starts_at + piece.overlap
    ends = piece.starts_at + piece.moving - film.overlap(number + 1)
    if _borrows(film, number, why):
        begins -= 1
    if number + 1 < len(film.pieces) and _borrows(film, number + 1, why):
        ends = min(ends, film.pieces[number + 1].starts_at - 1)
    for start, end in uncovered(film.overlays, begins, ends):
        first, last = piece.clip.part(start - at, min(end - at, piece.clip.frames))
        if first < last:
            yield Span(at + first, at + last, Copied(number, first, last, at))


def _borrows(film: Film, number: int, why: Sequence[str]) -> bool:
    """Whether a piece is shown from its first frame on, in the place of the last of the piece before.

    Both show the same; a clip can be copied from its beginning, and the one before most often ends as well one frame
    earlier. A last frame that is part of a transition is not the piece's own, and stays.
    """
    if number == 0 or why[number] or not film.pieces[number].drops_first:
        return False
    before = film.pieces[number - 1]
    return before.frames > max(1, before.overlap)


def _with_the_rest(copies: list[Span], frames: int) -> Iterator[Span]:
    at = 0
    for one in copies:
        if at < one.begins:
            yield Span(at, one.begins)
        yield one
        at = one.ends
    if at < frames:
        yield Span(at, frames)


def _why_in_part(film: Film, number: int, why: Sequence[str]) -> str:
    """Why a piece of which something is copied is not copied as a whole; empty when it is."""
    piece, name = film.pieces[number], film.name(number)
    if piece.overlap:
        return _with_words(film, number, f"{name} begins with a {piece.transition}")
    if piece.hold:
        return _with_words(film, number, f"the last frame of {name} is held")
    if words := words_over(film, number):
        return f"{words} over {name}"
    copied = next(_copied(film, number, why), None)
    begins = piece.starts_at - _borrows(film, number, why)
    if copied is None or copied.begins > begins:
        what = "the frame that {0} repeats cannot be taken out" if piece.drops_first else "{0} is trimmed"
        return what.format(name) + " where its file cannot be cut without decoding"
    following = number + 1 < len(film.pieces)
    ends = piece.starts_at + piece.frames - film.overlap(number + 1)
    if following and _borrows(film, number + 1, why):
        ends -= 1
        if copied.ends < ends:
            return f"the frame that {film.name(number + 1)} repeats cannot be taken out without decoding"
    if film.overlap(number + 1):
        return ""  # the transition into the next one says it
    return "" if copied.ends == ends else f"{name} ends where its file cannot be cut without decoding"


def _with_words(film: Film, number: int, reason: str) -> str:
    """A reason that a piece cannot be copied, with the other one that it may have."""
    words = words_over(film, number)
    return f"{reason}; {words} over {film.name(number)}" if words else reason


def words_over(film: Film, number: int) -> str:
    """What words lie over a piece, in words for people; empty when none do."""
    piece = film.pieces[number]
    ends = piece.starts_at + piece.frames
    over = (one.name for one in film.overlays if one.begins < ends and one.ends > piece.starts_at)
    return " and ".join(dict.fromkeys(over))


def _why_not_like(model: StreamLayout) -> str:
    """Why nothing can be encoded that fits copied packets of a clip; empty when it can."""
    sets = read_parameter_sets(model.parameters)
    span, space, *_ = model.colours
    is_709 = space == BT709 or (space in UNTAGGED and untagged_matrix(model.size[1]) == "ITU709")
    if not is_709 or span not in (0, LIMITED_RANGE):
        return "its colours are not those of BT.709"
    if model.pixel_aspect != 1 or model.turn != UPRIGHT or any(side % 2 for side in model.size):
        return "its pictures are turned or stretched when they are shown"
    if not fits_encoder(sets):
        return "its encoder is not known well enough to go on from it"
    return ""


def fits_encoder(sets: ParameterSets | None) -> bool:
    """Whether pictures that are encoded here can stand beside such as have these parameter sets."""
    return (
        sets is not None
        and sets.profile in PROFILES
        and sets.length_size == _LENGTH_SIZE
        and sets.free_number() is not None
    )


def is_plain(piece: Piece, film: Film) -> bool:
    """Whether the frames of a piece are those of its clip, one by one."""
    clip = piece.clip
    return piece.speed == 1 and clip.even and clip.fps == film.fps and "mp4" in clip.container.split(",")
