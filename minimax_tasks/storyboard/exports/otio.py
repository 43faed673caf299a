"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.edit import Cut, Edit
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, LinkedClip
from minimax_tasks.storyboard.plan import PlannedShot
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.transition_names import BLENDS

if TYPE_CHECKING:
    import opentimelineio as otio


_ADAPTERS = {".xml": "otio-fcp-adapter", ".fcpxml": "otio-fcpx-xml-adapter", ".edl": "otio-cmx3600-adapter"}
"""Ending -> the package that teaches OpenTimelineIO to write it."""

_BY_URL = (".xml", ".fcpxml", ".otioz")
"""Endings of formats that name media by URL only."""


def check_installed(ending: str) -> None:
    """Raise `ConfigurationError` when OpenTimelineIO, or its adapter for this ending, is not installed."""
    try:
        import opentimelineio as otio
    except ImportError:
        raise ConfigurationError("a timeline needs OpenTimelineIO: pip install opentimelineio") from None
    if ending.lstrip(".") not in otio.adapters.suffixes_with_defined_adapters(write=True):
        raise ConfigurationError(
            f"a timeline as {ending} needs a package more: pip install {_ADAPTERS[ending]}"
        )


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the cut to a local file. Raises `OSError` or `ValueError` when that fails.

    A transition lies around its cut: a generated clip has nothing beyond its ends, so each of the two gives a
    half of the overlap as its handle, and the timeline is as long as the film.
    """
    import opentimelineio as otio

    ending = Path(out).suffix.casefold()
    with temporary_folder() as folder:
        copies = cut.copies(folder) if ending == ".otioz" else {}
        links = {
            key: replace(clip, url=_url(copies.get(key, clip.url), ending)) for key, clip in cut.clips.items()
        }
        try:
            otio.adapters.write_to_file(_timeline(cut, links, sound=ending != ".edl"), out)
        except otio.exceptions.OTIOError as error:
            raise ValueError(str(error)) from None
    return [out]


def _timeline(cut: ExportedCut, links: Mapping[str, LinkedClip], *, sound: bool) -> object:
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
        track.append(_clip(plan.by_id[one.shot], links[one.clip], one, edit, head, tail))
    if sound and any(clip.sound for clip in links.values()):
        timeline.tracks.append(_sound(cut, links))
    return timeline


def _url(url: str, ending: str) -> str:
    return Path(url).absolute().as_uri() if ending in _BY_URL and "://" not in url else url


def _sound(cut: ExportedCut, links: Mapping[str, LinkedClip]) -> object:
    """The track of the clips' sound, each in the place of its picture; one without sound leaves a gap."""
    import opentimelineio as otio

    edit, track = cut.edit, otio.schema.Track(name="Sound", kind=otio.schema.TrackKind.Audio)
    overlaps = [*(edit.frames(one.overlap) for one in edit.cuts), 0]
    for one, overlap, following in zip(edit.cuts, overlaps, overlaps[1:], strict=False):
        head, tail = overlap // 2, following - following // 2
        if links[one.clip].sound and cut.plan.by_id[one.shot].shot.sound != "drop":
            clip = _clip(cut.plan.by_id[one.shot], links[one.clip], one, edit, head, tail)
            # Equal items are one item to some adapters, and its sound would be a reference to its picture.
            clip.metadata["minimax_tasks"]["track"] = "sound"
            track.append(clip)
        else:
            track.append(otio.schema.Gap(duration=_time(edit.frames(one.length) - head - tail, edit)))
    return track


def _transition(cut: Cut, overlap: int, edit: Edit) -> object:
    """The transition into a cut, around the middle of its `overlap` in frames."""
    import opentimelineio as otio

    types = otio.schema.TransitionTypes
    kind = types.SMPTE_Dissolve if cut.join.kind in BLENDS else types.Custom
    before, after = (_time(frames, edit) for frames in (overlap // 2, overlap - overlap // 2))
    return otio.schema.Transition(cut.join.kind, kind, before, after)


def _clip(shot: PlannedShot, clip: LinkedClip, cut: Cut, edit: Edit, head: int, tail: int) -> Any:
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
        markers=_markers(shot, cut, edit, head),
        metadata={
            "minimax_tasks": {
                "prompt": shot.prompt,
                "clip": cut.clip,
                "take": cut.take,
                "held_frames": edit.frames(cut.hold),
            }
        },
    )


def _markers(shot: PlannedShot, cut: Cut, edit: Edit, head: int) -> list[object]:
    """What is spoken and noted, at the beginning of the shot."""
    import opentimelineio as otio

    at = otio.opentime.TimeRange(_time(edit.frames(cut.source_in) + head, edit), _time(1, edit))
    texts = {"dialogue": spoken_text(shot.shot.dialogue), "notes": shot.shot.notes}
    return [
        otio.schema.Marker(name=f"{name}: {text}", marked_range=at, metadata={"minimax_tasks": {name: text}})
        for name, text in texts.items()
        if text
    ]


def _time(frames: int, edit: Edit) -> "otio.opentime.RationalTime":
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(edit.rate or DEFAULT_FPS))
