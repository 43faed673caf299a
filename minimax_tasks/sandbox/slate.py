"""The lower third of a sandbox clip: what the camera does, and the prompt."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.sandbox.motion import Group
from minimax_tasks.video.lettering import Font, drawable, font_for

NEUTRAL = 128
INK, PAPER = 235, 16
"""White and black of video luma."""

UNREADABLE = "(a prompt in characters that no font here has)"
SUPERSAMPLING = 4


@dataclass(frozen=True)
class Slate:
    """A layer for the bottom of a frame: its luma, and how much it covers at full and at chroma size."""

    luma: Image.Image
    cover: Image.Image
    chroma_cover: Image.Image

    def paste(self, planes: list[Image.Image], strength: float) -> None:
        """Draw it over the Y, U and V planes of a frame, `strength` from 0 (nothing) to 1."""
        if strength <= 0:
            return
        cover, chroma_cover = self.cover, self.chroma_cover
        if strength < 1:
            faded = [round(value * strength) for value in range(256)]
            cover, chroma_cover = cover.point(faded), chroma_cover.point(faded)
        luma, *chroma = planes
        luma.paste(self.luma, (0, luma.height - self.luma.height), cover)
        for plane in chroma:
            plane.paste(NEUTRAL, (0, plane.height - chroma_cover.height), chroma_cover)


@lru_cache(maxsize=16)
def make_slate(size: tuple[int, int], prompt: str, group: Group) -> Slate:
    """The slate for frames of `size`, while the camera moves of `group` are going on."""
    width, height = size
    band = height // 3 // 2 * 2
    pixels = max(7, round(min(width, height) / 27))
    margin = pixels

    luma = Image.new("L", (width, band), PAPER)
    ink = Image.new("L", (width, band), 0)
    draw = ImageDraw.Draw(ink)
    font = font_for(prompt, pixels)
    lines = _wrapped(readable(prompt, font), font, width - 2 * margin, most=2)
    line_height = round(pixels * 1.35)
    baseline = band - margin // 2 - line_height * len(lines)
    for number, line in enumerate(lines):
        draw.text((margin, baseline + number * line_height), line, font=font, fill=255)
    _draw_moves(ink, group, (margin, baseline - round(pixels * 1.9)), pixels)

    luma.paste(INK, None, ink)
    cover = ImageChops.lighter(_shadow((width, band)), ink)
    chroma_cover = cover.resize((width // 2, band // 2), Image.Resampling.BOX)
    return Slate(luma, cover, chroma_cover)


def _shadow(size: tuple[int, int]) -> Image.Image:
    rise = np.linspace(0, 1, size[1], dtype=np.float32)
    column = (190 * rise * rise * (3 - 2 * rise)).astype(np.uint8)
    return Image.fromarray(np.repeat(column[:, None], size[0], axis=1))


def readable(prompt: str, font: Font) -> str:
    """What of the prompt is written: all that the font has, or a note when that is next to nothing."""
    text = drawable(prompt, font)
    letters, wanted = (sum(character.isalnum() for character in one) for one in (text, prompt))
    return text if letters >= min(3, wanted) else UNREADABLE


def _wrapped(text: str, font: Font, width: float, most: int) -> list[str]:
    """The text in lines of at most `width`; what goes beyond the last line is left out."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        fitting = _fitting(rest, font, width)
        if fitting < len(rest) and " " in rest[:fitting] and rest[fitting] != " ":
            fitting = rest.rindex(" ", 0, fitting)
        lines.append(rest[:fitting].rstrip())
        rest = rest[fitting:].lstrip()
    if rest:
        last = lines[-1]
        while last and font.getlength(last + "...") > width:
            last = last[:-1]
        lines[-1] = last.rstrip() + "..."
    return lines


def _fitting(text: str, font: Font, width: float) -> int:
    """How many characters of the text fit in a line; at least one."""
    count = len(text)
    while count > 1 and font.getlength(text[:count]) > width:
        count -= max(1, count // 16)
    return count


def _draw_moves(ink: Image.Image, group: Group, corner: tuple[int, int], pixels: int) -> None:
    left, top = corner
    side = round(pixels * 1.4)
    font = font_for("", pixels)
    draw = ImageDraw.Draw(ink)
    for move in group:
        ink.paste(_icon(move, side), (left, top))
        left += side + pixels // 2
        draw.text((left, top + side / 2), move.english, font=font, fill=255, anchor="lm")
        left += round(font.getlength(move.english)) + pixels


def _icon(move: Move, side: int) -> Image.Image:
    """A small sign for a move: white on black."""
    whole = side * SUPERSAMPLING
    icon = Image.new("L", (whole, whole), 0)
    draw = ImageDraw.Draw(icon)
    pen = _Pen(draw, whole)
    pen.frame()
    if move.axis in ("truck", "pan"):
        pen.arrow(0.0 if move.sign > 0 else math.pi)
    elif move.axis in ("pedestal", "tilt"):
        pen.arrow(-math.pi / 2 if move.sign > 0 else math.pi / 2)
    elif move.axis in ("dolly", "zoom"):
        pen.corners(inwards=move.sign > 0)
    elif move.axis == "shake":
        pen.zigzag()
    elif move.axis == "tracking":
        pen.ring()
    else:
        pen.dot()
    return icon.resize((side, side), Image.Resampling.BOX)


@dataclass(frozen=True)
class _Pen:
    """Draws the parts of an icon; places are shares of its side."""

    draw: ImageDraw.ImageDraw
    side: int

    @property
    def width(self) -> int:
        return max(1, round(self.side * 0.08))

    def lines(self, *points: tuple[float, float]) -> None:
        self.draw.line([(x * self.side, y * self.side) for x, y in points], 255, self.width, joint="curve")

    def circle(self, radius: float, *, filled: bool) -> None:
        box = [(0.5 - radius) * self.side] * 2 + [(0.5 + radius) * self.side] * 2
        self.draw.ellipse(box, fill=255 if filled else None, outline=255, width=self.width)

    def frame(self) -> None:
        box = (0, 0, self.side - 1, self.side - 1)
        self.draw.rounded_rectangle(box, self.side * 0.2, outline=140, width=self.width)

    def arrow(self, angle: float) -> None:
        def turned(x: float, y: float) -> tuple[float, float]:
            cos, sin = math.cos(angle), math.sin(angle)
            return 0.5 + x * cos - y * sin, 0.5 + x * sin + y * cos

        self.lines(turned(-0.28, 0), turned(0.28, 0))
        self.lines(turned(0.08, -0.2), turned(0.28, 0), turned(0.08, 0.2))

    def corners(self, *, inwards: bool) -> None:
        near, far = (0.42, 0.22) if inwards else (0.22, 0.42)
        for x, y in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            tip, tail = near - 0.5, far - 0.5
            point = (0.5 + x * tip, 0.5 + y * tip)
            self.lines((0.5 + x * tail, 0.5 + y * tail), point)
            bend = tip + 0.14 * (1 if tail > tip else -1)
            self.lines((0.5 + x * bend, point[1]), point, (point[0], 0.5 + y * bend))

    def zigzag(self) -> None:
        self.lines((0.2, 0.5), (0.32, 0.3), (0.44, 0.68), (0.56, 0.3), (0.68, 0.68), (0.8, 0.5))

    def ring(self) -> None:
        self.circle(0.26, filled=False)
        self.circle(0.08, filled=True)

    def dot(self) -> None:
        self.circle(0.12, filled=True)
