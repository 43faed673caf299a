"""The cut of a film: an edit decision list, made once and read by everything that shows or writes the film.

The film, its manifest and its report, the table of the plan, the checks of a board and the exported timeline
all take lengths and starts from here; none of them works one out. Times are exact fractions of a second. Where
the lengths were measured, the film's frame rate is known and every time is a whole number of its frames; where
they are what was asked for, no rate is known yet, and a frame that is dropped at a seam takes no time.

Whatever is decided about the cut and not about the clips becomes a field of `Cut`: a trim is another
`source_in` and `source_out`, a speed the ratio of the source's length to the length in the film; titles,
sound and captions are placed by `starts_at` and `ends_at`. None of them changes a clip or what it costs.
`lay_out` reads them from the shot itself, and `Edit.pieces` says what the join has to do for them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from minimax_tasks.clips.frames import LENGTH_TOLERANCE
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.board_picture import read_crop
from minimax_tasks.storyboard.plan import Join, Plan, PlannedShot
from minimax_tasks.storyboard.sound_cuts import SoundCut, lay_sounds, wanted_loudness
from minimax_tasks.storyboard.title_cuts import TitleCut, lay_titles
from minimax_tasks.storyboard.trims import read_trim
from minimax_tasks.video.rates import DEFAULT_FPS, nearest
from minimax_tasks.video.shape import AS_CLIPS, CENTRE, Crop, Shape, called, is_alike

if TYPE_CHECKING:
    from minimax_tasks.video.join import Piece
    from minimax_tasks.video.stream_layout import StreamLayout

_FIRST = Join("")


@dataclass(frozen=True)
class ClipLength:
    """How long a clip is, in seconds; of one that was measured also its frame rate and its number of frames."""

    seconds: Fraction
    fps: Fraction | None = None
    frames: int = 0


@dataclass(frozen=True)
class CutSource:
    """A clip that is to be placed: which take of which shot it is, its length, and how it joins the one before."""

    shot: Shot
    join: Join
    length: ClipLength
    take: int = 1
    clip: str = ""
    is_slate: bool = False
    volume: float = 1.0
    reshaped: str = ""
    grade: str = "off"
    words: str = ""
    """What is written into its picture."""


@dataclass(frozen=True)
class Cut:
    """One clip in its place in the film. Times are seconds.

    `source_in` and `source_out` say which part of the clip is shown, `starts_at` where that part starts in the
    film. It is shown `speed` times as fast as it was made, and its last frame stays for `hold`. For `overlap` it
    is mixed with the clip before it; that time belongs to both. `join` says how it follows the clip before. With
    `drops_repeated_frame` its first frame, which shows the last frame of the clip before once more, is left out.
    `is_slate` marks a card in the place of a clip that is missing. `volume` is that of its sound, `crop` what is kept
    of its picture where the film has another shape. At a seam where it goes on from the last picture of the clip
    before, `grade` says to what its colours are matched, "match" or "chain", and `eased` frames are left out on either
    side. `words` is what is written into its picture: `title`, `captions`.
    """

    shot: str
    take: int
    clip: str
    source_in: Fraction
    source_out: Fraction
    starts_at: Fraction
    join: Join
    overlap: Fraction
    drops_repeated_frame: bool
    is_slate: bool
    speed: Fraction = Fraction(1)
    hold: Fraction = Fraction(0)
    volume: float = 1.0
    crop: Crop = CENTRE
    reshaped: str = ""
    """How its picture is brought to the film's shape, in words; empty where it has that, or where it is not known."""
    grade: str = "off"
    eased: int = 0
    words: str = ""

    @property
    def length(self) -> Fraction:
        """How long it is on screen, including the overlaps at both ends."""
        return (self.source_out - self.source_in) / self.speed + self.hold

    @property
    def reencodes(self) -> str:
        """All about it that makes encoding necessary; empty when nothing does."""
        reasons = (
            self.join.label if self.overlap else "",
            f"speed {float(self.speed):g}" if self.speed != 1 else "",
            f"hold {float(self.hold):g} s" if self.hold else "",
            self.reshaped,
            f"ease {self.eased}" if self.eased else "",
            self.words,
        )
        if any(reasons):
            return " and ".join(filter(None, reasons))
        return "its trimmed beginning" if self.source_in and not self.drops_repeated_frame else ""

    @property
    def ends_at(self) -> Fraction:
        """Where it ends in the film: the clip after it may have started by then."""
        return self.starts_at + self.length


@dataclass(frozen=True)
class CrowdedCut:
    """A cut that is too short for the transitions at its two ends.

    `at` is its number in the edit, `needed` what they take together in seconds, `longer` the number of the cut
    that begins with the longer one.
    """

    at: int
    needed: Fraction
    longer: int


@dataclass(frozen=True)
class Edit:
    """The cuts of a film in order. `rate` is its frames per second, None while the clips are not measured."""

    cuts: tuple[Cut, ...]
    rate: Fraction | None
    sounds: tuple[SoundCut, ...] = ()
    shape: Shape = AS_CLIPS
    """The shape that the film is asked to have, and how clips of another one fill it."""
    loudness: float | None = None
    """LUFS to which the sound of the film is levelled; None for as it is."""
    titles: tuple[TitleCut, ...] = ()

    @property
    def seconds(self) -> Fraction:
        """How long the film is."""
        return self.cuts[-1].ends_at if self.cuts else Fraction(0)

    def frames(self, seconds: Fraction) -> int:
        """A time of this edit in frames of the film; of one without a rate, at 24 frames per second."""
        return nearest(seconds * (self.rate or DEFAULT_FPS))

    def last_shown(self, cut: Cut) -> Fraction:
        """The time in its clip of the frame that a cut shows last."""
        return cut.source_out - cut.speed / (self.rate or DEFAULT_FPS)

    def crowded(self) -> Iterator[CrowdedCut]:
        """The cuts that the film cannot have, in order."""
        overlaps = [*(cut.overlap for cut in self.cuts), Fraction(0)]
        for number, cut in enumerate(self.cuts):
            needed = overlaps[number] + overlaps[number + 1]
            if needed > cut.length:
                longer = number if overlaps[number] >= overlaps[number + 1] else number + 1
                yield CrowdedCut(number, needed, longer)

    def pieces(self, clips: "Sequence[StreamLayout]") -> "list[Piece]":
        """What the join has to do: a piece for each cut, of the clip in the same place of `clips`."""
        from minimax_tasks.video.join import Piece

        return [
            Piece(
                clip,
                starts_at=self.frames(cut.starts_at),
                frames=self.frames(cut.length),
                title=f"Shot {cut.shot}",
                transition=cut.join.kind if cut.overlap else "cut",
                overlap=self.frames(cut.overlap),
                drops_first=cut.drops_repeated_frame,
                source_in=cut.source_in,
                speed=cut.speed,
                hold=self.frames(cut.hold),
                volume=cut.volume,
                crop=cut.crop,
                grade=cut.grade,
            )
            for clip, cut in zip(clips, self.cuts, strict=True)
        ]

    def problem(self) -> str:
        """Why the film cannot be cut like this, in words for people; empty when it can."""
        crowded = next(self.crowded(), None)
        if crowded:
            return self._crowded_words(crowded)
        empty = next((cut for cut in self.cuts if cut.length <= 0), None)
        return f"Shot {empty.shot}: no frame of it is left" if empty else ""

    def _crowded_words(self, crowded: CrowdedCut) -> str:
        cut, longer = self.cuts[crowded.at], self.cuts[crowded.longer]
        return (
            f"Shot {cut.shot}: it has {float(cut.length):.2f} s, but its transitions take "
            f"{float(crowded.needed):.2f} s; shorten the {longer.join.kind} into Shot {longer.shot}"
        )


def asked_lengths(plan: Plan) -> dict[str, ClipLength]:
    """Clip key -> the length that is asked for, of the takes that go into the film; that of own clips is known."""
    return {shot.key: ClipLength(shot.seconds) for shot in plan.shots}


def make_edit(plan: Plan, lengths: Mapping[str, ClipLength], *, slates: bool = False) -> Edit:
    """The edit of a plan; `lengths` has those of the clips by key, either asked for or measured.

    A shot whose clip has no length is left out, and the next one then follows nothing. With `slates` a card
    as long as the clip was asked to be takes its place. A shot that the board skips is left out too, and the
    next one then follows the one before.
    """
    sources: list[CutSource] = []
    follows = False
    for shot in plan.shown:
        length = lengths.get(shot.key)
        if length is not None or slates:
            join = shot.join if follows else _FIRST
            sources.append(
                CutSource(
                    shot.shot,
                    join,
                    length or ClipLength(shot.seconds),
                    shot.take,
                    shot.key,
                    length is None,
                    volume=_volume(shot.shot.sound, plan.board.defaults.sound),
                    reshaped=_reshaped(plan.shape, shot),
                    grade=shot.shot.grade or plan.board.grade,
                    words=_words(plan, shot.shot),
                )
            )
        follows = length is not None or slates
    measured = [length for length in (lengths.get(source.clip) for source in sources) if length is not None]
    edit = lay_out(sources, film_rate(measured) or (DEFAULT_FPS if slates else None))
    return replace(
        edit,
        sounds=lay_sounds(plan, edit.cuts),
        shape=plan.shape,
        loudness=wanted_loudness(plan),
        titles=lay_titles(plan, edit.cuts),
    )


def _reshaped(shape: Shape, shot: PlannedShot) -> str:
    """What has to be done to the picture of a shot for the film to have its shape."""
    if not read_crop(shot.shot.crop).is_whole:
        return "crop"
    if shape.size is not None:
        return f"size {shape.size[0]}x{shape.size[1]}"
    if shape.aspect is None or shot.shape is None or is_alike(Fraction(*shot.shape), shape.aspect):
        return ""
    return f"{shape.fill} to {called(shape.aspect)} from {called(Fraction(*shot.shape))}"


def _words(plan: Plan, shot: Shot) -> str:
    """What is written into the picture of a shot. A card is drawn with its title."""
    title = "title" if any(not one.is_card for one in shot.title) else ""
    captions = "captions" if plan.burnt is not None and shot.dialogue else ""
    return " and ".join(filter(None, (title, captions)))


def _volume(*wishes: str | float | None) -> float:
    """The volume that the first wish asks for which is one."""
    wish = next((wish for wish in wishes if wish is not None), "keep")
    return {"keep": 1.0, "drop": 0.0}[wish] if isinstance(wish, str) else float(wish)


def film_rate(lengths: Sequence[ClipLength]) -> Fraction | None:
    """The frame rate of a film: that of most clips, of two such rates the one that most frames have.

    None when no clip is measured.
    """
    clips: Counter[Fraction] = Counter()
    frames: Counter[Fraction] = Counter()
    for length in lengths:
        if length.fps is not None:
            clips[length.fps] += 1
            frames[length.fps] += length.frames
    return max(clips, key=lambda fps: (clips[fps], frames[fps]), default=None)


def lay_out(sources: Sequence[CutSource], rate: Fraction | None) -> Edit:
    """Place clips one after the other, on whole frames of `rate` when that is given.

    A clip of another rate keeps its length to the nearest frame, and has one frame at least. A clip that continues
    another begins with the frame on which that one ends; what either of them is trimmed of shows no frame twice.
    There, `ease` leaves frames out on either side, with their sound: a movement comes to rest in the last frames of a
    clip and starts again in the next one, and in those frames it hesitates.
    """
    cuts: list[Cut] = []
    ends_whole = True
    for source in sources:
        before = cuts[-1] if cuts else None
        begin, end = (Fraction(0), source.length.seconds)
        speed, hold = Fraction(1), Fraction(0)
        if not source.is_slate:
            shot = source.shot
            trim = read_trim(shot.trim)
            begin, end = trim.of(source.length.seconds)
            if rate is not None and trim.just_misses(source.length.seconds, Fraction(LENGTH_TOLERANCE)):
                begin = max(min(begin, source.length.seconds - 1 / rate), Fraction(0))
                end = begin + 1 / rate
            speed, hold = Fraction(str(shot.speed or 1)), _on_frames(Fraction(str(shot.hold or 0)), rate)
        overlap = Fraction(0) if before is None else _on_frames(Fraction(str(source.join.seconds)), rate)
        drops = (
            before is not None
            and source.join.repeats_frame
            and not overlap
            and not (before.is_slate or source.is_slate)
            and not begin
            and ends_whole
        )
        ends_whole = end == source.length.seconds
        eased = 0
        if rate is not None:
            shown = max(1, nearest((end - begin) / speed * rate)) if end > begin else 0
            begin = nearest(begin / speed * rate) * speed / rate
            end = begin + shown * speed / rate
            if drops:
                begin += speed / rate
        if drops and before is not None and source.shot.ease:
            each = 1 / (rate or DEFAULT_FPS)
            eased = _eased(source.shot.ease, before, end - begin, speed, each)
            begin += eased * speed * each
            before = cuts[-1] = replace(before, source_out=before.source_out - eased * before.speed * each)
        seam, drops = drops, drops and not eased
        cuts.append(
            Cut(
                source.shot.id,
                source.take,
                source.clip,
                source_in=begin,
                source_out=end,
                starts_at=before.ends_at - overlap if before else Fraction(0),
                join=source.join,
                overlap=overlap,
                drops_repeated_frame=drops,
                is_slate=source.is_slate,
                speed=speed,
                hold=hold,
                volume=source.volume,
                crop=CENTRE if source.is_slate else read_crop(source.shot.crop),
                reshaped=source.reshaped,
                grade=source.grade if seam else "off",
                eased=eased,
                words="" if source.is_slate else source.words,
            )
        )
    return Edit(tuple(cuts), rate)


def _eased(wish: int, before: Cut, length: Fraction, speed: Fraction, each: Fraction) -> int:
    """How many frames are left out on either side of a seam: at least one of each clip stays. A held frame is meant."""
    if before.hold:
        return 0
    shortest = min((before.source_out - before.source_in) / before.speed, length / speed)
    return max(0, min(wish, nearest(shortest / each) - 1))


def _on_frames(seconds: Fraction, rate: Fraction | None) -> Fraction:
    return seconds if rate is None else round(seconds * rate) / rate
