"""From a table of requests to a dataset of videos.

    python pipelines/dataset.py --table pipelines/tables/waves.csv --root waves-output
    luigi --module pipelines.dataset TableToDataset --table pipelines/tables/waves.csv --local-scheduler

`luigi` ends with 0 although tasks failed, unless `[retcode]` in luigi.cfg says otherwise.

The first keeps many clips in flight in one process. With a key in MINIMAX_API_KEY the clips are made by
MiniMax; point MINIMAX_BASE_URL at `minimax-tasks sandbox` to draw them offline.
"""

import argparse
import json
import sys
from collections.abc import Iterator

import luigi

from minimax_tasks import ConfigurationError, FsspecTarget, MiniMaxError, TableError, VideoDataset, build

DONE, FAILED, BAD_INPUT = 0, 1, 2


class TableToDataset(luigi.WrapperTask):
    """The dataset of a table, and optionally its WebDataset tar files."""

    table = VideoDataset.table
    root = VideoDataset.root
    name = luigi.OptionalParameter(default=None, description="of the dataset; the table's own when left out")
    webdataset = luigi.BoolParameter(default=False, description="also write WebDataset tar files")

    def requires(self) -> VideoDataset:
        """The dataset."""
        return VideoDataset(table=self.table, root=self.root, name=self.name, webdataset=self.webdataset)


def main() -> int:
    """Make the dataset that the command line asks for and say where it is; returns the exit code."""
    parser = argparse.ArgumentParser(description="From a table of requests to a dataset of videos.")
    parser.add_argument("--table", required=True, help="CSV, JSONL or Parquet, any fsspec path or URL")
    parser.add_argument("--root", default="", help="where the files go, any fsspec URL (setting root)")
    parser.add_argument("--name", help="of the dataset; the table's own when left out")
    parser.add_argument("--webdataset", action="store_true", help="also write WebDataset tar files")
    options = parser.parse_args()
    try:
        pipeline = TableToDataset(
            table=options.table, root=options.root, name=options.name, webdataset=options.webdataset
        )
        dataset = pipeline.requires()
        clips = dataset.plan.clips
    except (ConfigurationError, TableError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    print(f"{len(clips)} clips, at most USD {sum(clip.request.usd or 0 for clip in clips.values()):.2f}")
    done = build([pipeline])
    if dataset.output().exists():
        print(f"dataset: {dataset.folder} ({sum(1 for _ in _rows(dataset.output()))} rows)")
    for row in _rows(FsspecTarget(f"{dataset.folder}/failed.jsonl")):
        if row["in_doubt"]:
            print(
                f"row {row['row']} may have been paid: minimax-tasks resolve {row['key']} --root {dataset.root}"
            )
    return DONE if done else FAILED


def _rows(target: FsspecTarget) -> Iterator[dict[str, object]]:
    if target.exists():
        with target.open() as file:
            yield from map(json.loads, file)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MiniMaxError as error:
        print(error, file=sys.stderr)
        sys.exit(FAILED)
