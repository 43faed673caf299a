"""Clips as the second generation of the API delivers them: with sound, and with the index at the end.

A client that reads the beginning alone, or takes the pictures alone, is found out by such a file.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import av.audio.stream

from minimax_tasks.sandbox.drawing.sound import RATE
from minimax_tasks.video.encode import H264Writer
from minimax_tasks.video.samples import Samples, frame_of

_OPTIONS = {"movflags": "+use_metadata_tags", "fflags": "+bitexact"}
_MARK = {"AIGC": json.dumps({"Label": "1", "ContentProducer": "MiniMax", "ProduceID": "sandbox"})}
_BITS = 128_000


class SoundingWriter(H264Writer):
    """Frames and their sound, written side by side."""

    def __init__(
        self,
        container: av.container.OutputContainer,
        stream: av.video.stream.VideoStream,
        fps: Fraction,
        audio: av.audio.stream.AudioStream,
        sound: Samples,
    ) -> None:
        super().__init__(container, stream, fps)
        self._audio = audio
        self._sound = sound
        self._heard = 0

    def write(self, frame: av.VideoFrame, *, keyframe: bool = False) -> None:
        """Append a frame, and the sound until its end."""
        super().write(frame, keyframe=keyframe)
        self._write_sound(min(self._sound.shape[1], round(self.seconds * RATE)))

    def end(self) -> None:
        """Write what is left."""
        self._write_sound(self._sound.shape[1])
        self.container.mux(self.stream.encode(None))
        self.container.mux(self._audio.encode(None))

    def _write_sound(self, until: int) -> None:
        if until <= self._heard:
            return
        frame = frame_of(self._sound[:, self._heard : until], RATE, self._heard)
        self._heard = until
        self.container.mux(self._audio.encode(frame))


@contextmanager
def sounding_mp4(
    path: str, size: tuple[int, int], fps: Fraction, options: dict[str, str], sound: Samples
) -> Iterator[SoundingWriter]:
    """Write a clip to `path` with a stereo AAC track; `options` are the encoder's."""
    with av.open(path, "w", format="mp4", options=_OPTIONS) as container:
        container.metadata.update(_MARK)
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = 1 / fps
        if "threads" in options:
            stream.codec_context.thread_count = int(options["threads"])
        audio = container.add_stream("aac", rate=RATE, layout="stereo")
        audio.bit_rate = _BITS
        writer = SoundingWriter(container, stream, fps, audio, sound)
        yield writer
        writer.end()
