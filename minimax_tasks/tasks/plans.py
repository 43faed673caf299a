"""The plans of boards and tables that a run works on.

Luigi rebuilds tasks from their parameters, in which no plan has a place, and asks each of them several times
what it needs and whether it is complete. So they find their plan with the run: made once for all of them.
"""

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from minimax_tasks.storage.versions import Versions


class _Planned(Protocol):
    @property
    def versions(self) -> Versions | None: ...


_P = TypeVar("_P", bound=_Planned)


class Plans(Generic[_P]):
    """Plans by what they are of. One is made again only when a file that it was made from has changed."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _P] = {}
        self._handed_on: dict[Hashable, _P] = {}

    def get(self, of: Hashable, make: Callable[[], _P]) -> _P:
        """The plan that was handed on, or the one that was made and still holds, or else a new one."""
        if of in self._handed_on:
            return self._handed_on[of]
        plan = self._made.get(of)
        if plan is None or plan.versions is None or not plan.versions.are_current():
            plan = self._made[of] = make()
        return plan

    def hand_on(self, of: Hashable, plan: _P) -> None:
        """Use a plan that was made elsewhere, even if its files are edited meanwhile."""
        self._handed_on[of] = plan
