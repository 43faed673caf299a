"""A film with everything in its cut, and players that show what other programs make of an exported file.

Each frame of a clip can be told from all others: its upper half is as light as its number says, its lower half as its
clip. So a film can be compared with what was exported, frame by frame.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import av
from PIL import Image

from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.colour import plane_pixels
from tests.storyboard.boards import write_board
from tests.storyboard.test_film_audio import tone
from tests.video.conftest import written_clip

BOARD = """\
    title: Everything
    picture: {aspect: "16:9", fill: bars}
    audio:
      - {file: bed.wav, loop: true, gain: -6, fade_in: 0.5, fade_out: 1, duck: 12}
    shots:
      - {id: a, action: Rain., trim: 0.25..1.75, takes: 2, dialogue: {en: "We should go.", zh: "我们该走了。"}, notes: Softer.}
      - {id: b, action: Sun., cut: fade 0.5, trim: ..1, speed: 0.5, voice: {file: line.wav, at: 0.25}}
      - {id: c, action: Snow., cut: wipeleft 0.25, speed: 2, dialogue: {en: Now!}}
      - {id: x, action: Never., skip: true}
      - {id: d, action: Wind., cut: true, trim: 1.., hold: 1, title: {text: Mara, look: lower third, from: 0.25, to: 0.75}}
      - {id: e, clip: own.mp4, cut: circleopen 0.5, trim: 0.5..1.5}
      - {id: f, still: still.png, seconds: 2, cut: true, camera: push in}
      - {id: g, title: {text: The End, over: black, seconds: 1}}
    """

SIZE = (320, 180)
LIGHTS = {"a": 30, "a2": 45, "b": 60, "c": 90, "d": 120, "x": 135, "own": 150}
"""How light the lower half of a clip is."""

NEAR = 2 * 219 / 255
"""Lights that differ by less are the same."""


@cache
def picture(clip: str) -> Any:
    def drawn(number: int, size: tuple[int, int]) -> Image.Image:
        image = Image.new("RGB", size, (20 + 4 * number,) * 3)
        image.paste((LIGHTS[clip],) * 3, (0, size[1] // 2, size[0], size[1]))
        return image

    return drawn


def made_film(
    folder: Path, board: str = BOARD, fps: Fraction = Fraction(24), own: tuple[int, int] = (50, 30)
) -> Plan:
    """The plan of the film, whose clips, of 48 frames each, are there; its film is made.

    `own` is how many frames the footage has, and how many a second.
    """
    for name, seconds in (("bed", 2), ("line", 1)):
        tone(folder / f"{name}.wav", seconds, 440)
    Image.new("RGB", (640, 360), (200, 40, 40)).save(folder / "still.png")
    written_clip(folder / "own.mp4", *own, (240, 240), picture=picture("own"), audio=True)
    path, root = write_board(folder, board), Storage(str(folder / "out"))
    plan = make_plan(path, root=root.url, language="en")
    for shot in plan.shots:
        for segment in shot.segments:
            name = shot.shot.id if segment.take == 1 else f"{shot.shot.id}{segment.take}"
            clip = written_clip(
                folder / f"{name}.mp4", 48, fps, SIZE, picture=picture(name), audio=name in "ab"
            )
            root.put(Path(clip), f"clips/{segment.key}/video.mp4")
    FilmMaker(root, plan).make()
    return plan


class Seen(NamedTuple):
    """What is seen in a frame: a file, and which of its seconds."""

    file: str
    seconds: float


Lit = list[tuple[float, float, float]]

_SEEN: dict[tuple[str, int], Lit] = {}
"""What was read of a file as it was at a time, in nanoseconds: each export is compared with the same clips."""


class Pictures:
    """The frames of files, as two numbers each: how light their upper and their lower half are in the middle."""

    def all(self, file: str) -> Lit:
        """Seconds, upper and lower light of every frame."""
        version = file, Path(file).stat().st_mtime_ns
        if version not in _SEEN:
            with av.open(file) as container:
                _SEEN[version] = [
                    (float(frame.time or 0), *_lights(frame)) for frame in container.decode(video=0)
                ]
        return _SEEN[version]

    def near(self, seen: Seen, reach: int) -> list[tuple[float, ...]]:
        """What a player shows of a file at a time: the frame that has begun by then; with a `reach`, those around it."""
        frames = self.all(seen.file)
        number = sum(frame[0] <= seen.seconds + 1e-3 for frame in frames) - 1
        return [frame[1:] for frame in frames[max(0, number - reach) : number + reach + 1]]


def _lights(frame: av.VideoFrame) -> tuple[float, float]:
    light = plane_pixels(frame.planes[0])  # of video range: 219 steps for the 255 of a picture
    high, wide = light.shape
    across = slice(wide // 2 - 4, wide // 2 + 4)
    return tuple(  # type: ignore[return-value]
        float(light[int(high * at) - 2 : int(high * at) + 2, across].mean()) for at in (0.42, 0.58)
    )


def path_of(url: str) -> str:
    return unquote(urlsplit(url).path) if url.startswith("file:") else url


Shown = dict[int, Seen]
"""Frame of the film -> what is seen there, where that is one clip alone."""


def shown_by_timeline(timeline: Any, rate: Fraction = Fraction(24), *, fcp7: bool = False) -> Shown:
    """What the picture track of an OpenTimelineIO timeline shows, by that library's own times."""
    import opentimelineio as otio

    track, found = timeline.video_tracks()[0], {}
    mixed: set[int] = set()
    for item in track:
        if isinstance(item, otio.schema.Transition):
            place = track.range_of_child(item)
            begin = round(place.start_time.to_seconds() * rate)
            mixed |= set(range(begin, begin + round(place.duration.to_seconds() * rate)))
            continue
        place = track.trimmed_range_of_child(item)
        begin = round(place.start_time.to_seconds() * rate)
        source, speed = item.trimmed_range().start_time.to_seconds(), _speed(item, fcp7)
        if fcp7 and speed:
            source *= speed  # it counts the frames of the clip as it is slowed
        for number in range(round(place.duration.to_seconds() * rate)):
            seconds = source + number * speed / rate
            found[begin + number] = Seen(path_of(item.media_reference.target_url), seconds)
    return {frame: seen for frame, seen in found.items() if frame not in mixed}


def _speed(item: Any, fcp7: bool) -> float:
    if not fcp7:
        return next((float(effect.time_scalar) for effect in item.effects), 1.0)
    facts = item.metadata.get("fcp_xml", {})
    if facts.get("stillframe") == "TRUE":
        return 0.0
    filters = facts.get("filter", [])
    for one in [filters] if hasattr(filters, "keys") else filters:
        if one["effect"]["effectid"] == "timeremap":
            return next(
                float(p["value"]) / 100 for p in one["effect"]["parameter"] if p["parameterid"] == "speed"
            )
    return 1.0


def shown_by_edl(path: Path, rate: Fraction = Fraction(24)) -> Shown:
    """What an edit decision list shows, as its adapter reads it."""
    import opentimelineio as otio

    track = otio.adapters.read_from_file(str(path), rate=float(round(rate))).video_tracks()[0]
    found: Shown = {}
    mixed: set[int] = set()
    begin = 0
    for item in track:
        if isinstance(item, otio.schema.Transition):
            mixed |= set(range(begin, begin + round(item.out_offset.value)))
            continue
        source = item.source_range.start_time.to_seconds()
        speed = next((float(effect.time_scalar) for effect in item.effects), 1.0)
        frames = round(track.trimmed_range_of_child(item).duration.value)
        for number in range(frames):
            found[begin + number] = Seen(
                str(path.parent / item.media_reference.target_url), source + number * speed / rate
            )
        begin += frames
    return {frame: seen for frame, seen in found.items() if frame not in mixed}


def shown_by_fcpxml(path: Path, rate: Fraction = Fraction(24)) -> Shown:
    """What the storyline of a Final Cut Pro project shows, by Apple's rules for offsets, starts and time maps."""
    root = ET.parse(path).getroot()
    files = {asset.get("id"): path_of(asset.get("src", "")) for asset in root.iter("asset")}
    found, mixed = {}, set()
    for item in next(root.iter("spine")):
        clip = item.find("asset-clip") if item.tag == "audition" else item
        assert clip is not None
        begin, length = (round(time_of(item, "offset") * rate), round(time_of(clip, "duration") * rate))
        if item.tag == "transition":
            mixed |= set(range(begin, begin + length))
            continue
        points = [(time_of(one, "time"), time_of(one, "value")) for one in clip.iter("timept")]
        for number in range(length):
            local = time_of(clip, "start") + number / rate
            found[begin + number] = Seen(files[clip.get("ref")], float(mapped(local, points)))
    return {frame: seen for frame, seen in found.items() if frame not in mixed}


def mapped(local: Fraction, points: list[tuple[Fraction, Fraction]]) -> Fraction:
    for (before, value), (after, next_value) in pairwise(points):
        if before <= local <= after:
            return value + (next_value - value) * (local - before) / (after - before)
    assert not points, f"{local} is behind the time map"
    return local


def time_of(element: ET.Element, name: str) -> Fraction:
    return Fraction((element.get(name) or "0s").removesuffix("s"))


def unlike(film: Path, shown: Shown, sampled: frozenset[str] = frozenset()) -> Iterator[tuple[int, Seen]]:
    """Frames of a film that do not show what a program would that opened an export.

    Of the files `sampled` only some frames are shown; programs differ by one in which they take.
    """
    pictures = Pictures()
    for frame, (_, *lights) in enumerate(pictures.all(str(film))):
        if frame in shown:
            found = pictures.near(shown[frame], 1 if shown[frame].file in sampled else 0)
            if not any(max(abs(a - b) for a, b in zip(lights, one, strict=True)) < NEAR for one in found):
                yield frame, shown[frame]
