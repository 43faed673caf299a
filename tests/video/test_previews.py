import io

import pytest
from PIL import Image

from minimax_tasks.errors import VideoError
from minimax_tasks.video.fonts import drawable, font_for, latin_font
from minimax_tasks.video.previews import contact_sheet, jpeg, preview_mp4
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


def test_a_contact_sheet_has_rows_and_captions():
    pictures = [
        (Image.new("RGB", (160, 90), colour), f"shot {colour}") for colour in ("red", "green", "blue")
    ]
    sheet = contact_sheet(pictures, columns=2)
    assert sheet.getpixel((30, 30)) == (255, 0, 0)
    assert sheet.getpixel((400, 30)) == (0, 128, 0)
    assert sheet.getpixel((30, sheet.height // 2 + 30)) == (0, 0, 255)
    caption = sheet.crop((14, 14 + 180, 334, 14 + 180 + 30)).convert("L")
    assert caption.getextrema()[1] > 150


def test_long_captions_stay_under_their_picture():
    sheet = contact_sheet([(Image.new("RGB", (160, 90)), "a very long caption " * 10)] * 2)
    assert sheet.crop((335, 195, 347, sheet.height)).convert("L").getextrema()[1] < 40


def test_an_empty_contact_sheet():
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet([])


def test_only_characters_that_the_font_has_are_drawn():
    assert drawable("推进 Push in 镜头", latin_font(16)) == "Push in"
    assert font_for("Push in", 16) is latin_font(16)
