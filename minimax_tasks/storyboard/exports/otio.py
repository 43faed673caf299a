"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from minimax_tasks.clips.layout import VIDEO, clip_file
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.errors import ConfigurationError, VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.damaged import damaged_clips
from minimax_tasks.storyboard.edit import ClipLength, Cut, Edit, make_edit
from minimax_tasks.storyboard.film import length_of
from minimax_tasks.storyboard.plan import Plan, PlannedShot
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.stream_layout import read_layout
from minimax_tasks.video.transition_names import BLENDS

if TYPE_CHECKING:
    import opentimelineio as otio

FORMATS = (".otio",)
"""What a timeline can be written as."""

_NOT_IN_A_URL = re.compile(r"[#?%]")


def check_out(out: str | Path) -> None:
    """Judge the name of a timeline, before any clip is read.

    Raises `ConfigurationError` for another format, a folder that is not there, and a place that cannot be
    written to; and when OpenTimelineIO is not installed.
    """
    path = Path(out)
    allowed = ", ".join(FORMATS)
    if path.suffix.casefold() not in FORMATS:
        why = f"a timeline of the kind {path.suffix!r} is not written" if path.suffix else "it has no ending"
        raise ConfigurationError(
            f"timeline {out}: {why}; allowed: {allowed}, as in {path.stem or 'film'}.otio"
        )
    try:
        import opentimelineio  # noqa: F401
    except ImportError:
        raise ConfigurationError("a timeline needs OpenTimelineIO: pip install opentimelineio") from None
    folder = path.parent
    if "://" in str(out):
        why = "a timeline is written to a local file"
    elif not folder.exists():
        why = f"there is no folder {folder}"
    elif not folder.is_dir():
        why = f"{folder} is not a folder"
    elif path.is_dir():
        why = "this is a folder; give the file in it"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        why = "it cannot be written to"
    else:
        return
    raise ConfigurationError(
        f"timeline {out}: {why}; allowed: a local file that can be written, ending in {allowed}"
    )


def write_timeline(root: Storage, plan: Plan, out: str | Path) -> list[str]:
    """Write the picked takes in order, with their transitions, to a local `.otio` file.

    The clips are linked where they lie under the root. Returns the shots that are not made and so are
    left out. A transition lies around its cut: a generated clip has nothing beyond its ends, so each of the
    two gives a half of the overlap as its handle, and the timeline is as long as the film.
    Raises `ConfigurationError` as `check_out` does, and when the file cannot be written after all.
    """
    check_out(out)
    import opentimelineio as otio

    clips = _clips(root, plan)
    edit = make_edit(plan, {key: clip.length for key, clip in clips.items()})
    if problem := edit.problem():
        raise ConfigurationError(f"timeline {out}: {problem}")
    timeline = otio.schema.Timeline(name=plan.board.title)
    track = otio.schema.Track(name="Picture", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    overlaps = [*(edit.frames(cut.overlap) for cut in edit.cuts), 0]
    shots = {shot.shot.id: shot for shot in plan.shots}
    for cut, overlap, following in zip(edit.cuts, overlaps, overlaps[1:], strict=False):
        if overlap:
            track.append(_transition(cut, overlap, edit))
        head, tail = overlap // 2, following - following // 2
        track.append(_clip(shots[cut.shot], clips[cut.clip], cut, edit, head, tail))
    try:
        otio.adapters.write_to_file(timeline, str(out))
    except (OSError, otio.exceptions.OTIOError, ValueError) as error:
        raise ConfigurationError(f"timeline {out}: it cannot be written: {error}") from None
    there = {cut.shot for cut in edit.cuts}
    return [shot.shot.id for shot in plan.shots if shot.shot.id not in there]


@dataclass(frozen=True)
class _LinkedClip:
    """A clip that is made: its length, and the address that the timeline links."""

    length: ClipLength
    url: str


def _clips(root: Storage, plan: Plan) -> dict[str, _LinkedClip]:
    """The picked clips that are made and can be read, by key."""
    keys = list(dict.fromkeys(shot.picked.key for shot in plan.shots))
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
        found[key] = _LinkedClip(length, _media_url(root.path(name)) if root.local else root.join(name))
    return found


def _media_url(path: str) -> str:
    """A path as editing programs want it: raw, unless it would be cut off where a URL has its fragment."""
    return Path(path).absolute().as_uri() if _NOT_IN_A_URL.search(path) else path


def _transition(cut: Cut, overlap: int, edit: Edit) -> object:
    """The transition into a cut, around the middle of its `overlap` in frames."""
    import opentimelineio as otio

    types = otio.schema.TransitionTypes
    kind = types.SMPTE_Dissolve if cut.join.kind in BLENDS else types.Custom
    before, after = (_time(frames, edit) for frames in (overlap // 2, overlap - overlap // 2))
    return otio.schema.Transition(cut.join.kind, kind, before, after)


def _clip(shot: PlannedShot, clip: _LinkedClip, cut: Cut, edit: Edit, head: int, tail: int) -> object:
    """A cut without this many frames at its ends, which stay as handles for the transitions.

    Everything is in frames of the film, so that the lengths add up to the film's whatever the clips' own rates.
    """
    import opentimelineio as otio

    length = clip.length
    there = otio.opentime.RationalTime(length.frames, float(length.fps or DEFAULT_FPS))
    # Where the film holds the last frame for a part of one, the clip is taken to be that long.
    there = max(there, _time(edit.frames(cut.source_out), edit))
    return otio.schema.Clip(
        name=f"Shot {cut.shot}",
        media_reference=otio.schema.ExternalReference(
            target_url=clip.url,
            available_range=otio.opentime.TimeRange(otio.opentime.RationalTime(0, there.rate), there),
        ),
        source_range=otio.opentime.TimeRange(
            _time(edit.frames(cut.source_in) + head, edit),
            _time(edit.frames(cut.length) - head - tail, edit),
        ),
        metadata={"minimax_tasks": {"prompt": shot.prompt, "clip": cut.clip, "take": cut.take}},
    )


def _time(frames: int, edit: Edit) -> "otio.opentime.RationalTime":
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(edit.rate or DEFAULT_FPS))
