"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

from typing import TYPE_CHECKING

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storyboard.edit import Cut, Edit
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, LinkedClip
from minimax_tasks.storyboard.plan import PlannedShot
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.transition_names import BLENDS

if TYPE_CHECKING:
    import opentimelineio as otio


def check_installed() -> None:
    """Raise `ConfigurationError` when OpenTimelineIO is not installed."""
    try:
        import opentimelineio  # noqa: F401
    except ImportError:
        raise ConfigurationError("a timeline needs OpenTimelineIO: pip install opentimelineio") from None


def write(cut: ExportedCut, out: str) -> None:
    """Write the cut to a local `.otio` file. Raises `OSError` or `ValueError` when that fails.

    A transition lies around its cut: a generated clip has nothing beyond its ends, so each of the two gives a
    half of the overlap as its handle, and the timeline is as long as the film.
    """
    import opentimelineio as otio

    plan, edit = cut.plan, cut.edit
    timeline = otio.schema.Timeline(name=plan.board.title)
    track = otio.schema.Track(name="Picture", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    overlaps = [*(edit.frames(one.overlap) for one in edit.cuts), 0]
    for one, overlap, following in zip(edit.cuts, overlaps, overlaps[1:], strict=False):
        if overlap:
            track.append(_transition(one, overlap, edit))
        head, tail = overlap // 2, following - following // 2
        track.append(_clip(plan.by_id[one.shot], cut.clips[one.clip], one, edit, head, tail))
    try:
        otio.adapters.write_to_file(timeline, out)
    except otio.exceptions.OTIOError as error:
        raise ValueError(str(error)) from None


def _transition(cut: Cut, overlap: int, edit: Edit) -> object:
    """The transition into a cut, around the middle of its `overlap` in frames."""
    import opentimelineio as otio

    types = otio.schema.TransitionTypes
    kind = types.SMPTE_Dissolve if cut.join.kind in BLENDS else types.Custom
    before, after = (_time(frames, edit) for frames in (overlap // 2, overlap - overlap // 2))
    return otio.schema.Transition(cut.join.kind, kind, before, after)


def _clip(shot: PlannedShot, clip: LinkedClip, cut: Cut, edit: Edit, head: int, tail: int) -> object:
    """A cut without this many frames at its ends, which stay as handles for the transitions.

    Everything is in frames of the film, so that the lengths add up to the film's whatever the clips' own rates.
    """
    import opentimelineio as otio

    length = clip.length
    there = otio.opentime.RationalTime(length.frames, float(length.fps or DEFAULT_FPS))
    # Where the film holds the last frame for a part of one, the clip is taken to be that long.
    # A slowed or held clip takes more of the timeline than it has frames.
    there = max(there, _time(edit.frames(cut.source_in) + edit.frames(cut.length), edit))
    retimed = [] if cut.speed == 1 else [otio.schema.LinearTimeWarp(time_scalar=float(cut.speed))]
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
        effects=retimed,
        metadata={
            "minimax_tasks": {
                "prompt": shot.prompt,
                "clip": cut.clip,
                "take": cut.take,
                "held_frames": edit.frames(cut.hold),
            }
        },
    )


def _time(frames: int, edit: Edit) -> "otio.opentime.RationalTime":
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(edit.rate or DEFAULT_FPS))
