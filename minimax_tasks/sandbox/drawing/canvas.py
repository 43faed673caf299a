"""The brushes of the drawn scenes: skies, land, water, buildings.

Places are shares of the frame, (0, 0) at its upper left; the canvas reaches over its edges by a margin. What
is drawn follows from the seed alone, so the same scene comes out in every size.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Floats = NDArray[np.float32]

COARSE = 4
"""Soft things (sky, haze, clouds) are made this many times smaller."""


def mixed(one: Colour, two: Colour, share: float) -> Colour:
    """`one`, with a `share` of `two` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


class Canvas:
    """A picture in the making."""

    def __init__(self, size: tuple[int, int], margin: float, seed: int) -> None:
        self.view = size
        self.edge = (int(size[0] * margin) // 2 * 2, int(size[1] * margin) // 2 * 2)
        self.size = (size[0] + 2 * self.edge[0], size[1] + 2 * self.edge[1])
        self.image = Image.new("RGB", self.size)
        self.random = np.random.default_rng(seed)

    def across(self, share: float) -> float:
        """A place from left to right, in pixels."""
        return self.edge[0] + share * self.view[0]

    def down(self, share: float) -> float:
        """A place from top to bottom, in pixels."""
        return self.edge[1] + share * self.view[1]

    def gradient(self, top: Colour, middle: Colour, horizon: Colour, end: float) -> None:
        """The sky, from the top of the canvas to `end`."""
        rows = np.arange(self.size[1], dtype=np.float32)
        stops = [0.0, self.down(end * 0.55), self.down(end)]
        column = np.stack(
            [np.interp(rows, stops, [top[c], middle[c], horizon[c]]) for c in range(3)], axis=-1
        )
        # A step of one, here and there, hides the bands of a slow gradient.
        grain = np.random.default_rng(0).uniform(-0.8, 0.8, (64, 64))
        tiles = (-(-self.size[1] // 64), -(-self.size[0] // 64))
        speckle = np.tile(grain, tiles)[: self.size[1], : self.size[0], None]
        self.image = Image.fromarray(np.clip(column[:, None] + speckle + 0.5, 0, 255).astype(np.uint8))

    def clouds(self, colour: Colour, horizon: float, strength: float) -> None:
        """Long soft streaks, more of them towards the horizon."""
        width, height = (side // COARSE + 1 for side in self.size)
        field = sum(self._noise((width, height), (4 * 2**n, 9 * 2**n)) * 0.5**n for n in range(4))
        heights = np.linspace(-self.edge[1], self.size[1] - self.edge[1], height) / self.view[1] / horizon
        rise = np.clip(heights * 0.9 + 0.2, 0, 1)[:, None]
        cover = np.clip((field - 0.25) * 1.6, 0, 1) * rise * strength
        self._haze(colour, np.asarray(cover, np.float32))

    def glow(self, place: tuple[float, float], colour: Colour, strength: float) -> None:
        """The light around the sun."""
        width, height = (side // COARSE + 1 for side in self.size)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) * COARSE
        distance = np.hypot(x - self.across(place[0]), y - self.down(place[1])) / self.view[1]
        cover = 0.6 * np.exp(-((distance / 0.13) ** 2)) + 0.5 * np.exp(-distance / 0.22)
        self._haze(colour, np.clip(cover * strength, 0, 0.95))

    def disc(self, place: tuple[float, float], radius: float, colour: Colour) -> None:
        """The sun or the moon."""
        pixels = max(2, round(radius * min(self.view)))
        mask = Image.new("L", (pixels * 8, pixels * 8), 0)
        ImageDraw.Draw(mask).ellipse((4, 4, pixels * 8 - 5, pixels * 8 - 5), fill=255)
        mask = mask.resize((pixels * 2, pixels * 2), Image.Resampling.BOX)
        corner = round(self.across(place[0])) - pixels, round(self.down(place[1])) - pixels
        self.image.paste(colour, corner, mask)

    def stars(self, horizon: float) -> None:
        """Many faint stars, and a few that are not."""
        draw = ImageDraw.Draw(self.image)
        unit = self.view[1] / 1400
        for x, y, brightness in self.random.uniform(0, 1, (420, 3)):
            left = x * self.size[0]
            top = y * self.down(horizon * 0.95)
            shine = brightness**6
            radius = unit * (0.7 + 1.7 * shine)
            level = round(110 + 145 * shine)
            box = (left - radius, top - radius, left + radius, top + radius)
            draw.ellipse(box, fill=(level - 8, level - 4, level))

    def ridge(
        self,
        base: float,
        height: float,
        *,
        cells: int,
        octaves: int = 5,
        jagged: bool = False,
        peaks: bool = False,
    ) -> Floats:
        """A line of hills: for every column the row where it begins, in pixels.

        It swings around `base` by about `height`. `jagged` makes summits of it; with `peaks` only what rises
        over `base` is left, as islands in a sea.
        """
        total: Floats = np.zeros(self.size[0], np.float32)
        for octave in range(octaves):
            wave = self._wave(cells * 2**octave)
            if jagged:
                wave = np.float32(0.8) - np.float32(2) * np.abs(wave)
            total = total + wave * np.float32((0.5 if jagged else 0.38) ** octave)
        if peaks:
            total = np.maximum(total - np.float32(0.1), np.float32(-0.2))
        return np.asarray(self.down(base) - total * height * self.view[1], np.float32)

    def conifers(self, ridge: Floats, *, count: int, tallest: float, clumped: bool) -> Floats:
        """The ridge with firs on it; `clumped` leaves clearings."""
        columns = np.arange(self.size[0], dtype=np.float32)
        grown = ridge.copy()
        clearing = self._wave(5)
        for x, tall, lean in self.random.uniform(0, 1, (count, 3)):
            centre = x * self.size[0]
            place = min(int(centre), self.size[0] - 1)
            if clumped and clearing[place] < -0.1:
                continue
            height = tallest * self.view[1] * (0.5 + 0.5 * tall)
            reach = height * (0.2 + 0.06 * lean)
            near = slice(max(0, int(centre - reach)), min(self.size[0], int(centre + reach) + 2))
            distance = np.abs(columns[near] - centre) / reach
            # Boughs: a tooth every fifth of the way down.
            boughs = 1 - distance + 0.10 * ((distance * 5) % 1) * (distance < 1)
            top = ridge[place] - height * np.clip(boughs, 0, 1) + height * 0.06
            grown[near] = np.where(distance < 1, np.minimum(grown[near], top), grown[near])
        return grown

    def land(
        self,
        ridge: Floats,
        upper: Colour,
        lower: Colour,
        *,
        facets: float = 0.0,
        snow: Colour | None = None,
        sun: float = 0.5,
    ) -> None:
        """Everything under the ridge: `upper` at its top, going over to `lower` in the haze at its foot.

        `facets` is how strongly its sides differ in light, by where the `sun` stands; `snow` whitens summits.
        """
        first = max(0, int(ridge.min()) - 1)
        rows = np.arange(first, self.size[1], dtype=np.float32)
        if not rows.size:
            return
        under = np.clip(rows[:, None] - ridge[None, :] + 0.5, 0, 1)
        mask = Image.fromarray((under * 255).astype(np.uint8))
        fill = self._ground(ridge, first, upper, lower, facets, snow, sun)
        self.image.paste(fill.resize(mask.size, Image.Resampling.BILINEAR), (0, first), mask)

    def water(self, horizon: float, deep: Colour, sun: float, shine: Colour) -> None:
        """A sea from the horizon down: what is above it mirrored, ripples, and the path of the sun."""
        top = round(self.down(horizon))
        width, height = self.size[0], self.size[1] - top
        above = self.image.crop((0, max(0, top - height), width, top))
        mirror = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, height))
        mirror = mirror.filter(ImageFilter.BoxBlur(max(1, self.view[1] // 60)))
        depth = np.linspace(0.25, 0.9, height, dtype=np.float32)[:, None]
        ripples = self._ripples(width, height)
        cover = np.clip(depth + 0.4 * ripples * (0.35 + depth), 0, 1)
        mirror.paste(deep, None, Image.fromarray((cover * 255).astype(np.uint8)))
        self.image.paste(mirror, (0, top))
        self.image.paste(shine, None, self._sun_path(top, height, sun))

    def boat(self, colour: Colour, horizon: float) -> None:
        """A small sailing boat on the water, with its mirror image."""
        x, y = round(self.across(self.random.uniform(0.25, 0.75))), round(self.down(horizon + 0.07))
        unit = self.view[1] * 0.075
        fine = 4
        hull = ((-0.55, 0), (0.55, 0), (0.36, 0.17), (-0.42, 0.17))
        sails = ((-0.03, -1.25), (-0.03, -0.1), (-0.5, -0.1)), ((0.04, -1.1), (0.04, -0.1), (0.44, -0.1))
        parts = []
        for shapes in (sails, (hull,)):
            part = Image.new("L", (round(1.2 * unit) * fine, round(1.5 * unit) * fine), 0)
            for shape in shapes:
                points = [((0.6 + a) * unit * fine, (1.3 + b) * unit * fine) for a, b in shape]
                ImageDraw.Draw(part).polygon(points, fill=255)
            parts.append(part.reduce(fine))
        corner = (x - round(0.6 * unit), y - round(1.3 * unit))
        whole = ImageChops.lighter(*parts)
        mirror = whole.transpose(Image.Transpose.FLIP_TOP_BOTTOM).point(
            [level * 2 // 5 for level in range(256)]
        )
        self.image.paste(colour, (corner[0], y + round(0.15 * unit)), mirror)
        for part, paint in zip(parts, (mixed((255, 255, 255), colour, 0.25), colour), strict=True):
            self.image.paste(paint, corner, part)

    def birds(self, colour: Colour) -> None:
        """A few birds in the sky."""
        draw = ImageDraw.Draw(self.image)
        x, y = self.random.uniform(0.2, 0.7), self.random.uniform(0.14, 0.3)
        for dx, dy, spread in self.random.uniform(0, 1, (6, 3)):
            wing = self.view[1] * (0.008 + 0.009 * spread)
            left, top = self.across(x + 0.16 * dx), self.down(y + 0.1 * dy)
            line = max(1, round(wing / 5))
            draw.line(
                ((left - wing, top - wing * 0.45), (left, top), (left + wing, top - wing * 0.45)),
                colour,
                line,
            )

    def buildings(
        self,
        base: float,
        tallest: float,
        width: float,
        upper: Colour,
        lower: Colour,
        window: Colour,
        lit: float,
    ) -> None:
        """A row of buildings that stand on `base`; `lit` is the share of windows with light in them."""
        skyline = np.full(self.size[0], self.down(base), np.float32)
        windows: list[tuple[float, float, float, float]] = []
        left = 0.0
        while left < 1:
            wide, tall, gap = self.random.uniform(0, 1, 3)
            # In shares of the whole canvas, so that every size has the same houses.
            right = min(1.0, left + width * (0.6 + 0.8 * wide) * 0.7)
            top = base - tallest * (0.25 + 0.75 * tall**1.6)
            house = (left, top, right, base)
            skyline[int(left * self.size[0]) : int(right * self.size[0]) + 1] = self.down(top)
            if tall > 0.8:
                mast = (left + right) / 2 * self.size[0]
                thick = max(1, round(self.view[1] / 400))
                skyline[int(mast) : int(mast) + thick] = self.down(top - 0.05 * tall)
            windows.extend(self._lit_windows(house, width, lit))
            left = right + (0.004 if gap > 0.7 else 0)
        self.land(skyline, upper, lower)
        draw = ImageDraw.Draw(self.image)
        for x, y, w, h in windows:
            warm = mixed(window, upper, 0.15 + 0.55 * ((x * 977 + y * 331) % 1))
            draw.rectangle((x, y, x + w, y + h), fill=warm)

    def _lit_windows(
        self, house: tuple[float, float, float, float], width: float, lit: float
    ) -> list[tuple[float, float, float, float]]:
        left, top, right, _ = house
        columns = max(2, round((right - left) / width * 6))
        rows = 22
        pitch_x = (right - left) * self.size[0] / columns
        pitch_y = width * 0.42 * self.view[1]
        on = self.random.uniform(0, 1, (rows, columns)) < lit * self.random.uniform(0.3, 1)
        return [
            (
                left * self.size[0] + (column + 0.3) * pitch_x,
                self.down(top) + (row + 0.6) * pitch_y,
                pitch_x * 0.42,
                pitch_y * 0.45,
            )
            for row, column in zip(*np.nonzero(on), strict=True)
        ]

    def _haze(self, colour: Colour, cover: Floats) -> None:
        mask = Image.fromarray((cover * 255).astype(np.uint8)).resize(self.size, Image.Resampling.BICUBIC)
        self.image.paste(colour, None, mask)

    def _noise(self, size: tuple[int, int], cells: tuple[int, int]) -> Floats:
        """Soft blobs between -1 and 1, that many across and down."""
        points = self.random.uniform(-1, 1, (cells[1] + 1, cells[0] + 1)).astype(np.float32)
        return np.asarray(Image.fromarray(points).resize(size, Image.Resampling.BICUBIC), np.float32)

    def _wave(self, cells: int) -> Floats:
        """A smooth line between -1 and 1 with that many swings, one value for every column."""
        points = self.random.uniform(-1, 1, cells + 2)
        place = np.linspace(0, cells, self.size[0])
        whole = place.astype(int)
        part = place - whole
        part = part * part * (3 - 2 * part)
        return np.asarray(points[whole] * (1 - part) + points[whole + 1] * part, np.float32)

    def _ground(
        self,
        ridge: Floats,
        first: int,
        upper: Colour,
        lower: Colour,
        facets: float,
        snow: Colour | None,
        sun: float,
    ) -> Image.Image:
        # Firs on a ridge are in front of it: what is under them is shaded by the ridge, not by their outline.
        smooth = np.convolve(np.pad(ridge, 20, mode="edge"), np.full(41, 1 / 41), "valid")
        line = (ridge if facets else smooth)[::COARSE]
        rows = np.arange(first, self.size[1], COARSE, dtype=np.float32)[:, None]
        below: Floats = np.asarray((rows - line[None, :]) / self.view[1], np.float32)
        fade = np.clip(below / 0.35, 0, 1)[..., None]
        ground = np.asarray(upper, np.float32) * (1 - fade) + np.asarray(lower, np.float32) * fade
        if snow:
            edge = 0.07 + 0.05 * self._wave(24)[::COARSE][None, :]
            high = np.clip((self.down(0.5) - line) / self.view[1] / 0.12, 0, 1)[None, :]
            white = np.clip((edge * high - below) / 0.02, 0, 1)[..., None] * 0.85
            ground = ground * (1 - white) + np.asarray(snow, np.float32) * white
        if facets:
            ground *= 1 + facets * self._facets(below, sun)[..., None]
        return Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))

    def _facets(self, below: Floats, sun: float) -> Floats:
        """Sunny (1) and shaded (-1) sides, running down from the ridge at a slant."""
        spurs = np.tanh(3 * (self._wave(18) + 0.5 * self._wave(47)))[::COARSE]
        columns = np.arange(below.shape[1])[None, :]
        slant = 0.8 * self.view[1] / COARSE * (1 if sun < 0.5 else -1)
        place = np.clip(columns + below * slant, 0, below.shape[1] - 1).astype(int)
        return np.asarray(spurs[place] * np.exp(-np.maximum(below, 0) / 0.25), np.float32)

    def _ripples(self, width: int, height: int) -> Floats:
        texture = self._noise((width // COARSE + 1, 256), (14, 128))
        texture = texture + 0.6 * self._noise((width // COARSE + 1, 256), (40, 200))
        # Waves stand closer together the farther off they are.
        nearness = np.linspace(0, 1, height)
        rows = (255 * (1 - 1 / (1 + 5 * nearness)) * 1.2).astype(int)
        lines = Image.fromarray(texture[np.minimum(rows, 255)])
        return np.asarray(lines.resize((width, height), Image.Resampling.BILINEAR), np.float32)

    def _sun_path(self, top: int, height: int, sun: float) -> Image.Image:
        layer = Image.new("L", self.size, 0)
        draw = ImageDraw.Draw(layer)
        unit = self.view[1] / 768
        strokes = zip(
            self.random.uniform(0, 1, 520),
            self.random.normal(0, 1, 520),
            self.random.uniform(0.2, 1, 520),
            strict=True,
        )
        for depth, aside, level in strokes:
            near = depth**1.5
            x = self.across(sun) + aside * (0.02 + 0.085 * near) * self.view[0]
            y = top + near * height
            half = unit * (5 + 34 * near * level)
            thick = max(1, round(unit * (1 + 3.5 * near)))
            brightness = round(230 * level * math.exp(-abs(aside) * 0.7) * (1 - 0.55 * near))
            draw.line((x - half, y, x + half, y), brightness, thick)
        return layer.filter(ImageFilter.GaussianBlur(max(0.4, unit * 0.9)))
