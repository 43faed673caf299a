"""Shots that are not generated: what each of them is, judged before anything is paid.

A new kind is one row of `_KINDS`, by the key of a board that makes a shot one (`OWN_KEYS` of `board_own.py`): what
else such a shot may say, and what reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from minimax_tasks.api.catalog.models import picture_limits
from minimax_tasks.api.picture_shapes import size_fault
from minimax_tasks.api.suggest import did_you_mean
from minimax_tasks.clips.layout import VIDEO, clip_file
from minimax_tasks.errors import CameraError, MiniMaxError, PictureError, UnreadableReference, VideoError
from minimax_tasks.prompts.camera import parse_camera
from minimax_tasks.redaction import quoted, shown
from minimax_tasks.storage.references import Kind, folder_of, kind_of, next_to, version_of
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.own.cropped_still import CroppedStill
from minimax_tasks.storyboard.own.drawn_still import read_drawn_still
from minimax_tasks.storyboard.own.footage import read_footage
from minimax_tasks.storyboard.own.own_clip import DrawnClip, OwnClip
from minimax_tasks.storyboard.own.still_camera import cannot_be_drawn
from minimax_tasks.storyboard.own.title_card import title_card
from minimax_tasks.storyboard.plan import Source
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.planning.frames import short_name
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.shapes import usual_shape
from minimax_tasks.storyboard.planning.sources import Material, is_path_like

_OF_ALL = (
    "cut",
    *(name for name in Shot.model_fields if name not in {"id", *Shot.PLANNED_FIELDS}),
    "action",
    "place",
)
"""What any shot may say: where it stands in the film, and words for people."""

USUAL_SECONDS = 4
LONGEST_STILL = 60
"""Seconds of a still."""


@dataclass(frozen=True)
class _Kind:
    """A kind of shot: the keys that it has besides those of all, and what makes its frames of a draft.

    `read` notes what is wrong and returns None, or raises `VideoError` or `UnreadableReference` about its key.
    """

    keys: tuple[str, ...]
    read: Callable[[ShotDraft, Material, BoardProblems], OwnClip | None]


def decide_own(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Read what every shot is that is not generated, and note what is wrong with it."""
    for draft in drafts:
        kinds = draft.shot.own_keys + ["video_template"] * (draft.shot.video_template is not None)
        if len(kinds) > 1:
            problems.wrong(
                draft, kinds[1], f"a shot has `{kinds[0]}` or `{kinds[1]}`, not both; remove one of them"
            )
        elif kinds == ["video_template"]:
            _judge_keys(draft, "video_template", ("takes", "pick"), problems)
        elif kinds:
            draft.own = _read(draft, kinds[0], material, problems)
            draft.lines = min(draft.own.shape or (0, 0)) if draft.own else 0


def _read(draft: ShotDraft, key: str, material: Material, problems: BoardProblems) -> OwnClip | None:
    kind = _KINDS[key]
    _judge_keys(draft, key, kind.keys, problems)
    try:
        return kind.read(draft, material, problems)
    except (VideoError, UnreadableReference) as error:
        problems.wrong(draft, key, f"{key}: {error}")
        return None


def _judge_keys(draft: ShotDraft, key: str, own: tuple[str, ...], problems: BoardProblems) -> None:
    """Note keys of a shot with `key` that are neither its `own` nor for all."""
    fields = type(draft.shot).model_fields
    for name in sorted(draft.shot.model_fields_set, key=list(fields).index):
        written = fields[name].alias or name
        if written not in {"id", key, *own, *_OF_ALL}:
            may = ", ".join(own + _OF_ALL)
            why = "is made by the service's template" if key == "video_template" else "is not generated"
            problems.wrong(
                draft, written, f"a shot with `{key}` {why} and takes no `{written}`; it may have {may}"
            )


def _footage(draft: ShotDraft, material: Material, problems: BoardProblems) -> OwnClip | None:
    video = draft.shot.clip
    if video is None:
        return None
    folder = folder_of(material.path)
    if video.root is not None and video.key is not None:
        root = next_to(folder, video.root).rstrip("/")
        reference = f"{root}/{clip_file(video.key, VIDEO)}"
        if kind_of(reference) in (Kind.LOCAL, Kind.STORED) and version_of(reference) is None:
            raise VideoError(f"clip {video.key} is not made under {shown(root)}")
        return read_footage(reference, f"clip {video.key[:8]} of {short_name(video.root)}")
    name = str(video.file)
    try:
        return read_footage(next_to(folder, name), short_name(name))
    except MiniMaxError as error:
        raise VideoError(f"{short_name(name)}: {error}") from None


def _still(draft: ShotDraft, material: Material, problems: BoardProblems) -> OwnClip | None:
    shot, frames = draft.shot, material.board.files
    name, seconds = str(shot.still), USUAL_SECONDS if draft.seconds is None else draft.seconds
    if not 1 <= seconds <= LONGEST_STILL:
        problems.wrong(draft, "seconds", f"seconds = {seconds}; allowed: 1 to {LONGEST_STILL}, for a still")
        return None
    try:
        draft.camera = parse_camera(shot.camera or "")
        if why := cannot_be_drawn(draft.camera):
            raise CameraError(why)
    except CameraError as error:
        problems.wrong(draft, "camera", f"camera: {error}")
        return None
    if name not in frames and not is_path_like(name):
        guess = did_you_mean(problems.suggest(name, frames)) or ": there is no such frame;"
        problems.wrong(
            draft, "still", f"still = {quoted(name)}{guess} allowed: a name of `frames`, or a picture's path"
        )
        return None
    reference = next_to(folder_of(material.path), frames.get(name, name))
    label = name if name in frames else short_name(name)
    try:
        return read_drawn_still(reference, label, seconds, draft.camera)
    except PictureError as error:
        problems.wrong(draft, "still", f"still {short_name(name)}: {error.why}; allowed: {error.allowed}")
        return None


def shape_drawn(drafts: Drafts, aspect: Fraction | None) -> None:
    """Give what is drawn the shape of the film: its `aspect`, or that of most shots that have theirs from elsewhere."""
    drawn = {draft.shot.id: draft.own for draft in drafts if isinstance(draft.own, DrawnClip)}
    if not drawn:
        return
    shape = usual_shape(drafts) if aspect is None else aspect.as_integer_ratio()
    shaped = {shot: own.of_shape(shape) for shot, own in drawn.items()}
    for draft in drafts:
        draft.own = shaped.get(draft.shot.id, draft.own)
        draft.first, draft.last = (_of(source, shaped) for source in (draft.first, draft.last))
        draft.references = tuple(filter(None, (_of(source, shaped) for source in draft.references)))


def judge_own_frames(drafts: Drafts, problems: BoardProblems) -> None:
    """Note frames of footage whose size the model of the shot that they go into does not take."""
    for draft in drafts:
        for key, source in draft.ends:
            if source is None or source.own is None:
                continue
            fault = size_fault(*source.own.frame_size, picture_limits(draft.model))
            if fault:
                wide, high = source.own.frame_size
                cropped = isinstance(source.own, CroppedStill)
                what = "what is left of it in the film's shape is" if cropped else "its pictures are"
                text = f"{key} = {source.label}: {what} {wide} x {high} px; the service takes frames with {fault[0]}"
                if not _says(draft, key):
                    text += "; write `cut: true` to start afresh from the text"
                problems.wrong(draft, key if _says(draft, key) else "id", text)


def _says(draft: ShotDraft, key: str) -> bool:
    return key == "references" or getattr(draft.shot, "from_" if key == "from" else key) is not None


def _of(source: Source | None, shaped: Mapping[str, DrawnClip]) -> Source | None:
    own = shaped.get(source.shot) if source else None
    return replace(source, own=own) if source and own else source


def _card(draft: ShotDraft, material: Material, problems: BoardProblems) -> OwnClip | None:
    if len(draft.shot.title) > 1:
        problems.wrong(draft, "title", "title: a card has one title; make each a shot of its own")
        return None
    return title_card(draft.shot.title[0])


_KINDS = {
    "clip": _Kind((), _footage),
    "still": _Kind(("seconds", "camera"), _still),
    "title": _Kind((), _card),
}
