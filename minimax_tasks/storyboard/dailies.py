"""What the report shows of a film: stills, previews and facts gathered from the clips."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from minimax_tasks.clips.root import MARK
from minimax_tasks.prompts.commands import find_commands
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.plan import Plan, PlannedShot, Segment
from minimax_tasks.storyboard.report import FilmReport, ReportShot, ReportTake
from minimax_tasks.video.frames import first_frame, last_frame
from minimax_tasks.video.join import Joined
from minimax_tasks.video.previews import jpeg, preview_mp4
from minimax_tasks.video.probe import Probe, probe
from minimax_tasks.video.seam import Seam, measure_seam

STILL_WIDTH = 640
TAKE_WIDTH = 240
"""Pixels."""

_AT_ONCE = 2


@dataclass(frozen=True)
class _Rushes:
    """One clip as the report shows it."""

    first: Image.Image
    last: Image.Image
    preview: bytes
    facts: Probe


def film_report(
    root: Storage, plan: Plan, clips: Mapping[str, str], joined: Joined, made_at: str
) -> FilmReport:
    """Gather the report of a film whose clips lie at local paths."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        rushes = dict(zip(clips, threads.map(_rushes, clips.values()), strict=True))
    shots, before = [], None
    for shot, start in zip(plan.shots, joined.starts, strict=True):
        seam = None
        if before is not None and shot.join.repeats_frame:
            seam = measure_seam(rushes[before.picked.key].last, rushes[shot.picked.key].first)
        shots.append(_shot(root, shot, rushes, start, seam))
        before = shot
    prices = [segment.request.usd for segment in plan.segments]
    host = (root.read_json(MARK) or {}).get("service", "")
    return FilmReport(
        title=plan.board.title,
        look=plan.board.look,
        board=plan.path.rpartition("/")[2],
        made_at=f"{made_at[:10]} {made_at[11:16]} UTC",
        service=str(host),
        seconds=joined.seconds,
        fps=float(joined.fps),
        width=joined.width,
        height=joined.height,
        joined="stream copy" if joined.method == "copy" else f"re-encoded: {joined.reason}",
        spent_usd=sum(price or 0.0 for price in prices),
        unpriced=prices.count(None),
        film="film.mp4",
        shots=tuple(shots),
        warnings=plan.warnings,
    )


def _rushes(path: str) -> _Rushes:
    return _Rushes(first_frame(path), last_frame(path), preview_mp4(path), probe(path, "header"))


def _shot(
    root: Storage, shot: PlannedShot, rushes: Mapping[str, _Rushes], start: float, seam: Seam | None
) -> ReportShot:
    picked = shot.picked
    seen = rushes[picked.key]
    request = picked.request
    return ReportShot(
        id=shot.shot.id,
        status="done",
        mode=str(picked.clip.mode),
        model=request.model,
        resolution=request.size[0],
        seconds=seen.facts.seconds,
        start=start,
        width=seen.facts.width,
        height=seen.facts.height,
        fps=float(seen.facts.fps or 0),
        frames=seen.facts.frames,
        prompt=shot.prompt,
        action=shot.shot.action or "",
        dialogue=shot.shot.dialogue or "",
        notes=shot.shot.notes or "",
        commands=tuple((command.start, command.end) for command in find_commands(shot.prompt)),
        camera=tuple(tuple(move.name for move in group) for group in shot.camera),
        first_label=shot.first.full if shot.first else "from the text",
        last_label=shot.last.full if shot.last else "as generated",
        first=jpeg(seen.first, STILL_WIDTH),
        last=jpeg(seen.last, STILL_WIDTH),
        preview=seen.preview,
        join=shot.join.label,
        seam_psnr=seam.psnr if seam else None,
        seam_luma=seam.luma if seam else None,
        seam_saturation=seam.saturation if seam else None,
        seam_sharpness=seam.sharpness if seam else None,
        usd=request.usd,
        task_id=_task_id(root, picked),
        key=picked.key,
        warnings=(*shot.warnings, *_clip_warnings(root, picked)),
        problem="",
        takes=tuple(_take(root, shot, segment, rushes[segment.key]) for segment in shot.segments),
    )


def _take(root: Storage, shot: PlannedShot, segment: Segment, seen: _Rushes) -> ReportTake:
    picked = segment is shot.picked
    return ReportTake(
        number=segment.take,
        picked=picked,
        status="done",
        still=jpeg(seen.last, TAKE_WIDTH),
        preview=None if picked else seen.preview,
        key=segment.key,
        task_id=_task_id(root, segment),
        usd=segment.request.usd,
    )


def _task_id(root: Storage, segment: Segment) -> str | None:
    submission = root.read_json(f"clips/{segment.key}/submission.json") or {}
    return str(submission["task_id"]) if submission.get("task_id") else None


def _clip_warnings(root: Storage, segment: Segment) -> tuple[str, ...]:
    result = root.read_json(f"clips/{segment.key}/result.json") or {}
    return tuple(map(str, result.get("warnings", ())))
