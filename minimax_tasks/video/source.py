"""Opening a video for reading, from a path or from a file object."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import av
import av.container
import av.error
import av.video.stream

from minimax_tasks.errors import VideoError

Source = str | Path | IO[bytes]
"""A local path, or a binary file that can seek; a file is rewound before it is read."""


WHOLE_FILES = {
    "format_whitelist": "mov,matroska,avi,flv,ogg,mpeg,mpegts,mpegvideo,asf,mxf,nut,ivf,obu,dv,gif,m4v,h264,hevc,mjpeg,"
    "wav,w64,mp3,aac,flac,aiff,caf,au,amr,ac3,eac3,png_pipe,jpeg_pipe,webp_pipe"
}
"""What FFmpeg may take a file for: a recording that is all in the file. Playlists (`concat`, HLS, DASH, SDP) are
texts that have FFmpeg open other files, and addresses."""

ANY_TEXT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Titles and comments in a file that are no UTF-8 are read all the same. From PyAV 19 on they always are, and it is no
longer said."""


@contextmanager
def opened(
    source: Source, *, packets_only: bool = False, undecoded: bool = False
) -> Iterator[av.container.InputContainer]:
    """The open container. Raises `VideoError` for whatever goes wrong while it is open.

    With `packets_only` no frame is decoded to learn the pixel format, which is most of the work of opening.
    `undecoded` does without any decoder, in half the time of that: what only one would tell is not known then.
    """
    options = WHOLE_FILES
    if packets_only:
        options = options | {"skip_frame": "all"}
    if undecoded:
        options = options | {"codec_whitelist": "none"}
    try:
        with av.open(_rewound(source), "r", options=options, **ANY_TEXT) as container:
            yield container
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{name_of(source)}: {reason_of(error)}") from error


def picture_stream(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The first video stream. Raises `VideoError` when there is none."""
    if not container.streams.video:
        raise VideoError(f"{Path(container.name).name or 'the file'}: there is no video stream")
    return container.streams.video[0]


def name_of(source: Source) -> str:
    """What to call a source in a message."""
    if isinstance(source, str | Path):
        return Path(source).name
    return str(getattr(source, "name", "the video"))


def reason_of(error: Exception) -> str:
    """Why FFmpeg or the system refused, in a few words."""
    if isinstance(error, av.error.ArgumentError):
        return "it is no recording of a kind that is known"  # not one of `WHOLE_FILES`
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def _rewound(source: Source) -> str | IO[bytes]:
    if isinstance(source, str | Path):
        return str(source)
    source.seek(0)
    return source
