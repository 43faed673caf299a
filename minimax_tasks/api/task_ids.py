"""The task ids that an answer names, wherever they stand in it.

A gateway may wrap an answer, repeat one that was lost inside of an error, or cut it off. A task that is named anywhere
was created, so what names one is never taken for a plain refusal.
"""

import re
from collections.abc import Iterator
from typing import Any

from minimax_tasks.api.answers import as_id

_NAME = "taskid"
_OF_TASKS = frozenset({"task", "tasks", _NAME})
"""Members whose own `id` is that of a task, in the spelling of `_folded`."""

_USUAL = re.compile(r"[0-9A-Za-z_-]{1,64}")
_MENTIONED = re.compile(
    r"task[_\- ]?id[\"'\\]*\s*(?:[:=]|\bis\b|\s)\s*[\"'\\\[]*(?P<id>(?=[A-Za-z_-]*\d)[0-9A-Za-z_-]{2,64})",
    re.IGNORECASE,
)
"""In text for people, or in JSON that cannot be read. An id without a digit would be any word."""


def task_ids(document: Any) -> tuple[str, ...]:
    """The different ids that members of a JSON document give to tasks, from the top down."""
    return tuple(dict.fromkeys(one for one in _named(document, in_task=False) if _USUAL.fullmatch(one)))


def mentioned_task_ids(text: str) -> tuple[str, ...]:
    """The different ids that a text speaks of as those of tasks."""
    return tuple(dict.fromkeys(found["id"] for found in _MENTIONED.finditer(text)))


def _named(value: Any, *, in_task: bool) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item, in_task=in_task)
    if not isinstance(value, dict):
        return
    members = [(_folded(name), member) for name, member in value.items()]
    for name, member in members:
        if name == _NAME or (in_task and name == "id"):
            yield from (one for item in _each(member) if (one := as_id(item)))
    for name, member in members:
        if isinstance(member, dict | list):
            yield from _named(member, in_task=name in _OF_TASKS)


def _each(member: Any) -> list[Any]:
    return member if isinstance(member, list) else [member]


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()
