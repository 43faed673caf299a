"""The tasks: one clip, and the film of a board."""

import asyncio
import re
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.runtime import task_run

from minimax_tasks.clips.make import MadeClip, make
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import shared_service
from minimax_tasks.engines import boards
from minimax_tasks.engines.asking import Asked, request_of
from minimax_tasks.engines.boards import MadeFilm
from minimax_tasks.engines.cards import clip_card, film_card
from minimax_tasks.engines.failures import is_worth_a_try
from minimax_tasks.engines.prefect.credentials import MiniMaxCredentials


async def _may_end_otherwise(task: Any, run: TaskRun, state: State[Any]) -> bool:
    """Whether Prefect should use its retries: not for what a person has to change first."""
    return is_worth_a_try(await state.aresult(raise_on_failure=False))


def _name() -> str:
    clip = _as_clip(task_run.parameters["request"])
    return (clip.purpose or clip.what)[:100]


# The root knows what is made: a cached path would hide that somebody removed the file.
@task(
    name="MiniMax clip",
    task_run_name=_name,
    retries=3,
    retry_delay_seconds=[10, 60, 300],
    retry_condition_fn=_may_end_otherwise,
    cache_policy=NO_CACHE,
)
async def make_clip(
    request: Asked | ClipRequest,
    *,
    take: int = 1,
    credentials: MiniMaxCredentials | None = None,
) -> MadeClip:
    """Make one clip; returns where it is. What is done already is not done again, and nothing is paid twice.

    `request` is a request model, or its fields: `{"prompt": "A lighthouse"}`. `take` is another clip of the same
    request. Leaves an artifact with the first frame, the price and the task. Raises what `minimax_tasks.make` does.
    """
    settings = (credentials or MiniMaxCredentials()).settings()
    clip, log = _as_clip(request, take), get_run_logger()
    async with shared_service(settings) as service:
        made = await make(clip, root=settings.root, service=service, on_status=log.info)
    card = await asyncio.to_thread(clip_card, clip.request, made, settings)
    await acreate_markdown_artifact(card.markdown, key=f"clip-{made.key}", description=card.title[:200])
    return made


@task(
    name="MiniMax film",
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=_may_end_otherwise,
    cache_policy=NO_CACHE,
)
async def join_film(
    storyboard: str, clips: list[MadeClip], *, credentials: MiniMaxCredentials | None = None
) -> MadeFilm:
    """Join the clips of a board; returns where film and report are. `clips` are what it waits for.

    Leaves an artifact with the first frame, the price and a link to the report. Raises `BoardError`,
    `FilmIncomplete` and `VideoError`.
    """
    settings = (credentials or MiniMaxCredentials()).settings()
    plan = await asyncio.to_thread(boards.plan_board, storyboard, settings)
    film = await asyncio.to_thread(boards.make_film, plan, settings)
    card = await asyncio.to_thread(film_card, plan.board.title, film, settings)
    name = re.sub(r"[^a-z0-9]+", "-", plan.slug.lower()).strip("-")
    await acreate_markdown_artifact(card.markdown, key=f"film-{name}", description=card.title[:200])
    return film


def _as_clip(request: Asked | ClipRequest, take: int = 1) -> ClipRequest:
    return request if isinstance(request, ClipRequest) else ClipRequest(request_of(request), take=take)
