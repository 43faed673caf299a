"""The cut as a contact sheet: a PDF with the first and the last picture of each shot as the film shows them."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from PIL import Image, ImageDraw

from minimax_tasks.errors import VideoError
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.edit import Cut
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut
from minimax_tasks.storyboard.exports.shot_list import timecode
from minimax_tasks.video.fonts import Font, drawable, font_for
from minimax_tasks.video.lettering.faces import Face, font_of

_PAGE, _MARGIN, _TOP = (2339, 1654), 90, 200
"""Pixels of A4 on its side at 200 dots an inch; the head of a page stands above its top."""

_INK, _DIM, _NOTE, _GROUND = (30, 30, 32), (112, 110, 104), (150, 74, 20), (255, 255, 255)
_BETWEEN, _GUTTER = 10, 44
_HEAD, _LINE = 44, 30
"""Heights of a shot's first line, which stands above its pictures, and of those below."""

_LINES = 4


class _Grid(NamedTuple):
    """How many shots stand on a page, the room of each, and the size of its pictures."""

    across: int
    down: int
    cell: tuple[int, int]
    picture: tuple[int, int]


def _grid(shape: Fraction) -> _Grid:
    """Wide pictures stand three across, and four down; others four across, and three down."""
    across, down = (3, 4) if shape > Fraction(6, 5) else (4, 3)
    width = (_PAGE[0] - 2 * _MARGIN - (across - 1) * _GUTTER) // across
    height = (_PAGE[1] - _TOP - _MARGIN // 2) // down
    high = height - _HEAD - _LINES * _LINE - 24
    wide = min((width - _BETWEEN) // 2, int(high * shape))
    return _Grid(across, down, (width, height), (wide, int(wide / shape)))


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the sheet; returns the file. Raises `OSError`, and `VideoError` for a clip that cannot be read."""
    shots = list(cut.edit.cuts)
    grid = _grid(Fraction(*cut.size))
    size = grid.across * grid.down
    parts = [shots[at : at + size] for at in range(0, len(shots), size)]
    if not parts:
        raise VideoError("no clip is made, so there is nothing to show")
    pages = [_page(cut, part, grid, f"{number} of {len(parts)}") for number, part in enumerate(parts, 1)]
    pages[0].save(
        out, "PDF", save_all=True, append_images=pages[1:], resolution=200.0, title=cut.plan.board.title
    )
    return [out]


def _page(cut: ExportedCut, shots: list[Cut], grid: _Grid, number: str) -> Image.Image:
    page = Image.new("RGB", _PAGE, _GROUND)
    pen = _Pen(ImageDraw.Draw(page))
    whole = _PAGE[0] - 2 * _MARGIN
    pen.write((_MARGIN, 62), cut.plan.board.title, 52, _INK, whole - 700, Face.SEMIBOLD)
    count = len(cut.edit.cuts)
    facts = f"{count} {'shot' if count == 1 else 'shots'} · {float(cut.edit.seconds):.1f} s · page {number}"
    pen.write((_PAGE[0] - _MARGIN, 84), facts, 26, _DIM, 680, anchor="ra")
    for place, one in enumerate(shots):
        down, across = divmod(place, grid.across)
        left = _MARGIN + across * (grid.cell[0] + _GUTTER)
        _add_shot(page, pen, cut, one, (left, _TOP + down * grid.cell[1]), grid)
    return page


def _add_shot(
    page: Image.Image, pen: "_Pen", cut: ExportedCut, one: Cut, at: tuple[int, int], grid: _Grid
) -> None:
    (left, top), width = at, grid.cell[0]
    pen.rule((left, top), width)
    pen.write((left, top + 8), one.shot, 26, _INK, width - 220, Face.SEMIBOLD)
    pen.write((left + width, top + 8), timecode(one.starts_at, cut.edit), 22, _DIM, 210, anchor="ra")
    for side, picture in enumerate(cut.pictures(one)):
        shown = picture.resize(grid.picture, Image.Resampling.LANCZOS)
        page.paste(shown, (left + side * (grid.picture[0] + _BETWEEN), top + _HEAD))
    line = top + _HEAD + grid.picture[1] + 8
    for text, ink, face, most in _texts(cut, one):
        room = _LINES - (line - top - _HEAD - grid.picture[1]) // _LINE
        for part in pen.lines(text, 22, width, min(most, room), face):
            pen.write((left, line), part, 22, ink, width, face)
            line += _LINE


def _texts(cut: ExportedCut, one: Cut) -> Iterator[tuple[str, tuple[int, int, int], Face, int]]:
    """What is said of a shot: the text, its colour and its face, and how many lines it may take."""
    planned = cut.plan.by_id[one.shot]
    shot = planned.shot
    facts = [f"{float(one.length):.2f} s", one.join.label]
    if one.speed != 1:
        facts.append(f"speed {float(one.speed):g}")
    if one.hold:
        facts.append(f"hold {float(one.hold):g} s")
    if len(planned.keys) > 1:
        facts.append(f"take {one.take} of {len(planned.keys)}")
    facts.append(", then ".join(" + ".join(move.english for move in group) for group in planned.camera))
    yield " · ".join(filter(None, facts)), _DIM, Face.REGULAR, 1
    if notes := shot.notes:
        yield f"Note: {notes}", _NOTE, Face.REGULAR, 1
    spoken = [f"“{line}”" for line in (spoken_text(shot.dialogue),) if line]
    if words := [*spoken, *(title.words for title in shot.title)]:
        yield " · ".join(words), _INK, Face.SEMIBOLD, 1
    label = planned.own.label if planned.own and not any(title.is_card for title in shot.title) else ""
    if told := shot.action or planned.prompt or label:
        yield told, _DIM, Face.REGULAR, 2


class _Pen:
    """Writes on a page, in the faces of titles as far as they have the letters."""

    def __init__(self, pen: ImageDraw.ImageDraw) -> None:
        self._pen = pen

    def rule(self, at: tuple[int, int], width: int) -> None:
        """A line over a shot."""
        self._pen.line((*at, at[0] + width, at[1]), fill=_INK, width=2)

    def write(
        self,
        at: tuple[int, int],
        text: str,
        size: int,
        ink: tuple[int, int, int],
        width: int,
        face: Face = Face.REGULAR,
        anchor: str = "la",
    ) -> None:
        """A text in one line, cut off where it would be wider."""
        font = self._font(text, face, size)
        line = drawable(text, font)
        if self._pen.textlength(line, font=font) > width:
            while line and self._pen.textlength(f"{line}…", font=font) > width:
                line = line[:-1].rstrip()
            line += "…"
        self._pen.text(at, line, font=font, fill=ink, anchor=anchor)

    def lines(self, text: str, size: int, width: int, most: int, face: Face) -> list[str]:
        """A text in lines of a width, at most so many; the last one holds the rest, however long."""
        font = self._font(text, face, size)
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if not lines or (len(lines) < most and self._pen.textlength(longer, font=font) > width):
                lines.append(word)
            else:
                lines[-1] = longer
        return lines[: max(0, most)]

    def _font(self, text: str, face: Face, size: int) -> Font:
        return font_of(text, face, size) or font_for(text, size)
