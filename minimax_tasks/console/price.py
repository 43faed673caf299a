"""What something costs, in words and sums."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.state import ClipState, ClipStatus

_PAID = frozenset({ClipStatus.TO_MAKE})
_PAID_AGAIN = frozenset({ClipStatus.TO_MAKE, ClipStatus.FAILED, ClipStatus.REFUSED})


class Price(NamedTuple):
    """What is still to pay: USD by the price table, how many clips, and how many of those have no published price."""

    usd: float
    clips: int
    unpriced: int

    def __str__(self) -> str:
        return f"USD {self.usd:.2f}{without_price(self.unpriced)}"


def paid_for(*, retry_failed: bool) -> frozenset[ClipStatus]:
    """What clips are, that another run would pay for."""
    return _PAID_AGAIN if retry_failed else _PAID


def price_of(
    clips: Mapping[str, ClipRequest], states: Mapping[str, ClipState], *, retry_failed: bool
) -> Price:
    """What another run would pay for clips, by key."""
    paid = paid_for(retry_failed=retry_failed)
    prices = [clip.request.usd for key, clip in clips.items() if states[key].status in paid]
    return Price(sum(usd or 0.0 for usd in prices), len(prices), prices.count(None))


def of_price(usd: Mapping[str, float | None], spent: Iterable[str]) -> str:
    """`$1.68 of $4.48`: the clips that are paid for, of all that have a price. `usd` is by key."""
    paid = sum(usd[key] or 0.0 for key in spent if key in usd)
    return price_words(paid, sum(price or 0.0 for price in usd.values()), list(usd.values()).count(None))


def price_words(paid: float, total: float, unpriced: int) -> str:
    """`$1.68 of $4.48 and 2 without a published price`."""
    return f"${paid:.2f} of ${total:.2f}{without_price(unpriced)}"


def without_price(unpriced: int) -> str:
    """What follows a sum that leaves out clips without a price."""
    return f" and {unpriced} without a published price" if unpriced else ""
