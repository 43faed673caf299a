"""How the pictures of a clip lie in its file: what decides whether it can be joined to others without encoding."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import av.video.stream

from minimax_tasks.errors import VideoError
from minimax_tasks.video.fetching import fetched
from minimax_tasks.video.h264 import begins_anew, read_parameter_sets
from minimax_tasks.video.rates import meant_rate
from minimax_tasks.video.sound_layout import SoundLayout, said_profile, sound_layout, sound_stream
from minimax_tasks.video.source import name_of, opened, picture_stream
from minimax_tasks.video.sps import PIXELS, PictureFacts, read_facts
from minimax_tasks.video.turn import UPRIGHT, Turn, turn_of
from minimax_tasks.video.upright import is_upright, may_ask_for_a_turn

_DECODERS = 4
"""Most of the time of decoding a picture is spent in FFmpeg, without the lock."""


@dataclass(frozen=True)
class StreamLayout:
    """The pictures of one clip as they lie in its file; times are ticks of `time_base`.

    `size` and `pixel_aspect` are as shown, after the `turn`. `fps` is exact for an `even` clip, and else the
    usual rate that it means. `sound` is None where there is none.
    """

    path: str
    name: str
    container: str
    codec: str
    pixels: str
    size: tuple[int, int]
    pixel_aspect: Fraction
    turn: Turn
    sound: SoundLayout | None
    fps: Fraction
    time_base: Fraction
    parameters: bytes
    colours: tuple[int, int, int, int]
    frames: int
    first: int
    end: int
    lead: int
    even: bool
    order: tuple[int, ...]
    """The place in which each packet is shown, of an even clip."""
    anew: tuple[int, ...]
    """The packets that begin anew: nothing after them looks back over them."""

    @property
    def seconds(self) -> Fraction:
        """The exact length."""
        return (self.end - self.first) * self.time_base

    @property
    def tick(self) -> int:
        """How long one frame is shown."""
        return (self.end - self.first) // self.frames

    @property
    def delay(self) -> int:
        """By how many frames a packet may be decoded before it is shown."""
        return -self.lead // self.tick

    def part(self, begin: int, end: int) -> tuple[int, int]:
        """The longest run of packets within some frames that can be decoded, and is shown, by itself.

        Both as numbers of packets and of frames from the first to behind the last; (0, 0) where there is none.
        """
        # Up to such a place as many packets lie in the file as frames are shown before it.
        places, highest = [0], -1
        for number, shown in enumerate(self.order, 1):
            highest = max(highest, shown)
            if highest < number:
                places.append(number)
        whole = {place for place in places if begin <= place <= end}
        last = max(whole, default=0)
        first = min(whole.intersection(self.anew), default=last)
        return (first, last) if first < last else (0, 0)

    def stream_facts(self) -> dict[str, object]:
        """Properties that two clips must share to be joined without encoding."""
        return {
            "codec": self.codec,
            "pixel format": self.pixels,
            "size": self.size,
            "pixel aspect": self.pixel_aspect,
            "the way up": self.turn,
            "frame rate": self.fps,
            "time base": self.time_base,
            "encoder parameters": self.parameters,
            "colour tags": self.colours,
            "decoding delay": self.lead,
        }


def read_layouts(paths: Sequence[str]) -> list[StreamLayout]:
    """The layouts of several clips; those of which a picture has to be decoded at the same time. Raises `VideoError`."""
    with ThreadPoolExecutor(_DECODERS) as decoders:
        found = [_read(path, decoding=False) or decoders.submit(_decoded, path) for path in fetched(paths)]
        return [one if isinstance(one, StreamLayout) else one.result() for one in found]


def read_layout(path: str) -> StreamLayout:
    """Read the index of a clip and, where that does not say all, the first of its pictures. Raises `VideoError`."""
    return _read(path, decoding=False) or _decoded(path)


def _decoded(path: str) -> StreamLayout:
    layout = _read(path, decoding=True)
    assert layout is not None
    return layout


def _read(path: str, *, decoding: bool) -> StreamLayout | None:
    """The layout of a clip; None where that would need decoding."""
    name = name_of(path)
    with opened(path, undecoded=not decoding) as container:
        stream = picture_stream(container)
        if stream.time_base is None:
            raise VideoError(f"{name}: its frames carry no times")
        # Frame threads would decode several pictures before giving the first.
        stream.thread_type = "SLICE"
        times: list[tuple[int, int | None, int]] = []
        anew = [0]
        sizes = _length_size(bytes(stream.codec_context.extradata or b""))
        upright = bool(sizes) and is_upright(path)
        facts = _said(stream) if upright and not decoding else None
        if facts is None and not decoding:
            return None
        shown: list[tuple[int, int]] = []
        discarded = 0
        turn: Turn | None = None
        heard = sound_stream(container)
        if heard is not None and not decoding and not said_profile(heard):
            return None
        sound_packets: list[av.Packet[Any]] = []
        for packet in container.demux(*filter(None, (stream, heard))):
            if packet.stream is heard:
                sound_packets.append(packet)
                continue
            if turn is None:
                is_plain = upright and packet.size and not may_ask_for_a_turn(bytes(packet), sizes)
                if not is_plain and not decoding:
                    return None
                turn = UPRIGHT if is_plain else _turn_in(packet)
            if not packet.size:
                continue
            if packet.is_corrupt:
                raise VideoError(f"{name}: it is cut off after {len(shown)} frames")
            if packet.pts is None:
                raise VideoError(f"{name}: its frames carry no times")
            # An edit list has the decoder take these and not show them.
            discarded += packet.is_discard
            if not packet.is_discard:
                shown.append((packet.pts, packet.duration or 0))
            if packet.is_keyframe and times and sizes and begins_anew(bytes(packet), sizes):
                anew.append(len(times))
            times.append((packet.pts, packet.dts, packet.duration or 0))
        if not shown:
            raise VideoError(f"{name}: there is no picture in it")
        turn = turn or UPRIGHT
        context = stream.codec_context
        shown.sort()
        first, (last, stays) = shown[0][0], shown[-1]
        # Not every container says how long the last frame stays.
        stays = stays or (last - shown[-2][0] if len(shown) > 1 else 0)
        stated = [_exact(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate]
        even = not discarded and bool(stated) and _is_even(times, stated[0] * stream.time_base)
        if not even and not decoding:
            return None
        places = {pts: place for place, (pts, _) in enumerate(shown)} if even else {}
        colours = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
        pixels, aspect = stream.pix_fmt or "", _exact(stream.sample_aspect_ratio or Fraction(1))
        if facts is not None:
            pixels, aspect = PIXELS, _exact(stream.sample_aspect_ratio or facts.pixel_aspect or Fraction(1))
            colours = (facts.range or colours[0], *(facts.colours or colours[1:]))
        return StreamLayout(
            path=path,
            name=name,
            container=container.format.name,
            codec=context.codec.canonical_name,
            pixels=pixels,
            size=turn.size(stream.width, stream.height),
            pixel_aspect=1 / aspect if turn.degrees % 180 else aspect,
            turn=turn,
            sound=None if heard is None else sound_layout(heard, sound_packets, first * stream.time_base),
            fps=stated[0] if even else meant_rate(stated, [pts for pts, _, _ in times], stream.time_base),
            time_base=stream.time_base,
            parameters=bytes(context.extradata or b""),
            colours=colours,
            frames=len(shown),
            first=first,
            end=last + stays,
            lead=(first if times[0][1] is None else times[0][1]) - first,
            even=even,
            order=tuple(places[pts] for pts, _, _ in times) if even else (),
            anew=tuple(anew),
        )


def _said(stream: av.video.stream.VideoStream) -> PictureFacts | None:
    """What the file says of pictures of H.264 beforehand, None where it does not say it plainly."""
    sets = read_parameter_sets(bytes(stream.codec_context.extradata or b""))
    return read_facts(sets.sps[0]) if sets and len(sets.sps) == 1 else None


def _turn_in(packet: "av.Packet[Any]") -> Turn | None:
    """What the first picture asks for, None while the decoder waits for more packets."""
    try:
        return next((turn_of(frame) for frame in packet.decode()), None)
    except av.error.FFmpegError:
        return UPRIGHT  # decoding the clip will show what is wrong with it


def _length_size(parameters: bytes) -> int:
    """Bytes of the lengths in the packets of H.264 in an MP4; 0 for anything else."""
    found = read_parameter_sets(parameters)
    return found.length_size if found else 0


def _exact(rate: Fraction) -> Fraction:
    return Fraction(rate.numerator, rate.denominator)


def _is_even(times: list[tuple[int, int | None, int]], frames_per_tick: Fraction) -> bool:
    """Whether every frame follows at the same distance, in the order of decoding and in that of showing."""
    tick = 1 / frames_per_tick
    if tick.denominator != 1:
        return len(times) == 1 and times[0][2] == tick
    step = tick.numerator
    shown = sorted(pts for pts, _, _ in times)
    # Matroska does not say when a picture that waits for others is to be decoded.
    decoded = [dts for _, dts, _ in times if dts is not None]
    return (
        len(decoded) == len(times)
        and all(
            value - values[0] == number * step
            for values in (shown, decoded)
            for number, value in enumerate(values)
        )
        and all(duration == step for _, _, duration in times)
    )
