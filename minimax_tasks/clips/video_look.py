"""A look through a video that came, as what another process can do and tell (`storage.disk_work`).

Nothing is imported before it is called: where another process does it, this one never loads FFmpeg.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VideoLook:
    """What a video is; `problems` is empty for a good one."""

    width: int
    height: int
    frames: int
    seconds: float
    fps: float | None
    codec: str
    audio_rate: int
    audio_channels: int
    problems: tuple[str, ...] = ()
    is_whole: bool = True
    """Whether it is a good video, even if its container or codec is not the expected one."""
    extension: str = ""
    """The ending of a name that fits what is in the file, of one with problems; "" for what is certainly no video."""


def look_through(path: str) -> VideoLook:
    """Look into every packet of a video file and decode its key frames; never raises for a bad one."""
    from minimax_tasks.video.probe import probe
    from minimax_tasks.video.wrapping import extension_of

    found = probe(path, "keyframes")
    return VideoLook(
        width=found.width,
        height=found.height,
        frames=found.frames,
        seconds=found.seconds,
        fps=float(found.fps) if found.fps else None,
        codec=found.codec,
        audio_rate=found.audio_rate,
        audio_channels=found.audio_channels,
        problems=found.problems,
        is_whole=found.is_whole,
        extension="" if found.ok else extension_of(Path(path)),
    )
