"""Words over a film: only what they lie over is encoded, they fade, and a frame that is held has them once."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minimax_tasks.video.colour import plane_pixels
from minimax_tasks.video.join import Piece, join
from minimax_tasks.video.overlays import Leaf, Overlay, uncovered
from minimax_tasks.video.slate import write_slate
from minimax_tasks.video.source import opened
from minimax_tasks.video.stream_layout import read_layout
from minimax_tasks.video.transitions import TRANSITIONS

SIZE, FPS = (128, 72), Fraction(24)


def grey(level: int, share: float = 1.0) -> Leaf:
    """A square in the middle of the film."""
    image = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    image.paste((level, level, level, 255), (48, 20, 80, 52))
    return Leaf(image, share)


def film(folder: Path, overlays: list[Overlay], hold: int = 0) -> tuple[list[float], int]:
    """The brightness of the square in each frame of a film, and how many of its frames were copied."""
    clip = folder / "clip.mp4"
    write_slate(clip, SIZE, FPS, 2.0, "", ())
    layout = read_layout(str(clip))
    pieces = [
        Piece(layout, at * 48, 48 + (hold if at == 2 else 0), hold=hold if at == 2 else 0) for at in range(3)
    ]
    done = join(str(folder / "film.mp4"), pieces, FPS, overlays=overlays)
    with opened(str(folder / "film.mp4")) as container:
        levels = [float(np.mean(plane_pixels(f.planes[0])[24:48, 52:76])) for f in container.decode(video=0)]
    assert len(levels) == done.frames
    return levels, done.copied


def test_only_what_words_lie_over_is_encoded(tmp_path: Path) -> None:
    levels, copied = film(tmp_path, [Overlay(60, 72, lambda size: [grey(255)])])
    assert copied >= 96, "the two clips without words are copied"
    assert [number for number, level in enumerate(levels) if level > 200] == list(range(60, 72))


def test_words_fade_in_and_out(tmp_path: Path) -> None:
    levels, _ = film(tmp_path, [Overlay(48, 96, lambda size: [grey(255)], fade_in=12, fade_out=12)])
    rising, falling = levels[48:60], levels[85:97]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert levels[70] > 230
    assert levels[47] < 40
    assert levels[97] < 40


def test_a_held_frame_has_the_words_once(tmp_path: Path) -> None:
    levels, _ = film(tmp_path, [Overlay(140, 168, lambda size: [grey(120)])], hold=24)
    assert np.ptp(levels[141:168]) < 3


def test_leaves_are_shown_in_turn_for_their_share(tmp_path: Path) -> None:
    levels, _ = film(tmp_path, [Overlay(48, 88, lambda size: [grey(255, 3), grey(90, 1)])])
    assert min(levels[48:78]) > 220
    assert max(levels[79:88]) < 140


@pytest.mark.parametrize(
    ("runs", "free"),
    [
        ([], [(0, 10)]),
        ([(2, 4)], [(0, 2), (4, 10)]),
        ([(0, 3), (2, 5), (9, 20)], [(5, 9)]),
        ([(-5, 20)], []),
        ([(12, 20)], [(0, 10)]),
    ],
)
def test_what_is_not_covered(runs: list[tuple[int, int]], free: list[tuple[int, int]]) -> None:
    overlays = [Overlay(begins, ends, lambda size: []) for begins, ends in runs]
    assert list(uncovered(overlays, 0, 10)) == free


def test_words_lie_over_every_transition(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_slate(clip, SIZE, FPS, 1.0, "", ())
    layout = read_layout(str(clip))
    pieces = [Piece(layout, 0, 24)]
    pieces += [
        Piece(layout, 20 * number, 24, transition=name, overlap=4)
        for number, name in enumerate(TRANSITIONS, 1)
    ]
    frames = pieces[-1].starts_at + 24
    done = join(
        str(tmp_path / "film.mp4"), pieces, FPS, overlays=[Overlay(0, frames, lambda size: [grey(255)])]
    )
    with opened(str(tmp_path / "film.mp4")) as container:
        levels = [float(np.mean(plane_pixels(f.planes[0])[24:48, 52:76])) for f in container.decode(video=0)]
    assert len(levels) == done.frames == frames
    assert min(levels) > 225
