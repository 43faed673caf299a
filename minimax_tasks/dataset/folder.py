"""The folder of a dataset: the videos by row, `metadata.jsonl` next to them, and what failed.

`datasets.load_dataset("videofolder", data_dir=…)` loads the folder as it is. The manifest has a leading
dot, so that such loaders pass over it; it is written last, says that the rest is in step with the table, and
names the size of every video and the digest of what lists them. The names of videos never come to mean
another clip, so that a folder whose delivery was cut short lists whole videos of the table before or of this one.
"""

import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from minimax_tasks.clips.belonging import place_of
from minimax_tasks.clips.layout import (
    CARD,
    DATASET_MANIFEST,
    DATASETS,
    FAILED_ROWS,
    MADE_BY,
    METADATA,
    VIDEO,
    clip_file,
)
from minimax_tasks.dataset.card import dataset_card, is_ours
from minimax_tasks.dataset.columns import TEXT, Kind, kinds_of, write_as
from minimax_tasks.dataset.inference import as_text, dated, telling_first, unclear
from minimax_tasks.dataset.outcomes import ClipFacts, Failure, ShardResult, now, work_folder
from minimax_tasks.dataset.outcomes import stands as outcomes_stand
from minimax_tasks.dataset.plan import DatasetPlan, PlannedRow
from minimax_tasks.dataset.table import FILES
from minimax_tasks.errors import MiniMaxError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.drafts import is_draft
from minimax_tasks.storage.files import Listed, Storage
from minimax_tasks.storage.publication import Description, described, stands, sweep_below, until_it_stands

VIDEOS = "data"
TARS = "-wds"
"""What the name of a dataset's folder gets for that of its tar files."""

SEEN_AT_ONCE = 4_000_000
"""Bytes of metadata in which readers look for the types of columns; `datasets` takes 10 MB."""

_OWN = (
    "prompt",
    "model",
    "resolution",
    "duration",
    "ratio",
    "mode",
    "key",
    "task_id",
    "width",
    "height",
    "fps",
    "frames",
    "audio_rate",
    "audio_channels",
)
"""Columns of every dataset, after `file_name`."""

_FACTS = tuple(field.name for field in fields(ClipFacts))
"""Columns that say what a video is."""

_OF_LOADERS = ("file_name", "file_names", "video", "videos")
"""Names that VideoFolder gives a meaning to."""


_Held = TypeVar("_Held")


class Manifest(BaseModel):
    """What a dataset was made from, and its outcome."""

    model_config = ConfigDict(frozen=True)

    table: str
    digest: str
    finished_at: datetime
    rows: int
    delivered: int
    failed: dict[str, str]
    """Key of each clip that failed -> a text that changes when its files do."""
    is_over: bool
    """Whether another run would have nothing left to do."""
    webdataset: bool
    in_doubt: tuple[str, ...] = ()
    """Keys of clips that may have been paid: a person must settle them."""
    files: dict[str, dict[str, Any]] = {}
    """What the files right in the folder are; empty in manifests that were written before there was this."""
    videos: dict[str, int] = {}
    """Size in bytes of every video, by its name in the folder."""
    tars: dict[str, int] = {}
    """Size in bytes of every tar file of `webdataset`."""
    splits: dict[str, dict[str, Any]] = {}
    """What the metadata of each split is; none where the table names no splits."""
    licence: str = ""
    """As the card states it."""
    card: str = ""
    """SHA-256 of the card; empty in manifests that were written before there was this."""
    card_md5: str = ""
    """Its MD5, by which a listing of S3 knows it."""

    def is_current(
        self,
        root: Storage,
        plan: DatasetPlan,
        folder: str,
        *,
        webdataset: bool,
        retry_before: datetime | None,
        licence: str = "",
    ) -> bool:
        """Whether the dataset is what the table says now, and another run would change nothing."""
        matches = self.digest == plan.digest and self.is_over and self.webdataset >= webdataset
        return (
            matches
            and licence in ("", self.licence)
            and self.vouches_for(root, folder)
            and outcomes_stand(root, self.failed.items(), self.finished_at, retry_before)
        )

    def vouches_for(self, root: Storage, folder: str) -> bool:
        """Whether the folder holds what this says, nothing less and no video more."""
        there = root.all_below(folder)
        if METADATA not in self.files or (FAILED_ROWS in there) != (FAILED_ROWS in self.files):
            return False
        exported = tars(root, tar_folder(folder)) if self.webdataset else {}
        files = self.files | {_metadata_name(split): told for split, told in self.splits.items()}
        return (
            videos_among({name: one.size for name, one in there.items()}, self.splits) == self.videos
            and self.tars == exported
            and stands(root, folder, files, there)
            and self._has_its_card(root, folder, there)
        )

    def _has_its_card(self, root: Storage, folder: str, there: Mapping[str, Listed]) -> bool:
        """Whether the card is that of this dataset, or one that somebody made theirs."""
        if not self.card or (CARD in there and there[CARD].mark and there[CARD].mark == self.card_md5):
            return True
        text = _read_card(root, folder)
        return described(text.encode())["sha256"] == self.card or (bool(text) and not is_ours(text))


@dataclass(frozen=True, slots=True)
class Sample:
    """A row that is delivered. Thousands are held at once, so what can be told of one is told when it is asked for."""

    row: PlannedRow
    made: ClipFacts
    kinds: Mapping[str, Kind]
    """The columns of the dataset after `file_name`, and the kind of each."""

    @property
    def file_name(self) -> str:
        """The name of its video in the folder."""
        return _file_name(self.row)

    @property
    def name(self) -> str:
        """The name of the video without folder and ending."""
        return self.file_name.rpartition("/")[2].removesuffix(".mp4")

    @property
    def source(self) -> str:
        """Where the video is now."""
        return clip_file(self.row.key, VIDEO)

    @property
    def split(self) -> str:
        """The part of the dataset that it belongs to; "" when the table names none."""
        return self.row.split

    @property
    def metadata(self) -> dict[str, Any]:
        """What `metadata.jsonl` says of it."""
        values = _told(self.row, self.made)
        written = {name: write_as(values.get(name), kind) for name, kind in self.kinds.items()}
        return {"file_name": self.file_name} | written


def dataset_folder(name: str) -> str:
    """Where a dataset is under its root."""
    return f"{DATASETS}/{name}"


def videos_among(sizes: Mapping[str, int], splits: Iterable[str] = ()) -> dict[str, int]:
    """Name -> size in bytes of the files that stand where a dataset has its videos, but for those of its splits.

    `sizes` are those of all files of the dataset's folder.
    """
    beside = set(map(_metadata_name, splits))
    return {
        name: size
        for name, size in sizes.items()
        if name.startswith(f"{VIDEOS}/") and not is_draft(name) and name not in beside
    }


def _metadata_name(split: str) -> str:
    return f"{VIDEOS}/{split}/{METADATA}"


def tars(root: Storage, folder: str) -> dict[str, int]:
    """Name -> size in bytes of the tar files in a folder."""
    return {name: size for name, size in root.names(folder).items() if name.endswith(".tar")}


def tar_folder(folder: str) -> str:
    """Where the WebDataset tar files of a dataset are, by its folder."""
    return f"{folder}{TARS}"


def read_manifest(root: Storage, folder: str) -> Manifest | None:
    """The manifest of a dataset, None when there is none that can be read. Whether the rest is there: `vouches_for`."""
    found = root.read_json(f"{folder}/{DATASET_MANIFEST}")
    try:
        return Manifest.model_validate(found) if found else None
    except ValidationError:
        return None


class Delivery:
    """Makes the folder of a dataset from the results of its shards."""

    def __init__(
        self,
        root: Storage,
        plan: DatasetPlan,
        name: str,
        results: Mapping[str, ShardResult],
        *,
        licence: str = "",
    ) -> None:
        """`name` is that of the folder, `results` is file name -> result, `licence` what the card states."""
        self._root = root
        self._plan = plan
        self._name = name
        self._licence = licence
        self._folder = dataset_folder(name)
        self._work = work_folder(name)
        self._results = results
        self._made: dict[str, ClipFacts] = {}
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
        kinds = self._kinds()
        samples = [
            Sample(row, self._made[row.key], kinds) for row in self._plan.rows if row.key in self._made
        ]
        card = self._card({"file_name": TEXT} | kinds)
        written: list[Manifest] = []

        def write() -> None:
            self._copy(samples)
            written[:] = [self._write(samples, card, export)]

        def looks_right() -> bool:
            found = read_manifest(self._root, self._folder)
            return found == written[0] and found.vouches_for(self._root, self._folder)

        until_it_stands(write, looks_right)
        return written[0]

    def _card(self, kinds: Mapping[str, Kind]) -> str:
        delivered = [row for row in self._plan.rows if row.key in self._made]
        service = (self._root.read_json(MADE_BY) or {}).get("service")
        return dataset_card(
            self._name, self._plan, delivered, kinds, licence=self._licence, drawn=service == "sandbox"
        )

    def _write_card(self, card: str) -> None:
        """Write the card, unless somebody made it theirs."""
        before = _read_card(self._root, self._folder)
        if before != card and (not before or is_ours(before)):
            self._root.write(f"{self._folder}/{CARD}", card.encode())

    def _write(
        self,
        samples: list[Sample],
        card: str,
        export: Callable[[list[Sample]], None] | None,
    ) -> Manifest:
        """Everything but the videos of this table, which are there: the manifest of the one before goes first."""
        self._root.remove(f"{self._folder}/{DATASET_MANIFEST}")
        files = {METADATA: self._put_for_readers(METADATA, samples, attrgetter("metadata"))}
        splits = self._put_splits(samples)
        if export is not None:
            export(samples)
        failed = [row for row in self._plan.rows if row.key in self._failed]
        if failed:
            files[FAILED_ROWS] = self._put(FAILED_ROWS, map(self._failed_line, failed))
        else:
            self._root.remove(f"{self._folder}/{FAILED_ROWS}")
        self._write_card(card)
        wanted = {sample.file_name for sample in samples}
        there = self._remove_stale(wanted, splits)
        if missing := wanted - there.keys():
            raise FileNotFoundError(f"{self._folder}/{min(missing)}")
        of_card = described(card.encode())
        manifest = Manifest(
            table=place_of(self._plan.table),
            digest=self._plan.digest,
            finished_at=now(),
            rows=len(self._plan.rows),
            delivered=len(samples),
            failed={key: failure.files for key, failure in self._failed.items()},
            is_over=bool(samples) and all(failure.is_over for failure in self._failed.values()),
            webdataset=export is not None,
            in_doubt=tuple(key for key, failure in self._failed.items() if failure.in_doubt),
            files=files,
            videos={name: there[name] for name in sorted(wanted)},
            tars=tars(self._root, tar_folder(self._folder)) if export is not None else {},
            splits=splits,
            licence=self._licence,
            card=of_card["sha256"],
            card_md5=of_card["md5"],
        )
        self._root.write_json(f"{self._folder}/{DATASET_MANIFEST}", manifest.model_dump(mode="json"))
        return manifest

    def _put_splits(self, samples: Iterable[Sample]) -> dict[str, dict[str, Any]]:
        """Write the metadata of each split, with names of videos as seen from its folder.

        `datasets` takes the types of the columns from each, and refuses splits that differ.
        """
        rows: dict[str, list[dict[str, Any]]] = {}
        for sample in samples:
            if sample.split:
                name = sample.file_name.removeprefix(f"{VIDEOS}/{sample.split}/")
                rows.setdefault(sample.split, []).append(sample.metadata | {"file_name": name})
        groups = list(rows.values())
        texts, dates = unclear(groups), dated(groups)
        return {
            split: self._put_for_readers(_metadata_name(split), told, lambda row: as_text(row, texts, dates))
            for split, told in rows.items()
        }

    def _put_for_readers(
        self, name: str, rows: Sequence[_Held], told: Callable[[_Held], dict[str, Any]]
    ) -> dict[str, Any]:
        """Write rows in their order, unless a reader would not see what all columns hold at the beginning.

        `told` is what there is to say of one.
        """
        said = self._put(name, map(told, rows))
        if said["size"] > SEEN_AT_ONCE:
            said = self._put(name, (told(rows[number]) for number in telling_first(map(told, rows))))
        return said

    def _put(self, name: str, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Write a file of JSON lines; returns what the manifest says of it."""
        description = Description()
        lines = (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        self._root.write_lines(f"{self._folder}/{name}", map(description.having, lines))
        return description.as_document()

    def _kinds(self) -> dict[str, Kind]:
        """The columns and the kind of each.

        Of all rows: what failed this time must not decide which columns there are, and of which type.
        """
        made = ((row, self._made[row.key]) for row in self._plan.rows if row.key in self._made)
        return kinds_of(itertools.chain(itertools.starmap(_told, made), map(_written, self._plan.rows)), _OWN)

    def _failed_line(self, planned: PlannedRow) -> dict[str, Any]:
        failure = self._failed[planned.key]
        fields = {name: _shown(name, value) for name, value in planned.row.given.items()}
        return {
            "row": planned.row.number,
            **({"file": planned.row.file} if planned.row.file else {}),
            "error": failure.error,
            "in_doubt": failure.in_doubt,
            "code": failure.code,
            "text": failure.text,
            "key": planned.key,
            "task_id": failure.task_id,
            "fields": fields | planned.row.carried,
        }

    def _copy(self, samples: list[Sample]) -> None:
        """Videos that are there are not copied again, unless the last manifest knows them by another size."""
        there, known = self._root.sizes(self._folder), read_manifest(self._root, self._folder)
        delivered = known.videos if known else {}
        names = ((sample, sample.file_name) for sample in samples)
        places = (
            (sample.source, f"{self._folder}/{name}")
            for sample, name in names
            if name not in there or there[name] != delivered.get(name, there[name])
        )
        for source in self._root.copy_each(places, self._check_stopped):
            if self._root.exists(source):
                raise FileNotFoundError(source)  # another run removed the draft
            raise MiniMaxError(f"{self._root.join(source)} is gone; run it again")

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise MiniMaxError("the delivery was stopped; the next run continues with it")

    def _remove_stale(self, wanted: Set[str], splits: Iterable[str]) -> dict[str, int]:
        """Remove videos of rows that are gone, drafts of killed runs, results of former shards, and results to be
        made again. Returns the videos that were there, with their sizes.
        """
        there = self._root.sizes(self._folder)
        videos = videos_among(there, splits)
        for name in videos.keys() - wanted:
            self._root.remove(f"{self._folder}/{name}")
        sweep_below(self._root, self._folder, there)
        for name in self._root.names(self._work):
            result = self._results.get(f"{self._work}/{name}")
            if result is None or not result.is_over:
                self._root.remove(f"{self._work}/{name}")
        return videos


def _read_card(root: Storage, folder: str) -> str:
    try:
        return root.read(f"{folder}/{CARD}").decode(errors="replace")
    except FileNotFoundError:
        return ""


def _file_name(planned: PlannedRow) -> str:
    """The place of a row's video: by its number, which stays when files are added to a table of many."""
    number, file = planned.row.number, planned.row.file
    name = f"{number:06}-{planned.key[:12]}.mp4"
    folders = [VIDEOS, *([planned.split] if planned.split else [])]
    if file:
        of_file = hashlib.sha256(file.encode()).hexdigest()[:8]
        folders.append(of_file)
        name = f"{of_file}-{name}"
    return "/".join((*folders, f"{number // 1000:02}", name))


def _asked(planned: PlannedRow) -> dict[str, Any]:
    """What was asked, defaults filled in; a template has none of it but the mode."""
    request = planned.clip.request
    return {"mode": str(request.mode)} | request.facts()


def _shown(name: str, value: Any) -> Any:
    """A request field without signatures of URLs, and without the bytes of pictures."""
    if name == "callback_url":
        return shown(value)
    if name not in FILES:
        return value
    if isinstance(value, tuple):
        return [_shown(name, one) for one in value]
    return shown(value)


def _told(planned: PlannedRow, made: ClipFacts) -> dict[str, Any]:
    """What there is to tell of a row that is delivered, as it comes."""
    own = _asked(planned) | {"key": planned.key} | {name: getattr(made, name) for name in _FACTS}
    return own | {name: value for name, value in _written(planned).items() if name not in own}


def _written(planned: PlannedRow) -> dict[str, Any]:
    """What is in the row of the table, under the names of the metadata."""
    given = {
        name: _shown(name, value)
        for name, value in planned.row.given.items()
        if name != "callback_url" and name not in _OWN
    }
    return given | {_carried_name(name): value for name, value in planned.row.carried.items()}


def _carried_name(name: str) -> str:
    """The name of a carried column; one that has a meaning of its own here gives way."""
    taken = name in _OWN or name in _OF_LOADERS or name.endswith(("_file_name", "_file_names"))
    return f"{name}_in_table" if taken else name
