"""The models: one row for each model in each mode, with everything that is known of it.

Adding a model is adding its rows to `MODEL_MODES`. Requests, boards, tables, tasks, the sandbox and the `models`
command ask the functions at the end of this module.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v1.endpoints import GENERATION
from minimax_tasks.api.v2 import endpoints as v2


class Mode(StrEnum):
    """How a clip is asked for; on the wire the fields that are present determine it."""

    TEXT = "text-to-video"
    IMAGE = "image-to-video"
    START_END = "start-end-to-video"
    SUBJECT = "subject-to-video"
    REFERENCE = "reference-to-video"
    TEMPLATE = "template"


class SendSize(StrEnum):
    """When `duration` and `resolution` are put on the wire."""

    ALWAYS = "always"
    UNLESS_DEFAULT = "unless default"
    """The sources disagree on which values the model takes, so that its default is best left unsaid."""
    NEVER = "never"
    """The mode has neither field in the API reference."""


@dataclass(frozen=True)
class Size:
    """One resolution with the durations (seconds) it comes in.

    `caveat` is the reason to warn: public material disagrees on whether the service takes it.
    """

    resolution: str
    seconds: tuple[int, ...]
    source: str
    caveat: str = ""


PROMPT_LIMIT = 2000
"""Longest prompt in characters, in every mode, and longest text of a template (source: t2v)."""


@dataclass(frozen=True)
class Price:
    """What one clip of a size costs. Regions are billed apart: USD on the global host, CNY on the Chinese one."""

    resolution: str
    seconds: int
    usd: float
    cny: float | None
    source: str = "prices"


@dataclass(frozen=True)
class Rate:
    """What one second of a clip costs where the price is by the second."""

    resolution: str
    usd: float
    cny: float | None = None


@dataclass(frozen=True)
class PicturePrice:
    """What the pictures of a request cost, those past the free ones each."""

    free: int
    usd: float
    cny: float | None = None


@dataclass(frozen=True)
class PictureLimits:
    """What pictures the service takes: formats as Pillow names them, bytes, pixels, width by height.

    `most_bytes` and `shortest` and `longest` are themselves allowed.
    """

    formats: tuple[str, ...]
    most_bytes: int
    shortest: int
    longest: int | None
    aspect: tuple[float, float]
    says_bytes: str
    """The limit of bytes for people: `under 20 MB`."""


@dataclass(frozen=True)
class RecordingLimits:
    """What videos or sounds the service takes as references. Lengths in seconds, `together` of all of them.

    `containers` and `codecs` are FFmpeg's words; `rates` are frames a second.
    """

    words: str
    containers: frozenset[str]
    codecs: frozenset[str]
    sound_codecs: frozenset[str]
    most_bytes: int
    seconds: tuple[float, float] = (2.0, 15.0)
    together: float = 15.0
    rates: tuple[float, float] = (23.976, 60.0)


@dataclass(frozen=True)
class ReferenceLimits:
    """How many files a request with references has at most, of each kind and in all."""

    images: int
    videos: int
    audios: int
    files: int
    video: RecordingLimits
    audio: RecordingLimits


class Optimizer(StrEnum):
    """How a model is told whether to rewrite the prompt."""

    SWITCH = "prompt_optimizer"
    EXPANSION = "prompt_expansion_mode"
    NONE = "none"
    """It cannot be told."""


class CameraForm(StrEnum):
    """How a model is told what the camera does."""

    BRACKETS = "brackets"
    """Commands such as `[Push in]` (source: t2v, i2v)."""
    WORDS = "words"
    """Plain words, since it reads no commands."""
    CLAUSES = "clauses"
    """The clauses of its prompt guide: the camera pushes in (source: h3r)."""


RATIOS = ("adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
"""The shapes of a clip; the first one is that of the pictures (source: v2)."""

V1_PICTURES = PictureLimits(("JPEG", "PNG", "WEBP"), 19_999_999, 301, None, (2 / 5, 5 / 2), "under 20 MB")
"""Limits of the first generation (source: i2v)."""

V2_PICTURES = PictureLimits(("JPEG", "PNG", "WEBP"), 30_000_000, 256, 5760, (2 / 5, 5 / 2), "at most 30 MB")
"""Limits of the second generation, which takes HEIC as well: by its URL, since it cannot be judged here (source: v2)."""

_REFERENCES = ReferenceLimits(
    images=9,
    videos=3,
    audios=3,
    files=12,
    video=RecordingLimits(
        "an MP4 or MOV video (H.264 or H.265, sound AAC or MP3)",
        frozenset({"mp4", "mov"}),
        frozenset({"h264", "hevc"}),
        frozenset({"aac", "mp3"}),
        50_000_000,
    ),
    audio=RecordingLimits(
        "a WAV or MP3 sound",
        frozenset({"wav", "mp3"}),
        frozenset(),
        frozenset(),
        15_000_000,
    ),
)
"""References of the second generation (source: v2, h3r)."""


@dataclass(frozen=True)
class ModelMode:
    """One model in one mode. Prices and `camera` belong to the model, and are alike in all its modes."""

    model: str
    mode: Mode
    sizes: tuple[Size, ...]
    default_resolution: str
    default_seconds: int
    fps: int
    fast_pretreatment: bool
    source: str
    caveat: str = ""
    sends_size: SendSize = SendSize.ALWAYS
    prices: tuple[Price, ...] = ()
    """Empty where none is published."""
    camera: CameraForm = CameraForm.WORDS
    is_default: bool = False
    """Whether it is the model of its mode where none is asked for (source: scope)."""
    prompt_limit: int = PROMPT_LIMIT
    needs_prompt: bool = False
    """Whether a clip from pictures needs a prompt as well; one from text always does."""
    endpoint: Endpoint = GENERATION
    rates: tuple[Rate, ...] = ()
    """Where the price is by the second."""
    picture_price: PicturePrice | None = None
    pictures: PictureLimits = V1_PICTURES
    references: ReferenceLimits | None = None
    subjects: int | None = None
    """Most pictures of a subject; None where the sources have one, and some clients send more."""
    ratios: tuple[str, ...] = ()
    """Empty for a model whose clips have one shape, or that of the first frame."""
    wants_ratio: str = ""
    """Why to warn when no ratio is given where it could be left out."""
    optimizer: Optimizer = Optimizer.SWITCH
    longer_by: float = 0.0
    """How many seconds longer than asked a clip is at most, as a matter of course."""
    speaks: bool = False
    """Whether its clips have sound, and what is spoken in them goes into the prompt."""

    @property
    def reads_brackets(self) -> bool:
        """Whether it reads camera commands in [brackets]."""
        return self.camera is CameraForm.BRACKETS

    def price(self, resolution: str, seconds: int) -> Price | None:
        """What one clip costs without its pictures, or None when no price is published."""
        found = next((p for p in self.prices if (p.resolution, p.seconds) == (resolution, seconds)), None)
        rate = next((rate for rate in self.rates if rate.resolution == resolution), None)
        if found is not None or rate is None:
            return found
        cny = None if rate.cny is None else round(rate.cny * seconds, 6)
        return Price(resolution, seconds, round(rate.usd * seconds, 6), cny, "paygo-h3")

    def usd(
        self, resolution: str, seconds: int, *, pictures: int = 0, reference_seconds: float = 0.0
    ) -> float | None:
        """What a clip costs with everything that goes into it, or None when no price is published."""
        price = self.price(resolution, seconds)
        if price is None:
            return None
        usd = price.usd
        for rate in self.rates:
            usd += rate.usd * reference_seconds if rate.resolution == resolution else 0.0
        if self.picture_price is not None:
            usd += max(0, pictures - self.picture_price.free) * self.picture_price.usd
        return round(usd, 6)


H23, H23F, H02 = "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"

_FAST_TEXT = (
    "MiniMax-Hailuo-2.3-Fast is listed for text-to-video, but the API reference has it for image-to-video "
    "only and the service has answered 2013 to it"
)
_TEN_SECONDS = "the API reference has 6 and 10 s at 768P for image-to-video, an older list only 6 s"
_LONG_HD = (
    "10 s is listed next to 1080P for image-to-video on MiniMax-Hailuo-02, but the API reference has 6 s only "
    "at 1080P and the service has answered 2013 to 10 s"
)
_512_TEXT = (
    "512P is listed for text-to-video on MiniMax-Hailuo-02, but the API reference has it for "
    "image-to-video only"
)
_HD = (Size("768P", (6, 10), "t2v"), Size("1080P", (6,), "t2v"))
_HD_IMAGE = (
    Size("768P", (6,), "scope"),
    Size("768P", (10,), "i2v", caveat=_TEN_SECONDS),
    Size("1080P", (6,), "i2v"),
)
_720 = (Size("720P", (6,), "scope"),)


_PRICES_23 = (
    Price("768P", 6, 0.28, 2.00),
    Price("768P", 10, 0.56, 4.00),
    Price("1080P", 6, 0.49, 3.50),
)
_PRICES_23_FAST = (
    Price("768P", 6, 0.19, 1.35),
    Price("768P", 10, 0.32, 2.25),
    Price("1080P", 6, 0.33, 2.31),
)
_PRICES_02 = (
    Price("512P", 6, 0.10, 0.60),
    Price("512P", 10, 0.15, 1.00),
    Price("768P", 6, 0.28, 2.00),
    Price("768P", 10, 0.56, 4.00),
    Price("1080P", 6, 0.49, 3.50),
)


def _hailuo(
    model: str,
    mode: Mode,
    sizes: tuple[Size, ...],
    prices: tuple[Price, ...],
    source: str,
    *,
    fast: bool = True,
    caveat: str = "",
    default: bool = False,
) -> ModelMode:
    return ModelMode(
        model,
        mode,
        sizes,
        "768P",
        6,
        24,
        fast,
        source,
        caveat,
        prices=prices,
        camera=CameraForm.BRACKETS,
        is_default=default,
    )


def _first_series(
    model: str,
    mode: Mode,
    source: str,
    sizes: tuple[Size, ...] = _720,
    *,
    brackets: bool = False,
    sends_size: SendSize = SendSize.UNLESS_DEFAULT,
    default: bool = False,
) -> ModelMode:
    """The 01 series and S2V-01 have no published price."""
    return ModelMode(
        model,
        mode,
        sizes,
        "720P",
        6,
        25,
        False,
        source,
        sends_size=sends_size,
        camera=CameraForm.BRACKETS if brackets else CameraForm.WORDS,
        is_default=default,
    )


H3, H3_MAX, H3_HIGHSPEED, H3_LITE = (
    "MiniMax-H3", "MiniMax-H3-Max", "MiniMax-H3-Highspeed", "MiniMax-H3-Lite",
)  # fmt: skip
H3_FAMILY = "MiniMax-H3-"
"""What the names of further models of the second generation start with."""

_H3_MODES = (Mode.TEXT, Mode.IMAGE, Mode.START_END, Mode.SUBJECT, Mode.REFERENCE)
_MAX_REFERENCES = "the global platform's page has no references for MiniMax-H3-Max, the Chinese one has"
_NOT_ON_THE_PAGES = "{} is not on the pages of the API, only in a list of 2026-10-24"


def _h3(
    model: str,
    resolutions: tuple[str, ...],
    source: str,
    *,
    shortest: int = 4,
    rates: tuple[Rate, ...] = (),
    picture_price: PicturePrice | None = None,
    caveat: str = "",
    reference_caveat: str = "",
    wants_ratio: str = "",
    optimizer: Optimizer = Optimizer.NONE,
    default: bool = False,
) -> tuple[ModelMode, ...]:
    """A model of the second generation in all its modes. Each whole second up to 15 is possible."""
    seconds = tuple(range(shortest, 16))
    return tuple(
        ModelMode(
            model,
            mode,
            tuple(Size(resolution, seconds, source) for resolution in resolutions),
            "768P",
            5,
            24,
            False,
            source,
            caveat or (reference_caveat if mode in (Mode.SUBJECT, Mode.REFERENCE) else ""),
            is_default=default and mode is Mode.REFERENCE,
            prompt_limit=7000,
            needs_prompt=True,
            endpoint=v2.GENERATION,
            rates=rates,
            picture_price=picture_price,
            pictures=V2_PICTURES,
            references=_REFERENCES if mode is Mode.REFERENCE else None,
            subjects=_REFERENCES.images,
            ratios=RATIOS,
            wants_ratio=wants_ratio if mode in (Mode.SUBJECT, Mode.REFERENCE) else "",
            optimizer=optimizer,
            longer_by=0.75,
            speaks=True,
            camera=CameraForm.CLAUSES,
        )
        for mode in _H3_MODES
    )


MODEL_MODES: tuple[ModelMode, ...] = (
    _hailuo(H23, Mode.TEXT, _HD, _PRICES_23, "t2v", default=True),
    _hailuo(H23F, Mode.TEXT, _HD, _PRICES_23_FAST, "scope", fast=False, caveat=_FAST_TEXT),
    _hailuo(H02, Mode.TEXT, (Size("512P", (6, 10), "scope", caveat=_512_TEXT), *_HD), _PRICES_02, "t2v"),
    _first_series("T2V-01-Director", Mode.TEXT, "t2v", brackets=True),
    _first_series("T2V-01", Mode.TEXT, "t2v"),
    _hailuo(H23, Mode.IMAGE, _HD_IMAGE, _PRICES_23, "i2v", default=True),
    _hailuo(H23F, Mode.IMAGE, _HD_IMAGE, _PRICES_23_FAST, "i2v"),
    _hailuo(
        H02,
        Mode.IMAGE,
        (
            Size("512P", (6, 10), "i2v"),
            Size("768P", (6, 10), "i2v"),
            Size("1080P", (6,), "i2v"),
            Size("1080P", (10,), "scope", caveat=_LONG_HD),
        ),
        _PRICES_02,
        "i2v",
    ),
    _first_series("I2V-01-Director", Mode.IMAGE, "i2v", brackets=True),
    _first_series("I2V-01-live", Mode.IMAGE, "i2v"),
    _first_series("I2V-01", Mode.IMAGE, "i2v"),
    _hailuo(
        H02,
        Mode.START_END,
        (Size("768P", (6, 10), "fl2v"), Size("1080P", (6,), "fl2v")),
        _PRICES_02,
        "fl2v",
        fast=False,
        default=True,
    ),
    _first_series(
        "S2V-01",
        Mode.SUBJECT,
        "s2v",
        (*_720, Size("1080P", (6,), "guide")),
        sends_size=SendSize.NEVER,
        default=True,
    ),
    *_h3(
        H3,
        ("768P", "2K"),
        "v2",
        rates=(Rate("768P", 0.08, 0.50), Rate("2K", 0.13, 0.80)),
        picture_price=PicturePrice(5, 0.04, 0.20),
        default=True,
    ),
    *_h3(
        H3_MAX,
        ("480P", "768P"),
        "v2-cn",
        shortest=5,
        rates=(Rate("480P", 0.05), Rate("768P", 0.08)),
        picture_price=PicturePrice(2, 0.074),
        reference_caveat=_MAX_REFERENCES,
        optimizer=Optimizer.EXPANSION,
    ),
    *_h3(H3_HIGHSPEED, ("768P",), "hoobnn", caveat=_NOT_ON_THE_PAGES.format(H3_HIGHSPEED)),
    *_h3(
        H3_LITE,
        ("480P", "768P"),
        "hoobnn",
        caveat=_NOT_ON_THE_PAGES.format(H3_LITE),
        wants_ratio="MiniMax-H3-Lite is said to want a ratio with references",
    ),
)
"""Every model in every mode it serves, in the order of the published lists."""


def short_side(resolution: str) -> int:
    """The short side in pixels of a 16:9 clip of a resolution: 768 for 768P, 1440 for 2K; 0 for no resolution."""
    lines = resolution.upper().removesuffix("P")
    return _SHORT_SIDES.get(resolution.upper(), int(lines) if lines.isdecimal() else 0)


def expected_short_side(resolution: str, ratio: str) -> int:
    """The short side in pixels that a clip of this size and shape should have; 0 where that is not known."""
    if not ratio or ratio == "16:9":
        return short_side(resolution)
    return min(SIZES_768P[ratio]) if resolution == "768P" and ratio in SIZES_768P else 0


_SHORT_SIDES = {"2K": 1440}

SIZES_768P: dict[str, tuple[int, int]] = {
    "21:9": (1536, 672), "16:9": (1344, 768), "4:3": (1024, 768), "1:1": (768, 768), "3:4": (768, 1024),
    "9:16": (768, 1344),
}  # fmt: skip
"""Width and height of clips of the second generation at 768P (source: h3r; 16:9 was measured)."""


def model_modes() -> tuple[ModelMode, ...]:
    """Every row."""
    return MODEL_MODES


def model_names() -> tuple[str, ...]:
    """The names of all models."""
    return tuple(dict.fromkeys(row.model for row in MODEL_MODES))


def models_for(mode: Mode) -> tuple[ModelMode, ...]:
    """The rows of one mode."""
    return tuple(row for row in MODEL_MODES if row.mode is mode)


def find_model_mode(model: str, mode: Mode | str | None) -> ModelMode | None:
    """The row of a model in a mode, or None when the model does not serve it.

    A model of the second generation that is not listed is taken as its first one, with a caveat.
    """
    for row in MODEL_MODES:
        if row.model == model and row.mode == mode:
            return row
    if not _is_new_h3(model):
        return None
    like = (
        next(row for row in MODEL_MODES if row.model == H3 and row.mode == mode)
        if mode in _H3_MODES
        else None
    )
    if like is None:
        return None
    unlisted = Size("480P", tuple(range(4, 16)), like.source, "which sizes and lengths it has is not known")
    return replace(
        like,
        model=model,
        sizes=(*like.sizes, unlisted),
        caveat=f"{model} is not in the catalogue: it is taken for a model like {H3}, without a price",
        rates=(),
        picture_price=None,
        is_default=False,
    )


def _is_new_h3(model: str) -> bool:
    return model.startswith(H3_FAMILY) and len(model) > len(H3_FAMILY) and model not in model_names()


def default_model(mode: Mode) -> ModelMode:
    """The row of the model that makes clips of a mode where none is asked for."""
    return next(row for row in models_for(mode) if row.is_default)


def camera_form(model: str | None) -> CameraForm:
    """How a model is told what the camera does; one that is not known gets plain words."""
    return next((row.camera for row in _rows_of(model)), CameraForm.WORDS)


def reads_brackets(model: str | None) -> bool:
    """Whether a model reads camera commands in [brackets]; one that is not known does not."""
    return camera_form(model) is CameraForm.BRACKETS


def picture_limits(model: str | None) -> PictureLimits:
    """What pictures a model takes; one that is not known those of the first generation."""
    return next((row.pictures for row in _rows_of(model)), V1_PICTURES)


def speaks(model: str | None) -> bool:
    """Whether the clips of a model have sound."""
    return any(row.speaks for row in _rows_of(model))


def prompt_limit(model: str | None) -> int:
    """Longest prompt in characters that a model takes."""
    return max((row.prompt_limit for row in _rows_of(model)), default=PROMPT_LIMIT)


def _rows_of(model: str | None) -> tuple[ModelMode, ...]:
    known = H3 if model is not None and _is_new_h3(model) else model
    return tuple(row for row in MODEL_MODES if row.model == known)
