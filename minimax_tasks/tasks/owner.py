"""What a task of a user says of itself, for the tasks that do its work.

To Luigi a clip is three tasks; to the person who set `worker_timeout` on it, it is one. So a stage knows the task that
it works for, its owner: it has the owner's attributes where a user set them, tells it of failures, and is not begun
before what the owner requires is done.
"""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import luigi
from luigi.parameter import ParameterVisibility
from luigi.task import flatten

from minimax_tasks.tasks.coroutine import CoroutineTask, by_package, is_overridden
from minimax_tasks.tasks.work import Work

_HEARD = frozenset({luigi.Event.FAILURE, luigi.Event.TIMEOUT, luigi.Event.PROCESS_FAILURE})
"""Events of a stage that its owner has too; those of this package as well."""

_OURS = "event.minimax."


class OwnerParameter(luigi.Parameter):
    """The task that a stage works for. It is no part of what the stage is, and is never shown or sent."""

    def __init__(self) -> None:
        super().__init__(
            default=None,  # type: ignore[arg-type]
            significant=False,
            positional=False,
            visibility=ParameterVisibility.PRIVATE,
            description="set by the tasks themselves",
        )

    def serialize(self, value: Any) -> str:
        """Nothing."""
        return ""

    def parse(self, text: str) -> None:
        """None: a text names no task."""

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """A task is meant."""


class OfOwner:
    """An attribute that Luigi asks a task for: the owner's where a user set it there, else the one given here.

    Stages of a film or shards of a dataset are tasks of their own to a user as well: they have their owner's only
    where it is `of_all`.
    """

    def __init__(self, own: Any, *, of_all: bool = False) -> None:
        self._own = own
        self._of_all = of_all

    def __set_name__(self, kind: type, name: str) -> None:
        self._name = name

    def __get__(self, task: Any, kind: type | None = None) -> Any:
        owner = None if task is None else task.owner
        if not (isinstance(owner, OwnedTask) or (self._of_all and owner is not None)):
            return self._own
        is_set = is_overridden(type(owner), self._name) or self._name in vars(owner)
        return getattr(owner, self._name) if is_set else self._own


class OwnedTask(Work):
    """A task that may do its work for another one, its owner."""

    owner: ClassVar[Any] = None
    pays = False
    """Whether its work costs money."""

    if not TYPE_CHECKING:  # to a type checker they are what Luigi declares
        priority = OfOwner(0)
        worker_timeout = OfOwner(None)
        disable_hard_timeout = OfOwner(None)
        disable_window = OfOwner(None)
        owner_email = OfOwner(None)
        disabled = OfOwner(False, of_all=True)
        resources = OfOwner({})

    @property
    def first_owner(self) -> Any:
        """The owner of the stages before this one."""
        return self if self.owner is None else self.owner

    def on_failure(self, exception: BaseException) -> Any:
        """What the owner says of a failure, if a user gave it something to say."""
        if isinstance(self.owner, OwnedTask) and is_overridden(type(self.owner), "on_failure"):
            return self.owner.on_failure(exception)
        return super().on_failure(exception)

    def trigger_event(self, event: str, *arguments: Any, **options: Any) -> None:
        """Tell the handlers of the stage; of a failure or of news of ours also those of its owner."""
        super().trigger_event(event, *arguments, **options)
        if not isinstance(self.owner, OwnedTask) or not (event in _HEARD or event.startswith(_OURS)):
            return
        told = tuple(self.owner if argument is self else argument for argument in arguments)
        for kind, handlers in list(self._event_callbacks.items()):
            if isinstance(self.owner, kind) and not isinstance(self, kind):
                only = SimpleNamespace(_event_callbacks={object: handlers})
                luigi.Task.trigger_event(only, event, *told, **options)  # type: ignore[arg-type]

    def _requires(self) -> list[luigi.Task]:
        return [*(_needed_before(self) if self.pays else []), *super()._requires()]


def _needed_before(task: OwnedTask) -> list[luigi.Task]:
    """What the subclass of a user requires beside our own tasks: it is done before anything is paid for it.

    What itself needs the task that asks comes afterwards.
    """
    owner = task.owner
    if owner is None or not is_overridden(type(owner), "requires"):
        return []
    if owner._beside is None:
        owner._beside = [(other, _reach(other)) for other in _added(owner)]
    return [other for other, reach in owner._beside if task.task_id not in reach]


def _added(owner: Work) -> list[luigi.Task]:
    own = set(flatten(by_package(owner, "requires")))
    return [task for task in flatten(owner.requires()) if task not in own]


def _reach(task: luigi.Task) -> set[str]:
    """The ids of a task and of everything that it needs, however far."""
    found: set[str] = set()
    open_ends = [task]
    while open_ends:
        task = open_ends.pop()
        if task.task_id not in found:
            found.add(task.task_id)
            open_ends += _needs(task)
    return found


def _needs(task: luigi.Task) -> list[luigi.Task]:
    try:
        if not isinstance(task, OwnedTask):
            return list(task.deps())
        added = _added(task.owner) if task.pays and task.owner is not None else []
        return [*CoroutineTask._requires(task), *added]
    except Exception:  # Luigi says what is wrong with it when it schedules it
        return []
