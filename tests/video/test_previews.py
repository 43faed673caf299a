import io

import pytest
from PIL import Image

from minimax_tasks.errors import VideoError
from minimax_tasks.video.fonts import drawable, font_for, latin_font
from minimax_tasks.video.previews import jpeg, preview_mp4
from minimax_tasks.video.probe import probe


def test_jpeg_is_scaled_down_but_never_up():
    image = Image.new("RGBA", (400, 300), "red")
    assert Image.open(io.BytesIO(jpeg(image, 200))).size == (200, 150)
    assert Image.open(io.BytesIO(jpeg(image, 4000))).size == (400, 300)


def test_a_preview_is_a_small_film_of_the_same_length(make_clip):
    data = preview_mp4(make_clip(size=(192, 108), frames=30, b_frames=True), width=101)
    found = probe(io.BytesIO(data), "decode")
    assert found.ok, found.problems
    assert (found.codec, found.pix_fmt, found.width, found.height) == ("h264", "yuv420p", 100, 56)
    assert (found.frames, found.fps) == (30, 24)
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_preview_is_made_from_a_file_object_and_not_enlarged(make_clip):
    with open(make_clip(), "rb") as file:
        found = probe(io.BytesIO(preview_mp4(file)))
    assert (found.width, found.height) == (96, 54)


def test_no_preview_of_what_is_no_video():
    with pytest.raises(VideoError):
        preview_mp4(io.BytesIO(b"<html>"))


def test_only_characters_that_the_font_has_are_drawn():
    assert drawable("推进 Push in 镜头", latin_font(16)) == "Push in"
    assert font_for("Push in", 16) is latin_font(16)
