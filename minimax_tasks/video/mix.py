"""The sound of a film, mixed from the sound of its clips: decoded, placed, faded, added up."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

from minimax_tasks.video.rates import nearest
from minimax_tasks.video.samples import Filters, Samples
from minimax_tasks.video.sound_layout import BLOCK, sound_stream
from minimax_tasks.video.source import opened

FILM_RATE = 48_000
"""Samples a second of a film whose sound is mixed: what broadcast and every editing program use."""

SEAM = Fraction(5, 1000)
"""Seconds in which sound fades at a cut: too short to be heard as a fade, and long enough not to click."""

DUCK_RAMP = Fraction(3, 10)
"""Seconds in which sound makes way for a voice, and comes back."""

_RUN_UP = 1
"""Seconds that are decoded before the part that is heard, since coded sound depends on what came before."""

_DRIFT = Fraction(1, 50)
"""Seconds by which the times in a file may differ from its count of samples before the times are believed."""


@dataclass(frozen=True)
class PlacedSound:
    """A part of a file's sound in its place in a film. Times are seconds.

    The part from `source_in` on is heard from `starts_at` to `ends_at`; it fades in and out there. `offset` is
    the time of the file that counts as its 0, without one that of its first sample: an MP3 begins after the samples
    that its encoder put in front. `volume` multiplies it: 1 leaves it as it is. It is played `speed` times as fast, at
    the same pitch. While one of `ducks` (from, to) is heard, it is `ducked` times as loud.
    """

    path: str
    starts_at: Fraction
    ends_at: Fraction
    source_in: Fraction = Fraction(0)
    offset: Fraction | None = None
    fade_in: Fraction = SEAM
    fade_out: Fraction = SEAM
    volume: float = 1.0
    speed: Fraction = Fraction(1)
    ducks: tuple[tuple[Fraction, Fraction], ...] = ()
    ducked: float = 1.0


def mixed(sounds: Sequence[PlacedSound], seconds: Fraction, rate: int = FILM_RATE) -> Iterator[Samples]:
    """The sum of the sounds over a film of `seconds`, in stereo, block by block; the last may be shorter.

    Where much is heard at once it may go over 1. Only what is heard in a block is open. Raises `VideoError`.
    """
    total = nearest(seconds * rate)
    coming = sorted(sounds, key=lambda sound: sound.starts_at, reverse=True)
    heard: list[_Heard] = []
    for begin in range(0, total, BLOCK):
        end = min(begin + BLOCK, total)
        while coming and nearest(coming[-1].starts_at * rate) < end:
            heard.append(_Heard(coming.pop(), rate))
        block = np.zeros((2, end - begin), np.float32)
        for one in heard:
            one.add_to(block, begin)
        for one in [one for one in heard if one.end <= end]:
            one.close()
            heard.remove(one)
        yield block


class _Heard:
    """A placed sound while it is heard; places are samples of the film."""

    def __init__(self, sound: PlacedSound, rate: int) -> None:
        self._sound = sound
        self.begin, self.end = nearest(sound.starts_at * rate), nearest(sound.ends_at * rate)
        self._fade_in, self._fade_out = nearest(sound.fade_in * rate), nearest(sound.fade_out * rate)
        self._ducks = [(nearest(begins * rate), nearest(ends * rate)) for begins, ends in sound.ducks]
        self._ramp = nearest(DUCK_RAMP * rate)
        self._decoded = _decoded(sound, rate)
        self._shift = self.begin - nearest(sound.source_in / sound.speed * rate)
        self._held: tuple[int, Samples] | None = None

    def add_to(self, block: Samples, begin: int) -> None:
        """Add what is heard from the place `begin` on."""
        start, stop = max(begin, self.begin), min(begin + block.shape[1], self.end)
        at = start
        while at < stop:
            if self._held is None:
                found = next(self._decoded, None)
                if found is None:
                    return
                self._held = (found[0] + self._shift, found[1])
            place, samples = self._held
            ends = place + samples.shape[1]
            if ends <= at:
                self._held = None
                continue
            at = max(at, place)
            if at >= stop:
                return
            until = min(stop, ends)
            places = np.arange(at, until)
            gain = faded(places, self.begin, self.end, self._fade_in, self._fade_out)
            for quiet_from, quiet_to in self._ducks:
                gain *= _ducked(places, quiet_from, quiet_to, self._ramp, self._sound.ducked)
            part = samples[:, at - place : until - place]
            block[:, at - begin : until - begin] += part * (gain * self._sound.volume).astype(np.float32)
            at = until

    def close(self) -> None:
        """Close the file."""
        self._decoded.close()


def faded(places: npt.NDArray[Any], begin: int, end: int, fade_in: int, fade_out: int) -> npt.NDArray[Any]:
    """The gain at each of some places in a row of a sound from `begin` to `end`.

    Two sounds that cross have equal power.
    """
    gain = np.ones(len(places))
    # Sines of what is faded only: most of a sound is not.
    if fade_in and len(places):
        part = slice(0, max(0, begin + fade_in - int(places[0])))
        gain[part] *= np.sin(np.clip((places[part] - begin + 0.5) / fade_in, 0, 1) * (np.pi / 2))
    if fade_out and len(places):
        part = slice(max(0, end - fade_out - int(places[0])), None)
        gain[part] *= np.sin(np.clip((end - places[part] - 0.5) / fade_out, 0, 1) * (np.pi / 2))
    return gain


def _ducked(places: npt.NDArray[Any], begins: int, ends: int, ramp: int, to: float) -> npt.NDArray[Any]:
    """The gain at each place under something that is heard from `begins` to `ends`: down before it, up after it."""
    depth = np.clip(np.minimum(places - (begins - ramp), ends + ramp - places) / ramp, 0, 1)
    return np.asarray(1 - depth * (1 - to))


def _decoded(sound: PlacedSound, rate: int) -> Generator[tuple[int, Samples], None, None]:
    """The sound of a file as stereo at `rate`, with the place of each part; 0 is the file's `offset`."""
    with opened(sound.path) as container:
        stream = sound_stream(container)
        if stream is None:
            return
        offset = _begins(stream) if sound.offset is None else sound.offset
        if sound.source_in > _RUN_UP:
            container.seek(int((sound.source_in + offset - _RUN_UP) * av.time_base))
        # FFmpeg would make mono quieter to spread it over two channels; a player does not.
        layout = "mono" if stream.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        retime = _retimed(sound.speed, rate, layout) if sound.speed != 1 else None
        begins: int | None = None
        place: int | None = None
        for frame in chain(container.decode(stream), (None,)):
            stated = None if frame is None else _stated(frame, offset, sound.speed, rate)
            begins = stated if begins is None else begins
            parts = resampler.resample(frame)
            for part in parts if retime is None else retime.of(parts, ends=frame is None):
                found = part.to_ndarray().astype(np.float32, copy=False)
                samples = np.broadcast_to(found, (2, found.shape[1]))
                if place is None:
                    place = begins or 0
                elif retime is None and stated is not None and abs(stated - place) > _DRIFT * rate:
                    place = stated
                yield place, samples
                place += samples.shape[1]


def _retimed(speed: Fraction, rate: int, layout: str) -> Filters:
    """What plays sound at another speed and the same pitch."""
    tempos = [("atempo", f"{float(factor):.6f}") for factor in _tempos(speed)]
    # `atempo` gives the channels interleaved.
    return Filters(rate, layout, *tempos, ("aformat", "sample_fmts=fltp"))


def _tempos(speed: Fraction) -> Iterator[Fraction]:
    """The speed as factors that one filter takes: half as fast at least, twice as fast at most."""
    while not Fraction(1, 2) <= speed <= 2:
        factor = Fraction(1, 2) if speed < 1 else Fraction(2)
        yield factor
        speed /= factor
    yield speed


def _begins(stream: AudioStream) -> Fraction:
    """The time of the first sample of a stream that is heard."""
    return (stream.start_time or 0) * (stream.time_base or Fraction(0))


def _stated(frame: av.AudioFrame, offset: Fraction, speed: Fraction, rate: int) -> int | None:
    """Where a frame belongs, by the times of its file."""
    if frame.pts is None or frame.time_base is None:
        return None
    return nearest((frame.pts * frame.time_base - offset) / speed * rate)
