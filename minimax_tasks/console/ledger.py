"""What was spent under a root, as a table for people and as JSON for machines."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from minimax_tasks.clips.ledger import Payment


def ledger_json(payments: Iterable[Payment]) -> dict[str, Any]:
    """Every payment, and the totals by day."""
    listed = list(payments)
    days = {day: _sum(list(group)) for day, group in groupby(listed, lambda payment: payment.at[:10])}
    return {"payments": [asdict(payment) for payment in listed], "days": days, "total": _sum(listed)}


def ledger_table(payments: Iterable[Payment]) -> Table:
    """One row for each payment, a total for each day and for all."""
    listed = list(payments)
    total = _sum(listed)
    table = Table(
        "when (UTC)", "clip", Column("task", no_wrap=True), "what", "state", title="Ledger", show_footer=True
    )
    table.add_column("USD", justify="right", footer=f"{total['usd']:.2f}")
    table.columns[1].footer = f"{total['clips']} paid"
    for day, group in groupby(listed, lambda payment: payment.at[:10]):
        rows = list(group)
        for row in rows:
            attempt = f" attempt {row.attempt}" if row.attempt > 1 else ""
            price = f"{row.usd:.2f}" if row.usd is not None else "?"
            table.add_row(
                row.at[:19].replace("T", " "),
                row.key[:12] + attempt,
                row.task_id or "–",
                Text(row.what),
                row.state,
                price,
            )
        table.add_row(
            day,
            f"{len(rows)} clips",
            "",
            "",
            "the day",
            f"{_sum(rows)['usd']:.2f}",
            style="bold",
            end_section=True,
        )
    if total["without_price"]:
        table.caption = f"? {total['without_price']} clips have no published price and are not in the total"
    return table


def _sum(payments: list[Payment]) -> dict[str, Any]:
    prices = [payment.usd for payment in payments]
    usd = round(sum(price or 0.0 for price in prices), 4)
    return {"usd": usd, "clips": len(prices), "without_price": prices.count(None)}
