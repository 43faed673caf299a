"""Captions in the picture: what is spoken, at the foot, two lines at most, readable on anything."""

from functools import partial

from PIL import Image

from minimax_tasks.video.lettering.canvas import WHITE, patch, safe_edges, unit, with_shadow
from minimax_tasks.video.lettering.faces import Face
from minimax_tasks.video.lettering.typesetting import (
    Type,
    draw_lines,
    fitted,
    in_turn,
    line_height,
)
from minimax_tasks.video.overlays import Leaf
from minimax_tasks.video.shape import Size

MOST_LINES = 2
_SIZE, _SMALLEST = 0.056, 13
"""Of the type: in parts of the unit, and in pixels."""
_WIDEST = 0.74
"""Of a wide picture: an eye that has to travel further loses the picture."""
_LEADING = 1.24
_DARK = 70
"""How dark, of 255, the picture becomes behind them."""


def parts_of(text: str, size: Size) -> list[str]:
    """A text in the parts that are shown one after the other in a film of this size."""
    return in_turn(text, _type(size), _width(size), MOST_LINES)


def caption_leaves(text: str, size: Size) -> list[Leaf]:
    """A text as it is shown in a film of this size: two lines at a time, each for as long as it takes to read."""
    return [Leaf(draw_caption(part, size), len(part)) for part in parts_of(text, size)]


def room_for_captions(size: Size) -> float:
    """Pixels that captions take at the foot of the safe area."""
    return _type(size).pixels * (1 + _LEADING * (MOST_LINES - 1) + 0.5)


def draw_caption(text: str, size: Size) -> Image.Image:
    """A part as a picture with transparency, as large as the film."""
    kind = _type(size)
    left, _, right, bottom = safe_edges(size)
    lines = fitted(text, kind, _width(size), MOST_LINES)
    leading = lines[0].type.pixels * _LEADING
    top = bottom - line_height(lines, leading)

    def draw(words: Image.Image) -> None:
        draw_lines(words, lines, left, right, top, leading, "center", 255)

    return with_shadow(size, draw, WHITE, lines[0].type.pixels, partial(patch, _DARK))


def _type(size: Size) -> Type:
    return Type(Face.SEMIBOLD, max(_SMALLEST, round(unit(size) * _SIZE)))


def _width(size: Size) -> float:
    left, _, right, _ = safe_edges(size)
    return min(right - left, max(size[0] * _WIDEST, unit(size) * 0.9))
