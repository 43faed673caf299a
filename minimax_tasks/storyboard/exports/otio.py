"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

import os
import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from minimax_tasks.clips.layout import VIDEO, clip_file
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.plan import Join, Plan, PlannedShot
from minimax_tasks.storyboard.standing import Made, look_up
from minimax_tasks.video.probe import probe


@dataclass(frozen=True)
class _Part:
    """A shot that is made: its clip, and how it follows the part before it."""

    shot: PlannedShot
    url: str
    frames: int
    fps: Fraction
    join: Join


FORMATS = (".otio",)
"""What a timeline can be written as."""

_NOT_IN_A_URL = re.compile(r"[#?%]")


def check_out(out: str | Path) -> None:
    """Judge the name of a timeline, before any clip is looked at.

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

    parts = _parts(root, plan)
    timeline = otio.schema.Timeline(name=plan.board.title)
    track = otio.schema.Track(name="Picture", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    usual = Counter(part.fps for part in parts).most_common(1)[0][0] if parts else Fraction(24)
    into = [round(part.join.seconds * usual) for part in parts]
    for part, overlap, following in zip(parts, into, [*into[1:], 0], strict=False):
        before, after = overlap // 2, overlap - overlap // 2
        if overlap:
            rate = float(usual)
            offsets = (otio.opentime.RationalTime(frames, rate) for frames in (before, after))
            track.append(otio.schema.Transition(part.join.kind, "SMPTE_Dissolve", *offsets))
        head = Fraction(before) / usual + (Fraction(1) / part.fps if part.join.repeats_frame else 0)
        tail = Fraction(following - following // 2) / usual
        track.append(_clip(part, round(head * part.fps), round(tail * part.fps)))
    try:
        otio.adapters.write_to_file(timeline, str(out))
    except (OSError, otio.exceptions.OTIOError, ValueError) as error:
        raise ConfigurationError(f"timeline {out}: it cannot be written: {error}") from None
    there = {part.shot.shot.id for part in parts}
    return [shot.shot.id for shot in plan.shots if shot.shot.id not in there]


def _parts(root: Storage, plan: Plan) -> list[_Part]:
    states = look_up(root, [shot.picked.key for shot in plan.shots])
    parts: list[_Part] = []
    follows = False
    for shot in plan.shots:
        made = states[shot.picked.key].made is Made.MADE
        if made:
            name = clip_file(shot.picked.key, VIDEO)
            with root.as_local(name) as path:
                facts = probe(path)
            made = facts.ok and facts.frames > 0
        if made:
            url = _media_url(root.path(name)) if root.local else root.join(name)
            parts.append(
                _Part(shot, url, facts.frames, facts.fps or Fraction(24), shot.join if follows else Join(""))
            )
        follows = made
    return parts


def _media_url(path: str) -> str:
    """A path as editing programs want it: raw, unless it would be cut off where a URL has its fragment."""
    return Path(path).absolute().as_uri() if _NOT_IN_A_URL.search(path) else path


def _clip(part: _Part, head: int, tail: int) -> object:
    """The clip without so many frames at its ends, which stay as handles."""
    import opentimelineio as otio

    rate = float(part.fps)

    def frames(first: int, count: int) -> object:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(count, rate)
        )

    shot = part.shot
    return otio.schema.Clip(
        name=f"Shot {shot.shot.id}",
        media_reference=otio.schema.ExternalReference(
            target_url=part.url, available_range=frames(0, part.frames)
        ),
        source_range=frames(head, part.frames - head - tail),
        metadata={
            "minimax_tasks": {"prompt": shot.prompt, "clip": shot.picked.key, "take": shot.picked.take}
        },
    )
