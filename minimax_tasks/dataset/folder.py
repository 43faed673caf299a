"""The folder of a dataset: the videos by row, `metadata.jsonl` beside them, and what failed.

`datasets.load_dataset("videofolder", data_dir=…)` loads the folder as it is. The manifest has a leading
dot, so that such loaders pass over it; it is written last and says that the rest is in step with the table.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from minimax_tasks.api.errors import MiniMaxError
from minimax_tasks.api.requests import TemplateRequest
from minimax_tasks.clips.folder import VIDEO
from minimax_tasks.dataset.columns import kind_of, write_as
from minimax_tasks.dataset.outcomes import Failure, Made, ShardResult, now, stands, work_folder
from minimax_tasks.dataset.plan import DatasetPlan, PlannedRow
from minimax_tasks.dataset.table import PICTURES
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage

METADATA, FAILED, MANIFEST = "metadata.jsonl", "failed.jsonl", ".dataset.json"

COPIERS = 8
"""Videos that are copied at the same time on remote storage."""

_OWN = (
    "prompt",
    "model",
    "resolution",
    "duration",
    "mode",
    "key",
    "task_id",
    "width",
    "height",
    "fps",
    "frames",
)
"""Columns of every dataset, after `file_name`."""

_OF_LOADERS = ("file_name", "file_names", "video", "videos")
"""Names that VideoFolder gives a meaning to."""


class Manifest(BaseModel):
    """What a dataset was made from, and what became of it."""

    model_config = ConfigDict(frozen=True)

    table: str
    digest: str
    finished_at: datetime
    rows: int
    delivered: int
    failed: dict[str, str]
    """Key of each clip that failed -> a text that changes when its files do."""
    is_over: bool
    """Whether no clip is left that another run would go on with by itself."""
    webdataset: bool

    def is_current(
        self, root: Storage, plan: DatasetPlan, *, webdataset: bool, retry_before: datetime | None
    ) -> bool:
        """Whether the dataset is what the table says now, and another run would change nothing."""
        matches = self.digest == plan.digest and self.is_over and self.webdataset >= webdataset
        return matches and stands(root, self.failed.items(), self.finished_at, retry_before)


@dataclass(frozen=True)
class Sample:
    """A row that is delivered: its video's name in the folder, where the video is now, and its metadata."""

    file_name: str
    source: str
    metadata: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the video without folder and ending."""
        return self.file_name.rpartition("/")[2].removesuffix(".mp4")


def dataset_folder(name: str) -> str:
    """Where a dataset is under its root."""
    return f"datasets/{name}"


def read_manifest(root: Storage, name: str) -> Manifest | None:
    """The manifest of a dataset, None when there is none, or no metadata."""
    folder = dataset_folder(name)
    found = root.read_json(f"{folder}/{MANIFEST}")
    return Manifest.model_validate(found) if found and root.exists(f"{folder}/{METADATA}") else None


class Delivery:
    """Makes the folder of a dataset from the results of its shards."""

    def __init__(
        self, root: Storage, plan: DatasetPlan, name: str, results: Mapping[str, ShardResult]
    ) -> None:
        """`results` is file name -> result."""
        self._root = root
        self._plan = plan
        self._folder = dataset_folder(name)
        self._work = work_folder(name)
        self._results = results
        self._made: dict[str, Made] = {}
        self._failed: dict[str, Failure] = {}
        for result in results.values():
            self._made |= result.made
            self._failed |= result.failed
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Make `make`, which runs in another thread, raise soon."""
        self._stopped.set()

    def make(self, *, export: Callable[[list[Sample]], None] | None = None) -> Manifest:
        """Bring the folder in step with the table and return its manifest.

        `export` gets the samples once the folder has them. Raises `MiniMaxError` when not a single row can
        be delivered.
        """
        samples = self._samples()
        self._copy(samples)
        self._write_lines(METADATA, (sample.metadata for sample in samples))
        if export is not None:
            export(samples)
        failed = [row for row in self._plan.rows if row.key in self._failed]
        if failed:
            self._write_lines(FAILED, map(self._failed_line, failed))
        else:
            self._root.remove(f"{self._folder}/{FAILED}")
        self._remove_stale(samples)
        manifest = Manifest(
            table=self._plan.table,
            digest=self._plan.digest,
            finished_at=now(),
            rows=len(self._plan.rows),
            delivered=len(samples),
            failed={key: failure.files for key, failure in self._failed.items()},
            is_over=bool(samples) and all(failure.over for failure in self._failed.values()),
            webdataset=export is not None,
        )
        self._root.write_json(f"{self._folder}/{MANIFEST}", manifest.model_dump(mode="json"))
        return manifest

    def _samples(self) -> list[Sample]:
        rows = [row for row in self._plan.rows if row.key in self._made]
        values = [self._metadata(row) for row in rows]
        columns = list(dict.fromkeys((*_OWN, *(name for row in values for name in row))))
        kinds = {name: kind_of(row.get(name) for row in values) for name in columns}
        return [
            Sample(
                file_name := _file_name(row),
                f"clips/{row.key}/{VIDEO}",
                {"file_name": file_name}
                | {name: write_as(row_values.get(name), kinds[name]) for name in columns},
            )
            for row, row_values in zip(rows, values, strict=True)
        ]

    def _metadata(self, planned: PlannedRow) -> dict[str, Any]:
        made = self._made[planned.key]
        own = _asked(planned) | {"key": planned.key} | made.model_dump()
        given = {
            name: _shown(name, value) for name, value in planned.row.given.items() if name != "callback_url"
        }
        carried = {_carried_name(name): value for name, value in planned.row.carried.items()}
        return own | {name: value for name, value in given.items() if name not in own} | carried

    def _failed_line(self, planned: PlannedRow) -> dict[str, Any]:
        failure = self._failed[planned.key]
        fields = {name: _shown(name, value) for name, value in planned.row.given.items()}
        return {
            "row": planned.row.number,
            "error": failure.error,
            "code": failure.code,
            "text": failure.text,
            "key": planned.key,
            "task_id": failure.task_id,
            "fields": fields | planned.row.carried,
        }

    def _write_lines(self, name: str, lines: Iterable[dict[str, Any]]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        self._root.write(f"{self._folder}/{name}", text.encode())

    def _copy(self, samples: list[Sample]) -> None:
        there = set(self._root.find(self._folder))
        missing = [sample for sample in samples if sample.file_name not in there]
        if self._root.immediate:
            for sample in missing:
                self._copy_one(sample)
            return
        with ThreadPoolExecutor(COPIERS) as copiers:
            for _ in copiers.map(self._copy_one, missing):
                pass

    def _copy_one(self, sample: Sample) -> None:
        if self._stopped.is_set():
            raise MiniMaxError("the delivery was stopped; the next run goes on with it")
        self._root.copy(sample.source, f"{self._folder}/{sample.file_name}")

    def _remove_stale(self, samples: list[Sample]) -> None:
        """Remove videos of rows that are gone, results of former shards, and results to be made anew."""
        wanted = {sample.file_name for sample in samples}
        for name in self._root.find(self._folder):
            if name.endswith(".mp4") and name not in wanted:
                self._root.remove(f"{self._folder}/{name}")
        for name in self._root.names(self._work):
            result = self._results.get(f"{self._work}/{name}")
            if result is None or not result.is_over:
                self._root.remove(f"{self._work}/{name}")


def _file_name(planned: PlannedRow) -> str:
    number = planned.row.number
    return f"data/{number // 1000:02}/{number:06}-{planned.key[:12]}.mp4"


def _asked(planned: PlannedRow) -> dict[str, Any]:
    """What was asked, defaults filled in; a template has none of it but the mode."""
    request = planned.clip.request
    asked: dict[str, Any] = {"mode": str(request.mode)}
    if isinstance(request, TemplateRequest):
        return dict.fromkeys(("prompt", "model", "resolution", "duration")) | asked
    resolution, seconds = request.size
    return asked | {
        "prompt": request.prompt,
        "model": request.model,
        "resolution": resolution,
        "duration": seconds,
    }


def _shown(name: str, value: Any) -> Any:
    """A request field without signatures of URLs, and without the bytes of pictures."""
    if name == "callback_url":
        return shown(value)
    if name not in PICTURES:
        return value
    if isinstance(value, tuple):
        return [_shown(name, one) for one in value]
    return shown(value)


def _carried_name(name: str) -> str:
    """The name of a carried column; one that has a meaning of its own here gives way."""
    taken = name in _OWN or name in _OF_LOADERS or name.endswith(("_file_name", "_file_names"))
    return f"{name}_in_table" if taken else name
