"""Writing H.264 MP4s that every browser plays."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.container
import av.video.stream
from av.video.frame import PictureType

from minimax_tasks.video.colour import BT709

MP4_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}
"""Index in front, so that a browser can start at once; no library version in the file, so that the same
pictures make the same bytes."""

LIMITED_RANGE = 1
MILLISECOND = Fraction(1, 1000)


ISO_639_2 = {
    "ar": "ara", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "fa": "fas",
    "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "ko": "kor", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sv": "swe",
    "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "yue": "yue", "zh": "zho",
}  # fmt: skip
"""The codes of languages as MP4 has them, by the usual ones. Source: ISO 639-2."""

_LONGEST_CUE = 2000
"""Characters of a line of subtitles."""


@dataclass(frozen=True)
class Cue:
    """A line of subtitles, from `start` to `end` in seconds."""

    start: float
    end: float
    text: str


@dataclass
class H264Writer:
    """A film that is being written: yuv420p frames of one size at a constant rate."""

    container: av.container.OutputContainer
    stream: av.video.stream.VideoStream
    fps: Fraction
    frames: int = field(default=0, init=False)

    @property
    def seconds(self) -> float:
        """The length so far."""
        return float(self.frames / self.fps)

    def write(self, frame: av.VideoFrame, *, keyframe: bool = False) -> None:
        """Append a frame; its times are set here."""
        frame.pts = self.frames
        frame.time_base = 1 / self.fps
        frame.duration = 1
        # A decoded frame remembers what type it was, and the encoder would keep to that.
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        self.frames += 1
        self.container.mux(self.stream.encode(frame))


@contextmanager
def h264_mp4(
    path: str, size: tuple[int, int], fps: Fraction, options: dict[str, str], cues: Sequence[Cue] = ()
) -> Iterator[H264Writer]:
    """Write a film to `path`: `size` in even pixels, `options` for the encoder (crf, preset, ...).

    `cues` become a subtitle track; they are not drawn into the pictures.
    """
    with av.open(path, "w", format="mp4", options=MP4_OPTIONS) as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = 1 / fps
        stream.codec_context.color_range = LIMITED_RANGE
        stream.codec_context.colorspace = BT709
        stream.codec_context.color_primaries = BT709
        stream.codec_context.color_trc = BT709
        if "threads" in options:
            stream.codec_context.thread_count = int(options["threads"])
        write_cues(container, {"": cues})
        yield H264Writer(container, stream, fps)
        container.mux(stream.encode(None))


def write_cues(container: av.container.OutputContainer, captions: Mapping[str, Sequence[Cue]]) -> None:
    """Write a track of subtitles for each language, which players show when they are asked to.

    All other tracks must be there already. A language is named as in `en` or `pt-BR`, "" for one that is not known.
    """
    tracks = []
    for language, cues in captions.items():
        if cues:
            track = container.add_mux_stream("mov_text", time_base=MILLISECOND)
            track.metadata["language"] = ISO_639_2.get(language.partition("-")[0], "und")
            tracks.append((track, cues))
    for track, cues in tracks:
        for cue in cues:
            container.mux(_packet(track, cue))


def _packet(track: Any, cue: Cue) -> "av.Packet[Any]":
    text = cue.text[:_LONGEST_CUE].encode("utf-8", "replace")
    packet: av.Packet[Any] = av.Packet(len(text).to_bytes(2, "big") + text)
    packet.stream = track
    packet.time_base = MILLISECOND
    packet.pts = packet.dts = round(cue.start / MILLISECOND)
    packet.duration = round((cue.end - cue.start) / MILLISECOND)
    return packet


def write_chapters(
    container: av.container.OutputContainer, titles: list[str], starts: list[float], seconds: float
) -> None:
    """Name the parts of a film of `seconds`; a part without a title is numbered."""
    ends = [*starts[1:], seconds]
    container.set_chapters(
        [
            {
                "id": number,
                "start": round(start / MILLISECOND),
                "end": round(end / MILLISECOND),
                "time_base": MILLISECOND,
                "metadata": {"title": title or str(number)},
            }
            for number, (title, start, end) in enumerate(zip(titles, starts, ends, strict=True), 1)
        ]
    )
