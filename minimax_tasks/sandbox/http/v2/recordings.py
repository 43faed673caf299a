"""Reference videos and sounds, judged by their bytes as the service would (source: v2)."""

from minimax_tasks.api.catalog.models import V2_PICTURES, RecordingLimits
from minimax_tasks.errors import VideoError
from minimax_tasks.sandbox.http.v2.wire import Rejected
from minimax_tasks.video.recording import Recording, read_recording


def judge(data: bytes, limits: RecordingLimits, field: str, *, moves: bool) -> Recording:
    """Judge a video (`moves`) or a sound. Raises `Rejected` (2013)."""
    if len(data) > limits.most_bytes * 1.05:  # whether a MB has 1,000,000 bytes is not said
        raise _wrong(field, f"file size must not exceed {limits.most_bytes // 1_000_000}MB")
    try:
        found = read_recording(data)
    except VideoError:
        raise _wrong(field, "file cannot be read") from None
    if not found.containers & limits.containers or found.has_pictures != moves:
        raise _wrong(field, f"only support {limits.words}")
    if moves:
        _judge_pictures(found, limits, field)
    low, high = limits.seconds
    if not low - 0.05 <= found.seconds <= high + 0.2:
        raise _wrong(field, f"duration must be between {low:g}s and {high:g}s")
    return found


def _judge_pictures(found: Recording, limits: RecordingLimits, field: str) -> None:
    size = found.width, found.height
    if found.codec not in limits.codecs or found.sound_codec not in ("", *limits.sound_codecs):
        raise _wrong(field, "only support H.264 or H.265 video with AAC or MP3 audio")
    low, high = V2_PICTURES.aspect
    longest = V2_PICTURES.longest or max(size)
    if min(size) < V2_PICTURES.shortest or max(size) > longest:
        raise _wrong(field, f"each side must be between {V2_PICTURES.shortest}px and {longest}px")
    if not low <= size[0] / size[1] <= high:
        raise _wrong(field, f"aspect ratio must be between {low} and {high}")
    if not limits.rates[0] - 0.01 <= found.fps <= limits.rates[1] + 0.01:
        raise _wrong(field, f"frame rate must be between {limits.rates[0]} and {limits.rates[1]:g}")


def _wrong(field: str, why: str) -> Rejected:
    return Rejected(2013, f"invalid params, {field} {why}")
