"""Published prices per clip. Regions are billed apart: USD on the global host, CNY on the Chinese one."""

from dataclasses import dataclass

from minimax_tasks.api.catalog.models import H02, H23, H23F


@dataclass(frozen=True)
class Price:
    """What one clip of this model and size costs."""

    model: str
    resolution: str
    seconds: int
    usd: float
    cny: float
    source: str = "prices"


PRICES: tuple[Price, ...] = (
    Price(H23, "768P", 6, 0.28, 2.00),
    Price(H23, "768P", 10, 0.56, 4.00),
    Price(H23, "1080P", 6, 0.49, 3.50),
    Price(H02, "768P", 6, 0.28, 2.00),
    Price(H02, "768P", 10, 0.56, 4.00),
    Price(H02, "1080P", 6, 0.49, 3.50),
    Price(H23F, "768P", 6, 0.19, 1.35),
    Price(H23F, "768P", 10, 0.32, 2.25),
    Price(H23F, "1080P", 6, 0.33, 2.31),
    Price(H02, "512P", 6, 0.10, 0.60),
    Price(H02, "512P", 10, 0.15, 1.00),
)
"""The 01 series and S2V-01 have no published price."""


def find_price(model: str, resolution: str, seconds: int) -> Price | None:
    """The row for one clip, or None when no price is published."""
    return next(
        (p for p in PRICES if (p.model, p.resolution, p.seconds) == (model, resolution, seconds)), None
    )
