"""The catalogue as tables for people and as JSON for machines."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.box import HORIZONTALS
from rich.table import Column, Table

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.api.catalog.combinations import COMBINATIONS
from minimax_tasks.api.catalog.errors import ERROR_CODES, HTTP_STATUSES, UNKNOWN_STATUS
from minimax_tasks.api.catalog.models import ModelMode, SendSize, model_modes
from minimax_tasks.api.catalog.sources import SOURCES
from minimax_tasks.api.catalog.templates import TEMPLATES
from minimax_tasks.console.messages import advice_of
from minimax_tasks.errors import Verdict
from minimax_tasks.video.lettering.look_names import LOOKS
from minimax_tasks.video.transition_names import TRANSITIONS, shows


def models_json() -> list[dict[str, Any]]:
    """Every model in every mode, with sizes, prices and sources."""
    rows = []
    for model_mode in model_modes():
        sizes = [
            {
                "resolution": size.resolution,
                "seconds": list(size.seconds),
                "usd": {str(s): _usd(model_mode, size.resolution, s) for s in size.seconds},
                "source": SOURCES[size.source],
                "doubt": size.caveat or None,
            }
            for size in model_mode.sizes
        ]
        rows.append(
            {
                "model": model_mode.model,
                "mode": str(model_mode.mode),
                "default": {
                    "resolution": model_mode.default_resolution,
                    "seconds": model_mode.default_seconds,
                },
                "sizes": sizes,
                "sends_size": str(model_mode.sends_size),
                "fps": model_mode.fps,
                "fast_pretreatment": model_mode.fast_pretreatment,
                "reads_brackets": model_mode.reads_brackets,
                "endpoint": model_mode.endpoint.submit_path,
                "prompt_limit": model_mode.prompt_limit,
                "ratios": list(model_mode.ratios),
                "pictures": asdict(model_mode.picture_price) if model_mode.picture_price else None,
                "usd_a_second": {rate.resolution: rate.usd for rate in model_mode.rates},
                "source": SOURCES[model_mode.source],
                "doubt": model_mode.caveat or None,
            }
        )
    return rows


def models_table() -> Table:
    """Every model in every mode."""
    table = _table("Models", _whole("model"), _whole("mode"), _whole("size: seconds and USD"))
    for model_mode in model_modes():
        seconds: dict[str, list[int]] = defaultdict(list)
        for size in model_mode.sizes:
            seconds[size.resolution] += size.seconds
        doubted = model_mode.caveat or any(size.caveat for size in model_mode.sizes)
        sizes = [_priced(model_mode, name, sorted(set(values))) for name, values in seconds.items()]
        sizes[-1] += (" (not sent)" if model_mode.sends_size is SendSize.NEVER else "") + (
            " *" if doubted else ""
        )
        table.add_row(model_mode.model, str(model_mode.mode).removesuffix("-to-video"), "\n".join(sizes))
    brackets = ", ".join(dict.fromkeys(o.model for o in model_modes() if o.reads_brackets))
    table.caption = (
        f"The camera is written in brackets for {brackets}; the others get plain words. "
        "Prices as published in USD, ? where none is. * public material disagrees on a part of this row; "
        "--json says how."
    )
    return table


def priced_by_second(model_mode: ModelMode, resolution: str, seconds: list[int]) -> str:
    """`4–15 s, 0.08 a second`, of a size with every length in a range; "" of any other."""
    if len(seconds) < 4 or seconds != list(range(seconds[0], seconds[-1] + 1)):
        return ""
    rate = next((rate.usd for rate in model_mode.rates if rate.resolution == resolution), None)
    return f"{seconds[0]}–{seconds[-1]} s, {'?' if rate is None else f'{rate:.2f}'} a second"


def _priced(model_mode: ModelMode, resolution: str, seconds: list[int]) -> str:
    """`768P: 6 s 0.28 · 10 s 0.56`."""
    if by_second := priced_by_second(model_mode, resolution, seconds):
        return f"{resolution}: {by_second}"
    prices = ((length, _usd(model_mode, resolution, length)) for length in seconds)
    shown = (f"{length} s {'?' if price is None else f'{price:.2f}'}" for length, price in prices)
    return f"{resolution}: " + " · ".join(shown)


def cameras_json() -> list[dict[str, Any]]:
    """The camera instructions."""
    return [asdict(move) | {"source": SOURCES[move.source]} for move in MOVES]


def cameras_table() -> Table:
    """The camera instructions."""
    table = _table(
        "Camera instructions", _whole("English"), _whole("Chinese"), "what moves (also understood)"
    )
    for move in MOVES:
        aliases = f" ({', '.join(move.aliases)})" if move.aliases else ""
        table.add_row(f"[{move.english}]", f"[{move.chinese}]", move.meaning + aliases)
    table.add_section()
    for combination in COMBINATIONS:
        table.add_row(combination.macro, "", f"{combination.meaning} ({', '.join(combination.words)})")
    table.caption = (
        "`camera: push in, tilt up` at the same time (three at most) · `camera: [static, push in]` in turn · "
        "{{ … }} goes into the text of a prompt"
    )
    return table


def transitions_json() -> list[dict[str, Any]]:
    """Every transition that `cut` takes, with what it shows."""
    return [{"name": name, "shows": shows(name)} for name in TRANSITIONS]


def transitions_table() -> Table:
    """Every transition that `cut` takes."""
    table = _table("Transitions", _whole("cut"), "what it shows")
    for name in TRANSITIONS:
        table.add_row(name, shows(name))
    table.caption = "`cut: fade 0.5`: the name and its seconds, 0.1 to 5; `cut: true` is a plain cut"
    return table


def titles_json() -> list[dict[str, Any]]:
    """Every look of a title, with what it is."""
    return [{"name": name, "looks": text} for name, text in LOOKS.items()]


def titles_table() -> Table:
    """Every look of a title."""
    table = _table("Looks of titles", _whole("look"), "what it looks like")
    for name, text in LOOKS.items():
        table.add_row(name, text)
    table.caption = (
        "`title: {text: The Last Ferry, look: classic, from: 0.5, to: 4}` over a shot · "
        "`title: {text: The Last Ferry, over: black, seconds: 4}` is a shot"
    )
    return table


def templates_json() -> list[dict[str, Any]]:
    """The service's video templates."""
    return [asdict(template) | {"source": SOURCES[template.source]} for template in TEMPLATES]


def templates_table() -> Table:
    """The service's video templates."""
    table = _table("Video templates of the service", "template", "host", _right("USD"), _whole("id"))
    for template in TEMPLATES:
        takes = " and ".join(filter(None, (template.image, template.text)))
        table.add_row(
            f"{' · '.join(filter(None, (template.name, template.chinese)))}\n  {takes}: {template.description}",
            " ".join({"zh": "C", "en": "G"}[host] for host in template.hosts),
            f"{template.usd:.2f}" if template.usd is not None else "?",
            template.id,
        )
    table.caption = "C: the host in China · G: the global one · what it takes: what it shows"
    return table


_WAY_ON = {
    Verdict.REFUSED: "final: not retried",
    Verdict.RETRY_LATER: "retried automatically after a while: nothing was created",
    Verdict.UNCERTAIN: "reads are retried; a submit is not: the clip is left in doubt",
}


def errors_json() -> list[dict[str, Any]]:
    """The error codes of the service, then HTTP statuses."""
    codes = [asdict(row) | {"advice": advice_of(row), "source": SOURCES[row.source]} for row in ERROR_CODES]
    return codes + [asdict(row) | {"source": SOURCES["cli"]} for row in HTTP_STATUSES]


def errors_rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Code, meaning, exception, what happens to the request, what to do."""
    for row in ERROR_CODES:
        yield str(row.code), row.meaning, row.error, _WAY_ON[row.verdict], advice_of(row)
    for status in (*HTTP_STATUSES, UNKNOWN_STATUS):
        numbers = ", ".join(map(str, status.statuses)) or "5xx, other"
        yield f"HTTP {numbers}", status.meaning, status.error, _WAY_ON[status.verdict], status.advice


def errors_table() -> Table:
    """The error codes of the service, then HTTP statuses."""
    table = _table("Errors", "code", "meaning and exception", "what happens, and what to do")
    table.columns[0].max_width = 10
    for code, meaning, exception, happens, advice in errors_rows():
        table.add_row(code, f"{meaning}\n{exception}", f"{happens}\n{advice}")
    return table


def _table(title: str, *columns: str | Column) -> Table:
    """A table without side lines, which fits narrow terminals."""
    return Table(
        *columns,
        title=title,
        box=HORIZONTALS,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        caption_justify="left",
    )


def _right(header: str) -> Column:
    return Column(header, justify="right", no_wrap=True)


def _whole(header: str) -> Column:
    """A column of names that somebody copies, and so is never cut."""
    return Column(header, no_wrap=True, overflow="fold")


def _usd(model_mode: ModelMode, resolution: str, seconds: int) -> float | None:
    price = model_mode.price(resolution, seconds)
    return price.usd if price else None
