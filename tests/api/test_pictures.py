"""Pictures are judged on their bytes before anything is paid."""

import io
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import PictureError
from minimax_tasks.api.pictures import decode_data_url, judge_picture


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def judge(data: bytes) -> str:
    with pytest.raises(PictureError) as refused:
        judge_picture(data, field="first_frame_image", name="a.png")
    assert refused.value.field == "first_frame_image"
    return str(refused.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_formats_pass_unchanged(kind: str) -> None:
    data = encoded(Image.new("RGB", (640, 360), "teal"), kind)
    picture = judge_picture(data, field="first_frame_image", name="a.bin")
    assert picture.data == data
    assert picture.data_url.startswith(f"data:image/{kind.lower()};base64,")
    assert decode_data_url(picture.data_url, field="x") == data
    assert "\n" not in picture.data_url


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_named(kind: str) -> None:
    assert f"it is {kind}" in judge(encoded(Image.new("RGB", (640, 360)), kind))


@pytest.mark.parametrize(
    ("size", "good"),
    [
        ((301, 301), True),
        ((300, 300), False),
        ((750, 301), True),
        ((753, 301), False),
        ((301, 752), True),
        ((301, 755), False),
    ],
)
def test_short_side_and_shape_at_their_limits(size: tuple[int, int], good: bool) -> None:
    data = encoded(Image.new("RGB", size), "PNG")
    if good:
        picture = judge_picture(data, field="image", name="a.png")
        assert (picture.width, picture.height) == size
    else:
        assert f"{size[0]} x {size[1]}" in judge(data)


def test_a_rotated_photo_is_judged_and_sent_upright() -> None:
    image = Image.new("RGB", (360, 640), "navy")
    image.paste("gold", (0, 0, 360, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = judge_picture(encoded(image, "JPEG", exif=exif), field="image", name="a.jpg")
    assert (picture.width, picture.height) == (640, 360)
    upright = Image.open(io.BytesIO(picture.data))
    assert upright.size == (640, 360)
    red, green, blue = upright.convert("RGB").getpixel((630, 180))  # type: ignore[misc]
    assert red > 200
    assert blue < 80
    assert green > 150


def test_animated_cmyk_and_deep_pictures_get_a_clear_answer() -> None:
    frames = [Image.new("RGB", (640, 360), colour) for colour in ("red", "blue")]
    assert "animated" in judge(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert "CMYK" in judge(encoded(Image.new("CMYK", (640, 360)), "JPEG"))
    assert "I;16" in judge(encoded(Image.new("I;16", (640, 360)), "PNG"))


def test_damaged_and_foreign_bytes() -> None:
    data = encoded(Image.effect_noise((640, 360), 60).convert("RGB"), "PNG")
    assert "damaged" in judge(data[: len(data) // 2])
    assert "not a picture" in judge(b"<html>404</html>")
    assert "not a picture" in judge(b"")


def test_twenty_megabytes(tmp_path: Path) -> None:
    assert "20.0 MB" in judge(b"\x89PNG" + b"\0" * 20_000_000)


@pytest.mark.parametrize("url", ["data:image/png;base64,####", "data:image/png,abc", "data:"])
def test_data_urls_that_hold_nothing(url: str) -> None:
    with pytest.raises(PictureError):
        decode_data_url(url, field="first_frame_image")
