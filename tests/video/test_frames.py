import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minimax_tasks.errors import VideoError
from minimax_tasks.video.colour import frame_of
from minimax_tasks.video.encode import h264_mp4
from minimax_tasks.video.frames import cover, first_frame, frame_at, guess_matrix, last_frame, png

PATCHES = ((200, 40, 40), (40, 180, 60), (50, 60, 190), (220, 190, 60), (128, 128, 128), (230, 170, 140))


def patches(size=(192, 64)):
    image = Image.new("RGB", size)
    width = size[0] // len(PATCHES)
    for place, colour in enumerate(PATCHES):
        image.paste(colour, (place * width, 0, (place + 1) * width, size[1]))
    return image


def worst_error(image, expected):
    """The largest error in the middle of any patch; their edges bleed."""
    width = image.width // len(PATCHES)
    points = [(place * width + width // 2, image.height // 2) for place in range(len(PATCHES))]
    return max(
        abs(one - two)
        for point in points
        for one, two in zip(image.getpixel(point), expected.getpixel(point), strict=True)
    )


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 23, 30])
def test_first_and_last_are_what_is_shown_first_and_last(make_clip, number, b_frames, frames):
    clip = make_clip(frames=frames, b_frames=b_frames)
    assert number(first_frame(clip)) == 0
    assert number(last_frame(clip)) == frames - 1


@pytest.mark.parametrize("movflags", ["disable_chpl", "frag_keyframe+empty_moov+default_base_moof"])
def test_last_frame_of_files_written_in_other_ways(make_clip, number, movflags):
    assert number(last_frame(make_clip(frames=30, movflags=movflags))) == 29


def test_frames_come_from_file_objects_that_are_rewound(make_clip, number):
    file = io.BytesIO(Path(make_clip(frames=30)).read_bytes())
    file.seek(50)
    assert number(last_frame(file)) == 29
    assert number(first_frame(file)) == 0
    assert number(frame_at(file, 0.5)) == 12


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 0), (1 / 24, 1), (0.5, 12), (0.52, 12), (1.0, 24), (1.25, 29)]
)
def test_frame_at_is_the_one_on_screen(make_clip, number, b_frames, seconds, expected):
    assert number(frame_at(make_clip(frames=30, b_frames=b_frames), seconds)) == expected


@pytest.mark.parametrize("seconds", [-0.1, 1.3, 60])
def test_frame_at_outside_of_the_clip(make_clip, seconds):
    with pytest.raises(VideoError, match=r"no .* s in a clip of 1\.25 s"):
        frame_at(make_clip(frames=30), seconds)


@pytest.mark.parametrize("read", [first_frame, last_frame, lambda path: frame_at(path, 0)])
def test_files_that_are_no_video(tmp_path, read):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"<html>")
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        read(path)
    with pytest.raises(VideoError, match=r"none\.mp4"):
        read(tmp_path / "none.mp4")


def test_ten_generations_keep_their_colours(tmp_path):
    """A chain of clips: each is encoded from the last frame of the one before."""
    still = image = patches((384, 128))
    for generation in range(10):
        path = str(tmp_path / f"{generation}.mp4")
        with h264_mp4(path, image.size, Fraction(24), {"crf": "18", "preset": "veryfast"}) as writer:
            for _ in range(3):
                writer.write(frame_of(image))
        image = last_frame(path)
    assert worst_error(image, still) <= 2


def test_ten_generations_of_untagged_hd(make_clip):
    still = image = patches((1056, 576))
    for generation in range(10):
        clip = make_clip(
            f"{generation}.mp4",
            frames=2,
            size=image.size,
            tagged=False,
            options={"crf": "18", "preset": "ultrafast"},
            picture=lambda number, size, image=image: image,
        )
        image = last_frame(clip)
    assert worst_error(image, still) <= 4


@pytest.mark.parametrize("matrix", ["ITU709", "ITU601"])
def test_the_matrix_of_an_untagged_clip_is_guessed_from_its_still(make_clip, matrix):
    clip = make_clip(size=(192, 64), frames=2, tagged=False, matrix=matrix, picture=lambda *_: patches())
    assert guess_matrix(clip, patches()) == matrix
    assert worst_error(first_frame(clip, matrix), patches()) <= 3


@pytest.mark.parametrize(("height", "matrix"), [(64, "ITU601"), (576, "ITU709")])
def test_untagged_clips_are_read_by_their_height(make_clip, height, matrix):
    size = (192, height)
    clip = make_clip(size=size, frames=1, tagged=False, matrix=matrix, picture=lambda *_: patches(size))
    assert worst_error(first_frame(clip), patches(size)) <= 3


def test_yuv444_and_hevc_clips_are_read_too(make_clip):
    for codec, pix_fmt in (("libx264", "yuv444p"), ("libx265", "yuv420p10le")):
        clip = make_clip(
            size=(192, 64),
            frames=2,
            codec=codec,
            pix_fmt=pix_fmt,
            options={"crf": "12"},
            picture=lambda *_: patches(),
        )
        assert worst_error(last_frame(clip), patches()) <= 3


def test_cover_crops_around_the_centre():
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    square = cover(wide, (50, 50))
    assert square.size == (50, 50)
    assert {square.getpixel((x, 25)) for x in (8, 25, 41)} == {(0, 0, 255)}


@given(*[st.integers(1, 3000)] * 4)
def test_cover_fills_any_size_from_any_picture(width: int, height: int, across: int, down: int) -> None:
    assert (
        cover(Image.new("L", (width, height)), (across % 200 + 1, down % 200 + 1)).width == across % 200 + 1
    )


def test_cover_accepts_any_mode():
    assert cover(Image.new("RGBA", (40, 30)), (20, 20)).mode == "RGB"


def test_png_is_lossless():
    image = patches()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), np.asarray(image))
