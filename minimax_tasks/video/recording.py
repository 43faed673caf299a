"""What a video or a sound is, by its bytes: containers, codecs, size, rate and length. Nothing is decoded."""

import io
from dataclasses import dataclass
from fractions import Fraction

import av

from minimax_tasks.errors import VideoError
from minimax_tasks.video.source import ANY_TEXT, WHOLE_FILES, reason_of


@dataclass(frozen=True)
class Recording:
    """The facts of a recording. `containers` and codecs are FFmpeg's words, "" and 0 where there is no such stream."""

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
            return Recording(
                frozenset(container.format.name.split(",")),
                float(Fraction(container.duration or 0, av.time_base)),
                video.width if video else 0,
                video.height if video else 0,
                float(video.average_rate or 0) if video else 0.0,
                video.codec_context.name if video else "",
                audio.codec_context.name if audio else "",
            )
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"it cannot be read: {reason_of(error)}") from None
