"""The facts of a clip that decide whether it can be joined to others without encoding."""

from dataclasses import dataclass
from fractions import Fraction

import av.video.stream

from minimax_tasks.video.source import VideoError, name_of, opened, picture_stream

DEFAULT_FPS = Fraction(24)


@dataclass(frozen=True)
class Reel:
    """One clip on its way into a film; times are ticks of `time_base`."""

    name: str
    container: str
    codec: str
    pixels: str
    size: tuple[int, int]
    pixel_aspect: Fraction
    fps: Fraction
    time_base: Fraction
    parameters: bytes
    colours: tuple[int, int, int, int]
    frames: int
    first: int
    end: int
    lead: int
    even: bool
    plays_last_decoded_last: bool

    @property
    def seconds(self) -> Fraction:
        """The exact length."""
        return (self.end - self.first) * self.time_base

    @property
    def tick(self) -> int:
        """How long one frame is shown."""
        return (self.end - self.first) // self.frames

    def stream_facts(self) -> dict[str, object]:
        """What must be the same in two clips for their packets to stand in one stream."""
        return {
            "codec": self.codec,
            "pixel format": self.pixels,
            "size": self.size,
            "pixel aspect": self.pixel_aspect,
            "frame rate": self.fps,
            "time base": self.time_base,
            "encoder parameters": self.parameters,
            "colour tags": self.colours,
            "decoding delay": self.lead,
        }


def read_reel(path: str) -> Reel:
    """Read the index of a clip, not its pictures. Raises `VideoError`."""
    name = name_of(path)
    with opened(path) as container:
        stream = picture_stream(container)
        if stream.time_base is None:
            raise VideoError(f"{name}: its frames carry no times")
        times = []
        trimmed = False
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.pts is None or packet.dts is None:
                raise VideoError(f"{name}: its frames carry no times")
            trimmed = trimmed or packet.is_discard
            times.append((packet.pts, packet.dts, packet.duration or 0))
        if not times:
            raise VideoError(f"{name}: there is no picture in it")
        context = stream.codec_context
        first = min(pts for pts, _, _ in times)
        end = max(pts + duration for pts, _, duration in times)
        return Reel(
            name=name,
            container=container.format.name,
            codec=context.codec.canonical_name,
            pixels=stream.pix_fmt or "",
            size=(stream.width, stream.height),
            pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
            fps=_rate(stream),
            time_base=stream.time_base,
            parameters=bytes(context.extradata or b""),
            colours=(context.color_range, context.colorspace, context.color_primaries, context.color_trc),
            frames=len(times),
            first=first,
            end=end,
            lead=times[0][1] - first,
            even=not trimmed and _is_even(times, _rate(stream) * stream.time_base),
            plays_last_decoded_last=times[-1][0] == max(pts for pts, _, _ in times),
        )


def _rate(stream: av.video.stream.VideoStream) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate or DEFAULT_FPS
    return Fraction(rate.numerator, rate.denominator)


def _is_even(times: list[tuple[int, int, int]], frames_per_tick: Fraction) -> bool:
    """Whether every frame follows at the same distance, in the order of decoding and in that of showing."""
    tick = 1 / frames_per_tick
    shown = sorted(pts for pts, _, _ in times)
    decoded = [dts for _, dts, _ in times]
    return all(
        value - values[0] == number * tick
        for values in (shown, decoded)
        for number, value in enumerate(values)
    ) and all(duration == tick for _, _, duration in times)
