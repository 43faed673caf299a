"""What the report shows of a film: stills, previews and facts gathered from the clips."""

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from PIL import Image, ImageOps

from minimax_tasks.clips.layout import MADE_BY, PREVIEWS, clip_file, own_file
from minimax_tasks.clips.pictures import has_bytes, read_picture
from minimax_tasks.clips.state import ClipState, ClipStatus
from minimax_tasks.errors import PictureError, VideoError
from minimax_tasks.prompts.bracket_commands import find_commands
from minimax_tasks.redaction import shown as shown_reference
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.naming import file_name
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.edit import Cut, Edit
from minimax_tasks.storyboard.own.own_clip import OwnClip
from minimax_tasks.storyboard.plan import OWN, Plan, PlannedShot, Segment, Source
from minimax_tasks.storyboard.report.page import FilmReport, ReportShot, ReportTake
from minimax_tasks.storyboard.report.previews import POSTER_WIDTH, STILL_WIDTH, ClipPreviews, previews_of
from minimax_tasks.storyboard.report.seams import film_seam
from minimax_tasks.video.join import Joined
from minimax_tasks.video.previews import webp
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.seam import Seam

_AT_ONCE = 2
_STATUS = {
    ClipStatus.MADE: "done",
    ClipStatus.FAILED: "failed",
    ClipStatus.REFUSED: "failed",
    ClipStatus.IN_DOUBT: "in doubt",
    ClipStatus.UNCHECKED: "failed",
    ClipStatus.GENERATING: "generating",
    ClipStatus.TO_FETCH: "generating",
    ClipStatus.TO_MAKE: "waiting",
}


def film_report(
    root: Storage,
    plan: Plan,
    edit: Edit,
    clips: Mapping[str, str],
    states: Mapping[str, ClipState],
    joined: Joined | None,
    film: str,
    made_at: str,
) -> FilmReport:
    """Gather the report of a film.

    `edit` is that of the film, or by the lengths that are asked for while there is none.
    `clips` has the local paths of the clips that are made, by key; `film` is the name of the film next to the
    page, "" when there is none.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        own = {shot.own.key for shot in plan.shots if shot.own}
        names = {key: (own_file if key in own else clip_file)(key, PREVIEWS) for key in clips}
        shown = threads.map(lambda key: previews_of(root, names[key], clips[key]), clips)
        previews = dict(zip(clips, shown, strict=True))
    grades = joined.grades if joined else {}
    shots = []
    for number, cut in enumerate(edit.cuts):
        shot = plan.by_id[cut.shot]
        shots.append(_shot(shot, previews, states, cut, film_seam(edit, number, previews, clips, grades)))
    paid = [
        s.request.usd
        for s in plan.segments
        if states[s.key].status not in (ClipStatus.TO_MAKE, ClipStatus.REFUSED)
    ]
    return FilmReport(
        title=plan.board.title,
        look=plan.board.look,
        board=file_name(shown_reference(plan.path)),
        made_at=f"{made_at[:10]} {made_at[11:16]} UTC",
        service=str((root.read_json(MADE_BY) or {}).get("service", "")),
        seconds=float(edit.seconds),
        fps=float(edit.rate or DEFAULT_FPS),
        width=joined.width if joined else 0,
        height=joined.height if joined else 0,
        joined=_how(joined),
        spent_usd=sum(price or 0.0 for price in paid),
        unpriced=paid.count(None),
        film=film,
        shots=tuple(shots),
        warnings=(*plan.warnings, *(joined.notes if joined else ())),
        poster=_poster(joined),
    )


def _poster(joined: Joined | None) -> bytes:
    if joined is None or not joined.poster:
        return b""
    with Image.open(io.BytesIO(joined.poster)) as image:
        return webp(image.convert("RGB"), POSTER_WIDTH)


def _how(joined: Joined | None) -> str:
    if joined is None:
        return "not joined: clips are missing"
    if joined.method == "encode":
        part = f", {joined.copied:,} of {joined.frames:,} frames copied" if joined.copied else ""
        return f"re-encoded{part}: {joined.reason}"
    return "stream copy" + (f", sound mixed: {joined.sound_reason}" if joined.sound == "encode" else "")


def _shot(
    shot: PlannedShot,
    previews: Mapping[str, ClipPreviews],
    states: Mapping[str, ClipState],
    cut: Cut,
    seam: Seam | None,
) -> ReportShot:
    if shot.own is not None:
        return _own_shot(shot, shot.own, previews.get(shot.key), cut)
    picked, state = shot.picked, states[shot.key]
    seen = previews.get(picked.key)
    return replace(
        _any_shot(shot, seen, cut),
        status=_STATUS[state.status],
        mode=str(picked.clip.mode),
        model=picked.asked.model,
        resolution=picked.asked.resolution,
        seconds=seen.seconds if seen else float(picked.asked.seconds),
        prompt=shot.prompt,
        commands=tuple((command.start, command.end) for command in find_commands(shot.prompt)),
        first_label=shot.first.full if shot.first else _begins(shot),
        last_label=shot.last.full if shot.last else "as generated",
        first=seen.first if seen else _still(shot.first),
        last=seen.last if seen else _still(shot.last),
        seam_psnr=seam.psnr if seam else None,
        seam_luma=seam.luma if seam else None,
        seam_saturation=seam.saturation if seam else None,
        seam_sharpness=seam.sharpness if seam else None,
        seam_step=seam.step if seam else None,
        usd=picked.request.usd,
        task_id=state.task_id or None,
        warnings=(*shot.warnings, *state.warnings),
        problem=_problem(shot, picked, states),
        takes=tuple(
            _take(shot, segment, previews.get(segment.key), states[segment.key]) for segment in shot.segments
        ),
    )


def _own_shot(shot: PlannedShot, own: OwnClip, seen: ClipPreviews | None, cut: Cut) -> ReportShot:
    """A shot that is not generated: no model, no task, no price, and nothing that it was made from but itself."""
    return replace(
        _any_shot(shot, seen, cut),
        status="done" if seen else "waiting",
        mode=OWN,
        model=own.KIND,
        first_label=own.label,
        problem="" if seen else "to be joined by the next run",
    )


def _any_shot(shot: PlannedShot, seen: ClipPreviews | None, cut: Cut) -> ReportShot:
    """What is told of every shot, whatever it comes from."""
    return ReportShot(
        id=shot.shot.id,
        status="waiting",
        mode="",
        model="",
        resolution="",
        seconds=float(shot.seconds),
        start=float(cut.starts_at),
        end=float(cut.ends_at),
        width=seen.width if seen else 0,
        height=seen.height if seen else 0,
        fps=seen.fps if seen else 0.0,
        frames=seen.frames if seen else 0,
        prompt="",
        action=shot.shot.action or "",
        dialogue=spoken_text(shot.shot.dialogue) or "",
        notes=shot.shot.notes or "",
        title=" · ".join(title.words for title in shot.shot.title),
        commands=(),
        camera=tuple(tuple(move.name for move in group) for group in shot.camera),
        first_label="",
        last_label="",
        first=seen.first if seen else None,
        last=seen.last if seen else None,
        preview=seen.preview if seen else None,
        join=shot.join.label,
        seam_psnr=None,
        seam_luma=None,
        seam_saturation=None,
        seam_sharpness=None,
        seam_step=None,
        usd=0.0,
        task_id=None,
        key=shot.key,
        warnings=shot.warnings,
        problem="",
        takes=(),
    )


def _begins(shot: PlannedShot) -> str:
    template = shot.shot.video_template
    return "from the text" if template is None else f"from {template.image or 'the template'}"


def _still(source: Source | None) -> bytes | None:
    """The still that a missing clip would start or end with."""
    if source is None or (source.still is None and source.own is None):
        return None
    try:
        if source.own is not None:
            return webp(source.own.frame(source.place), STILL_WIDTH)
        if source.still is None or not has_bytes(source.still.reference):
            return None
        with Image.open(io.BytesIO(read_picture(source.still.reference, field=source.label))) as image:
            return webp(ImageOps.exif_transpose(image).convert("RGB"), STILL_WIDTH)
    except (PictureError, VideoError, OSError):
        return None


def _problem(shot: PlannedShot, segment: Segment, states: Mapping[str, ClipState]) -> str:
    state = states[segment.key]
    if state.problem or state.status is not ClipStatus.TO_MAKE:
        return state.problem
    waits = [other for other in segment.after if states[other.key].status is not ClipStatus.MADE]
    return ", ".join(f"a frame of shot {other.shot}" for other in waits) or "to be made by the next run"


def _take(shot: PlannedShot, segment: Segment, seen: ClipPreviews | None, state: ClipState) -> ReportTake:
    picked = segment is shot.picked
    return ReportTake(
        number=segment.take,
        picked=picked,
        status=_STATUS[state.status],
        still=seen.take if seen else None,
        preview=seen.preview if seen and not picked else None,
        key=segment.key,
        task_id=state.task_id or None,
        usd=segment.request.usd,
        problem=state.problem,
    )
