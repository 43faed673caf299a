"""Models x modes x resolutions x durations."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class Mode(StrEnum):
    """How a clip is asked for; on the wire the mode is which fields are present."""

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


@dataclass(frozen=True)
class ModelMode:
    """One model in one mode."""

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


H23, H23F, H02 = "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"

_FAST_TEXT = (
    "MiniMax-Hailuo-2.3-Fast is listed for text-to-video, but the API reference has it for image-to-video "
    "only and the service has answered 2013 to it"
)
_TEN_SECONDS = "the API reference has 6 and 10 s at 768P for image-to-video, an older list only 6 s"
_LONG_HD = (
    "10 s is listed beside 1080P for image-to-video on MiniMax-Hailuo-02, but the API reference has 6 s only "
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


def _hailuo(
    model: str, mode: Mode, sizes: tuple[Size, ...], source: str, *, fast: bool = True, caveat: str = ""
) -> ModelMode:
    return ModelMode(model, mode, sizes, "768P", 6, 24, fast, source, caveat)


def _first_series(
    model: str,
    mode: Mode,
    source: str,
    sizes: tuple[Size, ...] = _720,
    sends_size: SendSize = SendSize.UNLESS_DEFAULT,
) -> ModelMode:
    return ModelMode(model, mode, sizes, "720P", 6, 25, False, source, sends_size=sends_size)


MODEL_MODES: tuple[ModelMode, ...] = (
    _hailuo(H23, Mode.TEXT, _HD, "t2v"),
    _hailuo(H23F, Mode.TEXT, _HD, "scope", fast=False, caveat=_FAST_TEXT),
    _hailuo(H02, Mode.TEXT, (Size("512P", (6, 10), "scope", caveat=_512_TEXT), *_HD), "t2v"),
    _first_series("T2V-01-Director", Mode.TEXT, "t2v"),
    _first_series("T2V-01", Mode.TEXT, "t2v"),
    _hailuo(H23, Mode.IMAGE, _HD_IMAGE, "i2v"),
    _hailuo(H23F, Mode.IMAGE, _HD_IMAGE, "i2v"),
    _hailuo(
        H02,
        Mode.IMAGE,
        (
            Size("512P", (6, 10), "i2v"),
            Size("768P", (6, 10), "i2v"),
            Size("1080P", (6,), "i2v"),
            Size("1080P", (10,), "scope", caveat=_LONG_HD),
        ),
        "i2v",
    ),
    _first_series("I2V-01-Director", Mode.IMAGE, "i2v"),
    _first_series("I2V-01-live", Mode.IMAGE, "i2v"),
    _first_series("I2V-01", Mode.IMAGE, "i2v"),
    _hailuo(
        H02,
        Mode.START_END,
        (Size("768P", (6, 10), "fl2v"), Size("1080P", (6,), "fl2v")),
        "fl2v",
        fast=False,
    ),
    _first_series("S2V-01", Mode.SUBJECT, "s2v", (*_720, Size("1080P", (6,), "guide")), SendSize.NEVER),
)
"""Every model in every mode it serves, in the order of the published lists."""

MODELS = tuple(dict.fromkeys(model_mode.model for model_mode in MODEL_MODES))
"""The names of all models."""

PROMPT_LIMIT = 2000
"""Longest prompt in characters, in every mode (source: t2v)."""

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP")
IMAGE_MAX_BYTES = 20_000_000
IMAGE_MIN_SHORT_SIDE = 301
IMAGE_ASPECT = (2 / 5, 5 / 2)
"""Limits of a picture: format, under 20 MB, short side over 300 px, width / height (source: i2v)."""

REGIONS: dict[str, str] = {
    "api.minimaxi.com": "zh",
    "api.minimax.cn": "zh",
    "api.minimax.chat": "zh",
    "api.minimax.io": "en",
    "api.minimaxi.chat": "en",
}
"""Host -> the language of its region. Keys are bound to a region (source: live)."""

DEFAULT_HOST = "api.minimaxi.com"
"""Where requests go unless a setting says otherwise (source: scope)."""

GLOBAL_HOST = "api.minimax.io"
"""The same for keys of the global platform (source: t2v)."""


def host_language(host: str) -> str:
    """The language of a host's region, "zh" or "en"; empty for a host of no region."""
    return REGIONS.get(host.partition(":")[0].lower(), "")


def region_language(base_url: str) -> str:
    """The language of a base URL's region; a host of no region counts as the default one."""
    try:
        return host_language(urlsplit(base_url.strip()).netloc) or REGIONS[DEFAULT_HOST]
    except ValueError:  # no URL at all, which is told when it is to be used
        return REGIONS[DEFAULT_HOST]


def models_for(mode: Mode) -> tuple[ModelMode, ...]:
    """The rows of one mode."""
    return tuple(model_mode for model_mode in MODEL_MODES if model_mode.mode is mode)


def find_model_mode(model: str, mode: Mode) -> ModelMode | None:
    """The row of a model in a mode, or None when the model does not serve it."""
    return next(
        (model_mode for model_mode in MODEL_MODES if model_mode.model == model and model_mode.mode is mode),
        None,
    )
