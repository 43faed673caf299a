"""What Dagster's pages show of clips and films, and failures as Dagster knows them."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from minimax_tasks.clips.make import MadeClip, Outcome
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.engines.boards import MadeFilm
from minimax_tasks.engines.cards import clip_card, film_card, web_link
from minimax_tasks.engines.dagster.resource import MiniMaxResource
from minimax_tasks.engines.failures import is_worth_a_try
from minimax_tasks.errors import MiniMaxError
from minimax_tasks.settings import Settings

RETRIES = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL)
"""What an asset gets that is given no policy; a failure that only a person can mend is not tried again."""


def clip_metadata(clip: ClipRequest, made: MadeClip, minimax: MiniMaxResource) -> dict[str, Any]:
    """The metadata of a clip: preview, price, where it is, what was asked."""
    settings = minimax.settings()
    card = clip_card(clip.request, made, settings)
    found: dict[str, Any] = {
        "preview": dg.MetadataValue.md(card.small_picture),
        "still": dg.MetadataValue.md(card.picture),
        "asked": dg.MetadataValue.text(card.title),
        "video": _place(made.path, settings),
        "task": dg.MetadataValue.text(made.task_id),
        "dagster/uri": made.path,
    }
    if made.usd is not None:
        found["price in USD"] = dg.MetadataValue.float(round(made.usd, 2))
    if made.warnings:
        found["warnings"] = dg.MetadataValue.md("\n".join(f"- {text}" for text in made.warnings))
    return found


def film_metadata(title: str, film: MadeFilm, minimax: MiniMaxResource) -> dict[str, Any]:
    """The metadata of a film: preview, price, the report, where it is."""
    settings = minimax.settings()
    card = film_card(title, film, settings)
    found: dict[str, Any] = {
        "preview": dg.MetadataValue.md(card.small_picture),
        "still": dg.MetadataValue.md(card.picture),
        "report": _place(film.report, settings),
        "video": _place(film.path, settings),
        "price in USD": dg.MetadataValue.float(round(film.usd, 2)),
        "dagster/uri": film.path,
    }
    if film.notes:
        found["notes"] = dg.MetadataValue.md("\n".join(f"- {text}" for text in film.notes))
    return found


def _place(path: str, settings: Settings) -> dg.MetadataValue[Any]:
    link = web_link(path, settings)
    return dg.MetadataValue.url(link) if link else dg.MetadataValue.path(path)


@contextlib.contextmanager
def told_to_dagster() -> Iterator[None]:
    """Errors of ours become failures of Dagster, in one sentence and without another try where none can help."""
    try:
        yield
    except MiniMaxError as error:
        raise _failure([error]) from None


def all_made(outcomes: Sequence[Outcome]) -> list[MadeClip]:
    """The clips of outcomes. Raises what went wrong: `Failure` for errors of ours, others as they are."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in errors:
        if not isinstance(error, MiniMaxError):
            raise error
    if errors:
        raise _failure(errors)
    return [outcome.clip for outcome in outcomes if outcome.clip is not None]


def _failure(errors: Sequence[Exception]) -> dg.Failure:
    told = list(dict.fromkeys(map(str, errors)))
    return dg.Failure(
        description=told[0] if len(told) == 1 else f"{len(told)} clips are not made:\n" + "\n".join(told),
        metadata={"errors": dg.MetadataValue.md("\n".join(f"- {text}" for text in told))},
        allow_retries=any(map(is_worth_a_try, errors)),
    )
