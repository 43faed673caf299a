"""A dataset for each day of a lake: `s3://lake/date=2026-11-01/prompts.csv` and so on, any fsspec path or URL.

    python pipelines/daily.py --lake s3://lake --root s3://videos --start 2026-11-01 --stop 2026-11-08
    luigi --module pipelines.daily RangeDaily --of VideosOfDay --start 2026-11-01 --stop 2026-11-08 \\
        --of-params '{"lake": "s3://lake", "root": "s3://videos"}' --local-scheduler

`RangeDaily` is Luigi's own: it looks which days are there and asks for the others. Run it every night; a day that is
done is not read again, and a night that was missed is made up for.
"""

import argparse
import datetime
import sys

import luigi
from luigi.tools.range import RangeDaily

from minimax_tasks import FsspecTarget, Settings, VideoDataset, build


class PromptsOfDay(luigi.ExternalTask):
    """The table of a day, which somebody else writes."""

    date = luigi.DateParameter()
    lake = luigi.Parameter(description="folder with a folder for each day, any fsspec path or URL")

    def output(self) -> FsspecTarget:
        """The table."""
        return FsspecTarget(f"{self.lake}/date={self.date:%Y-%m-%d}/prompts.csv")


class VideosOfDay(luigi.Task):
    """The dataset of a day: its videos, and a mark that it was delivered."""

    date = luigi.DateParameter()
    lake = luigi.Parameter(description="folder with a folder for each day, any fsspec path or URL")
    root = luigi.Parameter(default="", description="where the files go, any fsspec URL (setting root)")

    def requires(self) -> VideoDataset:
        """The dataset, whose table is the day's: Luigi waits until it is there."""
        table = PromptsOfDay(date=self.date, lake=self.lake)
        return VideoDataset(table=table, root=self.root, name=f"prompts-{self.date:%Y-%m-%d}")

    def output(self) -> FsspecTarget:
        """The mark. `RangeDaily` lists the folder of marks and asks no day that has one."""
        root = self.root or Settings.load().root
        return FsspecTarget(f"{root}/days/{self.date:%Y-%m-%d}.txt")

    def run(self) -> None:
        """Say how many rows the day has."""
        with self.input().open() as metadata:
            rows = sum(1 for _ in metadata)
        with self.output().open("w") as out:
            out.write(f"{rows} rows\n")


def main() -> int:
    """Make the days that the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description="A dataset for each day of a lake.")
    parser.add_argument("--lake", required=True, help="folder with a folder for each day, any fsspec URL")
    parser.add_argument("--root", default="", help="where the files go, any fsspec URL (setting root)")
    parser.add_argument("--start", required=True, type=datetime.date.fromisoformat, help="first day")
    parser.add_argument(
        "--stop", required=True, type=datetime.date.fromisoformat, help="first day that is not"
    )
    options = parser.parse_args()
    days = RangeDaily(
        of=VideosOfDay,
        of_params={"lake": options.lake, "root": options.root},
        start=options.start,
        stop=options.stop,
        days_back=100_000,
    )
    if not build([days]):
        return 1
    for day in days.requires():
        with day.output().open() as mark:
            print(f"{day.date}: {day.requires().folder} ({mark.read().strip()})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
