"""The card of a dataset, `README.md`: what is in it, how it was made, what it cost, whose terms apply.

Its head is the YAML that the Hugging Face hub and `datasets` read. A card that somebody edited is left alone.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.clips.layout import FAILED_ROWS, METADATA
from minimax_tasks.dataset.columns import Kind
from minimax_tasks.dataset.plan import DatasetPlan, PlannedRow
from minimax_tasks.dataset.table import fields_of_requests
from minimax_tasks.redaction import clean, plain

NOT_STATED = "unknown"
"""What the hub calls a licence that nobody stated."""

_MADE_BY_US = re.compile(r"\n<!-- minimax_tasks wrote this card; sha256:([0-9a-f]{64}) -->\n?\Z")

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
"""Rows below -> what the hub calls a dataset of that size."""

_TYPES = {
    "null": "nothing in it",
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "text": "text",
    "list": "list",
    "object": "object",
    "mixed": "JSON as text",
}

_OWN = {
    "file_name": "the video; `datasets` makes the column `video` of it",
    "prompt": "what was asked for",
    "model": "what made the video",
    "resolution": "as it was asked for",
    "duration": "seconds, as asked for",
    "ratio": "as it was asked for, of models that take one",
    "mode": "how it was asked for",
    "key": "of the clip, made from all that was asked",
    "task_id": "of the service",
    "width": "pixels of the video",
    "height": "pixels of the video",
    "fps": "frames per second of the video",
    "frames": "of the video",
    "audio_rate": "samples a second of its sound; empty for a silent one",
    "audio_channels": "channels of its sound",
    "split": "the part of the dataset that the row is in",
}


def dataset_card(
    name: str,
    plan: DatasetPlan,
    delivered: Sequence[PlannedRow],
    kinds: Mapping[str, Kind],
    *,
    licence: str,
    drawn: bool,
) -> str:
    """The text of a card. `kinds` has the columns in their order; `drawn` is True for clips of a sandbox."""
    text = _head(name, plan, delivered, licence) + _body(name, plan, delivered, kinds, licence, drawn)
    return f"{text}\n<!-- minimax_tasks wrote this card; sha256:{_digest(text)} -->\n"


def is_ours(card: str) -> bool:
    """Whether a card is as it was written, and may be replaced."""
    found = _MADE_BY_US.search(card)
    return found is not None and _digest(card[: found.start()]) == found[1]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _head(name: str, plan: DatasetPlan, delivered: Sequence[PlannedRow], licence: str) -> str:
    import yaml  # nothing before a delivery needs it

    modes = {one.clip.mode for one in delivered}
    head: dict[str, Any] = {
        "pretty_name": name,
        "license": licence or NOT_STATED,
        "task_categories": [
            *(["text-to-video"] if Mode.TEXT in modes else []),
            *(["image-to-video"] if modes - {Mode.TEXT} else []),
        ],
        "size_categories": [next((word for below, word in _SIZES if len(delivered) < below), "1M<n<10M")],
        "tags": ["video", "synthetic", "minimax", "hailuo"],
    }
    there = {one.split for one in delivered}
    if splits := [split for split in plan.splits if split in there]:
        files = [{"split": split, "path": f"data/{split}/**"} for split in splits]
        head["configs"] = [{"config_name": "default", "data_files": files}]
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n"


def _body(
    name: str,
    plan: DatasetPlan,
    delivered: Sequence[PlannedRow],
    kinds: Mapping[str, Kind],
    licence: str,
    drawn: bool,
) -> str:
    rows, missing = len(delivered), len(plan.rows) - len(delivered)
    parts = [
        f"\n# {_plain(name)}\n\n{counted(rows, 'video')}, made from the table `{_plain(plan.name)}`"
        + (f"; {counted(missing, 'row')} of it could not be made (`{FAILED_ROWS}`)" if missing else "")
        + ".\n",
    ]
    if drawn:
        parts.append(
            "\n**A sandbox drew these videos.** They show what a pipeline does, not what the models make, and cost "
            "nothing.\n"
        )
    parts += ["\n## How it was made\n\n", _how(delivered), "\n## What it cost\n\n", _cost(delivered, drawn)]
    splits = Counter(one.split for one in delivered if one.split)
    if splits:
        parts += [
            "\n## Splits\n\n",
            _table(("split", "videos"), ((name, f"{n:,}") for name, n in splits.items())),
        ]
    parts += ["\n## Columns\n\n", _columns(kinds)]
    parts += ["\n## Licence\n\n", _licence(licence, drawn)]
    load = f'rows = datasets.load_dataset("videofolder", data_dir="{_plain(name)}")'
    parts.append(f"\n## Load it\n\n```python\nimport datasets\n\n{load}\n```\n")
    parts.append(f"\n`{METADATA}` has all rows, one JSON object a line.\n")
    return "".join(parts)


def _how(delivered: Iterable[PlannedRow]) -> str:
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in delivered:
        usd = one.clip.request.usd
        counts[str(one.clip.mode), one.clip.request.label, "?" if usd is None else f"{usd:.2f}"] += 1
    rows = ((mode, label, f"{count:,}", usd) for (mode, label, usd), count in counts.items())
    return _table(("mode", "model, resolution, seconds", "videos", "USD each"), rows)


def _cost(delivered: Sequence[PlannedRow], drawn: bool) -> str:
    prices = {one.key: one.clip.request.usd for one in delivered}
    total = sum(usd or 0.0 for usd in prices.values())
    unpriced = list(prices.values()).count(None)
    more = f", and {counted(unpriced, 'clip')} without a published price" if unpriced else ""
    what = f"USD {total:.2f} by the price table for {counted(len(prices), 'clip')}{more}"
    return f"Nothing; MiniMax would take {what}.\n" if drawn else f"{what}.\n"


def _columns(kinds: Mapping[str, Kind]) -> str:
    fields = fields_of_requests()
    rows = (
        (
            f"`{_plain(name)}`",
            _TYPES[kind.name],
            _OWN.get(name)
            or ("as in the table: what was asked for" if name in fields else "as in the table"),
        )
        for name, kind in kinds.items()
    )
    return _table(("column", "type", "what it is"), rows)


def _licence(licence: str, drawn: bool) -> str:
    terms = "" if drawn else " The videos were generated by MiniMax's service, whose terms apply to them."
    stated = f"`{_plain(licence)}`." if licence else "Whoever made this dataset stated none."
    return f"{stated}{terms} What the table brought along, such as pictures, keeps the licence that it had.\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _plain(text: str) -> str:
    """A word of somebody else's in one line of Markdown."""
    return clean(plain(text), 200).replace("`", "'").replace("<", "‹").replace('"', "'")


def counted(count: int, noun: str) -> str:
    """`1 row`, `1,500 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
