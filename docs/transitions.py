"""Writes `reference/transitions.md` and the small pictures on it: `python -m docs.transitions` redraws them."""

import io
from collections.abc import Iterator
from pathlib import Path

from minimax_tasks.video.transition_names import TRANSITIONS, shows

PAGE = Path(__file__).parent / "reference" / "transitions.md"
PICTURES = PAGE.parent / "transitions"

FRAMES, SIZE = 15, (160, 90)
SHOWN = (2, 7, 12)
"""Frames of the transition that a picture has side by side: an early one, the middle, a late one."""

_HEAD = f"""# Transitions

What `cut` takes in a board, besides `true` for a plain cut. The number is the length in seconds, 0.1 to 5; left
out, it is half a second. `minimax-tasks transitions` prints the list. Except for the even blends they are those
of FFmpeg's xfade filter.

```yaml
cut: circleopen 0.8
```

Each picture shows the transition early, half way and late, from a rocket to the stars. It is made by the code that
joins films.

| `cut` | what it shows | {SHOWN[0] + 1} · {SHOWN[1] + 1} · {SHOWN[2] + 1} of {FRAMES} frames |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = (f"| `{name}` | {shows(name)} | ![{name}](transitions/{name}.webp) |\n" for name in TRANSITIONS)
    return _HEAD + "".join(rows)


def draw() -> Iterator[tuple[str, bytes]]:
    """Each transition's name and picture."""
    import av
    from PIL import Image, ImageOps

    from minimax_tasks.video.transitions import cross

    stills = Path("pipelines/storyboards/stills")
    sides = [
        ImageOps.fit(Image.open(stills / name).convert("RGB"), SIZE) for name in ("rocket.jpg", "stars.jpg")
    ]
    for name in TRANSITIONS:
        before, after = (
            [av.VideoFrame.from_image(side).reformat(format="yuv420p") for _ in range(FRAMES)]
            for side in sides
        )
        frames = [frame.to_image() for frame in cross(before, after, name)]
        strip = Image.new("RGB", (SIZE[0] * len(SHOWN), SIZE[1]))
        for place, number in enumerate(SHOWN):
            strip.paste(frames[min(number, len(frames) - 1)], (place * SIZE[0], 0))
        data = io.BytesIO()
        strip.save(data, "WEBP", quality=55, method=6)
        yield name, data.getvalue()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name, data in draw():
        (PICTURES / f"{name}.webp").write_bytes(data)
