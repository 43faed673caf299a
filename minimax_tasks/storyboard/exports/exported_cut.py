"""What every export is written from: the cut of the picked clips that are made, and where each of them lies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from minimax_tasks.clips.layout import VIDEO, clip_file
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.errors import VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.damaged import damaged_clips
from minimax_tasks.storyboard.edit import ClipLength, Edit, make_edit
from minimax_tasks.storyboard.film import length_of
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.video.stream_layout import read_layout

_NOT_IN_A_URL = re.compile(r"[#?%]")


@dataclass(frozen=True)
class LinkedClip:
    """A clip that is made: its length, and the address at which another program finds it."""

    length: ClipLength
    url: str


@dataclass(frozen=True)
class ExportedCut:
    """A plan with the cut of its clips that are made; `clips` has those by key."""

    plan: Plan
    edit: Edit
    clips: Mapping[str, LinkedClip]

    @property
    def missing(self) -> list[str]:
        """The shots that are not made, or cannot be read, and so are left out."""
        there = {cut.shot for cut in self.edit.cuts}
        return [shot.shot.id for shot in self.plan.shown if shot.shot.id not in there]


def exported_cut(root: Storage, plan: Plan) -> ExportedCut:
    """The cut of what is made of a plan, with measured lengths. Whole clips alone are in it."""
    clips = _clips(root, plan)
    return ExportedCut(plan, make_edit(plan, {key: clip.length for key, clip in clips.items()}), clips)


def _clips(root: Storage, plan: Plan) -> dict[str, LinkedClip]:
    """The picked clips that are made and can be read, by key."""
    keys = list(dict.fromkeys(shot.picked.key for shot in plan.shown))
    states = clip_states(root, keys)
    found = {}
    for key in keys:
        if states[key].status is not ClipStatus.MADE:
            continue
        name = clip_file(key, VIDEO)
        with root.as_local(name) as path:
            if damaged_clips({key: str(path)}):
                continue
            try:
                length = length_of(read_layout(str(path)))
            except VideoError:
                continue
        found[key] = LinkedClip(length, _media_url(root.path(name)) if root.local else root.join(name))
    return found


def _media_url(path: str) -> str:
    """A path as editing programs want it: raw, unless it would be cut off where a URL has its fragment."""
    return Path(path).absolute().as_uri() if _NOT_IN_A_URL.search(path) else path
