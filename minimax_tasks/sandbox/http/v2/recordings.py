"""Reference videos and sounds, judged by their bytes as the service would (source: v2)."""

import io
from dataclasses import dataclass
from fractions import Fraction

import av

from minimax_tasks.api.catalog.models import V2_PICTURES, RecordingLimits
from minimax_tasks.sandbox.http.v2.wire import Rejected


@dataclass(frozen=True)
class Recording:
    """How long a video or a sound is, in seconds."""

    seconds: float


def judge(data: bytes, limits: RecordingLimits, field: str, *, moves: bool) -> Recording:
    """Judge a video (`moves`) or a sound. Raises `Rejected` (2013)."""
    if len(data) > limits.most_bytes * 1.05:  # whether a MB has 1,000,000 bytes is not said
        raise _wrong(field, f"file size must not exceed {limits.most_bytes // 1_000_000}MB")
    try:
        with av.open(io.BytesIO(data), "r") as container:
            kinds = set(container.format.name.split(","))
            seconds = float(Fraction(container.duration or 0, av.time_base))
            video = container.streams.video[0] if container.streams.video else None
            audio = container.streams.audio[0] if container.streams.audio else None
            size = (video.width, video.height) if video else (0, 0)
            rate = float(video.average_rate or 0) if video else 0.0
            codec = video.codec_context.name if video else ""
            sound = audio.codec_context.name if audio else ""
    except (av.FFmpegError, ValueError):
        raise _wrong(field, "file cannot be read") from None
    if not kinds & limits.containers or (moves and video is None) or (not moves and audio is None):
        raise _wrong(field, f"only support {limits.words}")
    if moves:
        _judge_pictures(size, rate, codec, sound, limits, field)
    low, high = limits.seconds
    if not low - 0.05 <= seconds <= high + 0.2:
        raise _wrong(field, f"duration must be between {low:g}s and {high:g}s")
    return Recording(seconds)


def _judge_pictures(
    size: tuple[int, int], rate: float, codec: str, sound: str, limits: RecordingLimits, field: str
) -> None:
    if codec not in limits.codecs or (sound and sound not in limits.sound_codecs):
        raise _wrong(field, "only support H.264 or H.265 video with AAC or MP3 audio")
    low, high = V2_PICTURES.aspect
    longest = V2_PICTURES.longest or max(size)
    if min(size) < V2_PICTURES.shortest or max(size) > longest:
        raise _wrong(field, f"each side must be between {V2_PICTURES.shortest}px and {longest}px")
    if not low <= size[0] / size[1] <= high:
        raise _wrong(field, f"aspect ratio must be between {low} and {high}")
    if not limits.rates[0] - 0.01 <= rate <= limits.rates[1] + 0.01:
        raise _wrong(field, f"frame rate must be between {limits.rates[0]} and {limits.rates[1]:g}")


def _wrong(field: str, why: str) -> Rejected:
    return Rejected(2013, f"invalid params, {field} {why}")
