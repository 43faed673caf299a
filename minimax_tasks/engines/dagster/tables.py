"""The asset of a table: a partition for each row."""

import re
from collections.abc import Mapping
from dataclasses import replace

import dagster as dg

from minimax_tasks.clips.make import MadeClip, Outcome
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.dataset.files import files_of
from minimax_tasks.dataset.names import table_name
from minimax_tasks.dataset.plan import PlannedRow, make_plan
from minimax_tasks.dataset.table import Row, read_table
from minimax_tasks.engines.dagster.clips import KINDS
from minimax_tasks.engines.dagster.io_manager import IO_MANAGER
from minimax_tasks.engines.dagster.resource import MiniMaxResource
from minimax_tasks.engines.dagster.showing import RETRIES, all_made, clip_metadata, told_to_dagster
from minimax_tasks.errors import TableError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage


def table_asset(
    table: str,
    *,
    name: str | None = None,
    partition_column: str | None = None,
    group_name: str | None = None,
    retry_policy: dg.RetryPolicy | None = RETRIES,
    io_manager_key: str = IO_MANAGER,
) -> dg.AssetsDefinition:
    """An asset with a partition for each row of a table; a backfill makes its rows in one run, all at once.

    `table` is CSV, JSONL or Parquet on any fsspec path or URL. It is read when the code is loaded, for its rows, and
    again in each run. `partition_column` names the partitions; left out, that is `id` where there is such a column,
    else where the row stands. Raises `TableError` with every bad row at once.
    """
    partitions = _partitions(_rows(table), table, partition_column)

    @dg.asset(
        name=name or re.sub(r"\W+", "_", table_name(table), flags=re.ASCII),
        partitions_def=dg.StaticPartitionsDefinition(list(partitions)),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=f"The clips of {shown(table)}, one for each row",
        group_name=group_name,
        retry_policy=retry_policy,
        io_manager_key=io_manager_key,
        kinds=KINDS,
    )
    def clips(context: dg.AssetExecutionContext, minimax: MiniMaxResource) -> dict[str, MadeClip]:
        with told_to_dagster():
            planned = make_plan(table, Storage(minimax.settings().root)).rows
            now = _partitions([one.row for one in planned], table, partition_column)
            by_place = {one.row.place: one for one in planned}
            wanted = {key: by_place[_row_now(now, key, table).place] for key in context.partition_keys}
            outcomes = minimax.make(
                [_clip(one, table) for one in wanted.values()], on_status=context.log.info
            )
            made = _tell(context, minimax, wanted, outcomes)
            all_made(outcomes)
            return made

    return clips


def _rows(table: str) -> tuple[Row, ...]:
    read = read_table(table, files_of(table).files)
    if read.problems:
        raise TableError(read.lines(read.problems))
    return read.rows


def _partitions(rows: tuple[Row, ...] | list[Row], table: str, column: str | None) -> dict[str, Row]:
    """Partition -> row. Raises `TableError` when two rows would be one partition."""
    if column is None:
        column = "id" if all(_named(row, "id") for row in rows) else ""
    found: dict[str, Row] = {}
    for row in rows:
        key = _named(row, column) if column else row.place
        if not key:
            raise TableError(
                [f"{shown(table)}: {row.place}: nothing in column {column!r}, which names the partition"]
            )
        if key in found:
            raise TableError(
                [f"{shown(table)}: {row.place}: {column} = {shown(key)!r} is that of {found[key].place} too"],
                advice="Name another column with partition_column",
            )
        found[key] = row
    return found


def _named(row: Row, column: str) -> str:
    value = row.carried.get(column, row.given.get(column))
    return "" if value is None else str(value).strip()


def _row_now(rows: Mapping[str, Row], key: str, table: str) -> Row:
    if key not in rows:
        raise TableError([f"{shown(table)}: row {shown(key)} is gone; reload the code location"])
    return rows[key]


def _clip(planned: PlannedRow, table: str) -> ClipRequest:
    return replace(planned.clip, purpose=f"{table_name(table)}, {planned.row.place}")


def _tell(
    context: dg.AssetExecutionContext,
    minimax: MiniMaxResource,
    wanted: Mapping[str, PlannedRow],
    outcomes: list[Outcome],
) -> dict[str, MadeClip]:
    """Show each clip with its partition. When some failed, the others count as made all the same."""
    complete = all(outcome.is_made for outcome in outcomes)
    made = {}
    for (key, planned), outcome in zip(wanted.items(), outcomes, strict=True):
        if outcome.clip is None:
            continue
        made[key] = outcome.clip
        told = clip_metadata(planned.clip, outcome.clip, minimax)
        if complete:
            context.add_asset_metadata(told, asset_key=context.asset_key, partition_key=key)
        else:
            context.log_event(dg.AssetMaterialization(context.asset_key, metadata=told, partition=key))
    return made
