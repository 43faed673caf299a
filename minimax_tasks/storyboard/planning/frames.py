"""Where the first and last frame of each shot come from, and how it joins the shot before."""

import itertools
from dataclasses import replace
from fractions import Fraction

from minimax_tasks.api.catalog.models import Mode, find_model_mode
from minimax_tasks.api.suggest import did_you_mean
from minimax_tasks.clips.frames import LENGTH_TOLERANCE
from minimax_tasks.errors import PictureError
from minimax_tasks.redaction import quoted, shortened, shown
from minimax_tasks.storage.references import folder_of, next_to
from minimax_tasks.storyboard.board_picture import read_crop
from minimax_tasks.storyboard.plan import Join, Source
from minimax_tasks.storyboard.planning.cut_values import read_cut
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.planning.frame_names import is_outside, no_such_frame
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.sources import FRAME_OF_SHOT, Material, is_recording, named_pictures
from minimax_tasks.storyboard.trims import read_trim


def judge_pictures(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Note each picture that cannot be used, at the first shot that names it."""
    reported: set[str] = set()
    for draft in drafts:
        for key, name in named_pictures(draft.shot):
            reference = material.pictures.get(name, "")
            error = material.stills.get(reference)
            if not isinstance(error, PictureError) or reference in reported:
                continue
            reported.add(reference)
            frames = material.board.files
            written = short_name(frames.get(name, name))
            named = f"{shortened(name)} ({written})" if name in frames else written
            text = f"picture {named}: {error.why}; allowed: {error.allowed}"
            if name in frames:
                problems.wrong_at(("frames", name), text, draft.shot.id)
            else:
                problems.wrong(draft, key, text)
    for member, of_cast in material.board.cast.items():
        for name in of_cast.pictures:
            error = material.stills.get(material.pictures.get(name, ""))
            if name not in material.pictures:
                text = f"pictures: there is no frame {quoted(name)}; allowed: names of frames, paths and URLs"
            elif isinstance(error, PictureError):
                text = f"picture {short_name(name)}: {error.why}; allowed: {error.allowed}"
            else:
                continue
            problems.wrong_at(("cast", member, "pictures"), text)


def judge_frame_names(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Note pictures whose name means a frame of a shot."""
    for name in material.board.files:
        found = FRAME_OF_SHOT.fullmatch(name)
        if found and found["shot"] in drafts.by_id:
            text = f"frames: {quoted(name)} is how a frame of shot {found['shot']} is called; give it another name"
            problems.wrong_at(("frames", name), text)


def decide_frames(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Decide the first and last frame of every shot and its join."""
    for draft in drafts:
        _decide(draft, drafts, material, problems)


def _decide(draft: ShotDraft, drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    shot, before = draft.shot, drafts.before(draft)
    transition = _transition(draft, problems)
    if draft.is_own or shot.video_template:
        if before is not None:
            draft.join = Join(*(transition or ("cut",)))
        return
    draft.last = named_source(draft, "to", shot.to, drafts, material, problems) if shot.to else None
    if shot.from_ and shot.continue_:
        problems.wrong(draft, "continue", "a shot has `from` or `continue`, not both; remove one of them")
    if shot.subject and (shot.from_ or shot.to or shot.continue_):
        problems.wrong(
            draft,
            "subject",
            "a shot with a subject takes no `from`, `to` or `continue`; S2V-01 has no frames",
        )
    if shot.subject:
        if before and not shot.cut:
            draft.warnings.append("a shot with a subject cannot continue the one before: it cuts")
    elif shot.references:
        _refer(draft, drafts, material, problems)
    elif shot.from_:
        draft.first = named_source(draft, "from", shot.from_, drafts, material, problems)
        if before and not shot.cut and draft.first and _is_same(draft.first, before.last):
            draft.first = replace(draft.first, end_of=before.shot.id)
    elif before and before.is_card and not shot.continue_:
        pass  # nobody means a film to go on from the ground of a title
    elif before and not shot.cut:
        draft.first = _continued(draft, before, drafts, problems)
    elif shot.continue_:
        why = "a cut breaks the chain; remove one of them" if before else "this is the first shot"
        problems.wrong(draft, "continue", f"there is nothing to continue: {why}")
    if draft.mode is Mode.TEXT:
        draft.references = _of_cast(draft, material)
    if before is None:
        if shot.cut:
            draft.warnings.append("the first shot has nothing to cut from")
        return
    repeats = _starts_where_it_ends(draft.first, before)
    if transition is not None:
        draft.join = Join(*transition)
    else:
        continues = repeats and not shot.cut
        draft.join = Join("continues" if continues else "cut", repeats_frame=continues)


def _refer(draft: ShotDraft, drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Decide what a shot refers to: its own references, then the pictures of its characters."""
    shot = draft.shot
    framed = next((key for key in ("from_", "to", "continue_") if getattr(shot, key)), None)
    if framed:
        text = f"a shot with references takes no `{framed.rstrip('_')}`: the service has frames or references, not both"
        problems.wrong(draft, "references", text)
        return
    if drafts.before(draft) and not shot.cut:
        draft.warnings.append("a shot with references cannot continue the one before: it cuts")
    pictures = [name for name in shot.references if not is_recording(name)]
    sources = [named_source(draft, "references", name, drafts, material, problems) for name in pictures]
    draft.references = (*filter(None, sources), *_of_cast(draft, material))
    draft.recordings = tuple(
        next_to(folder_of(material.path), name) for name in shot.references if is_recording(name)
    )


def _of_cast(draft: ShotDraft, material: Material) -> tuple[Source, ...]:
    """The pictures of a shot's characters, where its model takes references."""
    if (
        find_model_mode(draft.shot.model or draft.usual_model or "", Mode.REFERENCE) is None
        and not draft.shot.references
    ):
        return ()
    cast, frames = material.board.cast, material.board.files
    return tuple(
        Source(
            f"{character}: {short_name(name)}",
            material.still(name),
            file=short_name(frames.get(name, "")),
            crop=read_crop(material.board.frames[name].crop if name in frames else None),
        )
        for character in draft.shot.characters
        if character in cast
        for name in cast[character].pictures
    )


def _transition(draft: ShotDraft, problems: BoardProblems) -> tuple[str, float] | None:
    """Name and seconds of a transition; None for a plain cut or none at all."""
    cut = draft.shot.cut
    if not isinstance(cut, str) or cut.strip() in ("cut", "hard"):
        return None
    read = read_cut(cut, problems.suggest)
    if isinstance(read, str):
        problems.wrong(draft, "cut", read)
        return None
    return read


def _continued(draft: ShotDraft, before: ShotDraft, drafts: Drafts, problems: BoardProblems) -> Source | None:
    """The end of the shot before: its `to` still, else the last frame of its clip."""
    wish = draft.shot.continue_
    if wish in (None, "still") and before.last is not None:
        end = before.last
        label = f"continues {before.shot.id}: {end.label}"
        return replace(end, label=label, end_of=before.shot.id)
    if wish in (None, "frame"):
        return Source(f"continues {before.shot.id}", shot=before.shot.id, own=before.own)
    if wish == "still":
        problems.wrong(draft, "continue", f"shot {before.shot.id} has no `to` still; write `continue: frame`")
        return None
    if wish == "out":
        if read_trim(before.shot.trim).end is None:
            return Source(f"continues {before.shot.id}", shot=before.shot.id, own=before.own)
        _, out = read_trim(before.shot.trim).of(before.length)
        label = f"continues {before.shot.id} where it is cut"
        return Source(label, shot=before.shot.id, place=f"{float(out):g}", own=before.own)
    if wish in drafts.by_id and wish != draft.shot.id:
        return Source(f"continues {wish}", shot=str(wish), own=drafts.by_id[str(wish)].own)
    # Of ids that are numbers a near one is another shot, not a slip.
    others = (name for name in drafts.by_id if name != draft.shot.id and not str(wish).isdecimal())
    near = problems.suggest(str(wish), itertools.chain(("frame", "still", "out"), others))
    guess = did_you_mean(near) or ": there is no such shot;"
    problems.wrong(
        draft,
        "continue",
        f"continue = {quoted(wish)}{guess} allowed: frame, still, out, or the id of another shot",
    )
    return None


def named_source(
    draft: ShotDraft, key: str, wanted: str, drafts: Drafts, material: Material, problems: BoardProblems
) -> Source | None:
    """The picture, or the frame of another shot, that a key of a shot names."""
    board = material.board
    if is_outside(board.files.get(wanted, wanted)):
        return material.outside.get(wanted)  # one that was not found is told already
    if wanted in board.files:
        crop = read_crop(board.frames[wanted].crop)
        return Source(wanted, material.still(wanted), file=short_name(board.files[wanted]), crop=crop)
    found = FRAME_OF_SHOT.fullmatch(wanted)
    if found and found["shot"] in drafts.by_id:
        if found["shot"] == draft.shot.id:
            problems.wrong(draft, key, f"{key}: a shot cannot be made from its own frame")
            return None
        own, length = drafts.by_id[found["shot"]].own, drafts.by_id[found["shot"]].length
        tolerance = 0 if own else LENGTH_TOLERANCE
        if found["seconds"] and float(found["seconds"]) >= length + tolerance:
            problems.wrong(draft, key, too_late(key, wanted, found["shot"], length))
            return None
        place = found["place"] or found["seconds"]
        label = f"{place} frame of {found['shot']}" if found["place"] else f"{found['shot']} at {place} s"
        return Source(label, shot=found["shot"], place=place, own=own)
    if wanted in material.pictures:
        return Source(short_name(wanted), material.still(wanted))
    text = no_such_frame(
        key,
        wanted,
        own=draft.shot.id,
        frames=board.files,
        shots=drafts.by_id.keys(),
        near=problems.suggest,
    )
    problems.wrong(draft, key, text)
    return None


def _starts_where_it_ends(first: Source | None, before: ShotDraft) -> bool:
    """Whether a shot starts on the picture that the shot before ends on."""
    if first is None:
        return False
    return first.end_of == before.shot.id or (first.shot == before.shot.id and first.place == "last")


def _is_same(one: Source, other: Source | None) -> bool:
    """Whether two sources are the same picture."""
    if other is None or (one.still is None) != (other.still is None):
        return False
    if one.still is not None and other.still is not None:
        return (one.still.reference, one.crop) == (other.still.reference, other.crop)
    return all(getattr(one, part) == getattr(other, part) for part in ("shot", "place", "own", "clip"))


def too_late(key: str, wanted: str, shot: str, length: Fraction) -> str:
    """What to say of a moment that is not in a shot."""
    return (
        f"{key} = {quoted(wanted)}: shot {shot} ends at {float(length):g} s; allowed: under {float(length):g}"
    )


def short_name(reference: str) -> str:
    """A path or URL as messages name it: without its query, and only the end of a long one."""
    text = shown(reference).partition("?")[0]
    return text if len(text) <= 60 else f"…{text[-58:]}"
