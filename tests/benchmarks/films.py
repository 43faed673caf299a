"""What the joining of clips is measured against: FFmpeg's own libraries, doing no more than they must."""

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType

from minimax_tasks.video.join import FILM_OPTIONS
from minimax_tasks.video.samples import frame_of
from tests.joining import Piece, join


def concatenated(clips: Sequence[str], film: str) -> None:
    """What `ffmpeg -f concat -c copy -movflags +faststart` does, with all streams that the clips have."""
    names = Path(film).with_suffix(".txt")
    names.write_text("".join(f"file '{clip}'\n" for clip in clips))
    with (
        av.open(str(names), format="concat", options={"safe": "0"}) as source,
        av.open(film, "w", options={"movflags": "+faststart"}) as out,
    ):
        streams = {one.index: out.add_stream_from_template(one) for one in source.streams}
        sounds = {one.index for one in source.streams.audio}
        last: dict[int, int] = {}
        for packet in source.demux():
            if not packet.size:
                continue
            index = packet.stream.index
            if index in sounds and packet.pts is not None and packet.dts is not None:
                # Sound overlaps where clips meet; like ffmpeg, move what would come too early.
                late = max(0, last.get(index, packet.dts - 1) + 1 - packet.dts)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                last[index] = packet.dts
            packet.stream = streams[index]
            out.mux(packet)


def with_sound(clips: Sequence[str], folder: str) -> list[str]:
    """The clips with a sound in stereo at 48 kHz each, a tone with noise."""
    made = []
    for number, clip in enumerate(clips):
        made.append(f"{folder}/sound-{number}.mp4")
        noise = np.random.default_rng(number)
        with av.open(clip) as source, av.open(made[-1], "w") as out:
            pictures = out.add_stream_from_template(source.streams.video[0])
            sound = out.add_stream("aac", rate=48_000, layout="stereo")
            for packet in source.demux(source.streams.video[0]):
                if packet.size:
                    packet.stream = pictures
                    out.mux(packet)
            length = int(source.streams.video[0].frames / 24 * 48_000)
            tone = 0.3 * np.sin(np.arange(length) * (2 * np.pi * 220 * (number + 1) / 48_000))
            samples = (tone + 0.02 * noise.standard_normal((2, length))).astype(np.float32)
            out.mux(sound.encode(frame_of(samples, 48_000, 0)))
            out.mux(sound.encode(None))
    return made


def encoder_alone(clips: Sequence[str], film: str) -> None:
    """Decodes clips and encodes them with the options of a film: what no joining can do without."""
    with av.open(film, "w") as out:
        stream = out.add_stream("libx264", rate=24, options=FILM_OPTIONS)
        count = 0
        for clip in clips:
            with av.open(clip) as source:
                pictures = source.streams.video[0]
                pictures.thread_type = "AUTO"
                if not count:  # an encoder that runs keeps its size
                    stream.width, stream.height = pictures.width, pictures.height
                for frame in source.decode(pictures):
                    frame.pts, frame.time_base = count, Fraction(1, 24)
                    # Or it would be told what type the encoder of the clip chose.
                    frame.pict_type = PictureType.NONE
                    out.mux(stream.encode(frame))
                    count += 1
        out.mux(stream.encode(None))


def joined_memory(clips: Sequence[str], count: int) -> float:
    """MB that a process has at most, which joins so many clips."""
    words = [sys.executable, "-m", "tests.benchmarks.films", str(count), *clips]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    import tempfile

    from tests.benchmarks.runs import peak_mb

    with tempfile.TemporaryDirectory() as folder:
        clips = sys.argv[2:]
        join(f"{folder}/film.mp4", [Piece(clips[at % len(clips)]) for at in range(int(sys.argv[1]))])
    print(peak_mb())
