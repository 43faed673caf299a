"""`minimax-tasks dataset`: table in, dataset out."""

import argparse
import contextlib
import json
from typing import Any

from minimax_tasks.clips.layout import FAILED_ROWS, METADATA
from minimax_tasks.clips.root import (
    check_scale,
    check_shareable,
    check_writable,
    open_root,
    service_kind,
)
from minimax_tasks.clips.state import clip_states
from minimax_tasks.commands.exit_codes import DONE, FAILED
from minimax_tasks.commands.runs import (
    add_run_options,
    check_key,
    check_root_lasts,
    check_scale_is_drawn,
    check_scheduler,
    current_run,
    drawn_at_once,
)
from minimax_tasks.console.dataset import (
    DatasetProgress,
    dataset_table,
    error_lines,
    plan_json,
    problem_lines,
    summary_line,
    to_pay,
)
from minimax_tasks.console.messages import problems_of
from minimax_tasks.console.output import Output, standard_error, standard_output
from minimax_tasks.console.streams import say_json
from minimax_tasks.dataset.folder import Manifest, dataset_folder, read_manifest
from minimax_tasks.dataset.plan import DatasetPlan
from minimax_tasks.redaction import shown
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.build import build_run
from minimax_tasks.tasks.dataset import VideoDataset, hand_on
from minimax_tasks.tasks.follow import following_dataset
from minimax_tasks.tasks.run import Run
from minimax_tasks.tasks.worker import on_sigterm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "table",
        metavar="TABLE",
        help="CSV, JSON, JSONL or Parquet: a file, a folder or a pattern, any fsspec path or URL",
    )
    parser.add_argument("--root", metavar="URL", help="where the files go, any fsspec URL (setting root)")
    parser.add_argument(
        "--name", help="of the dataset, instead of the table's; {date} is that of the table's path"
    )
    parser.add_argument("--encoding", help="of a CSV or JSON file that is not UTF-8, such as cp1252")
    parser.add_argument(
        "--plan", action="store_true", help="show what it would make and cost; nothing is paid"
    )
    parser.add_argument("--json", action="store_true", help="for machines: the plan, or what came of the run")
    parser.add_argument("--webdataset", action="store_true", help="also write WebDataset tar files")
    parser.add_argument(
        "--licence", metavar="ID", default="", help="for the dataset's card, such as cc-by-4.0"
    )
    add_run_options(parser)
    parser.add_argument(
        "--partial", action="store_true", help="rows that failed for good are no failure of the run"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="pay once more for rows that failed for good"
    )


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code. Raises `TableError` and `ConfigurationError` before anything is paid."""
    settings = Settings.load(root=options.root, max_in_flight=options.workers, budget=options.budget)
    check_scale_is_drawn(options.scale, sandbox=options.sandbox)
    storage = open_root(settings.root)
    if not options.sandbox and not options.plan:
        check_root_lasts(storage, settings)
    with Run(settings).current():
        task = _task(options, settings.root)
        plan, folder = task.plan, task.folder
    name = folder.rpartition("/")[2]
    states = clip_states(storage, plan.clips)
    price = to_pay(plan, states, retry_failed=options.retry_failed)
    if options.plan:
        problems = problems_of(storage.url, states)
        if options.json:
            say_json(plan_json(name, folder, plan, states, price, problems))
            return DONE
        console = standard_output()
        console.print(dataset_table(name, plan, states, retry_failed=options.retry_failed))
        _warn_of(plan, console)
        for line in problem_lines(plan, problems):
            console.whole(line, "red")
        return DONE
    # Results go to standard output; with --json nothing else does.
    console = standard_error() if options.json else standard_output()
    console.whole(summary_line(name, plan, price))
    _warn_of(plan, console)
    if options.scheduler_url is not None:
        check_shareable(storage)
        check_scheduler(options.scheduler_url)
    at_once = settings.max_in_flight
    if price.clips and not options.sandbox:
        check_key(settings, "dataset", console)
    if options.sandbox:
        at_once = drawn_at_once(at_once, console)
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(
            current_run(
                settings,
                at_once,
                sandbox=options.sandbox,
                scale=options.scale,
                retry_failed=options.retry_failed,
            )
        )
        settings = run.settings()
        hand_on(plan, storage, run, options.encoding or "")
        check_writable(storage, settings.base_url)
        if options.sandbox:
            check_scale(storage, options.scale)
        stack.callback(on_sigterm(KeyboardInterrupt()))
        paid = service_kind(settings.base_url) == "minimax"
        progress = stack.enter_context(DatasetProgress(console, name, plan, states, paid=paid))
        stack.enter_context(following_dataset(progress))
        done = bool(build_run([task], run, scheduler_url=options.scheduler_url, log_level="CRITICAL"))
    return _report(options, storage, name, progress, done=done)


def _task(options: argparse.Namespace, root: str) -> VideoDataset:
    return VideoDataset(
        table=options.table,
        root=root,
        name=options.name,
        encoding=options.encoding or "",
        webdataset=options.webdataset,
        licence=options.licence,
    )


def _warn_of(plan: DatasetPlan, console: Output) -> None:
    for text in plan.warnings:
        console.warn(text)


def _report(
    options: argparse.Namespace, storage: Storage, name: str, progress: DatasetProgress, *, done: bool
) -> int:
    """Report the outcome; returns the exit code."""
    errors = standard_error()
    folder = dataset_folder(name)
    manifest = read_manifest(storage, folder)
    place = storage.join(folder)
    missing = manifest.rows - manifest.delivered if manifest else 0
    for line in error_lines(progress.errors):
        errors.whole(line, "red")
    if manifest and done and missing:
        more = (
            "" if options.partial else "; --retry-failed pays once more for them, --partial takes it as it is"
        )
        errors.whole(
            f"{manifest.delivered:,} of {manifest.rows:,} rows are delivered; {missing:,} failed for good, see "
            f"{shown(place)}/{FAILED_ROWS}{more}"
        )
    elif not done and not progress.errors:
        errors.whole(
            f"the dataset is not made; see {shown(place)}" if manifest else "the dataset is not made"
        )
    code = DONE if done and (options.partial or not missing) else FAILED
    if options.json:
        say_json(_result_json(options, storage, name, manifest, done=code == DONE))
    elif manifest:
        standard_output().whole(f"dataset: {place}")
    return code


def _result_json(
    options: argparse.Namespace, storage: Storage, name: str, manifest: Manifest | None, *, done: bool
) -> dict[str, Any]:
    folder = dataset_folder(name)
    result: dict[str, Any] = {"name": name, "table": shown(options.table), "done": done}
    if manifest is None:
        return result
    failed = [json.loads(line) for line in _lines(storage, f"{folder}/{FAILED_ROWS}")]
    return result | {
        "folder": storage.join(folder),
        "metadata": storage.join(f"{folder}/{METADATA}"),
        "rows": manifest.rows,
        "delivered": manifest.delivered,
        "failed": failed,
        "in_doubt": list(manifest.in_doubt),
    }


def _lines(storage: Storage, name: str) -> list[bytes]:
    try:
        return storage.read(name).splitlines()
    except FileNotFoundError:
        return []
