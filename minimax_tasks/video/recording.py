"""What a video or a sound is, by its bytes: containers, codecs, size, rate and length. Nothing is decoded."""

import io
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from minimax_tasks.errors import VideoError
from minimax_tasks.video.source import ANY_TEXT, WHOLE_FILES, reason_of

_TICK = Fraction(1, 1000)
"""Seconds: a tick of the clock that most MP4 files have."""


@dataclass(frozen=True)
class Recording:
    """The facts of a recording. `containers` and codecs are FFmpeg's words, "" and 0 where there is no such stream.

    Of a sound alone, `seconds` are to the sample those that are heard, without what its encoder put in front.
    """

    containers: frozenset[str]
    seconds: float
    width: int
    height: int
    fps: float
    codec: str
    sound_codec: str

    @property
    def has_pictures(self) -> bool:
        """Whether it is a video."""
        return bool(self.codec)


def read_recording(data: bytes) -> Recording:
    """The facts of a recording. Raises `VideoError` for what is none."""
    try:
        with av.open(io.BytesIO(data), "r", options=WHOLE_FILES, **ANY_TEXT) as container:
            # A sound file may have a cover, which counts as a picture of no length.
            video = next((one for one in container.streams.video if one.average_rate), None)
            audio = next(iter(container.streams.audio), None)
            seconds = Fraction(container.duration or 0, av.time_base)
            return Recording(
                frozenset(container.format.name.split(",")),
                float(_heard(container, audio, seconds) if audio and not video else seconds),
                video.width if video else 0,
                video.height if video else 0,
                float(video.average_rate or 0) if video else 0.0,
                video.codec_context.name if video else "",
                audio.codec_context.name if audio else "",
            )
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"it cannot be read: {reason_of(error)}") from None


def _heard(container: InputContainer, stream: AudioStream, stated: Fraction) -> Fraction:
    """How long a sound is by its packets, unless its file says less.

    An Ogg file counts what an encoder put in front as well, packets of an MP3 what it put behind; an MP4 knows its length
    to a tick of its clock.
    """
    ends = [
        one.pts + (one.duration or 0) for one in container.demux(stream) if one.size and one.pts is not None
    ]
    packets = (max(ends, default=0) - (stream.start_time or 0)) * (stream.time_base or Fraction(0))
    return packets if 0 < packets <= stated + _TICK else stated
