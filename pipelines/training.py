"""A training pipeline that starts from a dataset of videos: features of every clip in one NumPy file.

    python pipelines/training.py --table pipelines/tables/waves.csv --root waves-output

Put your own model where `features_of` is: everything around it stays the same. Run again after an edit of
the table, it makes the clips that are new and the features again.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import av
import luigi
import numpy as np
from numpy.typing import NDArray

from minimax_tasks import FsspecTarget, VideoDataset, build

EVERY = 6
"""Every n-th frame is used: four a second at 24 frames a second."""


class ClipFeatures(luigi.Task):
    """Mean and standard deviation of colour, and the motion, of every clip of a table's dataset.

    The arrays `mean` and `std` (clips x RGB) and `motion` (clips) are in steps of 255; `key` and `prompt`
    say which clip a line is.
    """

    table = VideoDataset.table
    root = VideoDataset.root

    def requires(self) -> VideoDataset:
        """The dataset."""
        return VideoDataset(table=self.table, root=self.root)

    def output(self) -> FsspecTarget:
        """The features, next to the dataset's folder."""
        return FsspecTarget(f"{self.requires().folder}-features.npz")

    def complete(self) -> bool:
        """Whether there are features of exactly the clips that the dataset has now."""
        if not self.requires().complete() or not self.output().exists():
            return False
        with self.output().as_local() as path, np.load(path) as found:
            return bool(found["key"].tolist() == [row["key"] for row in self._rows()])

    def run(self) -> None:
        """Decode every clip once."""
        rows = self._rows()
        features = [self._of_row(row) for row in rows]
        mean, std, motion = (np.array(column) for column in zip(*features, strict=True))
        key = np.array([row["key"] for row in rows])
        prompt = np.array([row["prompt"] or "" for row in rows])
        with self.output().open("wb") as out:
            np.savez(out, mean=mean, std=std, motion=motion, key=key, prompt=prompt)

    def _rows(self) -> list[dict[str, Any]]:
        with self.input().open() as metadata:
            return [json.loads(line) for line in metadata]

    def _of_row(self, row: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        with FsspecTarget(f"{self.requires().folder}/{row['file_name']}").as_local() as video:
            return features_of(video)


def features_of(video: Path) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Mean and standard deviation of red, green and blue, and the mean change from frame to frame."""
    frames = []
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % EVERY == 0:
                frames.append(frame.to_ndarray(format="rgb24").astype(np.float32))
    pixels = np.stack(frames)
    motion = float(np.abs(np.diff(pixels, axis=0)).mean()) if len(frames) > 1 else 0.0
    return (
        pixels.mean(axis=(0, 1, 2), dtype=np.float64),
        pixels.std(axis=(0, 1, 2), dtype=np.float64),
        motion,
    )


def main() -> int:
    """Make the features that the command line asks for and say where they are; returns the exit code."""
    parser = argparse.ArgumentParser(description="Features of every clip of a table's dataset.")
    parser.add_argument("--table", required=True, help="CSV, JSONL or Parquet, any fsspec path or URL")
    parser.add_argument("--root", default="", help="where the files go, any fsspec URL (setting root)")
    features = ClipFeatures(**vars(parser.parse_args()))
    done = build([features])
    if done:
        print(f"features: {features.output().path}")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
