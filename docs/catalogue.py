"""Writes `reference/models.md` from the catalogue: models with sizes and prices, and the camera's moves."""

from collections.abc import Iterator
from pathlib import Path

from minimax_tasks.api.catalog.combinations import COMBINATIONS
from minimax_tasks.console.catalogue import cameras_json, models_json

PAGE = Path(__file__).parent / "reference" / "models.md"

_HEAD = """# Models and camera moves

`minimax-tasks models` and `minimax-tasks cameras` print the same; with `--json` each row names its source. Prices
are those that MiniMax published, in USD; a ? stands where none was. A * marks sizes on which public material
disagrees: the plan warns, and the service decides.

## Models

| model | mode | sizes and prices | reads brackets |
|---|---|---|---|
"""

_CAMERAS = """
## Camera moves

A board says `camera: push in`. For a model that reads brackets that becomes `[Push in]`, or the Chinese word for
a key of the Chinese platform; for the others, plain words. At most three moves go at the same time.

| move | Chinese | what moves | also understood |
|---|---|---|---|
"""

_COMBINED = """
Combinations with a name, for the text of a prompt ([prompts](prompts.md)):

| macro | meaning | also understood |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_models()) + _CAMERAS + "".join(_moves()) + _COMBINED + "".join(_combined())


def _models() -> Iterator[str]:
    for row in models_json():
        sizes: dict[str, list[str]] = {}
        for size in row["sizes"]:
            doubt = "*" if size["doubt"] else ""
            rate = row["usd_a_second"].get(size["resolution"])
            length = size["seconds"]
            if len(length) > 3:
                priced = [
                    f"{length[0]}–{length[-1]} s, {'?' if rate is None else f'{rate:.2f}'} a second{doubt}"
                ]
            else:
                priced = [
                    f"{seconds} s {'?' if price is None else f'{price:.2f}'}{doubt}"
                    for seconds, price in size["usd"].items()
                ]
            sizes.setdefault(size["resolution"], []).extend(priced)
        cell = "<br>".join(f"{name}: {' · '.join(lengths)}" for name, lengths in sizes.items())
        if price := row["pictures"]:
            cell += f"<br>pictures past {price['free']}: {price['usd']:g} each"
        brackets = "yes" if row["reads_brackets"] else "no"
        yield f"| {row['model']}{'*' if row['doubt'] else ''} | {row['mode']} | {cell} | {brackets} |\n"


def _moves() -> Iterator[str]:
    for row in cameras_json():
        yield f"| {row['english']} | {row['chinese']} | {row['meaning']} | {', '.join(row['aliases'])} |\n"


def _combined() -> Iterator[str]:
    for each in COMBINATIONS:
        yield f"| `{each.macro}` | {each.meaning} | {', '.join(each.words)} |\n"
