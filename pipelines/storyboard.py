"""Render a storyboard as one step of a larger Luigi pipeline.

    PYTHONPATH=. luigi --module pipelines.storyboard Premiere --board pipelines/storyboards/launch.yaml --local-scheduler

`luigi` ends with 0 although tasks failed, unless `[retcode]` in luigi.cfg says otherwise.

With a key in MINIMAX_API_KEY the clips are made by MiniMax; point MINIMAX_BASE_URL at `minimax-tasks
sandbox` to draw them offline.
"""

import json

import luigi

from minimax_tasks import FsspecTarget, RenderStoryboard


class Premiere(luigi.Task):
    """Announces a film once it is rendered: what anything after a film looks like."""

    board = RenderStoryboard.storyboard
    root = RenderStoryboard.root

    def requires(self) -> RenderStoryboard:
        """The film."""
        return RenderStoryboard(storyboard=self.board, root=self.root)

    def output(self) -> FsspecTarget:
        """The announcement, next to the film."""
        return FsspecTarget(self.input()["film"].path.replace("film.mp4", "premiere.txt"))

    def run(self) -> None:
        """Write title and running time."""
        with self.input()["manifest"].open() as file:
            manifest = json.load(file)
        with self.output().open("w") as out:
            out.write(f"{manifest['title']}: {len(manifest['shots'])} shots, {manifest['seconds']:.1f} s\n")


if __name__ == "__main__":
    luigi.run()
