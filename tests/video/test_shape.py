"""Clips of another shape fill a film as it is asked: cut, on a blurred copy of themselves, or on black."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minimax_tasks.video.colour import frame_of
from minimax_tasks.video.join import Piece, join
from minimax_tasks.video.shape import CENTRE, Crop, Fill, Shape, is_alike
from minimax_tasks.video.stream_layout import StreamLayout, read_layout

sides = st.integers(64, 4000)
parts = st.fractions(0, 1)


@given(st.tuples(sides, sides), st.tuples(sides, sides), st.tuples(parts, parts))
def test_a_crop_lies_in_the_picture_has_the_shape_and_is_as_large_as_can_be(
    size: tuple[int, int], wanted: tuple[int, int], at: tuple[Fraction, Fraction]
) -> None:
    aspect = Fraction(*wanted)
    left, top, width, height = Crop(at).box(size, aspect)
    assert 0 <= left <= size[0] - width
    assert 0 <= top <= size[1] - height
    assert width == size[0] or height == size[1]
    if is_alike(Fraction(*size), aspect):
        assert (width, height) == size
    else:
        assert abs(width - height * aspect) <= aspect + 1


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=8), st.none() | st.tuples(sides, sides))
def test_a_film_has_the_shape_that_is_asked_and_a_size_of_its_clips_where_one_has_it(
    clips: list[tuple[int, int]], wanted: tuple[int, int] | None
) -> None:
    aspect = Fraction(*wanted) if wanted else None
    width, height = Shape(aspect).size_for(clips)
    assert width % 2 == height % 2 == 0
    fitting = [clip for clip in clips if aspect is None or is_alike(Fraction(*clip), aspect)]
    if fitting:
        assert any(width - clip[0] in (0, 1) and height - clip[1] in (0, 1) for clip in fitting)
    else:
        assert aspect is not None
        assert abs(width / height / aspect - 1) < 0.05


def four_colours(path: Path, size: tuple[int, int] = (320, 180)) -> StreamLayout:
    """A clip of four stripes: red, green, blue and white from left to right."""
    picture = Image.new("RGB", size)
    for number, colour in enumerate(("red", "lime", "blue", "white")):
        picture.paste(colour, (number * size[0] // 4, 0, (number + 1) * size[0] // 4, size[1]))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(6):
            container.mux(stream.encode(frame_of(picture)))
        container.mux(stream.encode(None))
    return read_layout(str(path))


def first_frame(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_image(), dtype=int)


def colour_at(picture: np.ndarray, x: float, y: float) -> str:
    red, green, blue = picture[int(y * (picture.shape[0] - 1)), int(x * (picture.shape[1] - 1))]
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white", (0, 0, 0): "black"}
    return names.get((red > 200, green > 200, blue > 200), f"{red} {green} {blue}")


def film(tmp_path: Path, fill: Fill, crop: Crop = CENTRE, aspect: Fraction = Fraction(9, 16)) -> np.ndarray:
    clip = four_colours(tmp_path / "clip.mp4")
    out = tmp_path / "film.mp4"
    joined = join(
        str(out), [Piece(clip, 0, 6, "One", crop=crop)], Fraction(24), shape=Shape(aspect, None, fill)
    )
    assert (joined.method, joined.frames) == ("encode", 6)
    assert "One is" in joined.reason
    picture = first_frame(out)
    assert picture.shape[:2] == (joined.height, joined.width)
    return picture


def test_a_crop_keeps_the_middle_or_the_end_that_is_named(tmp_path: Path) -> None:
    middle = film(tmp_path, "crop")
    assert middle.shape[:2] == (320, 180)
    assert [colour_at(middle, x, 0.5) for x in (0.2, 0.8)] == ["lime", "blue"]
    left = film(tmp_path, "crop", Crop((Fraction(0), Fraction(1, 2))))
    assert {colour_at(left, x, 0.5) for x in (0.1, 0.5)} == {"red"}
    right = film(tmp_path, "crop", Crop((Fraction(1), Fraction(1, 2))))
    assert {colour_at(right, x, 0.5) for x in (0.5, 0.9)} == {"white"}


def test_a_region_is_cut_out_whatever_fills_the_rest(tmp_path: Path) -> None:
    last = Crop(region=(Fraction(3, 4), Fraction(0), Fraction(1, 4), Fraction(1)))
    assert {colour_at(film(tmp_path, "crop", last), x, 0.5) for x in (0.1, 0.9)} == {"white"}
    barred = film(tmp_path, "bars", last, Fraction(16, 9))
    assert [colour_at(barred, x, 0.5) for x in (0.05, 0.5, 0.95)] == ["black", "white", "black"]


def test_bars_are_black_and_the_picture_is_whole(tmp_path: Path) -> None:
    picture = film(tmp_path, "bars")
    assert [colour_at(picture, x, 0.5) for x in (0.1, 0.4, 0.6, 0.9)] == ["red", "lime", "blue", "white"]
    assert {colour_at(picture, 0.5, y) for y in (0.05, 0.95)} == {"black"}


def test_a_blurred_ground_is_soft_darker_and_of_the_colours_of_the_picture(tmp_path: Path) -> None:
    picture = film(tmp_path, "blur")
    assert [colour_at(picture, x, 0.5) for x in (0.1, 0.4, 0.6, 0.9)] == ["red", "lime", "blue", "white"]
    ground = picture[20]
    left, right = ground[10], ground[-10]
    assert left[1] > left[2]  # lime on the left
    assert right[2] > right[1]  # blue on the right
    assert 20 < ground.mean() < picture[160].mean()
    assert np.abs(np.diff(ground.astype(int), axis=0)).max() < 40  # no edge of a stripe is left in it


@pytest.mark.parametrize("fill", ["crop", "blur", "bars"])
def test_clips_that_have_the_shape_are_copied(tmp_path: Path, fill: Fill) -> None:
    clip = four_colours(tmp_path / "clip.mp4", (180, 320))
    shape = Shape(Fraction(9, 16), None, fill)
    joined = join(
        str(tmp_path / "film.mp4"), [Piece(clip, 0, 6), Piece(clip, 6, 6)], Fraction(24), shape=shape
    )
    assert (joined.method, joined.copied, joined.width, joined.height) == ("copy", 12, 180, 320)


@pytest.mark.parametrize("fill", ["crop", "blur", "bars"])
@pytest.mark.parametrize("size", [(316, 180), (320, 178), (324, 180)])
def test_a_clip_of_nearly_the_shape_gets_no_hairline_bars(
    tmp_path: Path, fill: Fill, size: tuple[int, int]
) -> None:
    clips = [four_colours(tmp_path / f"{number}.mp4") for number in range(2)]
    near = four_colours(tmp_path / "near.mp4", size)
    pieces = [Piece(clip, 6 * number, 6) for number, clip in enumerate([near, *clips])]
    join(str(tmp_path / "film.mp4"), pieces, Fraction(24), shape=Shape(Fraction(16, 9), fill=fill))
    picture = first_frame(tmp_path / "film.mp4")
    assert picture.shape[:2] == (180, 320)
    for x in (0.002, 0.998):
        assert colour_at(picture, x, 0.5) == ("red" if x < 0.5 else "white")
    for y in (0.002, 0.998):
        assert colour_at(picture, 0.1, y) == "red"
