"""Our own work behind a task that a user may derive from: done in our files, and handed to an `output` of theirs.

Where our work is done is fixed: under the root, in files that other runs find. So an `output` of a user's own is filled
from there. What it names that we have nothing for is the user's to write, in `run` or `run_async`.
"""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import luigi
from luigi.task import flatten

from minimax_tasks.clips.belonging import place_of
from minimax_tasks.errors import SubclassError
from minimax_tasks.redaction import shown
from minimax_tasks.tasks.coroutine import CoroutineTask, by_package, is_overridden
from minimax_tasks.tasks.inputs import path_of_target
from minimax_tasks.tasks.target import FsspecTarget

_WRITERS = ("run", "run_async", "on_success", "complete")
"""What a user overrides who writes an output, or has another idea of when it is there."""

_WRITE_IT = "write it in `run`, after `super().run()`"


class Work(CoroutineTask):
    """A task of ours: its work is `_work`, and what that makes is what our `output` names."""

    async def run_async(self) -> None:
        """Do the work, and copy what it made to where an `output` of a user's own wants it."""
        await self._work()
        if _has_own_output(self):
            await asyncio.to_thread(_fill, self)

    async def _work(self) -> None:
        raise NotImplementedError

    def _requires(self) -> list[luigi.Task]:
        if _has_own_output(self):
            _check(self)  # before anything is begun, and paid
        return super()._requires()


def is_handed_over(task: Work) -> bool:
    """Whether all is there that an `output` of a user's own names."""
    return not _has_own_output(task) or all(target.exists() for target in flatten(task.output()))


def _has_own_output(task: Work) -> bool:
    return is_overridden(type(task), "output") or "output" in vars(task)


def _check(task: Work) -> None:
    """Raise `SubclassError` for an output that nobody is going to write."""
    kind = type(task)
    if any(is_overridden(kind, name) or name in vars(task) for name in _WRITERS):
        return
    ours, theirs = by_package(task, "output"), task.output()
    known = {id(target) for _, target in _copies(ours, theirs)}
    for target in flatten(theirs):
        if id(target) in known:
            _check_opens(task, target)
        elif _place(target) not in _places(ours):
            raise SubclassError(
                f"{kind.__name__}.output() names {_name(target)}, which nothing writes", advice=_WRITE_IT
            )


def _check_opens(task: Work, target: Any) -> None:
    if not callable(getattr(target, "open", None)):
        raise SubclassError(
            f"{type(task).__name__}.output() names {_name(target)}, which cannot be opened", advice=_WRITE_IT
        )


def _fill(task: Work) -> None:
    for source, target in _copies(by_package(task, "output"), task.output()):
        _copy(task, source, target)


def _copies(ours: Any, theirs: Any) -> list[tuple[FsspecTarget, Any]]:
    """Our file and the target that it goes to, for each target of a user's that stands for a file of ours.

    Of a dictionary those by the same name; one target alone, or the only one with the ending of our (first) file,
    where our own is not among them.
    """
    named: list[tuple[Any, Any]]
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        named = [(ours[name], theirs[name]) for name in ours if name in theirs]
    else:
        first, targets = flatten(ours)[0], flatten(theirs)
        if _place(first) in _places(targets):
            return []
        alike = [target for target in targets if _ending(target) == _ending(first)]
        named = [(first, target) for target in (targets if len(targets) == 1 else alike)]
        named = named if len(named) == 1 else []
    return [(source, target) for source, target in named if _place(source) != _place(target)]


def _copy(task: Work, source: FsspecTarget, target: Any) -> None:
    with source.as_local() as path:
        if isinstance(target, luigi.LocalTarget):
            target.makedirs()
            draft = f"{target.path}.minimax-part"
            shutil.copyfile(path, draft)
            Path(draft).replace(target.path)
        elif isinstance(target, FsspecTarget):
            with path.open("rb") as content, target.open("wb") as out:
                shutil.copyfileobj(content, out)
        else:
            _check_opens(task, target)
            _write(task, path, target)


def _write(task: Work, path: Path, target: Any) -> None:
    with path.open("rb") as content, target.open("w") as out:
        try:
            out.write(b"")
        except TypeError:
            if path.suffix == ".mp4":
                raise SubclassError(
                    f"{type(task).__name__}.output() names {_name(target)}, which takes text",
                    advice="give it format=luigi.format.Nop, for bytes",
                ) from None
            out.write(content.read().decode())
        else:
            shutil.copyfileobj(content, out)


def _places(targets: Any) -> set[str]:
    return {_place(target) for target in flatten(targets)}


def _place(target: Any) -> str:
    path = path_of_target(target)
    return place_of(str(path)) if path else f"{type(target).__name__} {id(target)}"


def _ending(target: Any) -> str:
    return Path(str(path_of_target(target) or "")).suffix.lower()


def _name(target: Any) -> str:
    return shown(str(path_of_target(target) or target))
