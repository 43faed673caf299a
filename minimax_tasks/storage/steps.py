"""Work at the disk in steps: between two of them, what the work names has to be on disk.

Written so, one thread flushes what a hundred calls wait for all at once (`disk_server`), and whoever has one call
flushes it alone. The work is the same, and the order within it.
"""

import functools
from collections.abc import Callable, Generator, Sequence
from typing import Generic, ParamSpec, TypeVar

from minimax_tasks.storage.flushing import Unflushed, flush_each

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

TAKES_LONG = None
"""What a step says before work that takes long: others need not wait for the rest of it."""

Steps = Generator[list[Unflushed] | None, None, _Result]
"""Work that yields what it wants on disk before it goes on, or `TAKES_LONG`."""


class InSteps(Generic[_Given, _Result]):
    """A function of a module whose work is in steps. Called, it flushes for itself alone."""

    def __init__(self, steps: Callable[_Given, Steps[_Result]]) -> None:
        self.steps = steps
        functools.update_wrapper(self, steps)

    def __call__(self, *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        """Do the work."""
        return alone(self.steps(*args, **kwargs))

    def __reduce__(self) -> str:
        return self.steps.__qualname__  # as for every function of a module: its name


def alone(steps: Steps[_Result], unflushed: Sequence[Unflushed] = ()) -> _Result:
    """Do all steps that are left, and flush for them alone. `unflushed` is what the last one wanted on disk."""
    wanted: Sequence[Unflushed] | None = unflushed
    try:
        while True:
            try:
                flush_each(wanted or ())
            except BaseException as error:
                wanted = steps.throw(error)
            else:
                wanted = next(steps)
    except StopIteration as end:
        result: _Result = end.value
        return result
