"""Why a clip is to be made: what of its shot is other than when the film was last made.

Each shot of a film's manifest says what its clip was made from (`made_from`), in so few words that two of
them can be compared: names as they are, long texts and pictures by digest. A clip is only ever asked about
when its key is new, so that a difference that does not matter is never given as a reason.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from minimax_tasks.clips.request import FrameOf
from minimax_tasks.redaction import shown
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.plan import Plan, PlannedShot, Segment

NEW = "new"

_WORDS = (
    "template",
    "prompt",
    "action",
    "camera",
    "characters",
    "subject",
    "place",
    "vars",
    "language",
    "text",
)
"""Keys of a shot whose change is named when its prompt changed, besides the look."""

_UNSPOKEN = ("dialogue", "notes")
"""Keys that few templates say: a reason only where there is no other."""

_NAMED = ("model", "resolution", "seconds", "prompt_optimizer")
"""Keys that are named with both values."""

_PICTURES = {
    "first_frame_image": "from",
    "last_frame_image": "to",
    "subject_image": "subject",
    "image": "image",
}


def made_from(plan: Plan, shot: PlannedShot) -> dict[str, Any]:
    """What the clips of a shot are made from, for the manifest."""
    if shot.own is not None:
        return {"own": shot.own.KIND, "clip": shot.own.key}
    written, request, asked = shot.shot, shot.picked.request, shot.picked.asked
    characters = [plan.board.cast[name].desc for name in written.characters if name in plan.board.cast]
    texts = {
        "look": plan.board.look,
        "prompt": written.prompt,
        "action": written.action,
        "place": written.place,
        "dialogue": spoken_text(written.dialogue),
        "notes": written.notes,
        "characters": characters,
        "vars": written.vars,
        "text": written.video_template.text if written.video_template else None,
        "words": shot.prompt or (written.video_template.text if written.video_template else None),
    }
    pictures = {
        _PICTURES.get(name.partition("[")[0], name): shown(shot.picked.clip.picture_name(name))
        for name in request.pictures()
    }
    labels = {"from": shot.first, "to": shot.last}
    return {
        **{name: _digest(value) for name, value in texts.items() if value},
        "template": None if written.prompt is not None else written.template or plan.board.defaults.template,
        "language": plan.board.language,
        "camera": "; ".join(" + ".join(move.english for move in group) for group in shot.camera),
        "model": asked.model,
        "resolution": asked.resolution,
        "seconds": asked.seconds,
        "prompt_optimizer": asked.prompt_optimizer,
        "pictures": pictures,
        "named": {key: source.label for key, source in labels.items() if source}
        | ({"subject": written.subject} if written.subject else {}),
    }


def reasons(plan: Plan, manifest: Mapping[str, Any] | None, keys: Iterable[str]) -> dict[str, str]:
    """Key -> why the clip is to be made, for these keys of the plan: `look changed`, `new`, `take 2 is new`.

    `manifest` is that of the film as it was last made; without one nothing is known, and nothing is said.
    """
    earlier = _shots_of(manifest)
    if not earlier:
        return {}
    wanted = set(keys)
    owners = {key: str(shot["id"]) for shot in earlier.values() for key in _keys_of(shot)}
    return {
        segment.key: _why(plan, shot, segment, earlier.get(shot.shot.id), owners)
        for shot in plan.shots
        for segment in shot.segments
        if segment.key in wanted
    }


def _shots_of(manifest: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    listed = (manifest or {}).get("shots")
    shots = listed if isinstance(listed, list) else []
    return {str(shot["id"]): shot for shot in shots if isinstance(shot, dict) and "id" in shot}


def _keys_of(shot: Mapping[str, Any]) -> list[str]:
    takes = shot.get("takes")
    return [str(key) for key in (takes if isinstance(takes, list) else [shot.get("clip", "")])]


def _why(
    plan: Plan, shot: PlannedShot, segment: Segment, before: dict[str, Any] | None, owners: Mapping[str, str]
) -> str:
    if before is None:
        return NEW
    keys = _keys_of(before)
    if any(other.key in keys for other in shot.segments) and segment.take > len(keys):
        return f"take {segment.take} is new"
    if segment.key in keys:
        return "its clip is gone"
    then, now = before.get("made_from"), made_from(plan, shot)
    if not isinstance(then, dict):
        return "changed"
    found = dict.fromkeys(_differences(plan, shot, then, now, owners))
    own = [reason for reason in found if reason not in {f"{other.shot.id} changed" for other in plan.shots}]
    return ", ".join(own or found) or "changed"


def _differences(
    plan: Plan,
    shot: PlannedShot,
    then: Mapping[str, Any],
    now: Mapping[str, Any],
    owners: Mapping[str, str],
) -> Iterable[str]:
    def differs(name: str) -> bool:
        return then.get(name) != now.get(name)

    if differs("words"):
        changed = [f"{name} changed" for name in ("look", *_WORDS) if differs(name)]
        changed = changed or [f"{name} changed" for name in _UNSPOKEN if differs(name)]
        named = now.get("template")
        yield from changed or ([f"template {named} changed"] if named else ["words changed"])
    for name in _NAMED:
        if differs(name):
            yield f"{name} {_shown(now.get(name))}, was {_shown(then.get(name))}"
    pictures, were = now["pictures"], then.get("pictures") or {}
    names, had = now["named"], then.get("named") or {}
    for key in dict.fromkeys((*pictures, *were)):
        if pictures.get(key) != were.get(key):
            yield _of_picture(
                plan, key, pictures.get(key), were.get(key), (names.get(key), had.get(key)), owners
            )


def _of_picture(
    plan: Plan,
    key: str,
    now: str | None,
    then: str | None,
    names: tuple[str | None, str | None],
    owners: Mapping[str, str],
) -> str:
    """Why a picture of a shot is another one; `now` and `then` are what they are, `names` what the board says."""
    current = {segment.key: segment.shot for segment in plan.segments}
    frame, was = FrameOf.parse(now or ""), FrameOf.parse(then or "")
    if frame and was and frame.key in current:
        shot, earlier = current.get(frame.key, "?"), owners.get(was.key, "?")
        if shot != earlier:
            return f"now continues {shot}, was {earlier}"
        if frame.place != was.place:
            return f"{key} {_place(frame)} of {shot}, was {_place(was)}"
        return f"{shot} changed"
    name, before = names
    if name and name == before and now and then:
        return f"picture {name.rpartition(': ')[2]} changed"
    if name and name.startswith(_CONTINUES):
        return f"now {name}, was {_bare(before)}"
    return f"{key} {name or 'the text'}, was {_bare(before)}"


_CONTINUES = "continues "


def _bare(label: str | None) -> str:
    return label.removeprefix(_CONTINUES) if label else "the text"


def _place(frame: FrameOf) -> str:
    return f"the {frame.place} frame" if frame.place in ("first", "last") else f"{frame.place} s"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "not set" if value is None else str(value)


def _digest(value: object) -> str:
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    )
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
