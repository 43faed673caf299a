"""What was spent under a root, as a table for people and as JSON for machines."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from rich import box
from rich.table import Column, Table
from rich.text import Text

from minimax_tasks.clips.layout import DATASET_MANIFEST, DATASETS, FILM_MANIFEST, FILMS, MADE_BY
from minimax_tasks.clips.ledger import Payment
from minimax_tasks.clips.request import in_one_line
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage

_OTHER_COLUMNS = 55
"""Columns of a terminal that everything but the words takes."""

_LEAST_WORDS = 18


def is_drawn(root: Storage) -> bool:
    """Whether the clips of a root were drawn by a sandbox, so that nothing was paid for them."""
    return (root.read_json(MADE_BY) or {}).get("service") == "sandbox"


def with_purposes(root: Storage, payments: Iterable[Payment]) -> list[Payment]:
    """The payments, each with what it was for: claims of earlier versions do not say it, but films and
    datasets name their clips.
    """
    listed = list(payments)
    if all(payment.purpose for payment in listed):
        return listed
    known = _purposes(root)
    return [
        payment
        if payment.purpose
        else replace(payment, purpose=known.get(payment.key) or known.get(payment.key[:12]) or "")
        for payment in listed
    ]


def _purposes(root: Storage) -> dict[str, str]:
    """Key, or the first 12 digits of it -> what the clip is for."""
    found: dict[str, str] = {}
    for name in root.folders(FILMS):
        film = root.read_json(f"{FILMS}/{name}/{FILM_MANIFEST}") or {}
        for shot in film.get("shots") or ():
            for take, key in enumerate(shot.get("takes") or (), 1):
                found[str(key)] = f"{film.get('title') or name}, shot {shot.get('id')}, take {take}"
    for name in root.folders(DATASETS):
        dataset = root.read_json(f"{DATASETS}/{name}/{DATASET_MANIFEST}") or {}
        for video in dataset.get("videos") or ():
            row, _, key = str(video).rpartition("/")[2].removesuffix(".mp4").partition("-")
            if row.isdigit():
                found.setdefault(key, f"{name}, row {int(row)}")
    return found


def ledger_json(payments: Iterable[Payment], *, drawn: bool = False) -> dict[str, Any]:
    """Every payment, and the totals by day. `drawn`: by a sandbox, so that nothing was paid."""
    listed = list(payments)
    days = {day: _sum(list(group)) for day, group in groupby(listed, lambda payment: payment.at[:10])}
    return {
        "service": "sandbox" if drawn else "minimax",
        "paid": not drawn,
        "payments": [asdict(payment) for payment in listed],
        "days": days,
        "total": _sum(listed),
    }


_METRICS = {
    "clips": (
        "Attempts under the root that were paid for, or may have been, by what became of them.",
        "state",
    ),
    "usd": ("Their price in USD by the price table, by what became of them.", "state"),
    "last_paid_timestamp_seconds": ("When the newest of them was paid for.", ""),
}
"""Name of a metric without its prefix -> what it says, and its label beside the root."""


def ledger_metrics(payments: Iterable[Payment], root: str, *, drawn: bool = False) -> str:
    """The payments as metrics in the text format of Prometheus.

    They are counted on the storage, so they are those of all processes and machines that share the root. `drawn`:
    by a sandbox, so that nothing was paid; the service is a label.
    """
    listed = list(payments)
    values: dict[str, dict[str, float]] = {"clips": {}, "usd": {}, "last_paid_timestamp_seconds": {}}
    for payment in listed:
        state = str(payment.state)
        values["clips"][state] = values["clips"].get(state, 0) + 1
        values["usd"][state] = round(values["usd"].get(state, 0.0) + (payment.usd or 0.0), 4)
    if moments := [_timestamp(payment.at) for payment in listed]:
        values["last_paid_timestamp_seconds"][""] = max(moments)
    common = {"root": shown(root), "service": "sandbox" if drawn else "minimax"}
    lines = []
    for name, (says, label) in _METRICS.items():
        lines += [f"# HELP minimax_{name} {says}", f"# TYPE minimax_{name} gauge"]
        for value_of, value in values[name].items():
            labels = common | ({label: value_of} if label else {})
            lines.append(f"minimax_{name}{{{','.join(map(_label, labels.items()))}}} {value}")
    return "\n".join(lines) + "\n"


def _label(item: tuple[str, str]) -> str:
    name, value = item
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{name}="{escaped}"'


def _timestamp(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0


def ledger_table(payments: Iterable[Payment], *, drawn: bool = False, width: int = 100) -> Table:
    """One row for each payment, a total for each day and for all, in a terminal of that many columns."""
    listed = list(payments)
    words = max(_LEAST_WORDS, width - _OTHER_COLUMNS)
    title = "Ledger of a sandbox: nothing was paid" if drawn else "Ledger"
    table = Table(
        Column("when (UTC)", no_wrap=True),
        Column("clip, task", no_wrap=True),
        Column("what", overflow="fold", max_width=words if width < 160 else None),
        "state",
        Column("USD", justify="right", no_wrap=True),
        title=title,
        box=box.SIMPLE_HEAD,
    )
    for day, group in groupby(listed, lambda payment: payment.at[:10]):
        rows = list(group)
        for row in rows:
            attempt = f" attempt {row.attempt}" if row.attempt > 1 else ""
            what = in_one_line(row.what, 3 * words) if width < 160 else row.what
            table.add_row(
                row.at[5:16].replace("T", " "),
                Text(f"{row.key[:12]}{attempt}\n{row.task_id or '–'}"),
                Text("\n").join([Text(row.purpose, style="bold"), Text(what)]) if row.purpose else Text(what),
                row.state,
                _price(row),
            )
        table.add_section()
        table.add_row(day, _several(len(rows)), "", "the day", _usd(rows), style="bold", end_section=True)
    table.add_row(
        "in all", f"{_several(len(listed))}", "", "drawn" if drawn else "paid", _usd(listed), style="bold"
    )
    notes = []
    if drawn:
        notes.append("The prices are those that MiniMax would ask.")
    if any(_differs(payment) for payment in listed):
        notes.append("a → b: b is what the service bills by its usage where a was expected.")
    if missing := _sum(listed)["without_price"]:
        notes.append(f"? {_several(missing)} without a published price, not in the total.")
    table.caption = " ".join(notes) or None
    return table


def _differs(payment: Payment) -> bool:
    return payment.billed is not None and round(payment.billed, 4) != round(payment.usd or 0.0, 4)


def _price(payment: Payment) -> str:
    expected = f"{payment.usd:.2f}" if payment.usd is not None else "?"
    return f"{expected} → {payment.billed:.2f}" if _differs(payment) else expected


def _several(clips: int) -> str:
    return "1 clip" if clips == 1 else f"{clips} clips"


def _usd(payments: list[Payment]) -> str:
    return f"{_sum(payments)['usd']:.2f}"


def _sum(payments: list[Payment]) -> dict[str, Any]:
    prices = [payment.usd for payment in payments]
    usd = round(sum(price or 0.0 for price in prices), 4)
    bills = [payment.usd if payment.billed is None else payment.billed for payment in payments]
    billed = round(sum(price or 0.0 for price in bills), 4)
    return {"usd": usd, "billed": billed, "clips": len(prices), "without_price": prices.count(None)}
