"""The report of a film: one HTML page that opens from disk, with every still and preview inside it."""

import math
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from minimax_tasks.storyboard.report.camera_icons import camera_svg, camera_words

_TEMPLATE = Path(__file__).with_name("page.html.j2")

GOOD_SEAM_DB = 32.0
"""From this PSNR upwards nobody sees the join of two clips."""

BAD_SEAM_DB = 24.0
"""Below this PSNR, everybody sees it."""


@dataclass(frozen=True)
class ReportTake:
    """One take of a shot. `still` is a WebP picture, `preview` an MP4; `usd` is None without a published price."""

    number: int
    picked: bool
    status: str
    still: bytes | None
    preview: bytes | None
    key: str
    task_id: str | None
    usd: float | None
    problem: str = ""


@dataclass(frozen=True)
class ReportShot:
    """One shot in its current state.

    `status` is "done", "failed", "waiting", "in doubt" or "generating". `start` and `end` place it in
    the film, `seconds` is the length of its clip. `commands` are the spans of the prompt that are
    camera instructions, `camera` the names of those moves, one group after the other. `first` and
    `last` are WebP pictures, `preview` is an MP4. `join` says how it follows the shot before: "continues",
    "cut", "fade 0.5 s", or "" for the first. The seam is measured across that join: `seam_psnr` in dB,
    `seam_luma` as a difference of 8-bit levels, `seam_saturation` and `seam_sharpness` as ratios, `seam_step` in parts of
    what changes from frame to frame around it.
    `problem` is the code and text of a failure, or what the shot waits for.
    """

    id: str
    status: str
    mode: str
    model: str
    resolution: str
    seconds: float
    start: float
    end: float
    width: int
    height: int
    fps: float
    frames: int
    prompt: str
    action: str
    dialogue: str
    notes: str
    commands: tuple[tuple[int, int], ...]
    camera: tuple[tuple[str, ...], ...]
    first_label: str
    last_label: str
    first: bytes | None
    last: bytes | None
    preview: bytes | None
    join: str
    seam_psnr: float | None
    seam_luma: float | None
    seam_saturation: float | None
    seam_sharpness: float | None
    seam_step: float | None
    usd: float | None
    task_id: str | None
    key: str
    warnings: tuple[str, ...]
    problem: str
    takes: tuple[ReportTake, ...]
    title: str = ""


@dataclass(frozen=True)
class FilmReport:
    """Everything that the page shows about a film.

    `service` is the host that made the clips, or "sandbox". `seconds` is the planned length while there is no
    `film`. `spent_usd` leaves out `unpriced` clips, which have no published price. `film` is the link to the
    film relative to the page, "" while there is none; then `width` and `height` say nothing.
    """

    title: str
    look: str
    board: str
    made_at: str
    service: str
    seconds: float
    fps: float
    width: int
    height: int
    joined: str
    spent_usd: float
    unpriced: int
    film: str
    shots: tuple[ReportShot, ...]
    warnings: tuple[str, ...]
    poster: bytes = b""
    """A picture of the film."""


def render_report(report: FilmReport) -> str:
    """Render the page. It loads nothing but the film next to it."""
    return _environment().get_template(_TEMPLATE.name).render(report=report).lstrip()


def timecode(seconds: float, fps: float) -> str:
    """Write a place in the film as non-drop timecode, `HH:MM:SS:FF`."""
    rate = max(1, round(fps))
    frames = round(seconds * fps)
    minutes, second = divmod(frames // rate, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{frames % rate:02}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": _anchor,
        "decibels": _decibels,
        "webp": _webp,
        "language": _language,
        "link": _link,
        "moves": camera_words,
        "mp4": _mp4,
        "parts": _parts,
        "script_hash": _script_hash,
        "seam": _seam,
        "seam_width": _seam_width,
        "signed": _signed,
        "timecode": timecode,
        "usd": _usd,
    }
    environment.globals["arrows"] = _arrows
    return environment


def _arrows(groups: tuple[tuple[str, ...], ...], size: int) -> Markup:
    return Markup(camera_svg(groups, size))


def _webp(data: bytes) -> Markup:
    return Markup("data:image/webp;base64,") + Markup(b64encode(data).decode())


def _mp4(data: bytes) -> Markup:
    return Markup("data:video/mp4;base64,") + Markup(b64encode(data).decode())


def _script_hash(script: str) -> str:
    return "sha256-" + b64encode(sha256(script.encode()).digest()).decode()


def _link(path: str) -> str:
    # Quoting the colon and dropping leading slashes leaves no way to point outside the page's folder.
    return quote(path.lstrip("/\\"))


def _anchor(shot_id: str) -> str:
    return "shot-" + re.sub(r"\s+", "-", shot_id.strip())


def _language(text: str) -> str:
    """Language of the glyphs: a Chinese prompt on an English page must not get Japanese ones."""
    return "zh" if re.search(r"[\u4e00-\u9fff]", text) else "en"


def _parts(text: str, spans: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, bool]]:
    """Cut a text at its spans: pieces, each with whether it lies in a span."""
    position = 0
    for start, end in sorted(spans):
        start = max(start, position)
        if start < end:
            yield text[position:start], False
            yield text[start:end], True
            position = end
    yield text[position:], False


def _usd(amount: float) -> str:
    return f"${amount:,.2f}"


def _seam(psnr: float) -> str:
    if psnr >= GOOD_SEAM_DB:
        return "good"
    return "look" if psnr >= BAD_SEAM_DB else "bad"


def _signed(number: float) -> str:
    rounded = round(number, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "±0"


def _decibels(psnr: float) -> str:
    return "the same picture" if math.isinf(psnr) else f"{psnr:.1f} dB"


def _seam_width(psnr: float) -> int:
    """Share of the bar, in percent: at 10 dB two pictures are unrelated, from 50 dB they are the same."""
    return round(100 * min(1.0, max(0.04, (psnr - 10) / 40)))
