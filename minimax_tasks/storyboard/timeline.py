"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

from pathlib import Path

from minimax_tasks.api.errors import ConfigurationError
from minimax_tasks.clips.folder import VIDEO
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.plan import Plan, PlannedShot
from minimax_tasks.storyboard.standing import Made, look_up
from minimax_tasks.video.probe import probe


def write_timeline(root: Storage, plan: Plan, out: str | Path) -> list[str]:
    """Write the picked takes in order, with their transitions, to a local `.otio` file.

    The clips are linked where they lie under the root. Returns the shots that are not made and so are
    left out. A transition takes half of its frames from each side, since a generated clip has no handles.
    Raises `ConfigurationError` when OpenTimelineIO is not installed.
    """
    try:
        import opentimelineio as otio
    except ImportError:
        raise ConfigurationError("a timeline needs OpenTimelineIO: pip install minimax-tasks[otio]") from None
    states = look_up(root, [shot.picked.key for shot in plan.shots])
    timeline = otio.schema.Timeline(name=plan.board.title)
    track = otio.schema.Track(name="Picture", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    missing = []
    for shot in plan.shots:
        if states[shot.picked.key].made is not Made.MADE:
            missing.append(shot.shot.id)
            continue
        name = f"clips/{shot.picked.key}/{VIDEO}"
        with root.as_local(name) as path:
            facts = probe(path)
        rate = float(facts.fps or 24)
        if shot.join.seconds and len(track):
            half = otio.opentime.RationalTime(round(shot.join.seconds * rate) // 2, rate)
            track.append(otio.schema.Transition(shot.join.kind, "SMPTE_Dissolve", half, half))
        track.append(_clip(shot, root.join(name) if not root.local else root.path(name), facts.frames, rate))
    otio.adapters.write_to_file(timeline, str(out))
    return missing


def _clip(shot: PlannedShot, url: str, frames: int, rate: float) -> object:
    import opentimelineio as otio

    whole = otio.opentime.TimeRange(
        otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(frames, rate)
    )
    first = 1 if shot.join.repeats_frame else 0
    shown = otio.opentime.TimeRange(
        otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(frames - first, rate)
    )
    about = {"prompt": shot.prompt, "clip": shot.picked.key, "take": shot.picked.take}
    return otio.schema.Clip(
        name=f"Shot {shot.shot.id}",
        media_reference=otio.schema.ExternalReference(target_url=url, available_range=whole),
        source_range=shown,
        metadata={"minimax_tasks": about},
    )
