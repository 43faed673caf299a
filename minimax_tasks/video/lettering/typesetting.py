"""Setting a text: where its lines break, how wide they are, and drawing them.

Lines are about equally long. Chinese and Japanese break between characters, but no line begins with closing
punctuation or ends with opening; what is written from right to left is shaped and ordered by Raqm.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from PIL import Image, ImageDraw, ImageFont

from minimax_tasks.video.lettering.faces import Face, font_of, is_shaped, larger

NOT_FIRST = set(
    "、。，．・：；？！‼⁇⁈⁉ー々ゝヽ〜」』】〕）］｝〉》〗〙”’%‰℃,.:;?!)]}…‥—–ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)
"""Characters that do not begin a line (source: JIS X 4051, GB/T 15834)."""
NOT_LAST = set("「『【〔（［｛〈《〖〘“‘([{$¥￥£€")
"""Characters that do not end one."""

_SMALL = 64
"""Pixels of type from which on half a pixel is nothing beside the space between words."""
_FINER = 4
"""How many times as large small type is drawn."""

_PIECE = re.compile(r"\s+|[^\s]")


@dataclass(frozen=True)
class Type:
    """How a text is set: typeface, size in pixels, and space between letters in parts of the size."""

    face: Face
    pixels: int
    tracking: float = 0.0

    def font(self, text: str) -> ImageFont.FreeTypeFont:
        """The font for a text. Raises `LookupError` when there is none: planning has asked before."""
        font = font_of(text, self.face, self.pixels)
        if font is None:
            raise LookupError(f"no font of this machine has all letters of {text!r}")
        return font


@dataclass(frozen=True)
class Line:
    """A line of a text as it is set. Letters that join are not spaced, whatever its type asks for."""

    text: str
    type: Type
    font: ImageFont.FreeTypeFont

    @cached_property
    def clusters(self) -> list[tuple[str, float]]:
        """Letters with their marks, and how far right each of them stands; one cluster where nothing is spaced."""
        placed, before = [], ""
        for number, cluster in enumerate(self._letters):
            kerned = self.font.getlength(before + cluster) - self.font.getlength(cluster)
            placed.append((cluster, kerned + number * self._space))
            before += cluster
        return placed

    @property
    def width(self) -> float:
        """Pixels from the beginning to the end of the last letter."""
        # Not by `clusters`, which measures the line up to each letter: many widths are asked for where one is drawn.
        return self.font.getlength(self.text) + (len(self._letters) - 1) * self._space

    @property
    def _space(self) -> float:
        return self.type.tracking * self.type.pixels

    @property
    def _letters(self) -> list[str]:
        if not self.type.tracking or is_shaped(self.text):
            return [self.text]
        letters: list[str] = []
        for letter in self.text:
            if letters and unicodedata.combining(letter):
                letters[-1] += letter
            else:
                letters.append(letter)
        return letters

    def draw(self, pen: ImageDraw.ImageDraw, x: float, baseline: float, ink: tuple[int, ...] | int) -> None:
        """Draw it from `x` on.

        Letters are drawn on whole pixels, which in small type makes words run together or stand apart: that is drawn
        larger, and made smaller.
        """
        if self.type.pixels >= _SMALL:
            for cluster, at in self.clusters:
                pen.text((x + at, baseline), cluster, font=self.font, fill=ink, anchor="ls")
            return
        pixels = self.type.pixels
        left, top = math.floor(x) - pixels, round(baseline) - 2 * pixels
        large = Image.new("L", ((math.ceil(self.width) + 2 * pixels + 1) * _FINER, 3 * pixels * _FINER))
        font, page = larger(self.font, _FINER), ImageDraw.Draw(large)
        for cluster, at in self.clusters:
            page.text(
                ((x + at - left) * _FINER, 2 * pixels * _FINER), cluster, font=font, fill=255, anchor="ls"
            )
        pen.bitmap((left, top), large.reduce(_FINER), ink)


def set_lines(text: str, kind: Type, width: float, most: int) -> list[Line] | None:
    """A text in as few lines as fit into a width, about equally long; None when `most` do not hold it."""
    font = kind.font(text)

    def line(words: str) -> Line:
        return Line(words, kind, font)

    paragraphs = [" ".join(part.split()) for part in text.splitlines() if part.strip()]
    if len(paragraphs) > 1:
        found = [set_lines(part, kind, width, most) for part in paragraphs]
        lines = [Line(one.text, kind, font) for part in found for one in part or ()]
        return None if None in found or len(lines) > most else lines
    whole = " ".join(text.split())
    breaks = breaks_of(whole)
    measure = cache(lambda words: line(words).width)
    for count in range(1, most + 1):
        parts = _balanced(whole, breaks, count, measure)
        if parts and all(measure(part) <= width for part in parts):
            return [line(part) for part in parts]
    return None


_SMALLEST = 5
"""Pixels of type below which nothing is made smaller."""


def fitted(text: str, kind: Type, width: float, most: int) -> list[Line]:
    """The same in the largest type, of `kind` or smaller, that fits: no word is lost."""
    pixels = kind.pixels
    while pixels > _SMALLEST:
        lines = set_lines(text, replace(kind, pixels=pixels), width, most)
        if lines:
            return lines
        pixels = int(pixels * 0.94) if pixels > 16 else pixels - 1
    return _filled(text, replace(kind, pixels=_SMALLEST), width)


def in_turn(text: str, kind: Type, width: float, most: int) -> list[str]:
    """A text in parts that are shown one after the other, each of at most so many lines."""
    rows = _filled(text, kind, width)
    if len(rows) <= most:
        return [text]
    whole = " ".join(text.split())
    font = kind.font(text)
    breaks = breaks_of(whole)
    for count in range(-(-len(rows) // most), len(rows) + 1):
        parts = _balanced(whole, breaks, count, lambda words: Line(words, kind, font).width)
        if parts and all(set_lines(part, kind, width, most) for part in parts):
            return parts
    # A word is wider than a line: it is made smaller where it stands.
    return [row.text for row in rows]


def _filled(text: str, kind: Type, width: float) -> list[Line]:
    """Lines filled one after the other; a word that is wider than a line is broken."""
    font = kind.font(text)
    whole = " ".join(text.split())
    allowed = set(breaks_of(whole))
    lines: list[Line] = []
    begin = 0
    while begin < len(whole):
        end = good = begin + 1
        while end <= len(whole) and Line(whole[begin:end].strip() or " ", kind, font).width <= width:
            if end in allowed or end == len(whole):
                good = end
            end += 1
        if good == begin + 1 and good not in allowed and good != len(whole):
            good = max(begin + 1, end - 1)
        if part := whole[begin:good].strip():
            lines.append(Line(part, kind, font))
        begin = good
    return lines


def breaks_of(text: str) -> list[int]:
    """The places, in characters, where a line may begin."""
    places = []
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        if before == " " or (before == "-" and after.isalpha() and at > 1 and text[at - 2].isalpha()):
            places.append(at)
        elif _is_wide(before) or _is_wide(after):
            is_kept = after in NOT_FIRST or after == " " or unicodedata.combining(after) or before in NOT_LAST
            if not is_kept:
                places.append(at)
    return places


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("W", "F")


def _balanced(text: str, breaks: Sequence[int], count: int, measure: Callable[[str], float]) -> list[str]:
    """A text in `count` parts whose widths differ as little as possible; [] when it has too few places for that."""
    if count == 1:
        return [text]
    if len(breaks) < count - 1:
        return []
    aim = measure(text) / count
    parts, begin = [], 0
    for left in range(count - 1, 0, -1):
        later = [at for at in breaks if at > begin]
        choices = later[: len(later) - left + 1]
        if not choices:
            return []
        widths = {at: measure(text[begin:at].strip()) for at in choices}
        best = min(choices, key=lambda at: _badness(widths[at], aim, text[:at]))
        parts.append(text[begin:best].strip())
        begin = best
    return [*parts, text[begin:].strip()]


_PAUSE = ",.;:!?…—，。；：！？、،؛"


def _badness(width: float, aim: float, head: str) -> float:
    """How bad a break is: far from the middle, though a line gladly ends where a reader pauses."""
    ends_at_pause = head.rstrip()[-1:] in _PAUSE
    return abs(width - aim) * (0.6 if ends_at_pause else 1.0)


def draw_lines(
    canvas: Image.Image,
    lines: Sequence[Line],
    left: float,
    right: float,
    top: float,
    leading: float,
    align: str,
    ink: tuple[int, ...] | int,
) -> float:
    """Draw lines between two edges, from `top` down, `leading` pixels apart; returns where they end.

    `align` is "center", "left" or "right".
    """
    pen = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        room = right - left - line.width
        x = left + {"center": room / 2, "left": 0.0, "right": room}[align]
        line.draw(pen, x, top + line.type.pixels * 0.8 + number * leading, ink)
    return top + line_height(lines, leading)


def line_height(lines: Sequence[Line], leading: float) -> float:
    """Pixels that lines take, from the top of the first to the feet of the last."""
    return 0.0 if not lines else lines[0].type.pixels + (len(lines) - 1) * leading
