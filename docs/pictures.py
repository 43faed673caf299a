"""Takes the pictures of the README anew: `python -m docs.pictures` after `make demo`."""

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
from tests.browser import open_browser

BOARD = "pipelines/storyboards/launch.yaml"
REPORT = Path("demo-output/films/launch/report.html")
DOCS = Path(__file__).parent


def main() -> None:
    """Write `plan.svg` and `report.jpg` beside this file."""
    plan = make_plan(BOARD, root="nothing-made-yet", language="zh")
    states = clip_states(Storage("nothing-made-yet"), [segment.key for segment in plan.segments])
    console = Output(io.StringIO(), width=94, record=True)
    console.print(plan_table(plan, states))
    svg = console.export_svg(title=f"minimax-tasks plan {BOARD}")
    without_remote_fonts = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (DOCS / "plan.svg").write_text(without_remote_fonts, encoding="utf-8")
    if not REPORT.exists():
        sys.exit("run `make demo` first")
    with open_browser() as browser:
        browser.open(REPORT.resolve(), width=1400, height=2250)
        shot = Image.open(io.BytesIO(browser.screenshot()))
    shot.convert("RGB").resize((1050, shot.height * 1050 // shot.width)).save(DOCS / "report.jpg", quality=82)


if __name__ == "__main__":
    main()
