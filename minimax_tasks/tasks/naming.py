"""The names by which people know a task: in its id, on the visualiser's page, in the logs.

Luigi makes them of parameters, which here hold prompts of a page's length, requests, pictures. So a task of ours says
in a few words what it is about, and its parameters go to the scheduler as hidden ones.
"""

import re
from pathlib import PurePosixPath
from typing import Any, ClassVar

import luigi
from luigi.parameter import ParameterVisibility

from minimax_tasks.api.catalog.models import default_model
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.request import FrameOf, in_one_line
from minimax_tasks.redaction import clean, shown
from minimax_tasks.tasks.coroutine import CoroutineTask, definer, is_ours

_ABOUT = 40
"""Characters of a prompt in a name."""

_DIGITS = 6
_KEPT = re.compile(r"(pixels-)?(?P<digest>[0-9a-f]{64})")
"""The file of a picture that was given as bytes."""

_NO_PART_OF_AN_ID = re.compile(r"[^\w]+")
"""Luigi's page puts ids into HTML as they are."""


class NamedTask(CoroutineTask):
    """A task with a short name: `TextToVideo a lighthouse at dusk · 768P 6 s · 4ac38e`."""

    _named_as: ClassVar[str] = "clip"
    """What the name is of, on the visualiser's page."""

    def __init__(self, *arguments: Any, **parameters: Any) -> None:
        super().__init__(*arguments, **parameters)
        # What Luigi made of the parameters that count; it tells two tasks of the same words apart.
        self._digest: str = self.task_id.rpartition("_")[2]
        words = _NO_PART_OF_AN_ID.sub("_", self._words).strip("_")
        self.task_id = f"{self.get_task_family()}_{words}_{self._digest}"
        self._Task__hash = hash(self.task_id)

    @property
    def _words(self) -> str:
        """What the task is about, in a few words."""
        raise NotImplementedError

    @property
    def _digits(self) -> str:
        """Hex digits, of which the first stand in the name."""
        return self._digest

    @property
    def short_name(self) -> str:
        """`a lighthouse at dusk · 768P 6 s · 4ac38e`."""
        return f"{self._words} · {self._digits[:_DIGITS]}"

    def __repr__(self) -> str:
        return f"{self.get_task_family()} {self.short_name}"

    def to_str_params(self, only_significant: bool = False, only_public: bool = False) -> dict[str, str]:
        """The parameters as Luigi keeps and sends them; the whole of them goes with the name."""
        told: dict[str, str] = super().to_str_params(only_significant, only_public)
        return told if only_significant or only_public else {self._named_as: self.short_name} | told

    def _get_param_visibilities(self) -> dict[str, int]:
        """Luigi's page shows the name, and the parameters that a subclass of somebody else adds."""
        visible: dict[str, int] = super()._get_param_visibilities()
        hidden = ParameterVisibility.HIDDEN.serialize()
        told = {name: hidden if _is_ours(type(self), name) else value for name, value in visible.items()}
        return {self._named_as: ParameterVisibility.PUBLIC.serialize()} | told


def _is_ours(task: type, parameter: str) -> bool:
    home = definer(task, parameter)
    return home is not None and is_ours(home)


def request_words(request: AnyRequest, take: int) -> str:
    """A clip in a few words: what it shows, how large and how long it is, and which take."""
    facts = request.facts()
    about = request.prompt_text or getattr(request, "text", None) or ""
    parts = [in_one_line(clean(about), _ABOUT) or ", ".join(map(file_words, request.pictures().values()))]
    if facts["resolution"]:
        parts.append(f"{facts['resolution']} {facts['duration']} s")
        if facts["model"] != default_model(request.mode).model:
            parts.append(str(facts["model"]))
    else:
        parts.append(request.label)
    if take != 1:
        parts.append(f"take {take}")
    return " · ".join(filter(None, parts))


def file_words(reference: str) -> str:
    """The name of a file, without where it is but with the partition that it is in (`date=2026-11-01`)."""
    if frame := FrameOf.parse(str(reference)):
        return f"{frame.place} frame of {frame.key[:_DIGITS]}"
    path = PurePosixPath(shown(str(reference)).replace("\\", "/"))
    if kept := _KEPT.fullmatch(path.name):
        return f"picture {kept['digest'][:_DIGITS]}"
    partition = f"{path.parent.name} " if "=" in path.parent.name else ""
    return in_one_line(partition + path.name, _ABOUT)


def task_words(value: Any) -> str:
    """`file_words`, or the name of the task whose output the file is."""
    return in_one_line(repr(value), _ABOUT) if isinstance(value, luigi.Task) else file_words(value)
