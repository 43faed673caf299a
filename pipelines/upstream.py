"""A clip whose picture and prompt come from other Luigi tasks.

    python pipelines/upstream.py --picture pipelines/storyboards/stills/rocket.jpg --root upstream-output

Any task of `minimax_tasks` takes a target where it takes a picture, and can be yielded by a task once what it
starts from exists.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

import fsspec
import luigi
from PIL import Image, ImageOps

from minimax_tasks import FsspecTarget, ImageToVideo, build


class _Upstream(luigi.Task):
    """What the tasks share: the picture, and where the files go."""

    picture = ImageToVideo.first_frame_image
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


class AnimatedStill(_Upstream):
    """The clip of the still and the prompt, and a note of where it is."""

    def requires(self) -> dict[str, luigi.Task]:
        """What the clip starts from."""
        same = dict(self.param_kwargs)
        return {"still": SquareStill(**same), "prompt": PromptFromName(**same)}

    def output(self) -> FsspecTarget:
        """The note."""
        return self.beside("clip.txt")

    def run(self) -> Iterator[ImageToVideo]:
        """Ask for the clip as a dynamic dependency: its request is known only now."""
        with self.input()["prompt"].open() as file:
            prompt = file.read()
        clip = ImageToVideo(first_frame_image=self.input()["still"], prompt=prompt, root=self.root)
        yield clip
        with self.output().open("w") as out:
            out.write(f"{clip.output().path}\n")


def main() -> int:
    """Make the clip that the command line asks for and say where it is; returns the exit code."""
    parser = argparse.ArgumentParser(description="A clip whose picture and prompt come from other tasks.")
    parser.add_argument("--picture", required=True, help="any fsspec path or URL")
    parser.add_argument("--root", default="", help="where the files go, any fsspec URL (setting root)")
    task = AnimatedStill(**vars(parser.parse_args()))
    if not build([task]):
        return 1
    with task.output().open() as note:
        print(f"clip: {note.read().strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
