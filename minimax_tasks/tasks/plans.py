"""The plans of boards and tables that a run works on.

Luigi builds tasks anew from their parameters, in which no plan has a place, and asks each of them several times
what it needs and whether it is complete. So they find their plan with the run: made once, whoever asks.
"""

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from minimax_tasks.storage.versions import Versions


class _Planned(Protocol):
    @property
    def versions(self) -> Versions | None: ...


_P = TypeVar("_P", bound=_Planned)


class Plans(Generic[_P]):
    """Plans by what they are of.

    One run works on one plan, even if its files are edited meanwhile. Plans that are `kept` beyond a run are made
    anew when a file that they were made from has changed.
    """

    def __init__(self, *, kept: bool) -> None:
        self._kept = kept
        self._made: dict[Hashable, _P] = {}

    def get(self, of: Hashable, make: Callable[[], _P]) -> _P:
        """The plan as it was made, or else a new one."""
        plan = self._made.get(of)
        if plan is None or (self._kept and not (plan.versions and plan.versions.are_current())):
            plan = self._made[of] = make()
        return plan

    def add(self, of: Hashable, plan: _P) -> None:
        """Hand on a plan that was made elsewhere."""
        self._made[of] = plan
