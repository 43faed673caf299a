"""The Luigi tasks that make a dataset: a shard for every few hundred clips, and the folder of them all."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import luigi

from minimax_tasks.clips.belonging import Source
from minimax_tasks.clips.events import ClipEvent, listening
from minimax_tasks.clips.layout import FAILED_ROWS, METADATA
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.state import HOW_TO_SETTLE
from minimax_tasks.dataset.folder import (
    Delivery,
    Manifest,
    Sample,
    dataset_folder,
    read_manifest,
    tar_folder,
)
from minimax_tasks.dataset.outcomes import Failure, read_result, result_name, stands
from minimax_tasks.dataset.ownership import (
    check_dataset_is_own,
    folder_name,
    has_tar_files,
    source_of,
    take_dataset_folder,
)
from minimax_tasks.dataset.plan import DatasetPlan, keep_pictures_of, make_plan
from minimax_tasks.dataset.shard import ClipNews, ShardRun
from minimax_tasks.dataset.webdataset import write_webdataset
from minimax_tasks.errors import MiniMaxError, TableError, UncertainSubmit
from minimax_tasks.redaction import shortened, shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.events import EVENTS
from minimax_tasks.tasks.heard import announced
from minimax_tasks.tasks.inputs import is_there, path_of
from minimax_tasks.tasks.naming import NamedTask, task_words
from minimax_tasks.tasks.owner import OwnedTask, OwnerParameter
from minimax_tasks.tasks.page import has_page, link_to_file, show
from minimax_tasks.tasks.parameters import ReferenceParameter, RootParameter
from minimax_tasks.tasks.run import Run, current_run, run_alone, submit_resources
from minimax_tasks.tasks.target import FsspecTarget
from minimax_tasks.tasks.work import Work, is_handed_over

log = logging.getLogger(__name__)

SHARD_SIZE = 250
"""Clips of one Luigi task: 10,000 rows make 40 tasks, far from where Luigi's scheduling gets slow."""


CLIP_NEWS = "event.minimax.clip"
"""Luigi event: a clip of a shard has news; handlers get the task, the clip's key, `ClipNews` and a text."""


class EncodingParameter(luigi.Parameter):
    """The encoding of a table of text; left out, it is UTF-8, or what the file says."""

    def __init__(self) -> None:
        super().__init__(
            default="",
            significant=False,
            description="of a CSV or JSON file that is not UTF-8, such as cp1252",
        )


class DatasetShard(OwnedTask, NamedTask, luigi.Task):
    """Makes some clips of a table. It is complete once every clip has an outcome."""

    table = ReferenceParameter()
    root = RootParameter()
    name = luigi.Parameter(description="the dataset's name")
    number = luigi.IntParameter(description="which shard, from 0")
    of = luigi.IntParameter(description="how many shards there are")
    digest = luigi.Parameter(description="which clips the shard had when the run was planned")
    encoding = EncodingParameter()
    max_in_flight = luigi.OptionalIntParameter(default=None, significant=False)
    owner = OwnerParameter()
    retry_count = 3
    pays = True
    is_one_of_many = True

    _named_as = "shard"

    @property
    def _words(self) -> str:
        return f"{self.name} · shard {self.number + 1} of {self.of}"

    @property
    def _digits(self) -> str:
        return str(self.digest)

    @property
    def _result_name(self) -> str:
        return result_name(self.name, self.digest)

    def output(self) -> FsspecTarget:
        """The outcome of each clip."""
        return FsspecTarget(f"{self.root}/{self._result_name}")

    def process_resources(self) -> dict[str, int]:
        """Its own resources, and that of the setting `submit_resource`, if any: held while clips are submitted."""
        return {**super().process_resources(), **submit_resources(self)}

    def complete(self) -> bool:
        """Whether every clip has an outcome and no failed clip has changed since."""
        root = Storage(self.root)
        result = read_result(root, self._result_name)
        if result is None:
            return False
        failed = [(key, failure.files) for key, failure in result.failed.items() if failure.is_over]
        before = current_run().settings().retry_failed_before
        return stands(root, failed, result.finished_at, before) and is_handed_over(self)

    async def _work(self) -> None:
        """Make the clips."""
        root = Storage(self.root)
        clips = await asyncio.to_thread(self._clips, root)
        service = current_run().service(self)
        limits = service.limits(self.max_in_flight)
        shard = ShardRun(clips, root, service, limits, self._report, self._let_others_submit, self._tell)
        with listening(self._hear):
            result = await shard.make()
        await root.run(root.write_json, self._result_name, result.model_dump(mode="json"))

    def _clips(self, root: Storage) -> dict[str, ClipRequest]:
        known = current_run().shards
        if self.digest not in known:
            plan = plan_table(self.table, root, self.encoding)
            _learn(plan, -(-len(plan.clips) // self.of))
        if self.digest not in known:
            raise TableError(
                [f"{shown(self.table)}: it was changed since this run was planned; run it again"]
            )
        return known[self.digest]

    def _let_others_submit(self) -> None:
        """Give the resource back and have another shard begun, since what is left of this one is waiting."""
        current_run().submitting.end(self.task_id)
        give_back: Callable[[dict[str, int]], None] | None = getattr(self, "decrease_running_resources", None)
        if give_back is not None and (held := submit_resources(self)):
            give_back(held)

    def _tell(self, key: str, news: ClipNews, text: str) -> None:
        self.trigger_event(CLIP_NEWS, self, key, news, text)

    def _report(self, status: str, share: float) -> None:
        """Show progress in Luigi's visualiser, where the task runs under a worker."""
        show(self, status_message=status, progress_percentage=round(100 * share))

    def _hear(self, event: ClipEvent) -> None:
        self.trigger_event(EVENTS[event.happened], self, event)


class VideoDataset(Work, NamedTask, luigi.Task):
    """A table of requests in, a dataset out: `output()` is its `metadata.jsonl`, with the videos next to it.

    The table is CSV, JSON, JSONL or Parquet on any fsspec path or URL: one file, all files of a folder, or all that
    match a pattern (`s3://lake/date=*/prompts.parquet`), with the columns that stand in the names of folders.
    Columns named like request fields say what is asked, any others are carried along into the metadata. The folder,
    `<root>/datasets/<name>/`, is one that `datasets.load_dataset("videofolder", data_dir=…)` loads as it is. Each
    row is one clip with its own files, so a run that was stopped goes on clip by clip, and only what changed in
    the table is made.

    Clips that failed for good do not keep the others from being delivered: they are listed in
    `failed.jsonl`, and are not paid for again automatically. When clips are left that another run would go on
    with (a time-out, a budget), or that may have been paid and that a person must settle, all others are
    delivered and the task fails.

    A folder belongs to the table that made it first. Another table, or the same one with another `name` that
    gives the same folder, is refused before anything is paid.

    A column `split` with train, validation and test (or val, dev, eval) makes the splits that `datasets` finds. The
    folder's `README.md` is a dataset card, which states the `licence` that is given; one that you edit is left alone.

    `shard_size` is how many clips are one Luigi task, `webdataset` also writes tar files to
    `<root>/datasets/<name>-wds/`, `max_in_flight` (setting) is how many clips are in flight at once.
    """

    table = ReferenceParameter(
        description="CSV, JSON, JSONL or Parquet; a file, a folder or a pattern, anywhere"
    )
    root = RootParameter()
    name = luigi.OptionalParameter(
        default=None,
        description="of the dataset; `{date}` is that of the table's path; the table's own when left out",
    )
    shard_size = luigi.IntParameter(default=SHARD_SIZE, significant=False)
    encoding = EncodingParameter()
    webdataset = luigi.BoolParameter(default=False, description="also write WebDataset tar files")
    licence = luigi.Parameter(
        default="", significant=False, description="of the dataset, for its card, such as cc-by-4.0"
    )
    max_in_flight = luigi.OptionalIntParameter(default=None, significant=False)
    retry_count = 3

    _named_as = "dataset"

    @property
    def _words(self) -> str:
        return self.name or task_words(self.table)

    @property
    def _table(self) -> str:
        """Where the table is, or will be."""
        return path_of(self.table, "table")

    @property
    def plan(self) -> DatasetPlan:
        """The table as it is now.

        Raises `TableError` with everything that is wrong with it, and when its dataset's folder belongs to
        another table.
        """
        root = Storage(self.root)
        plan = self._planned(root)
        _learn(plan, self._shard_size)
        check_dataset_is_own(root, self._source(root, lambda: plan))
        return plan

    @property
    def folder(self) -> str:
        """The path or URL of the dataset."""
        return f"{self.root}/{dataset_folder(self._name)}"

    @cached_property
    def _name(self) -> str:
        root = Storage(self.root)
        return folder_name(root, self._source(root, lambda: self._planned(root)))

    def _planned(self, root: Storage) -> DatasetPlan:
        return plan_table(self._table, root, self.encoding)

    def _source(self, root: Storage, plan: Callable[[], DatasetPlan]) -> Source:
        return source_of(root, self._table, self.name, plan, webdataset=self.webdataset)

    @property
    def _shard_size(self) -> int:
        return max(1, int(self.shard_size))

    def output(self) -> FsspecTarget:
        """The metadata of the rows that were delivered."""
        return FsspecTarget(f"{self.folder}/{METADATA}")

    def requires(self) -> list[luigi.Task]:
        """The shards. The folder is the table's from then on: nothing is paid before.

        Where a task makes the table, it is that task; the shards follow once it is complete.
        """
        return [self.table] if isinstance(self.table, luigi.Task) else self._claimed_shards()

    def _claimed_shards(self) -> list[luigi.Task]:
        plan, root = self.plan, Storage(self.root)
        take_dataset_folder(root, self._source(root, lambda: plan))
        keep_pictures_of(plan, root)
        return list(self._shards(plan))

    def _steps(self) -> Iterator[Any] | None:
        return self._in_steps() if isinstance(self.table, luigi.Task) else None

    def _in_steps(self) -> Iterator[Any]:
        yield self._claimed_shards()
        run_alone(self.run_async())

    def complete(self) -> bool:
        """Whether the dataset is what the table says now, as far as rows did not fail for good."""
        if not is_there(self.table):
            return False
        with announced(self):
            return self._is_current() and is_handed_over(self)

    def _is_current(self) -> bool:
        root = Storage(self.root)
        folder = dataset_folder(self._name)
        manifest = read_manifest(root, folder)
        if manifest is None:
            return False
        before = current_run().settings().retry_failed_before
        current = manifest.is_current(
            root,
            self.plan,
            folder,
            webdataset=self.webdataset,
            retry_before=before,
            licence=self.licence,
        )
        if current and manifest.failed:
            self._tell_of_failures(manifest)
        return current

    async def _work(self) -> None:
        """Deliver what was made, in a thread beside the tasks that wait."""
        plan, root = await asyncio.to_thread(lambda: self.plan), Storage(self.root)
        results = {}
        for shard in self._shards(plan):
            name = result_name(self._name, shard.digest)
            found = await root.run(read_result, root, name)
            if found is None:
                raise MiniMaxError(
                    f"{shown(self._table)}: it was changed since this run was planned; run it again"
                )
            results[name] = found
        delivery = Delivery(root, plan, self._name, results, licence=self.licence)
        try:
            manifest = await asyncio.to_thread(lambda: delivery.make(export=self._export(root)))
        except asyncio.CancelledError:
            delivery.stop()
            raise
        if has_page(self):
            show(self, tracking_url=link_to_file(self.root, f"{dataset_folder(self._name)}/{METADATA}"))
        self._judge(
            manifest,
            _most_common([failure for found in results.values() for failure in found.failed.values()]),
        )

    def _export(self, root: Storage) -> Callable[[list[Sample]], None] | None:
        folder = dataset_folder(self._name)
        if not self.webdataset and not has_tar_files(root, folder):
            return None
        return lambda samples: write_webdataset(root, tar_folder(folder), samples, self._shard_size)

    def _shards(self, plan: DatasetPlan) -> list[DatasetShard]:
        shards = plan.shards(self._shard_size)
        return [
            DatasetShard(
                table=self._table,
                root=self.root,
                name=self._name,
                number=shard.number,
                of=shard.of,
                digest=shard.digest,
                encoding=self.encoding,
                max_in_flight=self.max_in_flight,
                owner=self,
            )
            for shard in shards
        ]

    def _judge(self, manifest: Manifest, why: str) -> None:
        missing = (
            f"{manifest.delivered} of {manifest.rows} rows are delivered; see {self.folder}/{FAILED_ROWS}"
        )
        if keys := manifest.in_doubt:
            count = "1 clip" if len(keys) == 1 else f"{len(keys)} clips"
            raise UncertainSubmit(
                f"{shown(self._table)}: {missing}. {count} in doubt: each may have been paid, so none is submitted "
                f"again automatically. They are marked with in_doubt in {FAILED_ROWS}.",
                advice=HOW_TO_SETTLE,
                keys=keys,
                root=Storage(self.root).url,
            )
        if not manifest.delivered:
            raise MiniMaxError(
                f"{shown(self._table)}: not a single row could be made; see {self.folder}/{FAILED_ROWS}. {why}"
            )
        if not manifest.is_over:
            raise MiniMaxError(
                f"{shown(self._table)}: {missing}. {why} Run it again to go on with the others; nothing is paid twice"
            )
        if manifest.failed:
            self._tell_of_failures(manifest)

    def _tell_of_failures(self, manifest: Manifest) -> None:
        log.warning(
            "%s: %d of %d rows failed and are not paid for again automatically; see %s/%s",
            shown(self._table),
            manifest.rows - manifest.delivered,
            manifest.rows,
            self.folder,
            FAILED_ROWS,
        )


_WHY_SHOWN = 300
"""Characters of the reason for which clips of a table are not made."""


def _most_common(failures: list[Failure]) -> str:
    """Why clips were not made, in a sentence: what was told of most of those that another run would go on with."""
    told = Counter(failure.text for failure in failures if not failure.is_over)
    told = told or Counter(failure.text for failure in failures)
    if not told:
        return ""
    text, times = told.most_common(1)[0]
    which = f"{times} clips" if times > 1 else "1 clip" if len(told) == 1 else "Such as"
    return f"{which}: {shortened(text.rstrip('.'), _WHY_SHOWN)}."


def plan_table(table: str, root: Storage, encoding: str = "") -> DatasetPlan:
    """The plan of a table in this run."""
    return current_run().tables.get(
        (table, root.url, encoding), lambda: make_plan(table, root, encoding=encoding)
    )


def hand_on(plan: DatasetPlan, root: Storage, run: Run, encoding: str = "") -> None:
    """Let the tasks of a run work on this plan, even if its files are edited meanwhile."""
    run.tables.hand_on((plan.table, root.url, encoding), plan)


def _learn(plan: DatasetPlan, size: int) -> None:
    for shard in plan.shards(size):
        current_run().shards[shard.digest] = {key: plan.clips[key] for key in shard.keys}
