"""From a board to a plan: read it, pass over its shots a few times, and say all that is wrong in one go.

Nothing is sent and nothing is written here.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.clips.belonging import place_of
from minimax_tasks.errors import BoardError
from minimax_tasks.prompts.bracket_commands import find_commands
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.captions import FASTEST, too_fast
from minimax_tasks.storyboard.edit import asked_lengths, make_edit
from minimax_tasks.storyboard.own.own_clip import FrameSource
from minimax_tasks.storyboard.plan import Plan, PlannedShot
from minimax_tasks.storyboard.planning.checks import (
    all_skipped,
    circles,
    drifting,
    same_clips,
    short_shots,
    trimmed_away,
    unused_frames,
)
from minimax_tasks.storyboard.planning.crops import StillCrops
from minimax_tasks.storyboard.planning.draft import ShotDraft, begin_drafts
from minimax_tasks.storyboard.planning.frames import decide_frames, judge_frame_names, judge_pictures
from minimax_tasks.storyboard.planning.outside import find_outside
from minimax_tasks.storyboard.planning.own import decide_own, judge_own_frames, shape_drawn
from minimax_tasks.storyboard.planning.prompts import judge_commands, write_prompts
from minimax_tasks.storyboard.planning.requests import judge_requests, make_segments
from minimax_tasks.storyboard.planning.shapes import (
    decide_crops,
    judge_shapes,
    shapes_of,
    unlike_film,
    with_bars,
)
from minimax_tasks.storyboard.planning.sounds import gather_sounds
from minimax_tasks.storyboard.planning.sources import gather
from minimax_tasks.storyboard.planning.titles import judge_titles
from minimax_tasks.storyboard.title_cuts import title_warnings
from minimax_tasks.video.shape import Size

DEEPEST = 8
"""Boards that may name a frame of one another in a row."""


def make_plan(path: str, *, root: str, language: str) -> Plan:
    """Read a board and decide everything about it.

    `root` tells which pictures may be gone because their clips are paid for; `language` is that of camera
    brackets, "en" or "zh", unless the board sets one. Raises `BoardError` with every mistake at once.
    """
    with _being_planned(path):
        return _plan(path, root, language)


_under_way: ContextVar[tuple[str, ...]] = ContextVar("boards that are being planned", default=())
"""A board, and those that wait for it because they name a frame of it."""


@contextmanager
def _being_planned(path: str) -> Iterator[None]:
    before, place = _under_way.get(), place_of(path)
    if place in before:
        raise BoardError(
            [f"{shown(path)}: this board names a frame of a board that names a frame of this one"]
        )
    if len(before) >= DEEPEST:
        raise BoardError([f"{shown(path)}: more than {DEEPEST} boards name a frame of each other in a row"])
    token = _under_way.set((*before, place))
    try:
        yield
    finally:
        _under_way.reset(token)


def _plan(path: str, root: str, language: str) -> Plan:
    material, problems = gather(path, Storage(root), language)
    board, drafts = material.board, begin_drafts(material.board)
    outside = find_outside(
        drafts,
        board,
        path,
        material.root,
        lambda other: make_plan(other, root=root, language=language),
        problems,
    )
    material = replace(material, outside=outside.sources)
    if character := forbidden_character(board.title):
        problems.wrong_at(("title",), f"title: there is {character}, in it; take it out")
    judge_frame_names(drafts, material, problems)
    judge_pictures(drafts, material, problems)
    decide_own(drafts, material, problems)
    decide_frames(drafts, material, problems)
    crops = StillCrops(board.shape.aspect)
    crops.decide(drafts, problems)
    shape_drawn(drafts, board.shape.aspect)
    judge_own_frames(drafts, problems)
    write_prompts(drafts, material, problems)
    judge_requests(drafts, material, problems)
    for mistake in (*circles(drafts), *all_skipped(drafts), *trimmed_away(drafts), *short_shots(drafts)):
        problems.wrong(*mistake)
    decide_crops(drafts, material, problems)
    judge_shapes(drafts, board, problems)
    judge_titles(drafts, problems)
    sounds = gather_sounds(drafts, material, problems)
    if problems:
        judge_commands(drafts, material, problems)
    else:
        make_segments(drafts, material, problems)
    if problems:
        raise BoardError(problems.lines())
    for draft, warning in (*drifting(drafts), *same_clips(drafts)):
        draft.warnings.append(warning)
    shapes = shapes_of(drafts)
    shots = tuple(_planned(draft, problems.line(draft, "id"), shapes.get(draft.shot.id)) for draft in drafts)
    of_shape = tuple(unlike_film(shapes, board.shape) if board.picture else with_bars(drafts))
    warnings = tuple(dict.fromkeys((*of_shape, *crops.warnings(), *unused_frames(board, drafts))))
    heard = {sound.reference: sound.version for sound in sounds.values()}
    seen = dict(own.version for own in _own_clips(shots) if own.version)
    versions = replace(
        material.versions, others={**material.versions.others, **heard, **seen, **outside.versions}
    )
    plan = Plan(path, board, shots, warnings, sounds=sounds, versions=versions, of_shape=of_shape)
    fast = {
        f"shot {caption.shot}: its line has {caption.characters_a_second:.0f} characters a second; at most "
        f"{FASTEST:g} can be read": None
        for caption in too_fast(plan)
    }
    titles: tuple[str, ...] = ()
    if any(shot.shot.title for shot in plan.shown):
        titles = tuple(title_warnings(plan, make_edit(plan, asked_lengths(plan)).titles))
    return replace(plan, warnings=(*plan.warnings, *fast, *titles)) if fast or titles else plan


def _own_clips(shots: Iterable[PlannedShot]) -> Iterator[FrameSource]:
    """What is not generated: as a shot, or as where one takes a frame from."""
    for shot in shots:
        yield from filter(None, (shot.own, *(source.own for source in shot.sources)))


def _planned(draft: ShotDraft, line: int, shape: Size | None) -> PlannedShot:
    return PlannedShot(
        draft.shot,
        line,
        draft.segments,
        draft.join,
        draft.prompt,
        _moves(draft.prompt) or draft.camera,
        draft.first,
        draft.last,
        tuple(dict.fromkeys(draft.warnings)),
        draft.references,
        draft.own,
        shape,
    )


def _moves(prompt: str) -> tuple[tuple[Move, ...], ...]:
    """The camera moves in a prompt, which a template may have placed itself."""
    return tuple(command.moves for command in find_commands(prompt))
