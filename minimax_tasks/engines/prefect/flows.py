"""The flows: many clips at once, and a film from a board."""

import asyncio
from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from minimax_tasks.clips.make import MadeClip
from minimax_tasks.engines import boards
from minimax_tasks.engines.asking import request_of
from minimax_tasks.engines.boards import MadeFilm
from minimax_tasks.engines.cards import price
from minimax_tasks.engines.prefect.credentials import MiniMaxCredentials
from minimax_tasks.engines.prefect.tasks import join_film, make_clip
from minimax_tasks.storyboard.plan import Segment


# Fields and not models: what a flow is given is kept by the server as JSON, and typed into its form.
@flow(name="MiniMax clips")
async def make_clips(
    requests: list[dict[str, Any]],
    *,
    max_in_flight: int | None = None,
    credentials: MiniMaxCredentials | None = None,
) -> list[MadeClip]:
    """Make many clips at once, each as a task run; returns them in the order of `requests`.

    All are judged before the first is paid. One that fails does not keep the others from being made; the flow
    fails after them. Leaves an artifact that lists them with their prices. Raises `InvalidRequest` and
    `ConfigurationError` before anything is paid.
    """
    settings = (credentials or MiniMaxCredentials()).settings()
    asked = [request_of(request) for request in requests]
    places = asyncio.Semaphore(max_in_flight or settings.max_in_flight)

    async def one(number: int) -> MadeClip:
        async with places:
            made: MadeClip = await make_clip(asked[number], credentials=credentials)
        return made

    outcomes = await asyncio.gather(*map(one, range(len(asked))), return_exceptions=True)
    rows = [
        _row(request.label, request.prompt_text, end) for request, end in zip(asked, outcomes, strict=True)
    ]
    await acreate_table_artifact(rows, key="minimax-clips", description=_sum(outcomes))
    return _all_made(outcomes)


@flow(name="MiniMax film")
async def make_film(storyboard: str, *, credentials: MiniMaxCredentials | None = None) -> MadeFilm:
    """Board in, film out: a task run for each take of each shot, one for the film.

    `storyboard` is any fsspec path or URL. Raises `BoardError` with everything that is wrong with the board before
    anything is paid.
    """
    settings = (credentials or MiniMaxCredentials()).settings()
    plan = await asyncio.to_thread(boards.plan_board, storyboard, settings)
    await asyncio.to_thread(boards.take_folder, plan, settings)
    places = asyncio.Semaphore(settings.max_in_flight)
    running: dict[str, asyncio.Task[MadeClip]] = {}

    async def one(segment: Segment) -> MadeClip:
        before = [await running[other.key] for other in segment.after]
        async with places:
            clip = boards.clip_of(plan, segment)
            made: MadeClip = await make_clip(clip, credentials=credentials, wait_for=before)
        return made

    for segment in plan.segments:
        running.setdefault(segment.key, asyncio.create_task(one(segment)))
    outcomes = await asyncio.gather(*running.values(), return_exceptions=True)
    film: MadeFilm = await join_film(storyboard, _all_made(outcomes), credentials=credentials)
    return film


def _all_made(outcomes: Sequence[MadeClip | BaseException]) -> list[MadeClip]:
    """The clips; raises the first failure."""
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, MadeClip)]


def _sum(outcomes: Sequence[MadeClip | BaseException]) -> str:
    made = [outcome for outcome in outcomes if isinstance(outcome, MadeClip)]
    return f"{len(made)} of {len(outcomes)} clips are made, {price(sum(clip.usd or 0.0 for clip in made))}"


def _row(label: str, prompt: str | None, outcome: MadeClip | BaseException) -> dict[str, str]:
    told = (price(outcome.usd), outcome.path) if isinstance(outcome, MadeClip) else ("", str(outcome))
    return {"prompt": prompt or "", "made by": label, "price": told[0], "clip": told[1]}
