"""Writes `reference/titles.md` and the small pictures on it: `python -m docs.titles` redraws them."""

import io
from collections.abc import Iterator
from pathlib import Path

from minimax_tasks.video.lettering.look_names import LOOKS

PAGE = Path(__file__).parent / "reference" / "titles.md"
PICTURES = PAGE.parent / "titles"

SIZE = (480, 270)
_DENSE = 2
"""Drawn this many times larger, since a film is."""

_WORDS = {
    "chapter": ("The Harbour at Night", "Chapter two"),
    "place": ("Halifax, Nova Scotia", "14 November 1954"),
    "lower third": ("Mara Lindqvist", "Captain of the ferry Aurora"),
}
_USUAL = ("The Last Ferry", "A film by Mara Lindqvist")

_HEAD = """# Looks of titles

What `look` of a `title` may be in a board. `minimax-tasks titles` prints the list. Each is set in the safe area of a film
of any shape, and in the writing of its text: where that runs from right to left, so do the looks that stand at a side.

```yaml
title: {text: Mara Lindqvist, subtitle: Captain of the ferry Aurora, look: lower third, from: 1, to: 5}
```

The pictures are made by the code that makes films. On the left the title lies over a shot, on the right it is a card.

| `look` | what it looks like | over a shot · over black |
|---|---|---|
"""

_FOOT = """
The typefaces are Source Sans and Source Serif, which come with the package (SIL Open Font License). For writing that
they do not have, a font of the machine is taken: Noto, Amiri, DejaVu, and those that come with Windows and macOS. Where
none has all the letters, `plan` and `render` say which, before anything is paid.
"""


def page() -> str:
    """The whole page."""
    rows = (f"| `{look}` | {text} | ![{look}](titles/{_file(look)}) |\n" for look, text in LOOKS.items())
    return _HEAD + "".join(rows) + _FOOT


def draw() -> Iterator[tuple[str, bytes]]:
    """Each look's file and picture."""
    from PIL import Image, ImageOps

    from minimax_tasks.video.lettering.looks import Words, card_words, draw_title

    large = (SIZE[0] * _DENSE, SIZE[1] * _DENSE)
    still = ImageOps.fit(Image.open("pipelines/storyboards/stills/rocket.jpg").convert("RGB"), large)
    for look in LOOKS:
        words = Words(*_WORDS.get(look, _USUAL))
        over = still.convert("RGBA")
        over.alpha_composite(draw_title(words, look, large))
        card = Image.new("RGB", large)
        drawn = card_words(words, look, large, False)
        card.paste(Image.new("RGB", large, drawn.ink), mask=drawn.cover)
        pair = Image.new("RGB", (2 * SIZE[0] + 6, SIZE[1]), "white")
        for number, picture in enumerate((over.convert("RGB"), card)):
            pair.paste(picture.resize(SIZE, Image.Resampling.LANCZOS), (number * (SIZE[0] + 6), 0))
        data = io.BytesIO()
        pair.save(data, "WEBP", quality=72, method=6)
        yield _file(look), data.getvalue()


def _file(look: str) -> str:
    return f"{look.replace(' ', '-')}.webp"


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name, data in draw():
        (PICTURES / name).write_bytes(data)
