"""What only shows when the shots of a board are judged together."""

from collections.abc import Iterator

from minimax_tasks.clips.frames import LENGTH_TOLERANCE
from minimax_tasks.storyboard.board import Board
from minimax_tasks.storyboard.edit import ClipLength, CutSource, lay_out
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.trims import read_trim

DRIFT_RUN = 3
"""The number of extracted frames in a row from which colours and sharpness are known to drift."""

Mistake = tuple[ShotDraft, str, str]
"""A shot, the key of it that is wrong, and why."""


def circles(drafts: Drafts) -> Iterator[Mistake]:
    """Shots that wait for each other's frames in a circle; each circle is reported once, at its first shot."""
    by_id = drafts.by_id
    if len(by_id) < len(drafts):
        return  # an id is there twice: which shot is meant is not known
    clear: set[str] = set()
    for draft in drafts:
        seen: dict[str, None] = {}
        coming = [draft.shot.id]
        while coming:
            shot = coming.pop()
            if shot in seen or shot in clear:
                continue
            seen[shot] = None
            waits = [source.shot for _, source in by_id[shot].ends if source and source.shot]
            if draft.shot.id in waits:
                others = ", ".join(other for other in seen if other != draft.shot.id)
                text = f"from: this shot waits for a frame of {others}, which waits for it, in a circle"
                yield draft, "from", text
                break
            coming += waits
        clear |= seen.keys()


def short_shots(drafts: Drafts) -> Iterator[Mistake]:
    """Shots that are shorter than the transitions at their two ends take together."""
    shown = [draft for draft in drafts if not draft.shot.skip]
    if any(draft.is_own and draft.own is None for draft in shown):
        return  # how long it would be is not known
    edit = lay_out([CutSource(draft.shot, draft.join, ClipLength(draft.length)) for draft in shown], None)
    for crowded in edit.crowded():
        draft, longer = shown[crowded.at], shown[crowded.longer]
        length = float(edit.cuts[crowded.at].length)
        text = (
            f"cut = {longer.join.label.removesuffix(' s')}: shot {draft.shot.id} has {length:g} s, "
            f"but its transitions take {float(crowded.needed):g} s together; shorten one"
        )
        yield longer, "cut", text


def all_skipped(drafts: Drafts) -> Iterator[Mistake]:
    """A board that shows nothing."""
    if all(draft.shot.skip for draft in drafts):
        yield next(iter(drafts)), "skip", "skip: every shot is skipped, so there is no film; show one"


def trimmed_away(drafts: Drafts) -> Iterator[Mistake]:
    """Shots whose trim lies outside the clip that is asked for, or leaves nothing of it."""
    for draft in drafts:
        if (draft.is_own and draft.own is None) or draft.shot.video_template:
            continue  # how long it will be is not known
        trim, length = read_trim(draft.shot.trim), draft.length
        times = [time for time in (trim.begin, trim.end) if time is not None]
        tolerance = 0 if draft.own else LENGTH_TOLERANCE
        begin, end = trim.of(length)
        if begin >= end or any(abs(time) >= length + tolerance for time in times):
            text = (
                f"trim = {draft.shot.trim}: the clip of shot {draft.shot.id} has {float(length):.4g} s; allowed: a "
                "part of it, from..to in seconds, a minus counting from its end"
            )
            yield draft, "trim", text


def drifting(drafts: Drafts) -> Iterator[tuple[ShotDraft, str]]:
    """Warnings at shots that end a long run of frames taken from clips."""
    run = 0
    for draft in drafts:
        taken = draft.first is not None and draft.first.shot and draft.join.kind == "continues"
        run = run + 1 if taken else 0
        if run >= DRIFT_RUN:
            yield (
                draft,
                f"{run} extracted frames in a row: colours and sharpness drift; give a `to` still, or cut",
            )


def same_clips(drafts: Drafts) -> Iterator[tuple[ShotDraft, str]]:
    """Warnings at shots that ask for exactly what a shot before them does, and so get its clip."""
    first: dict[str, str] = {}
    for draft in drafts:
        for segment in draft.segments:
            other = first.setdefault(segment.key, draft.shot.id)
            if other != draft.shot.id:
                yield (
                    draft,
                    f"it asks for the same as shot {other}, so one clip is made and shown twice; change the prompt "
                    "to have another",
                )
                break


def unused_frames(board: Board, drafts: Drafts) -> Iterator[str]:
    """Warnings about frames of the board that no shot uses."""
    sources = [source for draft in drafts for _, source in draft.ends if source]
    used = {source.still.name for source in sources if source.still}
    used |= {name for member in board.cast.values() for name in member.pictures}
    used |= {name for draft in drafts for name in (draft.shot.from_, draft.shot.to) if name}
    used |= {draft.shot.video_template.image or "" for draft in drafts if draft.shot.video_template}
    used |= {draft.shot.subject or "" for draft in drafts} | {draft.shot.still or "" for draft in drafts}
    for name in board.files:
        if name not in used:
            yield f"frame {name!r} is not used by any shot"
