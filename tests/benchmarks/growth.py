"""How costs grow with the number of clips, rows and shots: measured at three sizes, and drawn for the docs."""

import argparse
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

from tests.benchmarks.large import planning_seconds, report_of, table_planned

SIZES = (100, 1_000, 10_000)
BOARDS = (100, 1_000, 5_000)
"""Shots; a board has no more."""

FILMS = (50, 200, 800)
"""Shots of films whose report is measured; its stills and previews stand in one page."""

PICTURE = Path(__file__).parents[2] / "docs" / "explanation" / "growth.svg"

WIDTH, HEIGHT, GAP, TOP, FOOT = 200, 120, 60, 46, 34
"""Pixels of one curve's field, between two of them, above and below."""

Costs = Mapping[int, float]


def measured(options: argparse.Namespace) -> dict[str, Costs]:
    """What is drawn -> its cost at each size."""
    from tests.benchmarks.__main__ import run

    runs = {size: run("dataset", size, seconds=max(20.0, size / 60)) for size in SIZES}
    plans = {size: table_planned(size) for size in SIZES}
    return {
        "CPU of a clip, ms": _each(lambda size: 1000 * runs[size]["cpu"] / size),
        "memory of a run, MB": _each(lambda size: runs[size]["peak_mb"]),
        "CPU to plan a row, ms": _each(lambda size: 1000 * plans[size]["cpu"] / size),
        "memory of a table's plan, MB": _each(lambda size: plans[size]["mb"]),
        "CPU to plan a shot, ms": {size: 1000 * planning_seconds(size) / size for size in BOARDS},
        "report of a shot, ms": {size: 1000 * report_of(size)[0] / size for size in FILMS},
    }


def _each(cost: Callable[[int], float]) -> dict[int, float]:
    return {size: cost(size) for size in SIZES}


def picture(curves: Mapping[str, Costs]) -> str:
    """The curves as small multiples in SVG: sizes on a logarithmic scale, costs from zero."""
    columns = 3
    rows = -(-len(curves) // columns)
    whole = columns * (WIDTH + GAP) + GAP, rows * (HEIGHT + TOP + FOOT) + 10
    fields = []
    for number, (name, costs) in enumerate(curves.items()):
        left = GAP + number % columns * (WIDTH + GAP)
        top = TOP + number // columns * (HEIGHT + TOP + FOOT)
        fields.append(f'<g transform="translate({left} {top})">{_field(name, costs)}</g>')
    style = (
        "text{font:12px system-ui,sans-serif;fill:#555}.name{font-weight:600;fill:#222}"
        ".curve{fill:none;stroke:#b4532a;stroke-width:2}.dot{fill:#b4532a}.ground{stroke:#ccc}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole[0]} {whole[1]}" role="img" '
        f'aria-label="What a clip, a row and a shot cost at growing numbers of them"><style>{style}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(fields)}</svg>\n'
    )


def _field(name: str, costs: Costs) -> str:
    most = max(costs.values()) * 1.25
    step = WIDTH / (len(costs) - 1)
    points = [
        (number * step, HEIGHT * (1 - cost / most), size, cost)
        for number, (size, cost) in enumerate(costs.items())
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
    marks = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{cost:.3g}</text>'
        f'<text x="{x:.1f}" y="{HEIGHT + 16}" text-anchor="middle">{size:,}</text>'
        for x, y, size, cost in points
    )
    return (
        f'<text class="name" x="0" y="-22">{escape(name)}</text>'
        f'<line class="ground" x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}"/>'
        f'<polyline class="curve" points="{line}"/>{marks}'
    )
