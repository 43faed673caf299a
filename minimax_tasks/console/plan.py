"""A plan as a table for people and as JSON for machines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from rich.table import Table
from rich.text import Text

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.clips.state import ClipState, ClipStatus
from minimax_tasks.console.output import ruled_table
from minimax_tasks.console.price import Price, price_of
from minimax_tasks.redaction import shown
from minimax_tasks.storyboard.edit import ClipLength, Cut, make_edit
from minimax_tasks.storyboard.own.own_clip import DrawnClip, OwnClip
from minimax_tasks.storyboard.plan import OWN, Plan, PlannedShot, Segment
from minimax_tasks.storyboard.planning.reasons import NEW

_MODES = {
    Mode.TEXT: "text",
    Mode.IMAGE: "image",
    Mode.START_END: "start-end",
    Mode.SUBJECT: "subject",
    Mode.REFERENCE: "references",
    Mode.TEMPLATE: "template",
}
_NAMED = 4
"""A line names this many reasons; the others are only counted."""

_STYLES = {
    ClipStatus.MADE: "green",
    ClipStatus.TO_MAKE: "",
    ClipStatus.GENERATING: "cyan",
    ClipStatus.TO_FETCH: "cyan",
    ClipStatus.FAILED: "red",
    ClipStatus.REFUSED: "red",
    ClipStatus.IN_DOUBT: "yellow",
    ClipStatus.UNCHECKED: "yellow",
}


SCREEN_ROWS = 17
"""Rows of a plan that a terminal of 24 lines has room for, with head, sum and prompt."""


def plural(count: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def to_pay(plan: Plan, states: Mapping[str, ClipState], *, retry_failed: bool = False) -> Price:
    """What another run would pay."""
    clips = {segment.key: segment.clip for segment in plan.segments}
    return price_of(clips, states, retry_failed=retry_failed)


def all_warnings(plan: Plan, states: Mapping[str, ClipState]) -> list[str]:
    """What is doubtful about the board, and how clips that are made differ from what was asked."""
    return [*plan.warnings, *(f"shot {name}: {text}" for name, text in _of_shots(plan, states))]


def grouped_warnings(plan: Plan, states: Mapping[str, ClipState]) -> list[str]:
    """The same for people: a text that several shots share is given once, with all of them."""
    return [
        *plan.warnings,
        *(f"{of_shots(names)}: {text}" for text, names in _grouped(_of_shots(plan, states))),
    ]


def _of_shots(plan: Plan, states: Mapping[str, ClipState]) -> Iterator[tuple[str, str]]:
    yield from ((shot.shot.id, warning) for shot in plan.shots for warning in shot.warnings)
    for segment in plan.segments:
        yield from ((f"{segment.shot} take {segment.take}", text) for text in _clip_warnings(states, segment))


def _clip_warnings(states: Mapping[str, ClipState], segment: Segment) -> tuple[str, ...]:
    return states[segment.key].warnings if segment.key in states else ()


def _grouped(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Text -> the names that have it, in the order in which the texts come."""
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(text, []).append(name)
    yield from found.items()


def of_shots(names: Sequence[str]) -> str:
    """`shot 010`, `shots 010, 020`."""
    return f"{'shot' if len(names) == 1 else 'shots'} {', '.join(names)}"


def why_lines(plan: Plan, why: Mapping[str, str]) -> list[str]:
    """Why clips are to be made, a line for each reason: `look changed: shots 010, 020 (2 clips, USD 0.56)`.

    Nothing when all of it is new, which a first run need not say.
    """
    segments = {segment.key: segment for segment in plan.segments if segment.key in why}
    if all(reason == NEW for reason in why.values()):
        return []
    lines = []
    for reason, keys in _grouped((key, why[key]) for key in segments):
        usd = sum(segments[key].request.usd or 0.0 for key in keys)
        shots = list(dict.fromkeys(segments[key].shot for key in keys))
        lines.append(f"{reason}: {of_shots(shots)} ({plural(len(keys), 'clip')}, USD {usd:.2f})")
    return lines


def all_problems(plan: Plan, states: Mapping[str, ClipState], problems: Mapping[str, str]) -> list[str]:
    """The problems of clips, by key, as lines that name their shots."""
    return [
        f"shot {segment.shot} take {segment.take}: {states[segment.key].status}: {problems[segment.key]}"
        for segment in plan.segments
        if segment.key in problems
    ]


def plan_json(
    plan: Plan,
    states: Mapping[str, ClipState],
    lengths: Mapping[str, ClipLength],
    why: Mapping[str, str] = MappingProxyType({}),
    problems: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The plan with every segment, price and warning, and where the shots are in the film, in seconds.

    By key, `lengths` are those of the clips that go into the film, `why` says what has changed of clips that are to be
    made, and `problems` what went wrong with clips.
    """
    edit = make_edit(plan, lengths)
    cuts = {cut.shot: cut for cut in edit.cuts}
    usd, clips, unpriced = to_pay(plan, states)
    return {
        "title": plan.board.title,
        "board": shown(plan.path),
        "digest": plan.digest,
        "seconds": round(float(edit.seconds), 4),
        "shots": [
            {**_shot_json(shot, states, why, problems), **_place_json(cuts.get(shot.shot.id))}
            for shot in plan.shots
        ],
        "total": {"usd": round(usd, 2), "clips_to_pay": clips, "without_price": unpriced},
        "warnings": all_warnings(plan, states),
    }


def _shot_json(
    shot: PlannedShot, states: Mapping[str, ClipState], why: Mapping[str, str], problems: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "id": shot.shot.id,
        "line": shot.line,
        "join": shot.join.label,
        "first": shot.first.full if shot.first else None,
        "last": shot.last.full if shot.last else None,
        "camera": [[move.english for move in group] for group in shot.camera],
        "prompt": shot.prompt,
        "pick": shot.shot.pick,
        "prompt_optimizer": None if shot.own else shot.picked.asked.prompt_optimizer,
        "segments": [_own_json(shot, shot.own)]
        if shot.own
        else [
            _segment_json(segment, states[segment.key], why.get(segment.key), problems.get(segment.key))
            for segment in shot.segments
            if segment.key in states
        ],
        "skipped": shot.shot.skip,
    }


def _place_json(cut: Cut | None) -> dict[str, Any]:
    """Where a shot is in the film; of one that is not in it, nothing."""
    return {
        "starts_at": round(float(cut.starts_at), 4) if cut else None,
        "length": round(float(cut.length), 4) if cut else None,
    }


def _own_json(shot: PlannedShot, own: OwnClip) -> dict[str, Any]:
    return {
        "take": 1,
        "key": own.key,
        "mode": OWN,
        "model": None,
        "resolution": None,
        "seconds": round(float(own.seconds), 4),
        "waits_for": [],
        "state": str(ClipStatus.MADE),
        "why": None,
        "task_id": None,
        "problem": None,
        "usd": 0.0,
        "kind": own.KIND,
        "from": own.label,
    }


def _segment_json(segment: Segment, state: ClipState, why: str | None, problem: str | None) -> dict[str, Any]:
    asked = segment.asked
    return {
        "take": segment.take,
        "key": segment.key,
        "mode": str(segment.clip.mode),
        "model": asked.model,
        "resolution": asked.resolution or None,
        "seconds": asked.seconds,
        "waits_for": [{"shot": other.shot, "take": other.take, "key": other.key} for other in segment.after],
        "state": str(state.status),
        "why": why,
        "task_id": state.task_id or None,
        "problem": problem,
        "usd": segment.request.usd,
    }


def plan_table(plan: Plan, states: Mapping[str, ClipState], lengths: Mapping[str, ClipLength]) -> Table:
    """One line for each clip, rules around shots that continue each other, the total under it.

    `lengths` are those of the clips that go into the film, by key.
    """
    edit = make_edit(plan, lengths)
    table = ruled_table(plan.board.title)
    usd, clips, unpriced = to_pay(plan, states)
    table.add_column("shot", footer=plural(len(plan.shots), "shot"), no_wrap=True)
    table.add_column("clip", footer=f"{float(edit.seconds):.5g} s in all")
    table.add_column("camera")
    table.add_column("frames, join")
    table.add_column("state", footer=f"{clips} to pay", no_wrap=True)
    table.add_column("USD", footer=f"{usd:.2f}", justify="right", no_wrap=True)
    usual = _usual_models(plan)
    cuts = {cut.shot: cut for cut in edit.cuts}
    chains = _chains(plan)
    ruled = [max(len(chain), len(following)) > 1 for chain, following in pairwise(chains)]
    rows = len(plan.segments) + sum(shot.own is not None for shot in plan.shots)
    if rows <= SCREEN_ROWS < rows + sum(ruled):
        ruled = [False] * len(ruled)  # a shot says what it continues; all of it on one screen says more
    for chain, rule in zip(chains, [*ruled, False], strict=True):
        for shot in chain:
            if shot.own is not None:
                _add_own_row(table, shot, shot.own, cuts.get(shot.shot.id))
                continue
            made = [segment for segment in shot.segments if segment.key in states]
            if not made:
                table.add_row(shot.shot.id, "", "", "", "skipped", "")
            for segment in made:
                cut = cuts.get(shot.shot.id)
                _add_row(table, shot, segment, states, usual, cut, first=segment is made[0])
        if rule:
            table.add_section()
    table.caption = " · ".join(_legend(plan, usual, unpriced, cuts.values()))
    return table


def _chains(plan: Plan) -> list[list[PlannedShot]]:
    """The shots in runs that continue each other."""
    chains: list[list[PlannedShot]] = []
    for shot in plan.shots:
        if chains and shot.join.kind == "continues":
            chains[-1].append(shot)
        else:
            chains.append([shot])
    return chains


def _usual_models(plan: Plan) -> dict[Mode, str]:
    """Model and resolution that most clips of each mode have, which the rows need not repeat."""
    counts: dict[Mode, Counter[str]] = {}
    for segment in plan.segments:
        if segment.clip.mode is not Mode.TEMPLATE:
            counts.setdefault(segment.clip.mode, Counter())[_model(segment)] += 1
    return {mode: counter.most_common(1)[0][0] for mode, counter in counts.items()}


def _model(segment: Segment) -> str:
    return f"{segment.asked.model} {segment.asked.resolution}"


def _legend(plan: Plan, usual: Mapping[Mode, str], unpriced: int, cuts: Iterable[Cut]) -> Iterator[str]:
    modes: dict[str, list[str]] = {}
    for mode, model in usual.items():
        modes.setdefault(model, []).append(_MODES[mode])
    one = len(modes) == 1
    if modes:
        yield " · ".join(model if one else f"{', '.join(names)}: {model}" for model, names in modes.items())
    if any(len(shot.segments) > 1 for shot in plan.shots):
        yield "* goes into the film (`pick`)"
    if unpriced:
        yield f"? no published price ({plural(unpriced, 'clip')} to pay)"
    own = {shot.shot.id: shot.own.KIND for shot in plan.shown if shot.own}
    # What is drawn is drawn alike, so that a film of it alone is copied.
    mixed = len(plan.shown) > 1 and not all(isinstance(shot.own, DrawnClip) for shot in plan.shown)
    why = [((own.get(cut.shot, "") if mixed else "") or cut.reencodes, cut.shot) for cut in cuts]
    encoded = [f"{reason} ({shot})" for reason, shot in why if reason]
    if encoded:
        more = f" and {len(encoded) - _NAMED} more" if len(encoded) > _NAMED else ""
        yield f"encoded again for: {', '.join(encoded[:_NAMED])}{more}"


def _add_row(
    table: Table,
    shot: PlannedShot,
    segment: Segment,
    states: Mapping[str, ClipState],
    usual: Mapping[Mode, str],
    cut: Cut | None,
    *,
    first: bool,
) -> None:
    request, state = segment.request, states[segment.key]
    picked = " *" if segment is shot.picked and len(shot.segments) > 1 else ""
    usually = usual.get(segment.clip.mode)
    odd = _odd(_model(segment), usually) if usually else ""
    table.add_row(
        f"{shot.shot.id}{picked}" if first else f"take {segment.take}{picked}",
        f"{_seconds(segment, cut)} {_MODES[segment.clip.mode]}{odd}" if first else "",
        _camera(shot) if first else "",
        _frames(shot) if first else "",
        Text(how_far(segment, states), style=_STYLES[state.status]),
        f"{request.usd:.2f}" if request.usd is not None else "?",
    )


def _add_own_row(table: Table, shot: PlannedShot, own: OwnClip, cut: Cut | None) -> None:
    """A shot that is not generated: nothing to wait for, nothing to pay."""
    frames = _frames(shot)
    table.add_row(
        shot.shot.id,
        f"{_length(own.seconds, cut)} {OWN}",
        _camera(shot),
        own.label if frames == "–" else f"{own.label}; {frames}",
        Text(own.KIND, style=_STYLES[ClipStatus.MADE]),
        "0.00",
    )


def how_far(segment: Segment, states: Mapping[str, ClipState]) -> str:
    """How far a clip has come; of one that is not begun, the shots whose clips it waits for."""
    status = states[segment.key].status
    waits = [other.shot for other in segment.after if states[other.key].status is not ClipStatus.MADE]
    return f"waits for {', '.join(waits)}" if waits and status is ClipStatus.TO_MAKE else str(status)


def _seconds(segment: Segment, cut: Cut | None) -> str:
    """How long the clip is, and how long the film shows it where that is something else."""
    return _length(Fraction(segment.asked.seconds), cut)


def _length(seconds: Fraction, cut: Cut | None) -> str:
    asked = f"{float(seconds):.4g}"
    if cut is None:
        return f"{asked:>2} s, skipped"
    shown = "" if cut.length == seconds else f" -> {float(cut.length):.4g} s"
    return f"{asked:>2} s{shown}"


def _odd(model: str, usual: str) -> str:
    """What of a model and its resolution is other than usual."""
    parts = [part for part, other in zip(model.split(), usual.split(), strict=True) if part != other]
    return "".join(f" {part.removeprefix('MiniMax-')}" for part in parts)


def _camera(shot: PlannedShot) -> str:
    groups = (" + ".join(move.name.replace("_", " ") for move in group) for group in shot.camera)
    return ", then ".join(groups) or "–"


def _frames(shot: PlannedShot) -> str:
    """What a shot starts and ends with, and how it joins the one before when that is more than a cut."""
    frames = shot.first.label if shot.first else f"of {shot.shot.subject}" if shot.shot.subject else ""
    frames += f" -> {shot.last.label}" if shot.last else ""
    if template := shot.shot.video_template:
        frames = f"{template.wanted}: {template.image}" if template.image else template.wanted
    if shot.references:
        frames += f"with {', '.join(one.label for one in shot.references)}"
    join = "" if shot.join.kind in ("", "continues", "cut") else shot.join.label
    return "; ".join(filter(None, (frames, join))) or "–"
