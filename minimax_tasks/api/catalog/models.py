"""The models: one row for each model in each mode, with everything that is known of it.

Adding a model is adding its rows to `MODEL_MODES`. Requests, boards, tables, tasks, the sandbox and the `models`
command ask the functions at the end of this module.
"""

from dataclasses import dataclass
from enum import StrEnum

from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v1.endpoints import GENERATION


class Mode(StrEnum):
    """How a clip is asked for; on the wire the fields that are present determine it."""

    TEXT = "text-to-video"
    IMAGE = "image-to-video"
    START_END = "start-end-to-video"
    SUBJECT = "subject-to-video"
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
    cny: float
    source: str = "prices"


@dataclass(frozen=True)
class ModelMode:
    """One model in one mode. Prices and `reads_brackets` belong to the model, and are alike in all its modes."""

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
    reads_brackets: bool = False
    """Whether it reads camera commands in [brackets]; the others get plain words (source: t2v, i2v)."""
    is_default: bool = False
    """Whether it is the model of its mode where none is asked for (source: scope)."""
    prompt_limit: int = PROMPT_LIMIT
    endpoint: Endpoint = GENERATION

    def price(self, resolution: str, seconds: int) -> Price | None:
        """What one clip costs, or None when no price is published."""
        return next((p for p in self.prices if (p.resolution, p.seconds) == (resolution, seconds)), None)


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
        reads_brackets=True,
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
        reads_brackets=brackets,
        is_default=default,
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
)
"""Every model in every mode it serves, in the order of the published lists."""

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP")
IMAGE_MAX_BYTES = 20_000_000
IMAGE_MIN_SHORT_SIDE = 301
IMAGE_ASPECT = (2 / 5, 5 / 2)
"""Limits of a picture: format, under 20 MB, short side over 300 px, width / height (source: i2v)."""


def model_modes() -> tuple[ModelMode, ...]:
    """Every row."""
    return MODEL_MODES


def model_names() -> tuple[str, ...]:
    """The names of all models."""
    return tuple(dict.fromkeys(row.model for row in MODEL_MODES))


def models_for(mode: Mode) -> tuple[ModelMode, ...]:
    """The rows of one mode."""
    return tuple(row for row in MODEL_MODES if row.mode is mode)


def find_model_mode(model: str, mode: Mode) -> ModelMode | None:
    """The row of a model in a mode, or None when the model does not serve it."""
    return next((row for row in MODEL_MODES if row.model == model and row.mode is mode), None)


def default_model(mode: Mode) -> ModelMode:
    """The row of the model that makes clips of a mode where none is asked for."""
    return next(row for row in models_for(mode) if row.is_default)


def reads_brackets(model: str | None) -> bool:
    """Whether a model reads camera commands in [brackets]; one that is not known does not."""
    return any(row.reads_brackets for row in MODEL_MODES if row.model == model)


def prompt_limit(model: str | None) -> int:
    """Longest prompt in characters that a model takes."""
    return max((row.prompt_limit for row in MODEL_MODES if row.model == model), default=PROMPT_LIMIT)
