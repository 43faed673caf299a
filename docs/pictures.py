"""Retakes the pictures of README and docs: `python -m docs.pictures` after `MINIMAX_LANGUAGE=en make demo`."""

import io
import re
import sys
from pathlib import Path

from PIL import Image

from minimax_tasks.clips.state import clip_states
from minimax_tasks.console.output import Output
from minimax_tasks.console.plan import plan_table
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.frames import frame_at
from tests.browser import Browser, open_browser

BOARD = "pipelines/storyboards/launch.yaml"
FILM = Path("demo-output/films/launch")
REPORT = FILM / "report.html"
DOCS = Path(__file__).parent

WIDE, EDGE, GAP = (1600, 900), 40, 28
"""Size of the picture of the README, its margin, and what lies between its parts, in pixels."""

BACKGROUND = (15, 14, 12)
"""That of the report."""


def main() -> None:
    """Write `plan.svg`, `report.jpg` and `wide.jpg` next to this file."""
    draw_plan()
    if not REPORT.exists():
        sys.exit("run `MINIMAX_LANGUAGE=en make demo` first")
    with open_browser() as browser:
        browser.open(REPORT.resolve(), width=1400, height=2250)
        page = taken(browser)
        page.resize((1050, page.height * 1050 // page.width)).save(DOCS / "report.jpg", quality=78)
        draw_wide(browser)


def draw_plan() -> None:
    """The plan of the board, as the terminal shows it."""
    plan = make_plan(BOARD, root="nothing-made-yet", language="en")
    states = clip_states(Storage("nothing-made-yet"), [segment.key for segment in plan.segments])
    console = Output(io.StringIO(), width=94, record=True)
    console.print(plan_table(plan, states))
    svg = console.export_svg(title=f"minimax-tasks plan {BOARD}")
    without_remote_fonts = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (DOCS / "plan.svg").write_text(without_remote_fonts, encoding="utf-8")


def draw_wide(browser: Browser) -> None:
    """A frame of the film over the strip of its shots, and next to them a card of the report."""
    card = part(browser, "article.shot:nth-of-type(2)", width=600)
    strip = part(browser, "nav.reel", width=1040)
    card_height = WIDE[1] - 2 * EDGE
    card = card.resize((card.width * card_height // card.height, card_height), Image.Resampling.LANCZOS)
    film_width = WIDE[0] - 2 * EDGE - GAP - card.width
    frame = frame_at(str(FILM / "film.mp4"), 0.4).convert("RGB")
    frame = frame.resize((film_width, frame.height * film_width // frame.width), Image.Resampling.LANCZOS)
    strip = strip.resize((film_width, strip.height * film_width // strip.width), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", WIDE, BACKGROUND)
    top = (WIDE[1] - frame.height - GAP - strip.height) // 2
    picture.paste(frame, (EDGE, top))
    picture.paste(strip, (EDGE, top + frame.height + GAP))
    picture.paste(card, (EDGE + film_width + GAP, (WIDE[1] - card.height) // 2))
    picture.save(DOCS / "wide.jpg", quality=82, optimize=True, progressive=True)


def part(browser: Browser, selector: str, width: int) -> Image.Image:
    """The first element of the report that matches, in a window of this width."""
    browser.open(REPORT.resolve(), width=width, height=900)
    box = browser.run(
        f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect(); "
        "return [b.left + scrollX, b.top + scrollY, b.right + scrollX, b.bottom + scrollY].map(Math.round) })()"
    )
    return taken(browser).crop(tuple(box))


def taken(browser: Browser) -> Image.Image:
    """The whole page that the browser shows."""
    return Image.open(io.BytesIO(browser.screenshot())).convert("RGB")


if __name__ == "__main__":
    main()
