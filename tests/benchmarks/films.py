"""What the joining of clips is measured against: FFmpeg's own libraries, doing no more than they must."""

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from minimax_tasks.video.join import FILM_OPTIONS
from tests.joining import Piece, join


def concatenated(clips: Sequence[str], film: str) -> None:
    """What `ffmpeg -f concat -c copy -movflags +faststart` does."""
    names = Path(film).with_suffix(".txt")
    names.write_text("".join(f"file '{clip}'\n" for clip in clips))
    with (
        av.open(str(names), format="concat", options={"safe": "0"}) as source,
        av.open(film, "w", options={"movflags": "+faststart"}) as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)


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
                    out.mux(stream.encode(frame))
                    count += 1
        out.mux(stream.encode(None))


def joined_memory(clips: Sequence[str], count: int) -> float:
    """MB that a process has at most, which joins so many clips."""
    words = [sys.executable, "-m", "tests.benchmarks.films", str(count), *clips]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    import resource
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        clips = sys.argv[2:]
        join(f"{folder}/film.mp4", [Piece(clips[at % len(clips)]) for at in range(int(sys.argv[1]))])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
