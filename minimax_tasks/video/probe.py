"""What a video file contains, and whether it is complete."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.container
import av.error
import av.stream
import av.video.stream

from minimax_tasks.errors import VideoError
from minimax_tasks.video.damage import is_damaged, length_size, length_size_of, unit_headers
from minimax_tasks.video.plain_mp4 import PlainMp4, read_plain_mp4
from minimax_tasks.video.sound_layout import sound_stream
from minimax_tasks.video.source import Source, opened, reason_of
from minimax_tasks.video.turn import UPRIGHT, Turn, read_turn, turn_of

__all__ = ["CODECS", "Level", "Probe", "VideoError", "probe"]

Level = Literal["header", "packets", "keyframes", "decode"]

_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
"""What FFmpeg calls the container."""

CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
"""Codecs that count as video: FFmpeg would also open a PNG that is called clip.mp4."""

READ_WHOLE = 2**25
"""Bytes of a file that is taken into memory to be looked at; clips have a few million."""

_STANDS_FOR_ITSELF = frozenset(header for header in range(0x80) if header & 31 == 5)
"""First bytes of a unit of H.264 with a piece of a key frame (ITU-T H.264, 7.3.1 and table 7-1)."""

MAX_PROBLEMS = 5
"""A broken file shows the same fault many times; the first few are enough to recognise it."""


@dataclass(frozen=True)
class Probe:
    """The facts of a video file; `seconds` is the pictures' length, `problems` is empty for a good file.

    `width` and `height` are those of the stored pictures, `turn` says how they are to be shown; `fps` is
    the average.
    """

    container: str = ""
    codec: str = ""
    pix_fmt: str = ""
    width: int = 0
    height: int = 0
    fps: Fraction | None = None
    frames: int = 0
    seconds: float = 0.0
    audio: bool = False
    audio_rate: int = 0
    audio_channels: int = 0
    """Samples a second and channels of its sound, 0 where there is none."""
    turn: Turn = UPRIGHT
    problems: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    """The problems that are about the container and the codec, and not about the pictures."""

    @property
    def is_whole(self) -> bool:
        """Whether it is a good video, even if its container or codec is not the expected one."""
        return self.frames > 0 and set(self.problems) <= set(self.unexpected)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the file, as far as the level of the probe can tell."""
        return not self.problems

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the pictures as they are shown."""
        return self.turn.size(self.width, self.height)


def probe(source: Source, level: Level = "packets") -> Probe:
    """Judge a file; never raises for a bad one.

    `header` reads the index alone and believes it. `packets` (a few milliseconds) reads every packet and
    finds a file that is cut off. `keyframes` looks into every packet and decodes those that stand for
    themselves, which finds most damage; `decode` decodes every picture.
    """
    if isinstance(source, str | Path) and not os.path.isfile(source):
        return Probe(problems=("there is no such file",))
    if level == "keyframes" and (good := _good_plain_clip(source)):
        return good
    found, tally = Probe(), _Tally()
    try:
        with opened(source) as container:
            found = _read_header(container)
            if level != "header" and container.streams.video:
                found = _read_all(container, found, level, tally)
    except VideoError as error:
        cause = error.__cause__
        reason = reason_of(cause) if isinstance(cause, Exception) else str(error)
        found = replace(found, problems=(*found.problems, f"not a readable video: {reason}"))
    if not found.codec:
        return found
    return replace(found, turn=read_turn(source) if tally.turn is None else tally.turn)


def _good_plain_clip(source: Source) -> Probe | None:
    """What `keyframes` says of a good MP4 as services write them, in a third of the time. None for all others."""
    if not isinstance(source, str | Path):
        return None
    with open(source, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size > READ_WHOLE:
            return None
        data = file.read()
    found = read_plain_mp4(data)
    if found is None:
        return None
    units, keys = length_size_of("h264", found.avc), frozenset(found.keyframes)
    for number, (begin, end) in enumerate(found.packets):
        headers = unit_headers(data, units, begin, end)
        # One that says of itself that it stands for itself is taken for a key frame by FFmpeg, whatever the index says.
        if not headers or not (number in keys or _STANDS_FOR_ITSELF.isdisjoint(headers)):
            return None
    count, shapes = 0, set()
    try:
        # One after the other: those of a large video are many megabytes.
        for picture in _decoded(data, found):
            if picture.is_corrupt:
                return None
            count += 1
            shapes.add((picture.width, picture.height, picture.format.name))
    except (av.error.FFmpegError, ValueError):
        return None
    if count != len(found.keyframes) or len(shapes) != 1:
        return None
    width, height, pix_fmt = shapes.pop()
    if (width, height) != (found.width, found.height):
        return None
    return Probe(
        container=_MP4,
        codec="h264",
        pix_fmt=pix_fmt,
        width=width,
        height=height,
        fps=found.fps,
        frames=len(found.packets),
        seconds=found.seconds,
    )


def _decoded(data: bytes, clip: PlainMp4) -> Iterator[av.VideoFrame]:
    """The pictures that stand for themselves."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.video.codeccontext.VideoCodecContext)
    decoder.extradata = clip.avc
    decoder.thread_count = 1
    decoder.options = {"skip_loop_filter": "all"}  # nobody looks at them
    for number in clip.keyframes:
        yield from decoder.decode(av.Packet(data[slice(*clip.packets[number])]))
    yield from decoder.decode(None)


def _read_header(container: av.container.InputContainer) -> Probe:
    name = container.format.name
    if not container.streams.video:
        return Probe(container=name, problems=("there is no video stream",))
    stream = container.streams.video[0]
    context = (
        stream.codec_context
    )  # None for a codec that nobody knows, and then the stream has no size either
    codec = context.codec.canonical_name if context else "unknown"
    seconds = stream.duration * stream.time_base if stream.duration and stream.time_base else Fraction(0)
    problems = []
    if not {"mov", "mp4"} & set(name.split(",")):
        problems.append(f"the container is {name}, not mp4")
    if codec not in CODECS:
        problems.append(f"the codec is {codec}, not one of {', '.join(sorted(CODECS))}")
    unexpected = tuple(problems)
    if context and not (context.width and context.height):
        problems.append("the picture has no size")
    sound = sound_stream(container)
    return Probe(
        container=name,
        codec=codec,
        pix_fmt=(context and context.pix_fmt) or "",
        width=context.width if context else 0,
        height=context.height if context else 0,
        fps=stream.average_rate,
        frames=stream.frames,
        seconds=float(seconds),
        audio=bool(container.streams.audio),
        audio_rate=sound.rate if sound else 0,
        audio_channels=sound.channels if sound else 0,
        problems=tuple(problems),
        unexpected=unexpected,
    )


@dataclass
class _Tally:
    """Counts up to the end of the file or the first error."""

    count: int = 0
    first: int | None = None
    end: int = 0
    turn: Turn | None = None
    """That of the first picture that was decoded, if any was."""

    def add(self, pts: int | None, duration: int | None) -> None:
        self.count += 1
        if pts is None:
            return
        self.first = pts if self.first is None else min(self.first, pts)
        self.end = max(self.end, pts + (duration or 0))


def _read_all(container: av.container.InputContainer, header: Probe, level: Level, tally: _Tally) -> Probe:
    stream = container.streams.video[0]
    walk = {"packets": _packet_problems, "keyframes": _keyframe_problems}.get(level, _frame_problems)
    problems: list[str] = []
    try:
        for problem in walk(container, stream, tally):
            if len(problems) < MAX_PROBLEMS:
                problems.append(problem)
    except av.error.FFmpegError as error:
        problems.append(f"unreadable after {tally.count} frames: {reason_of(error)}")
    if tally.count == 0:
        problems.append("there is no picture in it")
    elif header.frames and tally.count != header.frames:
        problems.append(f"the header promises {header.frames} frames, the file has {tally.count}")
    seconds = header.seconds
    if tally.first is not None and stream.time_base:
        seconds = float((tally.end - tally.first) * stream.time_base)
    return replace(header, frames=tally.count, seconds=seconds, problems=(*header.problems, *problems))


def _packet_problems(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, tally: _Tally
) -> Iterator[str]:
    yield from _order_problems(container.demux(stream), tally)


def _order_problems(packets: "Iterable[av.Packet[Any]]", tally: _Tally) -> Iterator[str]:
    dts_before: int | None = None
    for packet in packets:
        if not packet.size:
            continue
        tally.add(packet.pts, packet.duration)
        if packet.is_corrupt:
            yield f"packet {tally.count} is cut off"
        if packet.dts is not None and dts_before is not None and packet.dts <= dts_before:
            yield f"packet {tally.count} is out of order"
        dts_before = packet.dts


def _keyframe_problems(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, tally: _Tally
) -> Iterator[str]:
    units = length_size(stream)
    if stream.codec_context:
        stream.codec_context.skip_frame = "NONKEY"
        stream.codec_context.thread_count = 1  # for a few pictures threads cost more than they bring

    def looked_at() -> Iterator["av.Packet[Any]"]:
        """Every packet, on its way to the checks of its order; what is wrong inside goes to `found`."""
        for packet in container.demux():
            own = packet.stream.index == stream.index
            judged = own or _is_coded_sound(packet.stream)
            if judged and packet.size and is_damaged(bytes(packet), units if own else 0):
                found.append(f"packet {tally.count + 1} is damaged")
            if own and stream.codec_context and (packet.is_keyframe or not packet.size):
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        tally.turn = turn_of(frame) if tally.turn is None else tally.turn
                        if frame.is_corrupt:
                            found.append(f"frame {tally.count + 1} is damaged")
            if own:
                yield packet

    found: list[str] = []
    for problem in _order_problems(looked_at(), tally):
        yield problem
        yield from found
        found.clear()
    yield from found


def _is_coded_sound(stream: av.stream.Stream) -> bool:
    """Whether zeros alone are damage: a pause between subtitles and silence in PCM are written so, too."""
    context = stream.codec_context if stream.type == "audio" else None
    return context is not None and not context.codec.canonical_name.startswith("pcm_")


def _frame_problems(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, tally: _Tally
) -> Iterator[str]:
    stream.thread_type = "AUTO"
    for frame in container.decode(stream):
        tally.add(frame.pts, frame.duration)
        tally.turn = turn_of(frame) if tally.turn is None else tally.turn
        if frame.is_corrupt:
            yield f"frame {tally.count} is damaged"
