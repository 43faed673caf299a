"""What Apple's DTD of FCPXML allows, as far as we write it: for each element its children in order, and its attributes.

Source: "Document Type Definition" of the FCPXML reference, version 1.10, in which `asset` names its file by `media-rep`; in
version 1.8 by `src`, which is why an asset has no children here. Required attributes are marked with an exclamation mark.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

_PLACE = "lane offset name start duration enabled"
_ANCHORED = "(audio|video|clip|title|caption|mc-clip|ref-clip|sync-clip|asset-clip|audition|spine)*"
_MARKERS = "(marker|chapter-marker|rating|keyword|analysis-marker)*"
_TIMING = "conform-rate? timeMap?"
_PICTURE = "adjust-crop? adjust-corners? adjust-conform? adjust-transform? adjust-blend?"

RULES = {
    "fcpxml": ("import-options? resources? (library|event*|project*)", "version!"),
    "resources": ("(asset|effect|format|media)*", ""),
    "library": ("(event|smart-collection)*", "location colorProcessing"),
    "event": ("(clip|audition|asset-clip|project)*", "name uid"),
    "project": ("sequence", "name uid id modDate"),
    "sequence": ("note? spine metadata?", "format! duration tcStart tcFormat audioLayout audioRate renderFormat keywords"),
    "spine": ("(audio|video|clip|title|mc-clip|ref-clip|sync-clip|asset-clip|audition|gap|transition)*", "lane offset name"),
    "audition": ("(audio|video|title|ref-clip|asset-clip|clip|sync-clip)+", "lane offset modDate"),
    "asset-clip": (
        f"note? {_TIMING} {_PICTURE} adjust-volume? adjust-panner? {_ANCHORED} {_MARKERS} audio-channel-source* "
        "filter-video* filter-audio* metadata?",
        f"ref! {_PLACE} srcEnable audioStart audioDuration format tcStart tcFormat modDate audioRole videoRole",
    ),
    "title": (f"param* text* text-style-def* note? {_PICTURE} {_ANCHORED} {_MARKERS}", f"ref! duration! role {_PLACE}"),
    "caption": ("text* text-style-def* note?", f"duration! role {_PLACE}"),
    "text": ("text-style*", "display-style position placement alignment"),
    "text-style-def": ("text-style", "id! name"),
    "text-style": ("param*", "ref font fontSize fontFace fontColor backgroundColor bold italic alignment"),
    "transition": ("filter-video? filter-audio? marker* metadata?", "name offset duration!"),
    "filter-video": ("data* param*", "ref! name enabled"),
    "filter-audio": ("data? param*", "ref! name enabled presetID"),
    "conform-rate": ("", "scaleEnabled srcFrameRate frameSampling"),
    "timeMap": ("timept*", "frameSampling preservesPitch"),
    "timept": ("", "time! value! interp inTime outTime"),
    "adjust-crop": ("crop-rect? trim-rect? pan-rect*", "mode! enabled"),
    "trim-rect": ("param*", "left top right bottom"),
    "adjust-conform": ("", "type"),
    "adjust-transform": ("param*", "enabled position scale rotation anchor"),
    "adjust-volume": ("param*", "amount"),
    "param": ("fadeIn? fadeOut? keyframeAnimation? param*", "name! key value enabled"),
    "keyframeAnimation": ("keyframe*", ""),
    "keyframe": ("", "time! value! interp curve"),
    "marker": ("", "start! duration value! completed note"),
    "format": ("", "id! name frameDuration fieldOrder width height paspH paspV colorSpace projection stereoscopic"),
    "asset": (
        "bookmark? metadata?",
        "id! name uid src! start duration hasVideo format hasAudio videoSources audioSources audioChannels audioRate",
    ),
    "effect": ("", "id! name uid! src"),
}  # fmt: skip

_RATES = {"23.98", "24", "25", "29.97", "30", "60", "47.95", "48", "50", "59.94"}
_TIME = re.compile(r"-?[0-9]+(/[0-9]+)?s")
_TIMES = {"offset", "duration", "tcStart", "time", "frameDuration"}


def broken_rules(root: ET.Element) -> Iterator[str]:
    """What a document has that the DTD does not allow."""
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    if len(ids) != len(set(ids)):
        yield "an id is there twice"
    for element in root.iter():
        if element.tag not in RULES:
            yield f"<{element.tag}> is not known"
            continue
        children, attributes = RULES[element.tag]
        pattern = (
            re.sub(r"[\w-]+", lambda name: f"(?:{name[0]} )", children)
            .replace(") ", ")")
            .replace(") (", ")(")
        )
        pattern = re.sub(r"([?*+]) ", r"\1", pattern)
        if not re.fullmatch(pattern, "".join(f"{child.tag} " for child in element)):
            yield f"<{element.tag}> has {[child.tag for child in element]}; allowed: {children or 'nothing'}"
        names = {name.rstrip("!") for name in attributes.split()}
        missing = {name[:-1] for name in attributes.split() if name.endswith("!")} - set(element.attrib)
        if missing or set(element.attrib) - names:
            yield f"<{element.tag}> has {sorted(element.attrib)}; allowed: {attributes}"
        for name, value in element.attrib.items():
            if name in _TIMES and not _TIME.fullmatch(value):
                yield f"<{element.tag}> {name} = {value!r}"
            if name in ("ref", "format") and value not in ids:
                yield f"<{element.tag}> {name} = {value!r}, which is not there"
            if name == "srcFrameRate" and value not in _RATES:
                yield f"srcFrameRate = {value!r}"
