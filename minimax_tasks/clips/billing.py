"""What the service says that it bills for a finished task, by the prices of the catalogue."""

from typing import Any

from minimax_tasks.api.answers import QueryAnswer
from minimax_tasks.api.catalog.models import model_modes


def billed_usd(answer: QueryAnswer) -> float | None:
    """USD for the seconds and pictures of the answer's `usage`; None where it has none, or no price is published."""
    facts = answer.model_dump()
    usage, model = facts.get("usage"), facts.get("model")
    row = next((row for row in model_modes() if row.model == model), None)
    if row is None or not isinstance(usage, dict) or not _count(usage, "output_seconds"):
        return None
    return row.usd(
        str(facts.get("resolution")),
        _count(usage, "output_seconds"),
        # It was called so at first.
        pictures=_count(usage, "input_image_count") or _count(usage, "image_count"),
        reference_seconds=_count(usage, "input_seconds"),
    )


def _count(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
