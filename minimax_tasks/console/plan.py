"""A plan as a table for people and as JSON for machines."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.storyboard.plan import Plan, PlannedShot, Segment
from minimax_tasks.storyboard.standing import ClipState, Made

_MODES = {
    Mode.TEXT: "text",
    Mode.IMAGE: "image",
    Mode.START_END: "start-end",
    Mode.SUBJECT: "subject",
}
_STYLES = {
    Made.MADE: "green",
    Made.TO_MAKE: "",
    Made.GENERATING: "cyan",
    Made.TO_FETCH: "cyan",
    Made.FAILED: "red",
    Made.REFUSED: "red",
    Made.IN_DOUBT: "yellow",
}


def several(count: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def to_pay(
    plan: Plan, states: Mapping[str, ClipState], *, retry_failed: bool = False
) -> tuple[float, int, int]:
    """USD still to pay, clips still to pay, and how many of those have no published price."""
    paid = {Made.TO_MAKE, Made.FAILED, Made.REFUSED} if retry_failed else {Made.TO_MAKE}
    prices = {s.key: s.clip.request.usd for s in plan.segments if states[s.key].made in paid}
    return sum(p or 0.0 for p in prices.values()), len(prices), list(prices.values()).count(None)


def all_warnings(plan: Plan, states: Mapping[str, ClipState]) -> list[str]:
    """What is doubtful about the board, and how clips that are made differ from what was asked."""
    of_shots = [f"shot {shot.shot.id}: {warning}" for shot in plan.shots for warning in shot.warnings]
    of_clips = [
        f"shot {segment.shot} take {segment.take}: {warning}"
        for segment in plan.segments
        for warning in states[segment.key].warnings
    ]
    return [*plan.warnings, *of_shots, *of_clips]


def all_problems(plan: Plan, states: Mapping[str, ClipState]) -> list[str]:
    """Why clips are not made by the next run as a matter of course, and what a person can do."""
    return [
        f"shot {segment.shot} take {segment.take}: {states[segment.key].made}: {states[segment.key].problem}"
        for segment in plan.segments
        if states[segment.key].problem
    ]


def plan_json(plan: Plan, states: Mapping[str, ClipState]) -> dict[str, Any]:
    """The plan with every segment, price and warning."""
    usd, clips, unpriced = to_pay(plan, states)
    return {
        "title": plan.board.title,
        "board": plan.path,
        "digest": plan.digest,
        "shots": [_shot_json(shot, states) for shot in plan.shots],
        "total": {"usd": round(usd, 2), "clips_to_pay": clips, "without_price": unpriced},
        "warnings": all_warnings(plan, states),
    }


def _shot_json(shot: PlannedShot, states: Mapping[str, ClipState]) -> dict[str, Any]:
    return {
        "id": shot.shot.id,
        "line": shot.line,
        "join": shot.join.label,
        "first": shot.first.full if shot.first else None,
        "last": shot.last.full if shot.last else None,
        "camera": [[move.english for move in group] for group in shot.camera],
        "prompt": shot.prompt,
        "pick": shot.shot.pick,
        "prompt_optimizer": shot.picked.request.prompt_optimizer,
        "segments": [_segment_json(segment, states[segment.key]) for segment in shot.segments],
    }


def _segment_json(segment: Segment, state: ClipState) -> dict[str, Any]:
    request = segment.request
    resolution, seconds = request.size
    return {
        "take": segment.take,
        "key": segment.key,
        "mode": str(segment.clip.mode),
        "model": request.model,
        "resolution": resolution,
        "seconds": seconds,
        "waits_for": [{"shot": other.shot, "take": other.take, "key": other.key} for other in segment.after],
        "state": str(state.made),
        "task_id": state.task_id or None,
        "problem": state.problem or None,
        "usd": request.usd,
    }


def plan_table(plan: Plan, states: Mapping[str, ClipState]) -> Table:
    """One row for each segment, the total under it."""
    table = Table(title=Text(plan.board.title), show_footer=True, show_lines=True)
    usd, clips, unpriced = to_pay(plan, states)
    table.add_column("shot", footer=several(len(plan.shots), "shot"), no_wrap=True)
    table.add_column("clip", footer=_length(plan), no_wrap=True)
    table.add_column("camera")
    table.add_column("frames and join")
    table.add_column("state", footer=f"{clips} to pay", no_wrap=True)
    table.add_column("USD", footer=f"{usd:.2f}", justify="right", no_wrap=True)
    if unpriced:
        table.caption = f"? {several(unpriced, 'clip')} to pay without a published price"
    for shot in plan.shots:
        for segment in shot.segments:
            _add_row(table, shot, segment, states[segment.key])
    return table


def _add_row(table: Table, shot: PlannedShot, segment: Segment, state: ClipState) -> None:
    request = segment.request
    resolution, seconds = request.size
    picked = " *" if segment is shot.picked else ""
    take = f"\ntake {segment.take}{picked}" if len(shot.segments) > 1 else ""
    model = request.model.removeprefix("MiniMax-")
    start = (
        shot.first.label
        if shot.first
        else f"subject {shot.shot.subject}"
        if shot.shot.subject
        else "from the text"
    )
    frames = start + (f" -> {shot.last.label}" if shot.last else "")
    waits = "".join(f"\nwaits for {other.shot}" for other in segment.after)
    join = f"\n{shot.join.label}" if shot.join.kind not in ("", "continues") else ""
    table.add_row(
        shot.shot.id + take,
        f"{_MODES[segment.clip.mode]}\n{model}\n{resolution} {seconds} s",
        Text("\nthen ".join(" + ".join(move.english for move in group) for group in shot.camera) or "–"),
        Text(frames + join + waits),
        Text(str(state.made), style=_STYLES[state.made]),
        f"{request.usd:.2f}" if request.usd is not None else "?",
    )


def _length(plan: Plan) -> str:
    seconds = sum(shot.picked.request.size[1] for shot in plan.shots)
    return f"about {seconds - sum(shot.join.seconds for shot in plan.shots):g} s"
