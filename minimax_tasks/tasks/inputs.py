"""What a parameter takes in place of a value: another task, whose output it is, or a file that holds a text."""

import json
import os
from typing import Any

import luigi
from luigi.task import flatten
from luigi.task_register import load_task

from minimax_tasks.errors import InvalidRequest, UnreadableReference
from minimax_tasks.redaction import is_named, named
from minimax_tasks.storage.references import read_text
from minimax_tasks.tasks.shown import Shown

_TASK = "luigi-task:"
_TEXT = "luigi-text:"
_TEXT_LIMIT = 100_000
"""Bytes of a file with a prompt; the longest prompt that is taken has some thousand characters."""


class TextFile(str):
    """A path or URL whose text is meant, and not its name."""

    def text(self, field: str) -> str:
        """What the file says, without blanks around it. Raises `InvalidRequest`."""
        try:
            return read_text(self, _TEXT_LIMIT, "a file with a text").strip()
        except UnreadableReference as error:
            raise InvalidRequest(field, str(self), "a file with a text", str(error)) from None


def path_of_target(value: Any) -> Any:
    """The path of a target; None for what has none.

    Luigi's have it as an attribute, those of gokart as a method. In those of law it is relative to a base of theirs, and
    `abspath` is what can be opened.
    """
    path = getattr(value, "abspath", None) or getattr(value, "path", None)
    return path() if callable(path) else path


def given_text(value: Any) -> Any:
    """A text as it is; a path object or a target as the text of its file."""
    if isinstance(value, luigi.Task | TextFile | str) or value is None:
        return value
    if isinstance(path := path_of_target(value), str):
        return TextFile(path)
    return TextFile(value) if isinstance(value, os.PathLike) else value


def refuse_markers(value: Any) -> Any:
    """Raise `InvalidRequest` for a text that another process would take for a task or a file."""
    plain = isinstance(value, str) and not isinstance(value, TextFile)
    if plain and value.startswith((_TASK, _TEXT)):
        raise InvalidRequest("value", value, f"a text that does not begin with {_TASK} or {_TEXT}")
    return value


def name_of_input(value: Any) -> str | None:
    """How a task or a file with a text is written as the text of a parameter; None for anything else."""
    if isinstance(value, TextFile):
        shown = named(value)
        return _TEXT + value if shown == value else Shown(_TEXT + shown, value)
    if isinstance(value, luigi.Task):
        loaded = [value.task_module, value.task_family, value.to_str_params()]
        return Shown(_TASK + json.dumps(loaded, ensure_ascii=False, sort_keys=True), _Loaded(*loaded))
    return None


def input_of_name(text: str) -> Any:
    """The task or file that `name_of_input` wrote down; None for any other text."""
    whole = getattr(text, "whole", None)
    if isinstance(whole, TextFile):
        return whole
    if isinstance(whole, _Loaded):
        return whole.task()
    if text.startswith(_TASK):
        return _Loaded(*json.loads(text.removeprefix(_TASK))).task()
    if not text.startswith(_TEXT):
        return None
    path = text.removeprefix(_TEXT)
    if is_named(path):
        raise InvalidRequest("text", path, "the whole URL; this is how a log shows it, without its secret")
    return TextFile(path)


class _Loaded:
    """A task as Luigi sends it: classes of notebooks and functions cannot be pickled, these words can."""

    def __init__(self, module: str, family: str, params: dict[str, str]) -> None:
        self._words = module, family, params

    def task(self) -> luigi.Task:
        loaded: luigi.Task = load_task(*self._words)
        return loaded


def output_of(task: luigi.Task, field: str) -> str:
    """The path or URL of a task's only output. Raises `InvalidRequest`."""
    targets = flatten(task.output())
    if len(targets) != 1:
        raise InvalidRequest(field, repr(task), "a task with one output", f"it has {len(targets)}")
    path = path_of_target(targets[0])
    if path is None:
        kind = type(targets[0]).__name__
        raise InvalidRequest(field, repr(task), "a task whose output is a file", f"it is a {kind}")
    return str(path)


def path_of(value: Any, field: str) -> str:
    """The path or URL of a file that is given as such, or as the output of a task. Raises `InvalidRequest`."""
    return output_of(value, field) if isinstance(value, luigi.Task) else str(value)


def is_there(value: Any) -> bool:
    """Whether a value can be looked at: the task that makes it, if any, is complete."""
    return not isinstance(value, luigi.Task) or value.complete()
