"""One video template over a folder of pictures.

    python pipelines/campaign.py --template Rings --pictures pipelines/storyboards/stills --root campaign-output
    luigi --module pipelines.campaign Campaign --template Rings --pictures my-cats --local-scheduler

`luigi` ends with 0 although tasks failed, unless `[retcode]` in luigi.cfg says otherwise.

Right for some hundreds of pictures. For thousands, write a table with the columns `template` and `image`
and give it to `pipelines/dataset.py`.
"""

import argparse
import json
import sys

import fsspec
import luigi

from minimax_tasks import FsspecTarget, TemplateVideo, build

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


class Campaign(luigi.Task):
    """A clip for each picture of a folder, and an index that says which is which."""

    template = luigi.Parameter(description="name or id; `minimax-tasks templates` lists them")
    pictures = luigi.Parameter(description="folder of pictures, any fsspec path or URL")
    text = luigi.OptionalParameter(default=None, description="a text, for templates that take one")
    root = TemplateVideo.root

    def requires(self) -> dict[str, TemplateVideo]:
        """Picture -> its clip."""
        return {
            picture: TemplateVideo(template=self.template, image=picture, text=self.text, root=self.root)
            for picture in self._pictures()
        }

    def output(self) -> FsspecTarget:
        """The index: one JSON line for each picture."""
        name = self.template.lower().replace(" ", "-")
        return FsspecTarget(f"{self.root}/campaigns/{name}/index.jsonl")

    def complete(self) -> bool:
        """Whether the index is that of the pictures as they are now, and every clip is there."""
        if not self.output().exists() or not all(clip.complete() for clip in self.requires().values()):
            return False
        with self.output().open() as index:
            return bool(index.read() == self._index())

    def run(self) -> None:
        """Write the index."""
        with self.output().open("w") as out:
            out.write(self._index())

    def _index(self) -> str:
        lines = [
            {"picture": picture, "video": clip.output().path} for picture, clip in self.requires().items()
        ]
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)

    def _pictures(self) -> list[str]:
        fs, folder = fsspec.core.url_to_fs(self.pictures)
        names = [path.rsplit("/", 1)[-1] for path in fs.ls(folder, detail=False)]
        return [
            f"{self.pictures.rstrip('/')}/{name}" for name in sorted(names) if name.lower().endswith(ENDINGS)
        ]


def main() -> int:
    """Run the campaign that the command line asks for and say where its index is; returns the exit code."""
    parser = argparse.ArgumentParser(description="One video template over a folder of pictures.")
    parser.add_argument("--template", required=True, help="name or id; `minimax-tasks templates` lists them")
    parser.add_argument("--pictures", required=True, help="folder of pictures, any fsspec path or URL")
    parser.add_argument("--text", help="a text, for templates that take one")
    parser.add_argument("--root", default="", help="where the files go, any fsspec URL (setting root)")
    campaign = Campaign(**vars(parser.parse_args()))
    done = build([campaign])
    if done:
        print(f"index: {campaign.output().path}")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
