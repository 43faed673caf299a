"""A clip whose picture and prompt come from other Luigi tasks.

    python pipelines/upstream.py --picture pipelines/storyboards/stills/rocket.jpg --root upstream-output

A task of `minimax_tasks` takes another task where it takes a picture, a prompt, a table or a board. Luigi then sees the
whole way, and what the other task makes decides which clip it is.
"""

import argparse
import io
import sys
from pathlib import PurePosixPath

import fsspec
import luigi
from PIL import Image, ImageOps

from minimax_tasks import FsspecTarget, ImageToVideo, build


class _Upstream(luigi.Task):
    """What the tasks share: the picture, and where the files go."""

    picture = luigi.Parameter(description="any fsspec path or URL")
    root = ImageToVideo.root

    def beside(self, name: str) -> FsspecTarget:
        """A file of this pipeline, named after the picture."""
        stem = PurePosixPath(self.picture).stem
        return FsspecTarget(f"{self.root}/upstream/{stem}-{name}")


class SquareStill(_Upstream):
    """The middle of the picture, cut square: an ordinary Luigi task."""

    def output(self) -> FsspecTarget:
        """The still."""
        return self.beside("square.png")

    def run(self) -> None:
        """Cut it out."""
        with fsspec.open(self.picture, "rb") as file, Image.open(io.BytesIO(file.read())) as image:
            side = min(image.size)
            square = ImageOps.fit(image.convert("RGB"), (side, side))
        with self.output().open("wb") as out:
            square.save(out, "PNG")


class PromptFromName(_Upstream):
    """A prompt: here made from the file's name, elsewhere by a language model or a person."""

    def output(self) -> FsspecTarget:
        """The prompt."""
        return self.beside("prompt.txt")

    def run(self) -> None:
        """Write it."""
        subject = PurePosixPath(self.picture).stem.replace("-", " ").replace("_", " ")
        with self.output().open("w") as out:
            out.write(f"[Push in] The {subject} in soft morning light, nothing else moves.")


def animated_still(picture: str, root: str = "") -> ImageToVideo:
    """The clip of the still and the prompt."""
    same = {"picture": picture, "root": root}
    return ImageToVideo(first_frame_image=SquareStill(**same), prompt=PromptFromName(**same), root=root)


def main() -> int:
    """Make the clip that the command line asks for and say where it is; returns the exit code."""
    parser = argparse.ArgumentParser(description="A clip whose picture and prompt come from other tasks.")
    parser.add_argument("--picture", required=True, help="any fsspec path or URL")
    parser.add_argument("--root", default="", help="where the files go, any fsspec URL (setting root)")
    clip = animated_still(**vars(parser.parse_args()))
    if not build([clip]):
        return 1
    print(f"clip: {clip.output().path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
