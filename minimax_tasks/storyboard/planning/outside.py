"""Frames from outside a board, of a film or of a shot of another board: each is found before any clip is paid.

`refs/ferry.mp4@3.2` is a moment of a video, `refs/ferry.mp4#last` its last frame, `harbour.yaml#040.last` the last
frame of shot 040 of another board, whose clip has to be made under the same root.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from minimax_tasks.clips.frames import measured, moment_in
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.errors import BoardError, MiniMaxError, PictureError, UnreadableReference, VideoError
from minimax_tasks.redaction import quoted, shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import Kind, folder_of, kind_of, next_to
from minimax_tasks.storyboard.board import Board, Shot
from minimax_tasks.storyboard.own.footage import read_footage
from minimax_tasks.storyboard.own.own_clip import OwnClip
from minimax_tasks.storyboard.plan import Plan, PlannedShot, Source
from minimax_tasks.storyboard.planning.draft import Drafts
from minimax_tasks.storyboard.planning.frame_names import FRAME_OF_BOARD, FRAME_OF_FILM, is_outside
from minimax_tasks.storyboard.planning.frames import short_name
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.sources import is_recording

NOT_MADE = re.compile(r"render the board (?P<board>.+?) first, under the root (?P<root>'[^']*'|\S+)")
"""What is said of a board whose clip is not made: both as a shell takes them."""

PlanOther = Callable[[str], Plan]
"""Plans another board, by its path or URL. Raises `BoardError`."""


@dataclass
class OutsideFrames:
    """What was found: name as the board has it -> the frame, and the versions of the boards that were asked."""

    sources: dict[str, Source] = field(default_factory=dict)
    versions: dict[str, str | None] = field(default_factory=dict)


def find_outside(
    drafts: Drafts, board: Board, path: str, root: Storage, plan_other: PlanOther, problems: BoardProblems
) -> OutsideFrames:
    """Find every frame from outside that a shot names, and note what is wrong where it is named first."""
    found = OutsideFrames()
    failed: set[str] = set()
    plans: dict[str, Plan] = {}

    def plan_once(other: str) -> Plan:
        if other not in plans:
            plans[other] = plan_other(other)
            found.versions |= _versions(plans[other])
        return plans[other]

    for draft in drafts:
        for key, name in _named(draft.shot):
            written = board.files.get(name, name)
            if name in found.sources or name in failed or not is_outside(written):
                continue
            try:
                if key == "subject":
                    raise VideoError("it is no picture; a subject is one")
                source = _find(written, path, root, plan_once)
            except (MiniMaxError, UnreadableReference) as error:
                failed.add(name)
                why = error.why if isinstance(error, PictureError) else str(error)
                problems.wrong(draft, key, f"{key} = {quoted(written)}: {why}")
            else:
                found.sources[name] = source
    return found


def _named(shot: Shot) -> Iterator[tuple[str, str]]:
    yield from (
        (key, name)
        for key, name in (("from", shot.from_), ("to", shot.to), ("subject", shot.subject))
        if name
    )
    yield from (("references", name) for name in shot.references if not is_recording(name))


def _find(name: str, path: str, root: Storage, plan_other: PlanOther) -> Source:
    if film := FRAME_OF_FILM.fullmatch(name):
        file, place = film["file"], (film["place"] or film["seconds"]).lower()
        footage = read_footage(next_to(folder_of(path), file), short_name(file))
        return _of_own(footage, place, _label(short_name(file), place))
    of_board = FRAME_OF_BOARD.fullmatch(name)
    if of_board is None:
        raise VideoError(
            "it names no frame; allowed: ferry.mp4@2.5, ferry.mp4#first, ferry.mp4#last, board.yaml#010.first, "
            "board.yaml#010.last, board.yaml#010@2.5"
        )
    if kind_of(next_to(folder_of(path), of_board["board"])) not in (Kind.LOCAL, Kind.STORED):
        raise VideoError("that board is on the web, from where nothing is fetched; give a file")
    other, shot = next_to(folder_of(path), of_board["board"]), of_board["shot"]
    place = (of_board["place"] or of_board["seconds"]).lower()
    try:
        plan = plan_other(other)
    except BoardError as error:
        raise VideoError(f"that board cannot be planned: {error.problems[0]}") from None
    if shot not in plan.by_id:
        raise VideoError(f"there is no shot {shot} in {shown(of_board['board'])}; its shots: {_ids(plan)}")
    planned, label = plan.by_id[shot], _label(f"{short_name(of_board['board'])} {shot}", place)
    if planned.own is not None:
        return _of_own(planned.own, place, label)
    return _of_clip(planned, other, root, place, label)


def _of_own(own: OwnClip, place: str, label: str) -> Source:
    if place not in ("first", "last") and float(place) >= own.seconds:
        raise VideoError(f"it ends at {float(own.seconds):.4g} s; allowed: under {float(own.seconds):.4g}")
    return Source(label, place=place, own=own)


def _of_clip(planned: PlannedShot, board: str, root: Storage, place: str, label: str) -> Source:
    if clip_states(root, [planned.key])[planned.key].status is not ClipStatus.MADE:
        board, place_of_clips = shlex.quote(shown(board)), shlex.quote(shown(root.url))
        raise VideoError(
            f"its clip is not made yet; render the board {board} first, under the root {place_of_clips}"
        )
    made = measured(root, planned.key)
    if made is not None:
        moment_in(FrameOf(planned.key, place), made.seconds)
    return Source(label, place=place, clip=planned.key, size=(made.width, made.height) if made else None)


def _label(of: str, place: str) -> str:
    return f"{place} frame of {of}" if place in ("first", "last") else f"{of} at {place} s"


def _ids(plan: Plan) -> str:
    ids = list(plan.by_id)
    return ", ".join(ids[:10]) + (f", and {len(ids) - 10} more" if len(ids) > 10 else "")


def _versions(plan: Plan) -> dict[str, str | None]:
    """Of all that another board was planned from."""
    return {plan.versions.main: plan.versions.version, **plan.versions.others} if plan.versions else {}
