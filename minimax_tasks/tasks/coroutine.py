"""A Luigi task whose work is a coroutine, and what a subclass of it says otherwise.

Our worker awaits `run_async` beside many others; Luigi's own worker calls `run`, which is the same work in an event
loop of its own. Whatever a subclass overrides holds in both. What would not is refused when the class is made.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import luigi
from luigi.task import flatten

from minimax_tasks.errors import MiniMaxError, SubclassError
from minimax_tasks.tasks.run import run_alone

if TYPE_CHECKING:
    _Mixin = luigi.Task
else:
    _Mixin = object

_PACKAGE = __name__.partition(".")[0]

_CALLED = ("run", "complete", "requires", "output", "input", "on_success", "on_failure")
"""What Luigi calls and never awaits."""


class CoroutineTask(_Mixin):
    """Mixed into a Luigi task whose work is the coroutine `run_async`; it stands before `luigi.Task`.

    Raises `SubclassError` when a subclass is made that would not do what it says.
    """

    _beside = cast("Any", None)  # not annotated: to a type checker it would be the only parameter
    """Of a subclass: what its `requires` adds to ours, once somebody asked (`tasks.owner`)."""

    def run(self) -> Any:
        """Do the work alone in this process.

        Where it is known only now what has to be made first, this is a generator of it, as in any task of Luigi.
        """
        steps = self._steps()
        if steps is None:
            run_alone(self.run_async())
        return steps

    def _steps(self) -> Iterator[Any] | None:
        """The work with what has to be made first, when that is known only now; it yields it."""
        return None

    async def run_async(self) -> None:
        """Do the work."""
        raise NotImplementedError

    def on_failure(self, exception: BaseException) -> Any:
        """What Luigi's page and its mails say of a failure: an error of ours in its words, any other with its trace."""
        return str(exception) if isinstance(exception, MiniMaxError) else super().on_failure(exception)

    def _requires(self) -> list[luigi.Task]:
        """What is done before: what `requires` says, and what the work needs whatever that says."""
        asked = flatten(self.requires())
        if not is_overridden(type(self), "requires"):
            return list(asked)
        self._beside = None
        known = set(asked)
        return [*asked, *(task for task in flatten(by_package(self, "requires")) if task not in known)]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not is_ours(cls):
            _judge(cls)


def is_ours(kind: type) -> bool:
    """Whether a class is the package's own and no subclass of a user."""
    return kind.__module__.partition(".")[0] == _PACKAGE


def is_run_as_coroutine(task: luigi.Task) -> bool:
    """Whether a task's work is its `run_async`: nobody has put another `run` in its place."""
    return (
        isinstance(task, CoroutineTask)
        and getattr(type(task), "run", None) is CoroutineTask.run
        and "run" not in vars(task)
        and task._steps() is None
    )


def is_overridden(kind: type, name: str) -> bool:
    """Whether a name of a task comes from a user's class, and neither from the package nor from Luigi."""
    home = definer(kind, name)
    return home is not None and not _is_given(home)


def by_package(task: luigi.Task, name: str) -> Any:
    """What a method gives without the classes of users."""
    home = next(base for base in type(task).__mro__ if _is_given(base) and name in vars(base))
    return getattr(home, name)(task)


def definer(kind: type, name: str) -> type | None:
    """The class that a name of a class comes from."""
    return next((base for base in kind.__mro__ if name in vars(base)), None)


def _is_given(kind: type) -> bool:
    return is_ours(kind) or kind.__module__.partition(".")[0] == "luigi"


def _judge(kind: type[CoroutineTask]) -> None:
    for name in _CALLED:
        function = _plain(getattr(kind, name, None))
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            remedy = (
                "call it `run_async`, which is awaited, and in it `await super().run_async()`"
                if name == "run"
                else "make it a plain `def`"
            )
            raise SubclassError(
                f"{kind.__name__}.{name} is `async`, and Luigi calls it without waiting", advice=remedy
            )
    if not inspect.iscoroutinefunction(_plain(getattr(kind, "run_async", None))):
        raise SubclassError(
            f"{kind.__name__}.run_async takes the place of the work of {_base(kind).__name__}, and is not "
            "`async def` without `yield`",
            advice="give it another name; or make it one that calls `await super().run_async()`",
        )
    for name in sorted(_inner_names(kind)):
        if (home := definer(kind, name)) is not None and not _is_given(home):
            raise SubclassError(
                f"{home.__name__}.{name} takes the place of what {_base(kind).__name__} works with under that name",
                advice="give it another name",
            )


def _inner_names(kind: type) -> Iterator[str]:
    """What the package's classes work with: neither Luigi's own names, nor parameters, nor `run_async`."""
    open_names = {*dir(luigi.Task), "run_async"}
    for base in filter(is_ours, kind.__mro__):
        for name, value in vars(base).items():
            if (
                name not in open_names
                and not name.startswith("__")
                and not isinstance(value, luigi.Parameter)
            ):
                yield name


def _plain(function: Any) -> Callable[..., Any] | None:
    """A function without its decorators, which may be plain ones around a coroutine."""
    return inspect.unwrap(function) if callable(function) else None


def _base(kind: type) -> type:
    """The class of the package that a user's class is derived from."""
    return next(base for base in kind.__mro__ if is_ours(base))
