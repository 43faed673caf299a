"""The API request of each shot, judged, and the clips that it becomes."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePath

from minimax_tasks.api.catalog.models import Mode, Optimizer, find_model_mode, model_names, short_side
from minimax_tasks.api.requests import REQUESTS, AnyRequest, TemplateRequest, VideoRequest
from minimax_tasks.api.suggest import suggest
from minimax_tasks.clips.frames import LENGTH_TOLERANCE, measured, moment_in
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.errors import InvalidRequest, PictureError
from minimax_tasks.redaction import shortened
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.board_own import VideoTemplate
from minimax_tasks.storyboard.plan import Segment, Source
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.planning.frames import named_source, short_name, too_late
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.prompts import judge_commands_of
from minimax_tasks.storyboard.planning.sources import Material, is_video

_UNKNOWN = "?"
"""Stands for a picture that is not known yet, or for a prompt that is wrong already, while a request is judged."""

_INDEPENDENT = ("duration", "resolution")
"""Fields that can be left out to see whether something else is wrong as well."""

_BOARD_KEYS = {
    "duration": "seconds",
    "first_frame_image": "from",
    "last_frame_image": "to",
    "subject_image": "subject",
    "reference_images": "references",
    "reference_videos": "references",
    "reference_audios": "references",
    "image": "video_template",
}
"""Field of a request -> key of a shot."""

_RECORDINGS = {"reference_videos": "video", "reference_audios": "sound"}
"""Field of a request -> what is in it, where that is no picture."""


def judge_requests(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Note what is wrong with the request of each shot, whatever the shot waits for."""
    for draft in drafts.generated:
        request = _request(draft, {}, drafts, material, problems)
        if isinstance(request, VideoRequest) and request.mode is not Mode.SUBJECT:
            draft.lines = short_side(request.size[0])


def make_segments(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Make the clips of every shot, each after those of the shots that it takes frames from."""
    for draft in drafts.generated:
        _make_segments(draft, drafts, material, problems)


def _make_segments(draft: ShotDraft, drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    if draft.segments:
        return
    after: dict[str, Segment] = {}
    for _, source in draft.ends:
        if source is not None and source.shot and source.own is None:
            other = drafts.by_id[source.shot]
            _make_segments(other, drafts, material, problems)
            if not other.segments:
                return
            after[source.shot] = other.segments[min(other.shot.pick, len(other.segments)) - 1]
    request = _request(draft, after, drafts, material, problems)
    if request is None:
        return
    _judge_moments(draft, after, drafts, material.root, problems)
    shapes = {"first_frame_image": draft.crop} if draft.crop else {}
    try:
        clips = [
            known_clip(material.root, request, take, written=draft.written, shapes=shapes, look=material.look)
            for take in range(1, draft.takes + 1)
        ]
    except PictureError as error:  # it is gone; only clips that are paid for do without it
        field = error.field.partition("[")[0]
        key, what = _BOARD_KEYS.get(field, error.field), _RECORDINGS.get(field, "picture")
        why = ": ".join(filter(None, (f"{what} {_name(error, material)}", error.why)))
        problems.wrong(draft, key, f"{why}; allowed: {error.allowed}")
        return
    waits = tuple(after.values())
    draft.segments = tuple(Segment(draft.shot.id, clip.take, clip, waits) for clip in clips)
    draft.warnings += request.warnings
    judge_commands_of(draft, material.root, problems)
    draft.warnings += _picture_notes(draft, material)


def _name(error: PictureError, material: Material) -> str:
    """What a board calls the file that is wrong."""
    still = material.stills.get(str(error.value))
    if error.field.partition("[")[0] in _RECORDINGS:
        return PurePath(str(error.value)).name
    return short_name(str(error.value)) if still is None or isinstance(still, PictureError) else still.name


def _request(
    draft: ShotDraft,
    after: Mapping[str, Segment],
    drafts: Drafts,
    material: Material,
    problems: BoardProblems,
) -> AnyRequest | None:
    """The request of a shot, whose frames are of the segments in `after`; None when there is none."""
    shot, mode = draft.shot, draft.mode
    if shot.video_template is not None:
        return _template_request(draft, shot.video_template, drafts, material, problems)
    fields = _fields(draft, material, problems)
    if mode is Mode.SUBJECT:
        fields["subject_image"] = _subject(draft, drafts, material, problems)
    if mode is Mode.REFERENCE:
        fields["reference_images"] = [_reference(source, after) for source in draft.references]
        fields["reference_videos"] = [one for one in draft.recordings if is_video(one)]
        fields["reference_audios"] = [one for one in draft.recordings if not is_video(one)]
    for name, source in (("first_frame_image", draft.first), ("last_frame_image", draft.last)):
        if source is not None:
            fields[name] = _reference(source, after)
    if mode is Mode.START_END and draft.first is None and not (shot.from_ or shot.continue_):
        way = ", or let the shot continue the one before" if draft.index else ""
        problems.wrong(draft, "to", f"`to` needs a start: give `from`{way}")
        return None
    if mode in (Mode.START_END, Mode.IMAGE):
        fields.setdefault("first_frame_image", _UNKNOWN)
    if mode is Mode.START_END:
        fields.setdefault("last_frame_image", _UNKNOWN)
    _judge_pick(draft, problems)
    while True:
        try:
            return REQUESTS[mode](**fields)
        except InvalidRequest as error:
            problems.wrong(draft, *_in_board_words(draft, mode, error))
            if error.field not in _INDEPENDENT or fields.get(error.field) is None:
                return None
            fields[error.field] = None  # what else is wrong shows without it


def _judge_pick(draft: ShotDraft, problems: BoardProblems) -> None:
    if draft.shot.pick > draft.takes:
        text = f"pick = {draft.shot.pick}; allowed: 1 to {draft.takes}, the number of `takes`"
        problems.wrong(draft, "pick", text)


def _template_request(
    draft: ShotDraft,
    template: VideoTemplate,
    drafts: Drafts,
    material: Material,
    problems: BoardProblems,
) -> TemplateRequest | None:
    """The request of a shot that the service makes from one of its templates; None when there is none."""
    _judge_pick(draft, problems)
    image = None
    if template.image is not None:
        source = named_source(draft, "video_template", template.image, drafts, material, problems)
        if source is not None and source.still is None:
            problems.wrong(
                draft, "video_template", f"image = {shortened(template.image)}; allowed: a picture"
            )
        image = source.still.reference if source is not None and source.still is not None else _UNKNOWN
    try:
        return TemplateRequest(template=template.wanted, image=image, text=template.text)
    except InvalidRequest as error:
        value = shortened(str(error.value)) if error.value is not None else "(none)"
        key = (
            "name"
            if error.field == "template" and template.name
            else {"template": "id"}.get(error.field, error.field)
        )
        text = f"video_template: {key} = {value}: {error.why}; allowed: {error.allowed}"
        problems.wrong(draft, "video_template", text)
        return None


def _fields(draft: ShotDraft, material: Material, problems: BoardProblems) -> dict[str, object]:
    """The fields of a request, without its pictures."""
    shot, defaults = draft.shot, material.board.defaults
    fields: dict[str, object] = {
        "model": draft.model,
        "prompt": draft.prompt,
        "fit": defaults.fit,
    }
    if draft.prompt_is_wrong or (not draft.prompt and problems.has(shot.id)):
        fields["prompt"] = _UNKNOWN  # what else is wrong may be why it is empty
    optimizer = defaults.prompt_optimizer if shot.prompt_optimizer is None else shot.prompt_optimizer
    row = find_model_mode(draft.model, draft.mode)
    has_optimizer = row is None or row.optimizer is Optimizer.SWITCH
    if optimizer is None and has_optimizer and draft.first is not None and draft.first.is_taken:
        # The optimizer describes the picture again; a continuation says only what changes.
        optimizer = False
    if optimizer is not None:
        fields["prompt_optimizer"] = optimizer
    if draft.ratio is not None:
        fields["ratio"] = draft.ratio
    if draft.is_of_the_board:
        return fields | {"resolution": shot.resolution or defaults.resolution, "duration": draft.seconds}
    return fields | {"resolution": shot.resolution, "duration": shot.seconds}


def _subject(draft: ShotDraft, drafts: Drafts, material: Material, problems: BoardProblems) -> str:
    """The picture of the subject."""
    source = named_source(draft, "subject", str(draft.shot.subject), drafts, material, problems)
    return _UNKNOWN if source is None or source.shot else _reference(source, {})


def _reference(source: Source, after: Mapping[str, Segment]) -> str:
    if source.still is not None:
        return source.still.reference
    if source.own is not None or source.clip:
        return str(FrameOf(source.own.key if source.own else source.clip, source.place))
    return str(FrameOf(after[source.shot].key, source.place)) if source.shot in after else _UNKNOWN


def _picture_notes(draft: ShotDraft, material: Material) -> list[str]:
    """What is done to the stills of a shot before they are sent."""
    stills = [source.still for _, source in draft.ends if source and source.still]
    if draft.shot.subject and (face := material.still(draft.shot.subject)):
        stills.append(face)
    return [f"picture {short_name(still.name)}: {note}" for still in stills for note in still.notes]


def _judge_moments(
    draft: ShotDraft,
    after: Mapping[str, Segment],
    drafts: Drafts,
    root: Storage,
    problems: BoardProblems,
) -> None:
    """Judge moments near the end of another shot: once its clip is made, by the clip's own length."""
    for key, source in draft.ends:
        if source is None or not source.shot or source.own or source.place in ("first", "last"):
            continue
        length = drafts.by_id[source.shot].length
        frame = FrameOf(after[source.shot].key, source.place)
        made = measured(root, frame.key)
        if made is not None:
            try:
                doubt = moment_in(frame, made.seconds)
            except PictureError as error:
                problems.wrong(
                    draft, key, f"{key} = {source.label}: {error.why}, which shot {source.shot} is"
                )
                continue
        elif float(source.place) >= length:
            wanted = f"{source.shot}@{source.place}"
            problems.wrong(draft, key, too_late(key, wanted, source.shot, length))
            continue
        else:
            doubt = _near_the_end(float(source.place), length)
        if doubt:
            draft.warnings.append(f"{key} = {source.label}: {doubt}")


def _near_the_end(moment: float, length: Fraction) -> str:
    """What is doubtful about a moment in a clip that is not made yet."""
    if moment <= float(length) - LENGTH_TOLERANCE:
        return ""
    return (
        f"a clip may be up to {LENGTH_TOLERANCE:g} s shorter than was asked; if there is no such moment in it, "
        "its last frame is taken"
    )


_CANNOT_MAKE = {
    Mode.TEXT: "a shot from text alone",
    Mode.IMAGE: "a shot that continues the one before",
    Mode.START_END: "a shot with `to` (start-end frames)",
    Mode.SUBJECT: "a shot with a subject",
    Mode.REFERENCE: "a shot with references",
}


def _in_board_words(draft: ShotDraft, mode: Mode, error: InvalidRequest) -> tuple[str, str]:
    """The key of a shot that is wrong, and what the API's request says about it in the words of a board."""
    key = _BOARD_KEYS.get(error.field.partition("[")[0], error.field)
    why, allowed = error.why, error.allowed
    if key == "model" and error.value not in model_names():
        near = suggest(str(error.value), model_names())
        guess = f"did you mean {near}? " if near else ""
        return (
            key,
            f"model = {shortened(str(error.value))}: there is no such model; {guess}Allowed: {', '.join(model_names())}",
        )
    if key == "model":
        makes = "a shot that starts from a picture" if mode is Mode.IMAGE and draft.shot.from_ else ""
        text = f"model = {error.value}: it cannot make {makes or _CANNOT_MAKE[mode]}; allowed: {allowed}"
        if mode is Mode.IMAGE and not draft.shot.from_:
            text += "; or write `cut: true` to start afresh from the text"
        return key, text
    if key == "prompt":
        return key, f"prompt: {why}; allowed: {allowed}"
    value = shortened(str(error.value)) if error.value is not None else "(none)"
    origin = ""
    if key in ("resolution", "seconds") and getattr(draft.shot, key) is None:
        origin = f" (from the board's defaults; write {key} in the shot to have another)"
    return key, f"{key} = {value}{origin}: {why}; allowed: {allowed}"
