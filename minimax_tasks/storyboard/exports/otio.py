"""The cut of a board as an OpenTimelineIO timeline, for editing programs (extra `otio`)."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.storyboard.exports import fcp7
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, LinkedClip
from minimax_tasks.storyboard.exports.framing import Framing, framing_of
from minimax_tasks.storyboard.exports.otio_sounds import sound_tracks
from minimax_tasks.storyboard.exports.timeline import Placed, Words, placed, words_of
from minimax_tasks.storyboard.exports.wipes import WIPES
from minimax_tasks.storyboard.words import burnt_language
from minimax_tasks.video.transition_names import BLENDS

if TYPE_CHECKING:
    import opentimelineio as otio


_ADAPTERS = {".xml": "otio-fcp-adapter"}
"""Ending -> the package that teaches OpenTimelineIO to write it."""

_BY_URL = (".xml", ".otioz")
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
    """Write the cut to a local file; returns the files. Raises `OSError` or `ValueError` when that fails."""
    import opentimelineio as otio

    ending = Path(out).suffix.casefold()
    files = [out]
    with temporary_folder() as folder:
        beside = cut.media_folder(out)
        files += [str(beside)] if beside else []
        media = folder if ending == ".otioz" else beside
        clips = cut.copies(media) if media else {key: clip.url for key, clip in cut.clips.items()}
        named = {one.name for one in cut.edit.sounds}
        sounds = (
            cut.sound_copies(media) if media else {name: cut.plan.sounds[name].reference for name in named}
        )
        place = beside and beside.parent
        links = {key: replace(cut.clips[key], url=_url(url, ending, place)) for key, url in clips.items()}
        # A bundle holds one file for each clip, and a Final Cut Pro 7 XML has no word for other takes.
        takes = cut.other_takes(beside) if ending == ".otio" else {}
        others = {key: replace(take, url=_url(take.url, ending, place)) for key, take in takes.items()}
        timeline = _Timeline(cut, links, others, is_fcp7=ending == ".xml").made()
        urls = {name: _url(url, ending, place) for name, url in sounds.items()}
        lengths = {name: cut.plan.sounds[name].seconds for name in named}
        timeline.tracks.extend(sound_tracks(cut.edit, urls, lengths))
        written = folder / f"timeline{ending}"  # a bundle overwrites nothing
        try:
            otio.adapters.write_to_file(timeline, str(written))
        except otio.exceptions.OTIOError as error:
            raise ValueError(str(error)) from None
        if ending == ".xml":
            fcp7.complete(written)
        shutil.copyfile(written, out)
    return files


@dataclass(frozen=True)
class _Timeline:
    """A cut as a timeline, for OpenTimelineIO itself or, with what that has no words for, for Final Cut Pro 7."""

    cut: ExportedCut
    links: Mapping[str, LinkedClip]
    others: Mapping[str, LinkedClip]
    is_fcp7: bool

    def made(self) -> Any:
        import opentimelineio as otio

        cut = self.cut
        timeline = otio.schema.Timeline(name=cut.plan.board.title)
        timeline.metadata["minimax_tasks"] = {"size": list(cut.size), "rate": float(cut.rate)}
        if self.is_fcp7:
            timeline.metadata["fcp_xml"] = fcp7.sequence(cut)
        items = placed(cut)
        picture = otio.schema.Track(name="Picture", kind=otio.schema.TrackKind.Video)
        picture.extend(item for one in items for item in self._pictures(one))
        timeline.tracks.append(picture)
        if self.is_fcp7:
            timeline.tracks.extend(self._texts())
        if any(self._is_heard(one) for one in items):
            timeline.tracks.append(self._sound(items))
        return timeline

    def _pictures(self, one: Placed) -> Iterator[Any]:
        """The transition into a cut, its clip, and the frame of it that is held."""
        if one.overlap:
            yield self._transition(one)
        held = one.held - one.tail if one.is_in_two else 0
        clip = self._clip(one, one.frames - held, held=False)
        self._add_takes(clip, one)
        yield clip
        if held:
            yield self._clip(one, held, held=True)

    def _clip(self, one: Placed, frames: int, *, held: bool) -> Any:
        import opentimelineio as otio

        cut, framing = one.cut, framing_of(self.cut, one.cut)
        begins = one.ends - frames if held else one.begins
        start = self._start(one, held=held)
        effects = [otio.schema.FreezeFrame()] if held else self._speed(one)
        clip = otio.schema.Clip(
            name=f"Shot {cut.shot}",
            media_reference=self._media(self.links[cut.clip], one),
            source_range=otio.opentime.TimeRange(start, self._time(frames)),
            effects=effects,
            markers=[
                self._marker(words, start + self._time(words.begins - begins))
                for words in self._words
                if words.shot == cut.shot
                and (words.begins >= begins if held else words.begins < begins + frames)
            ],
            metadata={
                "minimax_tasks": {
                    "prompt": one.shot.prompt,
                    "clip": cut.clip,
                    "take": cut.take,
                    "held_frames": one.held,
                    "is_held": held,
                    **_placed(framing),
                }
            },
        )
        if self.is_fcp7:
            clip.metadata["fcp_xml"] = fcp7.picture(one, framing, self.cut.size, still=held)
        return clip

    @cached_property
    def _words(self) -> list[Words]:
        return list(words_of(self.cut))

    def _start(self, one: Placed, *, held: bool = False) -> "otio.opentime.RationalTime":
        """Where an item begins in its clip. Final Cut Pro 7 counts frames of the clip as it is shown, slowed or not."""
        if held:
            return self._time(one.last * one.rate)
        return self._time(one.source * one.rate / (one.cut.speed if self.is_fcp7 else 1))

    def _speed(self, one: Placed) -> list[Any]:
        import opentimelineio as otio

        return [] if one.cut.speed == 1 else [otio.schema.LinearTimeWarp(time_scalar=float(one.cut.speed))]

    def _media(self, link: LinkedClip, one: Placed | None) -> Any:
        """A clip's file, which counts as at least as long as what is shown of it: a part of a frame may be missing."""
        import opentimelineio as otio

        there = otio.opentime.RationalTime(link.length.frames, float(link.length.fps or self.cut.rate))
        if one is not None:
            longer = 0 if one.is_in_two else one.held
            needed = self._time(ceil(one.source * one.rate + (one.moving + longer) * one.cut.speed))
            there = max(there, needed)
        media = otio.schema.ExternalReference(
            target_url=link.url,
            available_range=otio.opentime.TimeRange(otio.opentime.RationalTime(0, there.rate), there),
        )
        if self.is_fcp7:
            media.metadata["fcp_xml"] = fcp7.media(link)
        elif one is not None:
            media.available_image_bounds = self._bounds(link, one)
        return media

    def _bounds(self, link: LinkedClip, one: Placed) -> Any:
        """Where the picture lies, in pixels of the film from the middle of its frame, to the right and up."""
        import opentimelineio as otio

        framing = framing_of(self.cut, one.cut)
        wide = link.size[0] * float(link.pixel_aspect) * framing.scale[0] / 2
        high = link.size[1] * framing.scale[1] / 2
        low, top = otio.schema.V2d, otio.schema.V2d
        return otio.schema.Box2d(
            low(framing.right - wide, -framing.down - high), top(framing.right + wide, -framing.down + high)
        )

    def _add_takes(self, clip: Any, one: Placed) -> None:
        """The takes that are not picked, as alternates of the one that is."""
        import opentimelineio as otio

        found = {
            segment.take: self.others[segment.key]
            for segment in one.shot.segments
            if segment.key in self.others
        }
        if found:
            picked = otio.schema.Clip.DEFAULT_MEDIA_KEY
            media = {f"take_{take}": self._media(link, None) for take, link in found.items()}
            clip.set_media_references({picked: clip.media_reference, **media}, picked)

    def _transition(self, one: Placed) -> Any:
        """The transition into a cut, around the middle of it."""
        import opentimelineio as otio

        kind, types = one.cut.join.kind, otio.schema.TransitionTypes
        is_blend = kind in BLENDS
        wipe = {"wipe": WIPES[kind].code, "reversed": WIPES[kind].reversed} if kind in WIPES else {}
        found = otio.schema.Transition(
            kind,
            types.SMPTE_Dissolve if is_blend else types.Custom,
            self._time(one.head),
            self._time(one.overlap - one.head),
            metadata={"minimax_tasks": {"transition": kind, **wipe}},
        )
        if self.is_fcp7:
            found.metadata["fcp_xml"] = fcp7.transition(kind)
        return found

    def _is_heard(self, one: Placed) -> bool:
        return bool(self.links[one.cut.clip].channels) and one.is_heard

    def _sound(self, items: Sequence[Placed]) -> Any:
        """The track of the clips' sound, each in the place of its picture; one without sound leaves a gap."""
        import opentimelineio as otio

        track, before = otio.schema.Track(name="Sound", kind=otio.schema.TrackKind.Audio), False
        for one in items:
            silent = max(0, one.held - one.tail)
            frames = one.frames - silent
            is_heard = self._is_heard(one) and frames > 0
            if is_heard and before and one.overlap:
                track.append(self._crossfade(one))
            if is_heard:
                track.append(self._heard(one, frames))
            rest = silent if is_heard else one.frames
            if rest:
                track.append(otio.schema.Gap(duration=self._time(rest)))
            before = is_heard and not one.held
        return track

    def _heard(self, one: Placed, frames: int) -> Any:
        import opentimelineio as otio

        cut = one.cut
        clip = otio.schema.Clip(
            name=f"Shot {cut.shot}",
            media_reference=self._media(self.links[cut.clip], one),
            source_range=otio.opentime.TimeRange(self._start(one), self._time(frames)),
            effects=self._speed(one),
            # Equal items are one item to some adapters, and its sound would be a reference to its picture.
            metadata={
                "minimax_tasks": {
                    "clip": cut.clip,
                    "track": "sound",
                    "gain": round(20 * log10(cut.volume), 3),
                }
            },
        )
        if self.is_fcp7:
            filters = [fcp7.levels(cut.volume)] if cut.volume != 1 else []
            filters += [fcp7.time_remap(one)] if cut.speed != 1 else []
            source = {"sourcetrack": {"mediatype": "audio", "trackindex": "1"}}
            clip.metadata["fcp_xml"] = {**source, **({"filter": filters} if filters else {})}
        return clip

    def _crossfade(self, one: Placed) -> Any:
        import opentimelineio as otio

        found = otio.schema.Transition(
            "crossfade",
            otio.schema.TransitionTypes.SMPTE_Dissolve,
            self._time(one.head),
            self._time(one.overlap - one.head),
        )
        if self.is_fcp7:
            found.metadata["fcp_xml"] = fcp7.crossfade()
        return found

    def _texts(self) -> Iterator[Any]:
        """Titles, and what is spoken by language, as tracks of text; captions are on where the film shows them."""
        import opentimelineio as otio

        titles = [one for one in self._words if one.kind == "title" and not one.is_card]
        spoken = [one for one in self._words if one.kind == "dialogue"]
        tracks = {"Titles": titles}
        for language in dict.fromkeys(one.language for one in spoken):
            tracks[f"Captions {language}".rstrip()] = [one for one in spoken if one.language == language]
        for name, words in tracks.items():
            track = otio.schema.Track(name=name, kind=otio.schema.TrackKind.Video)
            if name != "Titles" and words and words[0].language != self._burnt:
                track.metadata["fcp_xml"] = {"enabled": "FALSE"}
            at = 0
            for one in words:
                if one.begins > at:
                    track.append(otio.schema.Gap(duration=self._time(one.begins - at)))
                at = max(at, one.begins)
                if one.ends > at:
                    track.append(self._text(one, one.ends - at))
                    at = one.ends
            if words:
                yield track

    @property
    def _burnt(self) -> str | None:
        """The language whose captions the film shows."""
        return None if self.cut.plan.burnt is None else burnt_language(self.cut.plan)

    def _text(self, words: Words, frames: int) -> Any:
        import opentimelineio as otio

        look = words.look or "caption"
        return otio.schema.Clip(
            name=words.text,
            media_reference=otio.schema.GeneratorReference(
                name="Text", generator_kind="Text", metadata={"fcp_xml": fcp7.text(words.text, look)}
            ),
            source_range=otio.opentime.TimeRange(self._time(0), self._time(frames)),
            metadata={"minimax_tasks": {"shot": words.shot, "at": words.begins}},
        )

    def _marker(self, words: Words, at: "otio.opentime.RationalTime") -> Any:
        import opentimelineio as otio

        look = {"look": words.look} if words.look else {}
        return otio.schema.Marker(
            name=words.label,
            marked_range=otio.opentime.TimeRange(at, self._time(words.ends - words.begins)),
            metadata={"minimax_tasks": {words.kind: words.text, **look}},
        )

    def _time(self, frames: int | Fraction) -> "otio.opentime.RationalTime":
        import opentimelineio as otio

        return otio.opentime.RationalTime(float(frames), float(self.cut.rate))


def _placed(framing: Framing) -> dict[str, Any]:
    """Where a picture lies that is not in the frame as it is; OpenTimelineIO has no effect for that."""
    if framing.is_plain:
        return {}
    return {
        "scale": list(framing.scale),
        "right": framing.right,
        "down": framing.down,
        "cut_off": list(framing.cut_off),
        "ground": "blur" if framing.ground else "",
    }


def _url(url: str, ending: str, beside: Path | None = None) -> str:
    if beside is not None:
        name = Path(url).relative_to(beside).as_posix()
        return quote(name) if ending in _BY_URL else name
    return Path(url).absolute().as_uri() if ending in _BY_URL and "://" not in url else url
