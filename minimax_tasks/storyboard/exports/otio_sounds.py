"""Beds and voices of a cut as tracks of an OpenTimelineIO timeline, with their gain and their fades."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minimax_tasks.storyboard.edit import Edit
from minimax_tasks.storyboard.exports.envelope import envelope
from minimax_tasks.storyboard.exports.fcp7 import levels
from minimax_tasks.storyboard.sound_cuts import SoundCut
from minimax_tasks.video.rates import DEFAULT_FPS

if TYPE_CHECKING:
    import opentimelineio as otio

_TRACKS = {"bed": "Beds", "voice": "Voices"}
"""Kind of a sound -> the name of its track; a second one at the same time goes to `Beds 2`."""


def sound_tracks(edit: Edit, urls: Mapping[str, str], lengths: Mapping[str, float]) -> Iterator[object]:
    """The tracks; `urls` and `lengths` in seconds are those of the files, by the name that the board gives them."""
    import opentimelineio as otio

    for kind, name in _TRACKS.items():
        for number, sounds in enumerate(apart([one for one in edit.sounds if one.track == kind]), 1):
            title = name if number == 1 else f"{name} {number}"
            track = otio.schema.Track(name=title, kind=otio.schema.TrackKind.Audio)
            at = 0
            for one in sounds:
                begins = edit.frames(one.starts_at)
                if begins > at:
                    track.append(otio.schema.Gap(duration=_time(begins - at, edit)))
                track.append(_clip(one, edit, urls[one.name], lengths[one.name]))
                at = edit.frames(one.ends_at)
            yield track


def apart(sounds: Sequence[SoundCut]) -> list[list[SoundCut]]:
    """The sounds, so that no two of a list are heard at once."""
    lists: list[list[SoundCut]] = []
    for one in sorted(sounds, key=lambda sound: sound.starts_at):
        free = next((each for each in lists if each[-1].ends_at <= one.starts_at), None)
        if free is None:
            lists.append([one])
        else:
            free.append(one)
    return lists


def _clip(one: SoundCut, edit: Edit, url: str, seconds: float) -> Any:
    import opentimelineio as otio

    begin, frames = edit.frames(one.source_in), edit.frames(one.ends_at) - edit.frames(one.starts_at)
    there = max(math.floor(seconds * float(edit.rate or DEFAULT_FPS)), begin + frames)
    return otio.schema.Clip(
        name=one.name.rpartition("/")[2],
        media_reference=otio.schema.ExternalReference(
            target_url=url, available_range=otio.opentime.TimeRange(_time(0, edit), _time(there, edit))
        ),
        source_range=otio.opentime.TimeRange(_time(begin, edit), _time(frames, edit)),
        metadata={
            "minimax_tasks": {
                "track": one.track,
                "shot": one.shot,
                "starts_at": float(one.starts_at),  # equal items are one item to some adapters
                "gain": round(20 * math.log10(one.volume), 3) if one.volume else -math.inf,
                "fade_in": float(one.fade_in),
                "fade_out": float(one.fade_out),
                "ducked_by": round(-20 * math.log10(one.ducked), 3) if one.ducks and one.ducked else 0.0,
                "ducks": [[float(begins), float(ends)] for begins, ends in one.ducks],
            },
            "fcp_xml": {"filter": _levels(one, edit, begin)},
        },
    )


def _levels(one: SoundCut, edit: Edit, begin: int) -> dict[str, Any]:
    """Gain, fades and ducking as the filter of Final Cut Pro 7 for them; times are frames of the file."""
    points = {begin + edit.frames(at): value for at, value in envelope(one)}
    return levels(one.volume, points if len(points) > 1 else None)


def _time(frames: int, edit: Edit) -> "otio.opentime.RationalTime":
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(edit.rate or DEFAULT_FPS))
