"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storage.naming import film_name
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.edit import Cut, Edit
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, LinkedClip
from minimax_tasks.storyboard.exports.otio_sounds import sound_tracks
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
    files = [out]
    with temporary_folder() as folder:
        media = folder if ending == ".otioz" else None
        if cut.relative:
            media = Path(out).parent / f"{film_name(Path(out).stem)}-media"
            media.mkdir(exist_ok=True)
            files.append(str(media))
        clips = cut.copies(media) if media else {key: clip.url for key, clip in cut.clips.items()}
        named = {one.name for one in cut.edit.sounds}
        sounds = (
            cut.sound_copies(media) if media else {name: cut.plan.sounds[name].reference for name in named}
        )
        beside = Path(out).parent if cut.relative else None
        links = {key: replace(cut.clips[key], url=_url(url, ending, beside)) for key, url in clips.items()}
        others = {} if media else cut.other_takes()
        timeline = _timeline(cut, links, others, sound=ending != ".edl")
        if ending != ".edl":
            urls = {name: _url(url, ending, beside) for name, url in sounds.items()}
            lengths = {name: cut.plan.sounds[name].seconds for name in named}
            timeline.tracks.extend(sound_tracks(cut.edit, urls, lengths))
        try:
            otio.adapters.write_to_file(timeline, out)
        except otio.exceptions.OTIOError as error:
            raise ValueError(str(error)) from None
    return files


def _timeline(
    cut: ExportedCut, links: Mapping[str, LinkedClip], others: Mapping[str, LinkedClip], *, sound: bool
) -> Any:
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
        clip = _clip(plan.by_id[one.shot], links[one.clip], one, edit, head, tail)
        _add_takes(clip, plan.by_id[one.shot], others)
        track.append(clip)
    if sound and any(clip.sound for clip in links.values()):
        timeline.tracks.append(_sound(cut, links))
    return timeline


def _add_takes(clip: Any, shot: PlannedShot, others: Mapping[str, LinkedClip]) -> None:
    """The takes that are not picked, as alternates of the one that is."""
    import opentimelineio as otio

    made = {segment.take: others[segment.key] for segment in shot.segments if segment.key in others}
    if made:
        picked = otio.schema.Clip.DEFAULT_MEDIA_KEY
        media = {f"take_{take}": _media(link, None) for take, link in made.items()}
        clip.set_media_references({picked: clip.media_reference, **media}, picked)


def _media(clip: LinkedClip, at_least: Any) -> Any:
    """A clip's file, which counts as `at_least` so long."""
    import opentimelineio as otio

    length = clip.length
    there = otio.opentime.RationalTime(length.frames, float(length.fps or DEFAULT_FPS))
    there = there if at_least is None else max(there, at_least)
    return otio.schema.ExternalReference(
        target_url=clip.url,
        available_range=otio.opentime.TimeRange(otio.opentime.RationalTime(0, there.rate), there),
    )


def _url(url: str, ending: str, beside: Path | None = None) -> str:
    if beside is not None:
        name = Path(url).relative_to(beside).as_posix()
        return quote(name) if ending in _BY_URL else name
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

    # Where the film holds the last frame for a part of one, the clip is taken to be that long.
    # A slowed or held clip takes more of the timeline than it has frames.
    at_least = _time(edit.frames(cut.source_in) + edit.frames(cut.length), edit)
    retimed = [] if cut.speed == 1 else [otio.schema.LinearTimeWarp(time_scalar=float(cut.speed))]
    return otio.schema.Clip(
        name=f"Shot {cut.shot}",
        media_reference=_media(clip, at_least),
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
            },
            **({} if cut.speed == 1 else {"fcp_xml": {"filter": _time_remap(cut)}}),
        },
    )


def _time_remap(cut: Cut) -> dict[str, Any]:
    """The speed of a cut as the filter of Final Cut Pro 7 for it: in percent."""
    values = {
        "variablespeed": "0",
        "speed": f"{float(cut.speed) * 100:g}",
        "reverse": "FALSE",
        "frameblending": "FALSE",
    }
    return {
        "effect": {
            "name": "Time Remap",
            "effectid": "timeremap",
            "effectcategory": "motion",
            "effecttype": "motion",
            "mediatype": "video",
            "parameter": [
                {"parameterid": name, "name": name, "value": value} for name, value in values.items()
            ],
        }
    }


def _markers(shot: PlannedShot, cut: Cut, edit: Edit, head: int) -> list[object]:
    """What is spoken and noted, at the beginning of the shot, and its titles for as long as they are seen."""
    import opentimelineio as otio

    at = otio.opentime.TimeRange(_time(edit.frames(cut.source_in) + head, edit), _time(1, edit))
    titles = [
        otio.schema.Marker(
            name=f"title: {one.title.words}",
            marked_range=otio.opentime.TimeRange(
                _time(edit.frames(cut.source_in + one.starts_at - cut.starts_at), edit),
                _time(edit.frames(one.ends_at - one.starts_at), edit),
            ),
            metadata={"minimax_tasks": {"title": one.title.text, "look": one.title.look}},
        )
        for one in edit.titles
        if one.shot == cut.shot
    ]
    texts = {"dialogue": spoken_text(shot.shot.dialogue), "notes": shot.shot.notes}
    return titles + [
        otio.schema.Marker(name=f"{name}: {text}", marked_range=at, metadata={"minimax_tasks": {name: text}})
        for name, text in texts.items()
        if text
    ]


def _time(frames: int, edit: Edit) -> "otio.opentime.RationalTime":
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(edit.rate or DEFAULT_FPS))
