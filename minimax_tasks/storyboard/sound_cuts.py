"""Where beds and voices lie in a film: their places, made from the cuts of its clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from minimax_tasks.storyboard.board_sound import USUAL_LOUDNESS, Bed
from minimax_tasks.storyboard.plan import Plan

if TYPE_CHECKING:
    from minimax_tasks.storyboard.edit import Cut


@dataclass(frozen=True)
class SoundCut:
    """A part of a sound file in its place in the film. Times are seconds; `volume` multiplies.

    `name` is the file as the board names it, `track` "bed" or "voice", `shot` the shot that a voice belongs to. While
    one of `ducks` is heard (from, to), it is `ducked` times as loud. Where a bed is repeated, a part `follows` the one
    before and `goes_on` in the next: sample after sample, where its file is a loop.
    """

    track: str
    name: str
    starts_at: Fraction
    ends_at: Fraction
    source_in: Fraction = Fraction(0)
    fade_in: Fraction = Fraction(0)
    fade_out: Fraction = Fraction(0)
    volume: float = 1.0
    ducks: tuple[tuple[Fraction, Fraction], ...] = ()
    ducked: float = 1.0
    shot: str = ""
    follows: bool = False
    goes_on: bool = False


def lay_sounds(plan: Plan, cuts: "Sequence[Cut]") -> tuple[SoundCut, ...]:
    """The beds and voices of a plan, over the cuts of its film. What lies behind the film's end is cut off there."""
    if not cuts:
        return ()
    end = cuts[-1].ends_at
    voices = [voice for voice in _voices(plan, cuts) if voice.starts_at < end]
    voices = [_until(voice, end) for voice in voices]
    spoken = tuple((voice.starts_at, voice.ends_at) for voice in voices)
    beds = [
        part
        for bed in (plan.board.audio.beds if plan.board.audio else ())
        for part in _bed(bed, plan, cuts, end, spoken)
    ]
    return (*beds, *voices)


def wanted_loudness(plan: Plan) -> float | None:
    """LUFS to which the film is levelled; None when it is left as it is: without beds and voices, unless asked."""
    audio = plan.board.audio
    wish = audio.loudness if audio else None
    if wish == "off":
        return None
    if wish is not None:
        return float(wish)
    has_more = bool(audio and audio.beds) or any(shot.shot.voice for shot in plan.shown)
    return USUAL_LOUDNESS if has_more else None


def _voices(plan: Plan, cuts: "Sequence[Cut]") -> Iterator[SoundCut]:
    for cut in cuts:
        for voice in plan.by_id[cut.shot].shot.voice:
            file = plan.sounds.get(voice.file)
            if file is not None:
                starts_at = cut.starts_at + _seconds(voice.at)
                yield SoundCut(
                    "voice",
                    voice.file,
                    starts_at,
                    starts_at + _seconds(file.seconds),
                    volume=_factor(voice.gain),
                    shot=cut.shot,
                )


def _bed(
    bed: Bed,
    plan: Plan,
    cuts: "Sequence[Cut]",
    end: Fraction,
    spoken: tuple[tuple[Fraction, Fraction], ...],
) -> Iterator[SoundCut]:
    """A bed, as often as it is repeated."""
    file = plan.sounds.get(bed.file)
    begins = _place(bed.from_, cuts, Fraction(0), ends=False)
    until = min(_place(bed.to, cuts, end, ends=True), end)
    if file is None or begins >= until:
        return
    length, source_in = _seconds(file.seconds), _seconds(bed.start)
    fade_in, fade_out = _seconds(bed.fade_in), _seconds(bed.fade_out)
    at = begins
    while at < until and source_in < length:
        ends_at = min(at + length - source_in, until)
        is_last = ends_at == until or not bed.loop
        yield SoundCut(
            "bed",
            bed.file,
            at,
            ends_at,
            source_in,
            fade_in if at == begins else Fraction(0),
            fade_out if is_last else Fraction(0),
            _factor(bed.gain),
            spoken if bed.duck else (),
            _factor(-bed.duck),
            follows=at > begins,
            goes_on=not is_last,
        )
        if is_last:
            return
        at, source_in = ends_at, Fraction(0)


def _place(place: str | float | None, cuts: "Sequence[Cut]", otherwise: Fraction, *, ends: bool) -> Fraction:
    """A place of the film in seconds: where a shot begins or ends, or so many seconds; `otherwise` for None.

    A shot that is not in the film, since its clip is missing, is the place where it would be.
    """
    if place is None:
        return otherwise
    if not isinstance(place, str):
        return _seconds(place)
    cut = next((cut for cut in cuts if cut.shot == place), None)
    if cut is None:
        return otherwise
    return cut.ends_at if ends else cut.starts_at


def _until(sound: SoundCut, end: Fraction) -> SoundCut:
    return replace(sound, ends_at=min(sound.ends_at, end))


def _seconds(value: float) -> Fraction:
    return Fraction(str(value))


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))
