"""The asset of one clip."""

from collections.abc import Callable, Iterable
from typing import Any

import dagster as dg

from minimax_tasks.clips.make import MadeClip
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.engines.asking import Asked, request_of
from minimax_tasks.engines.dagster.io_manager import IO_MANAGER
from minimax_tasks.engines.dagster.resource import MiniMaxResource
from minimax_tasks.engines.dagster.showing import RETRIES, all_made, clip_metadata, told_to_dagster

KINDS = {"minimax", "video"}

AskedFor = Asked | Callable[[dg.AssetExecutionContext], Asked]
"""A request, or what gives it for a run, such as by `context.partition_key`."""


def clip_asset(
    name: str,
    request: AskedFor,
    *,
    take: int = 1,
    deps: Iterable[Any] = (),
    partitions_def: dg.PartitionsDefinition[str] | None = None,
    group_name: str | None = None,
    retry_policy: dg.RetryPolicy | None = RETRIES,
    io_manager_key: str = IO_MANAGER,
    **asset: Any,
) -> dg.AssetsDefinition:
    """An asset that is one clip, or one clip for each partition. Its value is a `MadeClip`.

    `request` is a request model, its fields (`{"prompt": …}`), or a function of the context that returns either.
    Other arguments are those of `dagster.asset`. Raises `InvalidRequest` for a request that is given here.
    """
    fixed = None if callable(request) else ClipRequest(request_of(request), take=take)
    if fixed is not None:
        # Dagster marks the asset as out of date when the request was changed.
        asset = {"code_version": fixed.key[:12], "description": fixed.what, **asset}

    @dg.asset(
        name=name,
        deps=deps,
        partitions_def=partitions_def,
        group_name=group_name,
        retry_policy=retry_policy,
        io_manager_key=io_manager_key,
        **{"kinds": KINDS, **asset},
    )
    def clip(context: dg.AssetExecutionContext, minimax: MiniMaxResource) -> MadeClip:
        with told_to_dagster():
            asked = request(context) if callable(request) else request
            wanted = fixed or ClipRequest(request_of(asked), take=take)
            (made,) = all_made(minimax.make([wanted], on_status=context.log.info))
            context.add_output_metadata(clip_metadata(wanted, made, minimax))
            return made

    return clip
