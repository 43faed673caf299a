"""What a Final Cut Pro 7 XML says beyond cuts: sizes, places, speeds, held frames, levels, transitions and text.

The adapter of OpenTimelineIO writes what it finds as `fcp_xml` in the metadata of an item, as it stands. Source: Apple's
Final Cut Pro XML Interchange Format, version 4.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, LinkedClip
from minimax_tasks.storyboard.exports.framing import Framing
from minimax_tasks.storyboard.exports.timeline import Placed
from minimax_tasks.storyboard.exports.wipes import DISSOLVE, WIPES, fcp7_effect

LOUDEST = 3.98109
"""The most that a level multiplies by: 12 dB."""

_FIRST = ("name", "duration", "rate", "start", "end", "in", "out")
"""What Final Cut Pro writes of an item before its file, filters and markers."""

_TYPES = {"motion": "video", "filter": "video", "audiolevels": "audio"}


def sequence(cut: ExportedCut) -> dict[str, Any]:
    """The format of the sequence."""
    rate = {
        "timebase": str(-(-cut.rate.numerator // cut.rate.denominator)),
        "ntsc": _yes(cut.rate.denominator != 1),
    }
    picture = {**_size(cut.size), "fielddominance": "none", "rate": rate}
    sound = {"depth": "16", "samplerate": "48000"}
    return {
        "media": {
            "video": {"format": {"samplecharacteristics": picture}},
            "audio": {"numOutputChannels": "2", "format": {"samplecharacteristics": sound}},
        }
    }


def media(clip: LinkedClip) -> dict[str, Any]:
    """What is in a clip's file."""
    found: dict[str, Any] = {"video": {"samplecharacteristics": _size(clip.size)}}
    if clip.channels:
        found["audio"] = {
            "samplecharacteristics": {"depth": "16", "samplerate": str(clip.sound_rate)},
            "channelcount": str(clip.channels),
        }
    return {"media": found}


def picture(one: Placed, framing: Framing, size: tuple[int, int], *, still: bool) -> dict[str, Any]:
    """How a clip is shown, or with `still` the frame of it that is held."""
    filters = [] if framing.is_plain else [_motion(framing, size)]
    if any(framing.cut_off):
        left, top, right, bottom = (f"{part * 100:.4f}" for part in framing.cut_off)
        values = {"left": left, "right": right, "top": top, "bottom": bottom}
        filters.append(_effect("Crop", "crop", "motion", values))
    found: dict[str, Any] = {}
    if still:
        found = {"stillframe": "TRUE", "stillframeoffset": str(round(one.last * one.rate))}
    elif one.cut.speed != 1:
        filters.append(time_remap(one))
    return {**found, **({"filter": filters} if filters else {})}


def time_remap(one: Placed) -> dict[str, Any]:
    """The speed of a clip, in percent."""
    speed = f"{float(one.cut.speed) * 100:g}"
    values = {"variablespeed": "0", "speed": speed, "reverse": "FALSE", "frameblending": "FALSE"}
    return _effect("Time Remap", "timeremap", "motion", values)


def levels(level: float, points: Mapping[int, float] | None = None) -> dict[str, Any]:
    """How loud a clip is, or at which frames of its file."""
    parameter: dict[str, Any] = {
        "parameterid": "level",
        "name": "Level",
        "valuemin": "0",
        "valuemax": str(LOUDEST),
        "value": f"{min(level, LOUDEST):.5f}",
    }
    if points:
        parameter["keyframe"] = [
            {"when": str(at), "value": f"{min(value, LOUDEST):.5f}"} for at, value in sorted(points.items())
        ]
    return _effect("Audio Levels", "audiolevels", "audiolevels", [parameter])


def transition(kind: str) -> dict[str, Any]:
    """A transition of the pictures; one that Final Cut Pro 7 has nothing like is a cross dissolve."""
    name = fcp7_effect(kind) or DISSOLVE
    found = {
        "name": name,
        "effectid": name,
        "effecttype": "transition",
        "mediatype": "video",
        "startratio": "0",
        "endratio": "1",
    }
    if kind in WIPES:
        wipe = WIPES[kind]
        found |= {"effectcategory": "Wipe", "wipecode": str(wipe.code), "wipeaccuracy": "100"}
        found |= {"reverse": _yes(wipe.reversed)}
    return {"effect": found}


def crossfade() -> dict[str, Any]:
    """A transition of the clips' sound."""
    name = "Cross Fade (+3dB)"
    found = {
        "name": name,
        "effectid": "KGAudioTransCrossFade3dB",
        "effecttype": "transition",
        "mediatype": "audio",
    }
    return {"effect": {**found, "startratio": "0", "endratio": "1"}}


def text(words: str, look: str) -> dict[str, Any]:
    """The generator of a text, as its lower third or in the middle."""
    low = look in ("caption", "lower third", "place")
    parameters = [
        {"parameterid": "str", "name": "Text", "value": words},
        {"parameterid": "fontsize", "name": "Size", "valuemin": "0", "valuemax": "1000", "value": "36"},
        {"parameterid": "fontalign", "name": "Alignment", "valuemin": "1", "valuemax": "3", "value": "2"},
        {"parameterid": "origin", "name": "Origin", "value": {"horiz": "0", "vert": "0.38" if low else "0"}},
    ]
    return {
        "effecttype": "generator",
        "effectcategory": "Text",
        "mediatype": "video",
        "parameter": parameters,
    }


def complete(path: Path) -> None:
    """Add to a file of the adapter what that leaves out and editing programs go by. Raises `OSError`."""
    root = ET.parse(path).getroot()
    _link_sounds(root)
    _switch_tracks(root)
    _count_once(root)
    _put_own_first(root)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'
    path.write_text(f"{head}{text}\n", encoding="utf-8", newline="\n")


def _link_sounds(root: ET.Element) -> None:
    """Link each clip's sound to its picture, so that they move as one."""
    places = {
        kind: {
            item.findtext("name"): (item, str(track), str(number))
            for track, items in enumerate(root.findall(f".//sequence/media/{kind}/track"), 1)
            for number, item in reversed(list(enumerate(items.findall("clipitem"), 1)))
            if item.find("stillframe") is None
        }
        for kind in ("video", "audio")
    }
    for name in places["video"].keys() & places["audio"].keys():
        linked = {kind: found[name] for kind, found in places.items()}
        for item, _, _ in linked.values():
            for kind, (other, track, number) in linked.items():
                link = ET.SubElement(item, "link")
                for tag, value in (
                    ("linkclipref", other.get("id")),
                    ("mediatype", kind),
                    ("trackindex", track),
                    ("clipindex", number),
                ):
                    ET.SubElement(link, tag).text = value


def _switch_tracks(root: ET.Element) -> None:
    """Say of each track that it is on, unless it is not, and that it can be changed: OpenShot opens no other."""
    for track in root.iter("track"):
        for tag, usual in (("enabled", True), ("locked", False)):
            if track.find(tag) is None:
                ET.SubElement(track, tag).text = _yes(usual)


def _count_once(root: ET.Element) -> None:
    """Leave each item one of the two rates that it has, which are the same."""
    for item in _items(root):
        for again in item.findall("rate")[1:]:
            item.remove(again)


def _put_own_first(root: ET.Element) -> None:
    """Order items as Final Cut Pro does: OpenShot takes the times of a marker before those of its clip for the clip's."""
    for item in _items(root):
        item[:] = sorted(item, key=lambda one: _FIRST.index(one.tag) if one.tag in _FIRST else len(_FIRST))


def _items(root: ET.Element) -> Iterator[ET.Element]:
    for kind in ("clipitem", "generatoritem", "transitionitem"):
        yield from root.iter(kind)


def _motion(framing: Framing, size: tuple[int, int]) -> dict[str, Any]:
    """Scale in percent, and the middle of the picture in parts of the frame, to the right and down."""
    (across, down), (wide, high) = framing.scale, size
    at = {"horiz": f"{framing.right / wide:.6f}", "vert": f"{framing.down / high:.6f}"}
    scale = {"parameterid": "scale", "name": "Scale", "valuemin": "0", "valuemax": "1000"}
    parameters: list[dict[str, Any]] = [
        {**scale, "value": f"{(across + down) * 50:.4f}"},
        {"parameterid": "center", "name": "Center", "value": at},
    ]
    return _effect("Basic Motion", "basic", "motion", parameters)


def _effect(
    name: str, effect: str, category: str, parameters: Mapping[str, str] | Sequence[dict[str, Any]]
) -> dict[str, Any]:
    if isinstance(parameters, Mapping):
        parameters = [{"parameterid": key, "name": key, "value": value} for key, value in parameters.items()]
    return {
        "effect": {
            "name": name,
            "effectid": effect,
            "effectcategory": category,
            "effecttype": category,
            "mediatype": _TYPES[category],
            "parameter": list(parameters),
        }
    }


def _size(size: tuple[int, int]) -> dict[str, str]:
    return {"width": str(size[0]), "height": str(size[1]), "pixelaspectratio": "square"}


def _yes(value: bool) -> str:
    return "TRUE" if value else "FALSE"
