"""Drawn landscapes for clips that start from text alone, chosen by the words of the prompt."""

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from PIL import Image, ImageDraw, ImageFilter

from minimax_tasks.sandbox.drawing.canvas import Canvas, Colour, mixed

Value = TypeVar("Value")


@dataclass(frozen=True)
class Light:
    """The colours of an hour of the day; `height` is how far down the frame the sun or moon stands."""

    top: Colour
    middle: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    near: Colour
    height: float
    stars: bool = False


DAWN = Light(
    (84, 110, 168), (204, 166, 190), (254, 218, 178), (255, 238, 210), (172, 150, 178), (44, 48, 80), 0.42
)
DAY = Light(
    (44, 108, 186), (112, 172, 224), (216, 234, 242), (255, 252, 232), (150, 182, 206), (30, 72, 66), 0.20
)
GOLDEN = Light(
    (58, 104, 150), (232, 184, 132), (255, 224, 152), (255, 246, 206), (196, 146, 120), (62, 40, 48), 0.36
)
DUSK = Light(
    (32, 34, 92), (150, 72, 126), (252, 150, 102), (255, 216, 160), (124, 70, 120), (22, 18, 46), 0.45
)
NIGHT = Light(
    (8, 12, 36), (20, 34, 80), (66, 90, 142), (238, 242, 255), (44, 62, 106), (7, 11, 25), 0.20, stars=True
)

LAMPLIGHT = (255, 214, 138)

HOURS: tuple[tuple[str, Light], ...] = (
    (r"\b(night|midnight|moon|stars?\b|starr)|夜|月|星空", NIGHT),
    (r"\b(sunset|dusk|twilight|evening|neon)|黄昏|日落|傍晚|晚霞|霓虹", DUSK),
    (r"\b(sunrise|dawn|morning|mist|fog)|清晨|日出|黎明|早晨|雾", DAWN),
    (r"\b(golden|autumn|warm|desert|dune)|秋|金色|沙漠", GOLDEN),
    (r"\b(noon|day\b|daylight|sunny|blue sky|summer)|正午|白天|晴", DAY),
)

PLACES: tuple[tuple[str, str], ...] = (
    (
        r"\b(seas?\b|seaside|ocean|beach|coast|shore|waves\b|swell\b|surf\b|tides?\b|(?<!of )waters?\b|bay\b"
        r"|boat|ferr(y|ies)\b|ships?\b|sail|yacht|trawler|barge|canoe|kayak|gulls?\b|seagull|lighthouse"
        r"|harbou?r|ports?\b|pier\b|jetty|quay|docks?\b|wharf|river|lake|island)"
        r"|海|湖|浪|船|岛|港|码头|渡轮|渡口|灯塔|江面|江上|河|水面",
        "sea",
    ),
    (r"\b(city|cities|street|skyline|tower|urban|neon|rooftop|traffic|metropolis)|城市|街|高楼|都市", "city"),
    (r"\b(mountain|peaks?\b|alps|cliff|snow|ridge|glacier)|山|雪|峰", "mountains"),
    (r"\b(desert|dune|sand\b|sahara)|沙漠|沙丘", "desert"),
    (r"\b(forest|trees?\b|woods\b|woodland|jungle|pines?\b|bamboo)|森林|树|竹", "forest"),
)

_MATERIAL = re.compile(
    r"\b(sea|ocean|water|river|city|street|mountain|snow|desert|sand|forest|tree|pine|bamboo|urban|tower)"
    r"[- ](greens?|blues?|whites?|grey|gray|colou?r(s|ed|ing)?|tones?|bottles?|glass(es)?|drops?|droplets"
    r"|wear|clothes|bikes?|tables?|chairs?|floors?|boards?|walls?|furniture|panels?|needles?|cones?)\b",
    re.IGNORECASE,
)
"""A colour or a thing that is called after a place."""

_STYLE = re.compile(
    r"\b(lens|lenses|grain|palette|lights?|lighting|lit|focus|bokeh|film|\d+ ?mm|anamorphic|cinematic|colou?rs?"
    r"|tones?|textures?|contrast|saturated|desaturated|style|look|mood|aesthetic|photorealistic|hdr|4k|8k)\b"
    r"|胶片|色调|质感|光线|光影|画质|颗粒|风格|焦距|景深|电影感|饱和|对比度",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]*")


def own_words(prompt: str) -> str:
    """The prompt without the look: the sentences at its end that speak of lenses, light and colours."""
    sentences = _SENTENCE.findall(prompt)
    while len(sentences) > 1 and _STYLE.search(sentences[-1]):
        sentences.pop()
    return "".join(sentences)


def place_in(prompt: str) -> str | None:
    """The place that the shot's own words name first."""
    return _matching(PLACES, _MATERIAL.sub(" ", own_words(prompt)))


def draw_scene(prompt: str, size: tuple[int, int], variant: int, *, margin: float = 0.0) -> Image.Image:
    """A landscape that suits the words of the prompt, different for every prompt and every `variant`.

    `size` is that of the frame. The picture reaches further on every side, by a share `margin` of the frame,
    so that a camera can move over it.
    """
    digest = hashlib.sha256(f"{variant}\n{prompt}".encode()).digest()
    seed = int.from_bytes(digest[:8], "big")
    rng = random.Random(seed)
    light = _matching(HOURS, prompt) or rng.choice((DAWN, DAY, GOLDEN, DUSK))
    place = place_in(prompt) or rng.choice(("hills", "hills", "mountains", "sea"))
    canvas = Canvas(size, margin, seed)
    sun = rng.uniform(0.2, 0.8), light.height + rng.uniform(-0.04, 0.04)
    DRAWERS[place](canvas, light, sun)
    return canvas.image


def draw_portrait(
    subject: Image.Image, prompt: str, size: tuple[int, int], variant: int, *, margin: float = 0.0
) -> Image.Image:
    """The subject's picture as a card before a scene that suits the prompt; sizes as in `draw_scene`."""
    height = size[1]
    scene = draw_scene(prompt, size, variant, margin=margin)
    scene = scene.filter(ImageFilter.BoxBlur(max(1, height // 60)))
    scale = min(0.6 * size[0] / subject.width, 0.66 * height / subject.height)
    card = subject.convert("RGB").resize(
        (max(8, round(subject.width * scale)), max(8, round(subject.height * scale))),
        Image.Resampling.LANCZOS,
    )
    left = (scene.width - card.width) // 2
    top = (scene.height - card.height) // 2 - height // 20
    rim, radius, drop = max(1, height // 110), max(2, height // 36), max(1, height // 50)

    framed = (card.width + 2 * rim, card.height + 2 * rim)
    shadow = Image.new("L", scene.size, 0)
    shadow.paste(170, (left - rim, top - rim + drop), _rounded(framed, radius))
    scene.paste(
        (10, 10, 18), None, shadow.filter(ImageFilter.BoxBlur(drop)).filter(ImageFilter.BoxBlur(drop))
    )
    scene.paste((246, 242, 234), (left - rim, top - rim), _rounded(framed, radius))
    scene.paste(card, (left, top), _rounded(card.size, max(1, radius - rim)))
    return scene


def pin_up(scene: Image.Image, pictures: Sequence[Image.Image], size: tuple[int, int]) -> Image.Image:
    """The scene with small pictures in a row, in the middle of the part of it that is in the frame."""
    if not pictures:
        return scene
    room = (size[0] * 0.84 / len(pictures), size[1] * 0.34)
    tiles = []
    for picture in pictures:
        scale = min(0.92 * room[0] / picture.width, room[1] / picture.height)
        whole = (max(4, round(picture.width * scale)), max(4, round(picture.height * scale)))
        tiles.append(picture.convert("RGB").resize(whole, Image.Resampling.LANCZOS))
    rim = max(1, size[1] // 160)
    left = scene.width / 2 - room[0] * len(tiles) / 2
    for number, tile in enumerate(tiles):
        x = round(left + room[0] * number + (room[0] - tile.width) / 2)
        y = (scene.height - tile.height) // 2
        scene.paste((246, 242, 234), (x - rim, y - rim, x + tile.width + rim, y + tile.height + rim))
        scene.paste(tile, (x, y))
    return scene


def _matching(table: tuple[tuple[str, Value], ...], prompt: str) -> Value | None:
    """The value whose words come first in the prompt."""
    found = [
        (match.start(), value) for words, value in table if (match := re.search(words, prompt, re.IGNORECASE))
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 2 - 1, size[1] * 2 - 1), radius * 2, 255)
    return mask.resize(size, Image.Resampling.BOX)


def _sky(canvas: Canvas, light: Light, sun: tuple[float, float], horizon: float) -> None:
    canvas.gradient(light.top, light.middle, light.horizon, horizon)
    canvas.clouds(mixed(light.horizon, light.sun, 0.5), horizon, 0.35 if light.stars else 0.7)
    canvas.glow(sun, light.sun, 0.5 if light.stars else 1.0)
    if light.stars:
        canvas.stars(horizon)
    canvas.disc(sun, 0.055 if light.stars else 0.065, mixed(light.sun, (255, 255, 255), 0.4))


def _depth(light: Light, share: float) -> tuple[Colour, Colour]:
    """The colours of a layer of land, top and foot: 0 is far off in the haze, 1 is near."""
    ground = mixed(light.far, light.near, share)
    return ground, mixed(ground, light.horizon, 0.38 * (1 - share) + 0.05)


def _hills(canvas: Canvas, light: Light, sun: tuple[float, float]) -> None:
    _sky(canvas, light, sun, 0.62)
    for layer in range(5):
        share = layer / 4
        ridge = canvas.ridge(0.52 + 0.1 * layer, 0.13 - 0.012 * layer, cells=3 + layer // 2)
        if layer == 3:
            ridge = canvas.conifers(ridge, count=26, tallest=0.05, clumped=True)
        canvas.land(ridge, *_depth(light, share))
    canvas.birds(light.near)


def _mountains(canvas: Canvas, light: Light, sun: tuple[float, float]) -> None:
    _sky(canvas, light, sun, 0.62)
    snow = mixed((255, 255, 255), light.horizon, 0.35 if not light.stars else 0.7)
    for layer, (base, height, cells) in enumerate(((0.5, 0.34, 3), (0.6, 0.26, 4))):
        ridge = canvas.ridge(base, height, cells=cells, jagged=True)
        upper, lower = _depth(light, 0.12 + 0.25 * layer)
        canvas.land(ridge, upper, lower, facets=0.24, snow=snow, sun=sun[0])
    for layer in range(3):
        ridge = canvas.ridge(0.7 + 0.08 * layer, 0.09, cells=3)
        ridge = canvas.conifers(ridge, count=50 + 20 * layer, tallest=0.05 + 0.03 * layer, clumped=layer < 2)
        canvas.land(ridge, *_depth(light, 0.6 + 0.2 * layer))
    canvas.birds(light.near)


def _sea(canvas: Canvas, light: Light, sun: tuple[float, float]) -> None:
    horizon = 0.56
    _sky(canvas, light, sun, horizon)
    canvas.land(canvas.ridge(horizon - 0.005, 0.10, cells=4, peaks=True), *_depth(light, 0.1))
    canvas.land(canvas.ridge(horizon + 0.01, 0.07, cells=5, peaks=True), *_depth(light, 0.4))
    canvas.water(horizon, mixed(light.near, light.top, 0.45), sun[0], light.sun)
    canvas.boat(mixed(light.near, light.far, 0.15), horizon)
    canvas.birds(light.near)


def _city(canvas: Canvas, light: Light, sun: tuple[float, float]) -> None:
    _sky(canvas, light, sun, 0.72)
    lit = 0.42 if light in (NIGHT, DUSK) else 0.06
    concrete = replace(light, near=mixed(light.near, light.top, 0.3))
    rows = ((0.78, 0.34, 0.030), (0.88, 0.40, 0.05), (1.02, 0.42, 0.085))
    for layer, (base, tallest, width) in enumerate(rows):
        upper, lower = _depth(concrete, 0.15 + 0.38 * layer)
        canvas.buildings(base, tallest, width, upper, lower, LAMPLIGHT, lit)


def _desert(canvas: Canvas, light: Light, sun: tuple[float, float]) -> None:
    _sky(canvas, light, sun, 0.6)
    sand = mixed((232, 176, 112), light.near, 0.75 if light.stars else 0.1)
    shade = mixed(sand, light.near, 0.65)
    for layer in range(4):
        share = layer / 3
        ridge = canvas.ridge(0.55 + 0.12 * layer, 0.1 + 0.03 * layer, cells=2 + layer % 2, octaves=1)
        upper = mixed(light.horizon, sand, 0.35 + 0.65 * share)
        canvas.land(ridge, upper, mixed(upper, shade, 0.3 + 0.6 * share))
    canvas.birds(light.near)


def _forest(canvas: Canvas, light: Light, sun: tuple[float, float]) -> None:
    _sky(canvas, light, sun, 0.66)
    canvas.land(canvas.ridge(0.5, 0.2, cells=3), *_depth(light, 0.05))
    for layer in range(4):
        ridge = canvas.ridge(0.62 + 0.12 * layer, 0.06, cells=3)
        tallest = 0.09 + 0.075 * layer
        ridge = canvas.conifers(ridge, count=70 - 12 * layer, tallest=tallest, clumped=layer == 3)
        canvas.land(ridge, *_depth(light, 0.2 + 0.26 * layer))
    canvas.birds(light.near)


DRAWERS: dict[str, Callable[[Canvas, Light, tuple[float, float]], None]] = {
    "hills": _hills,
    "mountains": _mountains,
    "sea": _sea,
    "city": _city,
    "desert": _desert,
    "forest": _forest,
}
