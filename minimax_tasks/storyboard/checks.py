"""What only shows when the shots of a board are seen together."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from minimax_tasks.api.pictures import same_shape
from minimax_tasks.clips.pictures import different_shapes
from minimax_tasks.storyboard.board import Board
from minimax_tasks.storyboard.drafts import Draft
from minimax_tasks.storyboard.stills import Still

DRIFT_RUN = 3
"""Extracted frames in a row from which colours and sharpness are known to drift."""

_FROM_TEXT = (16, 9)
"""The shape of a picture that is made from words alone."""

Mistake = tuple[Draft, str, str]
"""A shot, the key of it that is wrong, and why."""


def circles(drafts: Sequence[Draft]) -> Iterator[Mistake]:
    """Shots that wait for each other's frames; each circle is told at its first shot."""
    by_id = {draft.shot.id: draft for draft in drafts}
    if len(by_id) < len(drafts):
        return  # which shot is meant is not known
    clear: set[str] = set()
    for draft in drafts:
        seen: dict[str, None] = {}
        coming = [draft.shot.id]
        while coming:
            shot = coming.pop()
            if shot in seen or shot in clear:
                continue
            seen[shot] = None
            waits = [
                source.shot for source in (by_id[shot].first, by_id[shot].last) if source and source.shot
            ]
            if draft.shot.id in waits:
                others = ", ".join(other for other in seen if other != draft.shot.id)
                text = f"from: this shot waits for a frame of {others}, which waits for it, in a circle"
                yield draft, "from", text
                break
            coming += waits
        clear |= seen.keys()


def short_shots(drafts: Sequence[Draft]) -> Iterator[Mistake]:
    """Shots that are not longer than the transitions at their two ends."""
    for draft, after in zip(drafts, [*drafts[1:], None], strict=True):
        needed = draft.join.seconds + (after.join.seconds if after else 0.0)
        if needed <= draft.length:
            continue
        longer = after if after and after.join.seconds > draft.join.seconds else draft
        text = (
            f"cut = {longer.join.label.removesuffix(' s')}: shot {draft.shot.id} has {draft.length} s, "
            f"but its transitions take {needed:g} s together; shorten one"
        )
        yield longer, "cut", text


def drifting(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, str]]:
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


def odd_shapes(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, str]]:
    """Warnings at shots whose first picture has another shape than those of most shots."""
    by_id = {draft.shot.id: draft for draft in drafts}
    known: dict[str, tuple[int, int] | None] = {}
    sizes = [(draft, size) for draft in drafts if (size := _first_size(draft, by_id, known))]
    if not sizes:
        return
    shots = Counter(size for _, size in sizes)
    usual = max(shots, key=lambda size: sum(shots[other] for other in shots if same_shape(size, other)))
    for draft, size in sizes:
        starts_anew = draft.first is not None and draft.first.still is not None
        if starts_anew and not same_shape(size, usual):
            yield (
                draft,
                f"its picture is {_aspect(size)}, that of most shots {_aspect(usual)}: in the film it gets black "
                "bars; crop the picture to fill the screen",
            )


def same_clips(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, str]]:
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


def unused_frames(board: Board, drafts: Sequence[Draft]) -> Iterator[str]:
    """Warnings about frames of the board that no shot takes."""
    sources = [source for draft in drafts for source in (draft.first, draft.last) if source]
    used = {source.still.name for source in sources if source.still}
    used |= {draft.shot.subject or "" for draft in drafts}
    for name in board.frames:
        if name not in used:
            yield f"frame {name!r} is not used by any shot"


def cropped_end(first: Still | None, last: Still | None) -> str:
    """The warning about a last frame of another shape than the first, "" when they are alike or not known."""
    if not (first and last and first.width and last.width):
        return ""
    one, other = (first.width, first.height), (last.width, last.height)
    return "" if same_shape(one, other) else different_shapes(one, other)


def _first_size(
    draft: Draft, by_id: Mapping[str, Draft], known: dict[str, tuple[int, int] | None]
) -> tuple[int, int] | None:
    """The size of the picture that a shot has its shape from; None when it is not known, or in a circle.

    `known` has what was found before, by shot, and gets what is found: a chain is walked once.
    """
    seen: dict[str, None] = {}
    size = None
    while draft.shot.id not in seen:
        seen[draft.shot.id] = None
        if draft.shot.id in known:
            size = known[draft.shot.id]
            break
        if draft.first is None:
            size = None if draft.shot.subject else _FROM_TEXT
            break
        if draft.first.still is not None:
            size = (draft.first.still.width, draft.first.still.height) if draft.first.still.width else None
            break
        draft = by_id[draft.first.shot]
    known |= dict.fromkeys(seen, size)
    return size


def _aspect(size: tuple[int, int]) -> str:
    return f"{size[0] / size[1]:.2f}:1"
