"""The cut as an edit decision list (CMX 3600): pictures, event by event, with dissolves, wipes, speeds and held frames.

Source: the CMX 3600 format as editing programs read it. A dissolve begins where the next clip does; a list has one frame
rate, no sizes and no other place for names than comments. Where its media travels with it, the name of a clip is that of
its file, as Premiere writes it, by which programs find it; else it is that of the shot, since all clips of a root are
called alike. OpenTimelineIO finds the file by a comment of its own, which says nothing to others.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from minimax_tasks.storyboard.edit import Cut
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut
from minimax_tasks.storyboard.exports.shot_list import timecode
from minimax_tasks.storyboard.exports.timeline import words_of
from minimax_tasks.storyboard.exports.wipes import WIPES

_REEL = "AX"
"""What a list calls a source that is a file and no tape."""


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the list; returns the file. Raises `OSError`."""
    lines = [f"TITLE: {_line(cut.plan.board.title)}", "FCM: NON-DROP FRAME", ""]
    folder = cut.media_folder(out)
    files = {key: clip.url for key, clip in cut.clips.items()}
    if folder:
        files |= {key: f"{folder.name}/{Path(copy).name}" for key, copy in cut.copies(folder).items()}
    names = {one.clip: Path(files[one.clip]).name for one in cut.edit.cuts} if folder else {}
    lines += _List(cut, files, names).lines()
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return [out, str(folder)] if folder else [out]


class _List:
    """The events of a cut, numbered as they come."""

    def __init__(self, cut: ExportedCut, files: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._cut, self._files, self._names, self._number = cut, files, names, 0
        self._words = list(words_of(cut))

    def lines(self) -> Iterator[str]:
        """All lines."""
        before = None
        for one, following in zip_longest(self._cut.edit.cuts, self._cut.edit.cuts[1:]):
            ends = one.ends_at - (following.overlap if following else 0)
            held_from = one.ends_at - one.hold
            moves_until = min(ends, held_from) if held_from > one.starts_at + one.overlap else ends
            yield from self._event(one, before, moves_until)
            if moves_until < ends:
                yield from self._held(one, moves_until, ends)
            before = one

    def _event(self, one: Cut, before: Cut | None, ends: Fraction) -> Iterator[str]:
        self._number += 1
        edit, speed = self._cut.edit, one.speed
        source_out = one.source_in + (ends - one.starts_at) * speed
        if one.overlap and before is not None:
            left = before.source_in + (one.starts_at - before.starts_at) * before.speed
            left = min(left, before.source_out)
            yield self._line("C", left, left, one.starts_at, one.starts_at)
            how = f"W{WIPES[one.join.kind].code:03}" if one.join.kind in WIPES else "D"
            kind = f"{how:<4} {edit.frames(one.overlap):03}"
            yield self._line(kind, one.source_in, source_out, one.starts_at, ends)
            yield f"* FROM CLIP NAME: {self._name(before)}"
            yield f"* TO CLIP NAME: {self._name(one)}"
            yield f"* EFFECT NAME: {one.join.kind}"
        else:
            yield self._line("C", one.source_in, source_out, one.starts_at, ends)
            yield f"* FROM CLIP NAME: {self._name(one)}"
        yield from self._source(one)
        if speed != 1:
            yield self._motion(float(speed), one.source_in)
        for words in self._words:
            if words.shot == one.shot:
                at = timecode(words.begins / self._cut.rate, edit)
                yield f"* LOC: {at} WHITE   {_line(words.label)}"

    def _held(self, one: Cut, begins: Fraction, ends: Fraction) -> Iterator[str]:
        self._number += 1
        frame = 1 / self._cut.rate
        last = one.source_out - one.speed * frame
        yield self._line("C", last, last + frame, begins, ends)
        yield f"* FROM CLIP NAME: {self._name(one)}{'' if self._names else ' FF'}"
        yield from self._source(one)
        yield self._motion(0.0, last)
        yield "* * FREEZE FRAME"

    def _name(self, one: Cut) -> str:
        return self._names.get(one.clip, f"Shot {one.shot}")

    def _source(self, one: Cut) -> Iterator[str]:
        file = _line(self._files[one.clip])
        yield f"* SOURCE FILE: {file}"
        yield f"* OTIO REFERENCE {'TO' if one.overlap else 'FROM'}: {file}"
        if self._names:
            yield f"* COMMENT: Shot {one.shot}"

    def _line(self, kind: str, *times: Fraction) -> str:
        clocks = " ".join(timecode(time, self._cut.edit) for time in times)
        return f"{self._number:03}  {_REEL:<8} V     {kind:<8} {clocks}"

    def _motion(self, speed: float, at: Fraction) -> str:
        rate = speed * float(self._cut.rate)
        return f"M2   {_REEL:<8}       {rate:05.1f}                {timecode(at, self._cut.edit)}"


def _line(text: str) -> str:
    return " ".join(text.split())
