"""The cut as a shot list: a CSV with a line for each shot, for people and spreadsheets."""

import csv
from fractions import Fraction

from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.edit import Cut, Edit
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut

_COLUMNS = (
    "shot", "take", "starts_at", "ends_at", "length", "source_in", "source_out", "speed", "hold", "join",
    "model", "camera", "action", "dialogue", "title", "notes", "prompt", "clip",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the list; returns the file. Raises `OSError`."""
    with open(out, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows([_cell(value) for value in _row(cut, one)] for one in cut.edit.cuts)
    return [out]


def _row(cut: ExportedCut, one: Cut) -> tuple[object, ...]:
    planned, edit = cut.plan.by_id[one.shot], cut.edit
    shot = planned.shot
    made_by = planned.own.KIND if planned.own else planned.picked.asked.model
    camera = ", then ".join(" + ".join(move.english for move in group) for group in planned.camera)
    return (
        one.shot, one.take, timecode(one.starts_at, edit), timecode(one.ends_at, edit), _seconds(one.length),
        _seconds(one.source_in), _seconds(one.source_out), f"{float(one.speed):g}", _seconds(one.hold),
        one.join.label, made_by, camera, shot.action or "", spoken_text(shot.dialogue) or "",
        " · ".join(title.words for title in shot.title),
        shot.notes or "", planned.prompt, cut.clips[one.clip].url,
    )  # fmt: skip


def timecode(seconds: Fraction, edit: Edit) -> str:
    """Hours, minutes, seconds and frames of the film: `00:01:02:12`."""
    rate = round(edit.rate or 24)
    frames = edit.frames(seconds)
    whole, frame = divmod(frames, rate)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}:{frame:02}"


def _seconds(value: Fraction) -> str:
    return f"{float(value):.3f}"


def _cell(value: object) -> object:
    """The value, and never a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
