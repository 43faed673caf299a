"""The cut as a contact sheet: a PDF with the first and the last picture of each shot, twelve shots to a page."""

from PIL import Image, ImageDraw

from minimax_tasks.errors import VideoError
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.edit import Cut
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut
from minimax_tasks.storyboard.exports.shot_list import timecode
from minimax_tasks.video.fonts import drawable, font_for

_PAGE, _MARGIN = (2339, 1654), 90
"""Pixels of A4 on its side at 200 dots an inch."""

_ACROSS, _DOWN = 3, 4
_INK, _DIM, _GROUND = (30, 30, 32), (120, 118, 112), (255, 255, 255)
_TEXT, _SMALL, _LINE = 26, 20, 34


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the sheet; returns the file. Raises `OSError`, and `VideoError` for a clip that cannot be read."""
    shots = list(cut.edit.cuts)
    size = _ACROSS * _DOWN
    pages = [_page(cut, shots[at : at + size], at // size + 1) for at in range(0, len(shots), size)]
    if not pages:
        raise VideoError("no clip is made, so there is nothing to show")
    pages[0].save(
        out, "PDF", save_all=True, append_images=pages[1:], resolution=200.0, title=cut.plan.board.title
    )
    return [out]


def _page(cut: ExportedCut, shots: list[Cut], number: int) -> Image.Image:
    page = Image.new("RGB", _PAGE, _GROUND)
    pen = ImageDraw.Draw(page)
    _write(
        pen,
        (_MARGIN, _MARGIN - 60),
        f"{cut.plan.board.title} · {number}",
        _TEXT,
        _INK,
        _PAGE[0] - 2 * _MARGIN,
    )
    wide, high = (_PAGE[0] - 2 * _MARGIN) // _ACROSS, (_PAGE[1] - 2 * _MARGIN) // _DOWN
    for place, one in enumerate(shots):
        left, top = _MARGIN + place % _ACROSS * wide, _MARGIN + place // _ACROSS * high
        picture_size = ((wide - 40) // 2, high - 3 * _LINE - 20)
        for side, picture in enumerate(cut.pictures(one)):
            picture.thumbnail(picture_size, Image.Resampling.LANCZOS)
            page.paste(picture, (left + side * (picture_size[0] + 10), top))
        under = top + picture_size[1] + 6
        planned = cut.plan.by_id[one.shot]
        head = f"{one.shot}  {timecode(one.starts_at, cut.edit)}  {float(one.length):.2f} s  {one.join.label}"
        _write(pen, (left, under), head, _TEXT, _INK, wide - 30)
        _write(pen, (left, under + _LINE), planned.shot.action or planned.prompt, _SMALL, _DIM, wide - 30)
        _write(
            pen, (left, under + 2 * _LINE), spoken_text(planned.shot.dialogue) or "", _SMALL, _INK, wide - 30
        )
    return page


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    ink: tuple[int, int, int],
    width: int,
) -> None:
    """A text in one line, cut off where it would be wider."""
    font = font_for(text, size)
    line = drawable(" ".join(text.split()), font)
    while line and pen.textlength(line, font=font) > width:
        line = line[:-2].rstrip() + "…" if len(line) > 2 else ""
    pen.text(place, line, font=font, fill=ink)
