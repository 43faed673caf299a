"""The cut as a project of Final Cut Pro (FCPXML 1.8): one storyline, what is heard and read connected to it.

Source: Apple's FCPXML reference and its DTD, whose order of elements is kept here. Every time is an exact fraction of a
second; what is slowed or held has a time map, so that the frames are those of the film.
"""

import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from minimax_tasks.storyboard.exports.envelope import envelope
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, LinkedClip
from minimax_tasks.storyboard.exports.framing import framing_of
from minimax_tasks.storyboard.exports.otio_sounds import apart
from minimax_tasks.storyboard.exports.timeline import Placed, Words, placed, words_of
from minimax_tasks.storyboard.exports.wipes import FCPX_DISSOLVE, fcpx_effect
from minimax_tasks.storyboard.sound_cuts import SoundCut

_CROSSFADE = ("Audio Crossfade", "FFAudioTransition")
_TITLES = ".../Titles.localized"
_TITLE = ("Basic Title", f"{_TITLES}/Bumper:Opener.localized/Basic Title.localized/Basic Title.moti")
_LOWER = (
    "Basic Lower Third",
    f"{_TITLES}/Lower Thirds.localized/Basic Lower Third.localized/Basic Lower Third.moti",
)
"""Effects of Final Cut Pro by name and id."""

_LOW = ("lower third", "place")

_RATES = {
    Fraction(24_000, 1001): "23.98", Fraction(24): "24", Fraction(25): "25", Fraction(30_000, 1001): "29.97",
    Fraction(30): "30", Fraction(48): "48", Fraction(50): "50", Fraction(60_000, 1001): "59.94", Fraction(60): "60",
}  # fmt: skip
"""Rates that a clip is known by which has another one than the film."""

_SILENT = "-96dB"
_TITLE_LANE, _CAPTION_LANE = 1, 2


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the project; returns the files. Raises `OSError`, and `VideoError` for a sound that is gone."""
    folder = cut.media_folder(out)
    root = _Project(cut, *_links(cut, folder), cut.other_takes(folder)).made()
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    Path(out).write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{text}\n', encoding="utf-8", newline="\n"
    )
    return [out, str(folder)] if folder else [out]


def _links(cut: ExportedCut, folder: Path | None) -> tuple[dict[str, str], dict[str, str]]:
    """Where the clips and the sounds are, as URLs; beside the project where that travels."""
    if folder is None:
        sounds = {one.name: cut.plan.sounds[one.name].reference for one in cut.edit.sounds}
        clips = {key: clip.url for key, clip in cut.clips.items()}
        return {key: _url(url) for key, url in clips.items()}, {key: _url(url) for key, url in sounds.items()}
    return _beside(folder, cut.copies(folder)), _beside(folder, cut.sound_copies(folder))


def _beside(folder: Path, copies: Mapping[str, str]) -> dict[str, str]:
    return {key: quote(f"{folder.name}/{Path(path).name}") for key, path in copies.items()}


def _url(url: str) -> str:
    return url if "://" in url else Path(url).absolute().as_uri()


@dataclass
class _Project:
    cut: ExportedCut
    urls: Mapping[str, str]
    sound_urls: Mapping[str, str]
    others: Mapping[str, LinkedClip]
    resources: ET.Element = field(default_factory=lambda: ET.Element("resources"))
    known: dict[tuple[object, ...], str] = field(default_factory=dict)
    """What a resource is -> its id."""
    styles: int = 0

    def made(self) -> ET.Element:
        cut, title = self.cut, self.cut.plan.board.title
        root = ET.Element("fcpxml", version="1.8")
        root.append(self.resources)
        event = ET.SubElement(ET.SubElement(root, "library"), "event", name=title)
        sequence = ET.SubElement(
            ET.SubElement(event, "project", name=title),
            "sequence",
            format=self._format(cut.size, cut.rate),
            duration=_seconds(cut.edit.seconds),
            tcStart="0s",
            tcFormat="NDF",
            audioLayout="stereo",
            audioRate="48k",
        )
        spine = ET.SubElement(sequence, "spine")
        items = placed(cut)
        heard, words = self._sounds(), list(words_of(cut))
        for number, one in enumerate(items):
            if one.overlap:
                self._add_transition(spine, one)
            until = items[number + 1].begins if number + 1 < len(items) else None
            parent = self._with_takes(spine, one)
            clip = self._clip(parent, one)
            for sound, lane in heard:
                begins = cut.edit.frames(sound.starts_at)
                if one.begins <= begins and (until is None or begins < until):
                    self._add_sound(clip, one, sound, lane)
            shown = [each for each in words if each.shot == one.cut.shot]
            self._add_words(clip, one, shown)
            for each in shown:
                at, length = self._local(one, each.begins), self._frames(each.ends - each.begins)
                ET.SubElement(clip, "marker", start=_seconds(at), duration=_seconds(length), value=each.label)
            if parent is not spine:
                self._add_takes(parent, one)
        return root

    def _clip(self, parent: ET.Element, one: Placed) -> ET.Element:
        """What is seen of a cut, with its speed, its place in the frame, and how loud it is."""
        link, cut = self.cut.clips[one.cut.clip], one.cut
        clip = ET.SubElement(
            parent,
            "asset-clip",
            ref=self._asset(cut.clip, link, f"Shot {cut.shot}"),
            name=f"Shot {cut.shot}",
            offset=_seconds(self._frames(one.begins)),
            start=_seconds(one.source / cut.speed),
            duration=_seconds(self._frames(one.frames)),
            tcFormat="NDF",
            audioRole="dialogue",
        )
        if link.channels and not one.is_heard:
            clip.set("srcEnable", "video")
        if link.length.fps in _RATES and link.length.fps != self.cut.rate:
            ET.SubElement(clip, "conform-rate", scaleEnabled="0", srcFrameRate=_RATES[link.length.fps])
        if cut.speed != 1 or one.held:
            self._add_time_map(clip, one)
        self._add_framing(clip, one)
        if link.channels and cut.volume not in (0, 1):
            ET.SubElement(clip, "adjust-volume", amount=_decibels(cut.volume))
        return clip

    def _add_time_map(self, clip: ET.Element, one: Placed) -> None:
        length = max(self.cut.clips[one.cut.clip].length.seconds, one.cut.source_out)
        points = [(Fraction(0), Fraction(0)), (length / one.cut.speed, length)]
        if one.held:
            last = one.last / one.cut.speed
            points[1:] = [(last, one.last), (last + self._frames(one.held + 1), one.last)]
        times = ET.SubElement(clip, "timeMap")
        for time, value in points:
            ET.SubElement(times, "timept", time=_seconds(time), value=_seconds(value), interp="linear")

    def _add_framing(self, clip: ET.Element, one: Placed) -> None:
        """Where its picture lies: in hundredths of the height of the frame, to the right and up."""
        framing, (wide, high) = framing_of(self.cut, one.cut), self.cut.clips[one.cut.clip].size
        if framing.is_plain:
            return
        if any(framing.cut_off):
            left, top, right, bottom = framing.cut_off
            edges = {"left": left * wide / high, "top": top, "right": right * wide / high, "bottom": bottom}
            crop = ET.SubElement(clip, "adjust-crop", mode="trim")
            ET.SubElement(crop, "trim-rect", {name: f"{value * 100:.5g}" for name, value in edges.items()})
        ET.SubElement(clip, "adjust-conform", type="none")
        tall = self.cut.size[1] / 100
        ET.SubElement(
            clip,
            "adjust-transform",
            position=f"{framing.right / tall:.6g} {-framing.down / tall:.6g}",
            scale=" ".join(f"{one:.6g}" for one in framing.scale),
        )

    def _add_transition(self, spine: ET.Element, one: Placed) -> None:
        kind = one.cut.join.kind
        effect = fcpx_effect(kind)
        name, uid, parameters = effect or FCPX_DISSOLVE
        transition = ET.SubElement(
            spine,
            "transition",
            name=name if effect else kind,
            offset=_seconds(self._frames(one.begins - one.head)),
            duration=_seconds(self._frames(one.overlap)),
        )
        shown = ET.SubElement(transition, "filter-video", ref=self._effect(name, uid), name=name)
        for parameter, key, value in parameters:
            ET.SubElement(shown, "param", name=parameter, key=key, value=value)
        ET.SubElement(transition, "filter-audio", ref=self._effect(*_CROSSFADE), name=_CROSSFADE[0])

    def _with_takes(self, spine: ET.Element, one: Placed) -> ET.Element:
        """Where a cut belongs: the storyline, or an audition where there are other takes of it."""
        if any(segment.key in self.others for segment in one.shot.segments):
            return ET.SubElement(spine, "audition", offset=_seconds(self._frames(one.begins)))
        return spine

    def _add_takes(self, audition: ET.Element, one: Placed) -> None:
        for segment in one.shot.segments:
            if link := self.others.get(segment.key):
                length = link.length.seconds - one.source
                frames = min(one.frames, math.floor(length * one.rate / one.cut.speed))
                name = f"Shot {one.cut.shot}, take {segment.take}"
                clip = ET.SubElement(
                    audition,
                    "asset-clip",
                    ref=self._asset(segment.key, link, name),
                    name=name,
                    offset=_seconds(self._frames(one.begins)),
                    start=_seconds(one.source / one.cut.speed),
                    duration=_seconds(self._frames(max(1, frames))),
                )
                if one.cut.speed != 1:
                    end, times = link.length.seconds, ET.SubElement(clip, "timeMap")
                    for time, value in ((Fraction(0), Fraction(0)), (end / one.cut.speed, end)):
                        ET.SubElement(
                            times, "timept", time=_seconds(time), value=_seconds(value), interp="linear"
                        )

    def _sounds(self) -> list[tuple[SoundCut, int]]:
        """The beds and voices with their lanes, below the storyline."""
        lane, found = 0, []
        for track in ("voice", "bed"):
            for sounds in apart([one for one in self.cut.edit.sounds if one.track == track]):
                lane -= 1
                found += [(one, lane) for one in sounds]
        return found

    def _add_sound(self, clip: ET.Element, one: Placed, sound: SoundCut, lane: int) -> None:
        frames = self.cut.edit.frames
        begins, ends = frames(sound.starts_at), frames(sound.ends_at)
        heard = ET.SubElement(
            clip,
            "asset-clip",
            ref=self._sound_asset(sound.name),
            lane=str(lane),
            name=sound.name.rpartition("/")[2],
            offset=_seconds(self._local(one, begins)),
            start=_seconds(sound.source_in),
            duration=_seconds(self._frames(ends - begins)),
            audioRole="dialogue" if sound.track == "voice" else "music",
        )
        points = envelope(sound)
        volume = ET.SubElement(heard, "adjust-volume", amount=_decibels(sound.volume))
        if len(points) > 1:
            animation = ET.SubElement(ET.SubElement(volume, "param", name="amount"), "keyframeAnimation")
            for at, value in points:
                ET.SubElement(
                    animation, "keyframe", time=_seconds(sound.source_in + at), value=_decibels(value)
                )

    def _add_words(self, clip: ET.Element, one: Placed, words: list[Words]) -> None:
        """Titles, and what is spoken as captions, a role for each language."""
        languages = list(dict.fromkeys(each.language for each in words if each.kind == "dialogue"))
        for each in words:
            place = {
                "name": each.text,
                "offset": _seconds(self._local(one, each.begins)),
                "duration": _seconds(self._frames(each.ends - each.begins)),
            }
            if each.kind == "title" and not each.is_card:
                effect = self._effect(*(_LOWER if each.look in _LOW else _TITLE))
                title = ET.SubElement(clip, "title", {"ref": effect, "lane": str(_TITLE_LANE), **place})
                self._add_text(
                    title, each.text, {"font": "Helvetica", "fontSize": "60", "fontColor": "1 1 1 1"}
                )
            elif each.kind == "dialogue":
                lane = str(_CAPTION_LANE + languages.index(each.language))
                role = f"iTT?captionFormat=ITT.{each.language or 'en'}"
                caption = ET.SubElement(clip, "caption", {"lane": lane, **place, "role": role})
                self._add_text(
                    caption, each.text, {"font": "Helvetica", "fontSize": "13", "fontColor": "1 1 1 1"}
                )

    def _add_text(self, parent: ET.Element, words: str, style: Mapping[str, str]) -> None:
        self.styles += 1
        name = f"ts{self.styles}"
        ET.SubElement(ET.SubElement(parent, "text"), "text-style", ref=name).text = words
        ET.SubElement(ET.SubElement(parent, "text-style-def", id=name), "text-style", dict(style))

    def _asset(self, key: str, link: LinkedClip, name: str) -> str:
        # A part of the last frame may be missing, since a clip of another rate has its length to the nearest frame.
        needed = (one.source_out for one in self.cut.edit.cuts if one.clip == key)
        seconds = max(link.length.seconds, *needed, Fraction(0))
        facts = {
            "name": name,
            "src": self.urls.get(key) or self._other(link.url),
            "start": "0s",
            "duration": _seconds(seconds),
            "hasVideo": "1",
            "format": self._format(link.size, link.length.fps or self.cut.rate),
            "videoSources": "1",
        }
        if link.channels:
            facts |= {"hasAudio": "1", "audioSources": "1", "audioChannels": str(link.channels)}
            facts |= {"audioRate": str(link.sound_rate)}
        return self._resource("asset", facts, key)

    def _other(self, url: str) -> str:
        """Where another take is."""
        return quote(f"{Path(url).parent.name}/{Path(url).name}") if self.cut.relative else _url(url)

    def _sound_asset(self, name: str) -> str:
        facts = {
            "name": name.rpartition("/")[2],
            "src": self.sound_urls[name],
            "start": "0s",
            "hasAudio": "1",
        }
        seconds = Fraction(str(self.cut.plan.sounds[name].seconds))
        facts |= {"duration": _seconds(seconds), "audioSources": "1", "audioChannels": "2"}
        return self._resource("asset", facts, name)

    def _format(self, size: tuple[int, int], rate: Fraction) -> str:
        facts = {"frameDuration": _seconds(1 / rate), "width": str(size[0]), "height": str(size[1])}
        return self._resource("format", {**facts, "colorSpace": "1-1-1 (Rec. 709)"}, size, rate)

    def _effect(self, name: str, uid: str) -> str:
        return self._resource("effect", {"name": name, "uid": uid}, uid)

    def _resource(self, tag: str, facts: Mapping[str, str], *what: object) -> str:
        """The id of a resource, which is written when it is first named."""
        if (tag, *what) not in self.known:
            self.known[tag, *what] = f"r{len(self.known) + 1}"
            ET.SubElement(self.resources, tag, {"id": self.known[tag, *what], **facts})
        return self.known[tag, *what]

    def _local(self, one: Placed, frame: int) -> Fraction:
        """A frame of the film by the clock of a clip that is seen there."""
        return one.source / one.cut.speed + self._frames(frame - one.begins)

    def _frames(self, frames: int) -> Fraction:
        return frames / self.cut.rate


def _seconds(time: Fraction) -> str:
    return f"{time.numerator}s" if time.denominator == 1 else f"{time.numerator}/{time.denominator}s"


def _decibels(volume: float) -> str:
    return f"{max(-96.0, 20 * math.log10(volume)):.4g}dB" if volume > 0 else _SILENT
