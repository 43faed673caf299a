"""The catalogue as tables for people and as JSON for machines."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from minimax_tasks.api.catalog.cameras import BRACKET_MODELS, MOVES
from minimax_tasks.api.catalog.errors import ERROR_CODES, HTTP_STATUSES, UNKNOWN_STATUS, Verdict
from minimax_tasks.api.catalog.models import OFFERS, SendSize
from minimax_tasks.api.catalog.prices import find_price
from minimax_tasks.api.catalog.sources import SOURCES
from minimax_tasks.api.catalog.templates import TEMPLATES


def models_json() -> list[dict[str, Any]]:
    """Every model in every mode, with sizes, prices and sources."""
    rows = []
    for offer in OFFERS:
        sizes = [
            {
                "resolution": size.resolution,
                "seconds": list(size.seconds),
                "usd": {str(s): _usd(offer.model, size.resolution, s) for s in size.seconds},
                "source": SOURCES[size.source],
                "doubt": size.doubt or None,
            }
            for size in offer.sizes
        ]
        rows.append(
            {
                "model": offer.model,
                "mode": str(offer.mode),
                "default": {"resolution": offer.default_resolution, "seconds": offer.default_seconds},
                "sizes": sizes,
                "sends_size": str(offer.sends_size),
                "fps": offer.fps,
                "fast_pretreatment": offer.fast_pretreatment,
                "reads_brackets": offer.model in BRACKET_MODELS,
                "source": SOURCES[offer.source],
                "doubt": offer.doubt or None,
            }
        )
    return rows


def models_table() -> Table:
    """Every model in every mode."""
    table = Table(_whole("model"), _whole("mode"), "sizes: seconds", "USD", _whole("camera"), title="Models")
    for offer in OFFERS:
        seconds: dict[str, list[int]] = defaultdict(list)
        for size in offer.sizes:
            seconds[size.resolution] += size.seconds
        sizes = " · ".join(f"{name}: {', '.join(map(str, sorted(set(s))))}" for name, s in seconds.items())
        prices = [
            price
            for name, values in seconds.items()
            for s in sorted(set(values))
            if (price := _usd(offer.model, name, s)) is not None
        ]
        doubted = offer.doubt or any(size.doubt for size in offer.sizes)
        table.add_row(
            offer.model,
            str(offer.mode),
            sizes + (" (not sent)" if offer.sends_size is SendSize.NEVER else "") + (" *" if doubted else ""),
            " · ".join(f"{price:.2f}" for price in prices) or "?",
            "brackets" if offer.model in BRACKET_MODELS else "words",
        )
    table.caption = (
        "* public material disagrees on a part of this row; --json says how. "
        "Prices as published in USD, ? where none is"
    )
    return table


def cameras_json() -> list[dict[str, Any]]:
    """The camera instructions."""
    return [asdict(move) | {"source": SOURCES[move.source]} for move in MOVES]


def cameras_table() -> Table:
    """The camera instructions."""
    table = Table(
        "in a board", "English", "Chinese", "what moves", "also understood", title="Camera instructions"
    )
    for move in MOVES:
        table.add_row(
            move.english.casefold(),
            f"[{move.english}]",
            f"[{move.chinese}]",
            move.meaning,
            ", ".join(move.aliases),
        )
    table.caption = Text(
        "`camera: push in, tilt up` at the same time (three at most) · `camera: [static, push in]` in turn"
    )
    return table


def templates_json() -> list[dict[str, Any]]:
    """The service's video templates."""
    return [asdict(template) | {"source": SOURCES[template.source]} for template in TEMPLATES]


def templates_table() -> Table:
    """The service's video templates."""
    table = Table(
        "template",
        _whole("id"),
        "image",
        "text",
        "shows",
        "hosts",
        "USD",
        title="Video templates of the service",
    )
    for template in TEMPLATES:
        table.add_row(
            " · ".join(filter(None, (template.name, template.chinese))),
            template.id,
            template.image or "–",
            template.text or "–",
            template.description,
            " and ".join({"zh": "China", "en": "global"}[host] for host in template.hosts),
            f"{template.usd:.2f}" if template.usd is not None else "?",
        )
    return table


_WAY_ON = {
    Verdict.REFUSED: "final: not sent again by itself",
    Verdict.LATER: "sent again by itself after a while: nothing was created",
    Verdict.UNCERTAIN: "a read is sent again by itself; a submit never, it stops in doubt",
}


def errors_json() -> list[dict[str, Any]]:
    """The error codes of the service, then HTTP statuses."""
    codes = [asdict(row) | {"source": SOURCES[row.source]} for row in ERROR_CODES]
    return codes + [asdict(row) | {"source": SOURCES["cli"]} for row in HTTP_STATUSES]


def errors_rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Code, meaning, exception, what becomes of the request, what to do."""
    for row in ERROR_CODES:
        yield str(row.code), row.meaning, row.error, _WAY_ON[row.verdict], row.advice
    for status in (*HTTP_STATUSES, UNKNOWN_STATUS):
        numbers = ", ".join(map(str, status.statuses)) or "5xx, other"
        yield f"HTTP {numbers}", status.meaning, status.error, _WAY_ON[status.verdict], status.advice


def errors_table() -> Table:
    """The error codes of the service, then HTTP statuses."""
    table = Table("code", "meaning", _whole("exception"), "what happens", "what to do", title="Errors")
    for row in errors_rows():
        table.add_row(*row)
    return table


def _whole(header: str) -> Column:
    """A column of names that somebody copies, and so is never cut."""
    return Column(header, no_wrap=True, overflow="fold")


def _usd(model: str, resolution: str, seconds: int) -> float | None:
    price = find_price(model, resolution, seconds)
    return price.usd if price else None
