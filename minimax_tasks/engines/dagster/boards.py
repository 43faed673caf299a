"""The assets of a board: one for each shot, and the film downstream of them."""

import re

import dagster as dg

from minimax_tasks.clips.make import MadeClip
from minimax_tasks.engines import boards
from minimax_tasks.engines.boards import MadeFilm
from minimax_tasks.engines.dagster.clips import KINDS
from minimax_tasks.engines.dagster.io_manager import IO_MANAGER
from minimax_tasks.engines.dagster.resource import MiniMaxResource
from minimax_tasks.engines.dagster.showing import (
    RETRIES,
    all_made,
    clip_metadata,
    film_metadata,
    told_to_dagster,
)
from minimax_tasks.errors import BoardError
from minimax_tasks.redaction import shown
from minimax_tasks.settings import Settings
from minimax_tasks.storyboard.plan import Plan, PlannedShot


def board_assets(
    board: str,
    *,
    group_name: str | None = None,
    retry_policy: dg.RetryPolicy | None = RETRIES,
    io_manager_key: str = IO_MANAGER,
) -> list[dg.AssetsDefinition]:
    """An asset for each shot of a board, below each other as they need each other's frames, and one for the film.

    `board` is any fsspec path or URL; it is read when the code is loaded, for its shots, and again in each run, for
    what they say by then. Their keys begin with the title. Raises `BoardError` with everything that is wrong with it.
    """
    plan = boards.plan_board(board, Settings.load())
    top = _word(plan.slug)
    options = {
        "group_name": group_name or top,
        "retry_policy": retry_policy,
        "io_manager_key": io_manager_key,
        "kinds": KINDS,
    }

    def asset_of(planned: PlannedShot) -> dg.AssetsDefinition:
        before = {segment.shot for each in planned.segments for segment in each.after}

        @dg.asset(
            key=_key(top, planned.shot.id),
            deps=[_key(top, shot) for shot in sorted(before)],
            description=planned.prompt,
            code_version=planned.picked.key[:12],
            **options,
        )
        def shot(context: dg.AssetExecutionContext, minimax: MiniMaxResource) -> MadeClip:
            with told_to_dagster():
                now = _plan_now(board, minimax)
                found = _shot_now(now, planned.shot.id)
                clips = [boards.clip_of(now, segment) for segment in found.segments]
                made = all_made(minimax.make(clips, on_status=context.log.info))
                picked = found.segments.index(found.picked)
                told = clip_metadata(clips[picked], made[picked], minimax)
                context.add_output_metadata(told | {"takes": len(made)})
                return made[picked]

        return shot

    generated = [planned for planned in plan.shots if planned.own is None]

    @dg.asset(
        key=_key(top, "film"),
        deps=[_key(top, planned.shot.id) for planned in generated],
        description=f"{plan.board.title}, joined from its shots, with a report of each",
        code_version=plan.digest[:12],
        **options,
    )
    def film(context: dg.AssetExecutionContext, minimax: MiniMaxResource) -> MadeFilm:
        with told_to_dagster():
            now = _plan_now(board, minimax)
            made = boards.make_film(now, minimax.settings())
            context.add_output_metadata(film_metadata(now.board.title, made, minimax))
            return made

    return [*map(asset_of, generated), film]


def _plan_now(board: str, minimax: MiniMaxResource) -> Plan:
    settings = minimax.settings()
    plan = boards.plan_board(board, settings)
    boards.take_folder(plan, settings)
    return plan


def _shot_now(plan: Plan, shot: str) -> PlannedShot:
    for planned in plan.shots:
        if planned.shot.id == shot:
            return planned
    raise BoardError([f"{shown(plan.path)}: shot {shot} is gone; reload the code location"])


def _key(top: str, word: str) -> dg.AssetKey:
    return dg.AssetKey([top, "film" if word == "film" else f"shot_{_word(word)}"])


def _word(text: str) -> str:
    """A text as Dagster wants names."""
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "board"
