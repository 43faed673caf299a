"""The shapes and lengths of clips of the second generation.

Only a part was measured on files of the service; the rest follows from it.
"""

from minimax_tasks.api.catalog.models import SIZES_768P, short_side

_SIZES: dict[str, dict[str, tuple[int, int]]] = {
    "768P": SIZES_768P,
    "2K": {
        "21:9": (2880, 1248), "16:9": (2560, 1440), "4:3": (1920, 1440), "1:1": (1440, 1440), "3:4": (1440, 1920),
        "9:16": (1440, 2560),
    },
    "480P": {
        "21:9": (960, 416), "16:9": (832, 480), "4:3": (640, 480), "1:1": (480, 480), "3:4": (480, 640),
        "9:16": (480, 832),
    },
}  # fmt: skip
_STEP = 32


def frame_size(resolution: str, ratio: str, aspect: float | None) -> tuple[int, int]:
    """Width and height of a clip: those of its ratio or, when it adapts, of about the same area in the shape of
    its picture (`aspect`, width by height), in steps of 32 pixels.
    """
    sizes = _SIZES.get(resolution) or _scaled(short_side(resolution) or 768)
    if ratio in sizes:
        return sizes[ratio]
    if aspect is None:
        return sizes["16:9"]
    width, height = sizes["16:9"]
    if abs(width / height / aspect - 1) < 0.03:
        return width, height
    high = (width * height / aspect) ** 0.5
    return _stepped(high * aspect), _stepped(high)


def _scaled(lines: int) -> dict[str, tuple[int, int]]:
    """The sizes of a resolution that nobody has measured."""
    scale = lines / 768
    return {ratio: (_stepped(w * scale), _stepped(h * scale)) for ratio, (w, h) in SIZES_768P.items()}


def frame_count(seconds: int, fps: int = 24) -> int:
    """How many frames a clip has: the least 17 n + 5 that last as long as was asked."""
    return 17 * -(-(seconds * fps - 5) // 17) + 5


def nearest_ratio(width: int, height: int) -> str:
    """The ratio that a clip of this size is told to have."""
    named = {ratio: size[0] / size[1] for ratio, size in SIZES_768P.items()}
    return min(named, key=lambda ratio: abs(named[ratio] - width / height))


def _stepped(length: float) -> int:
    return max(_STEP, _STEP * round(length / _STEP))
