"""How loud a bed or a voice is from moment to moment, as the points between which an editing program draws lines."""

from fractions import Fraction

from minimax_tasks.storyboard.sound_cuts import SoundCut


def envelope(one: SoundCut) -> list[tuple[Fraction, float]]:
    """Seconds from the beginning of the sound -> what it is multiplied by; one point where that never changes."""
    from minimax_tasks.video.mix import DUCK_RAMP

    length = one.ends_at - one.starts_at
    ducks = [
        (
            begins - one.starts_at - DUCK_RAMP,
            begins - one.starts_at,
            ends - one.starts_at,
            ends - one.starts_at + DUCK_RAMP,
        )
        for begins, ends in one.ducks
    ]
    turns = {Fraction(0), length}
    turns |= {one.fade_in, length - one.fade_out, *(at for duck in ducks for at in duck)}
    points = [(at, _gain(one, length, ducks, at)) for at in sorted(turns) if 0 <= at <= length]
    return points if len({value for _, value in points}) > 1 else points[:1]


def _gain(
    one: SoundCut, length: Fraction, ducks: list[tuple[Fraction, Fraction, Fraction, Fraction]], at: Fraction
) -> float:
    gain = one.volume
    if one.fade_in:
        gain *= min(1.0, float(at / one.fade_in))
    if one.fade_out:
        gain *= min(1.0, float((length - at) / one.fade_out))
    for quieter, begins, _, louder in ducks:
        depth = min(at - quieter, louder - at, begins - quieter) / (begins - quieter)
        gain *= 1 - float(max(Fraction(0), depth)) * (1 - one.ducked)
    return gain
