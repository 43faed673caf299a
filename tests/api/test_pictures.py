"""Pictures are judged on their bytes before anything is paid."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import PictureError
from minimax_tasks.api.data_urls import decode_data_url
from minimax_tasks.api.pictures import Picture, crop_alike, judge_picture


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
    assert "16-bit" in judge(encoded(Image.new("I;16", (640, 360)), "PNG"))


def pixel(data: bytes, x: int, y: int) -> tuple[int, ...]:
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((x, y))  # type: ignore[return-value]


def striped(size: tuple[int, int], *, across: bool) -> Image.Image:
    """Gold with navy ends, so that a crop around the middle leaves gold alone."""
    image = Image.new("RGB", size, "gold")
    width, height = size
    for box in (
        ((0, 0, width * 3 // 20, height), (width * 17 // 20, 0, width, height))
        if across
        else ((0, 0, width, height * 3 // 20), (0, height * 17 // 20, width, height))
    ):
        image.paste("navy", box)
    return image


@pytest.mark.parametrize(
    ("size", "across", "fitted"), [((1600, 400), True, (1000, 400)), ((400, 1600), False, (400, 1000))]
)
def test_a_picture_that_is_too_long_is_cropped_around_its_middle(
    size: tuple[int, int], across: bool, fitted: tuple[int, int]
) -> None:
    data = encoded(striped(size, across=across), "PNG")
    assert "or `fit`" in judge(data)
    picture = judge_picture(data, field="image", name="a.png", fit=True)
    assert (picture.width, picture.height) == fitted == Image.open(io.BytesIO(picture.data)).size
    assert pixel(picture.data, 2, 2) == pixel(picture.data, fitted[0] - 3, fitted[1] - 3) == (255, 215, 0)
    assert judge_picture(data, field="image", name="a.png", fit=True) == picture, "always the same bytes"


@pytest.mark.slow
def test_a_picture_of_too_many_bytes_becomes_a_smaller_one() -> None:
    noise = Image.effect_noise((5200, 4000), 120).convert("RGB")
    data = encoded(noise, "PNG", compress_level=0)
    assert len(data) > 60_000_000
    assert "or `fit`" in judge(data)
    picture = judge_picture(data, field="image", name="a.png", fit=True)
    assert len(picture.data) < 20_000_000
    assert picture.mime == "image/jpeg"
    assert picture.width / picture.height == pytest.approx(1.3)
    assert picture.width >= 2600


@pytest.mark.parametrize("mode", ["CMYK", "I;16"])
def test_deep_and_printed_pictures_are_made_eight_bit(mode: str) -> None:
    image = (
        Image.new("CMYK", (640, 360), (0, 0, 0, 128))
        if mode == "CMYK"
        else Image.new("I;16", (640, 360), 32768)
    )
    data = encoded(image, "JPEG" if mode == "CMYK" else "PNG")
    assert "or `fit`" in judge(data)
    picture = judge_picture(data, field="image", name="a", fit=True)
    assert picture.mime == "image/png"
    assert pixel(picture.data, 300, 200) == pytest.approx((128, 128, 128), abs=2)


def test_what_is_good_is_not_touched_and_what_is_too_small_is_not_blown_up() -> None:
    good = encoded(Image.new("RGB", (640, 360), "teal"), "JPEG")
    assert judge_picture(good, field="image", name="a", fit=True).data == good
    with pytest.raises(PictureError, match="too small"):
        judge_picture(encoded(Image.new("RGB", (2000, 290)), "PNG"), field="image", name="a", fit=True)
    with pytest.raises(PictureError, match="damaged"):
        judge_picture(good[: len(good) // 2], field="image", name="a", fit=True)


def test_an_end_frame_is_cropped_to_the_shape_of_the_start() -> None:
    def read(image: Image.Image) -> Picture:
        return judge_picture(encoded(image, "PNG"), field="image", name="a.png")

    wide, tall = read(Image.new("RGB", (1366, 768))), read(striped((800, 1200), across=False))
    cropped = crop_alike(tall, wide, field="last_frame_image", name="x")
    assert (cropped.width, cropped.height) == (800, 450)
    assert pixel(cropped.data, 2, 2) == (255, 215, 0)
    nearly = read(Image.new("RGB", (1364, 768)))
    assert crop_alike(nearly, wide, field="last_frame_image", name="x") is nearly
    with pytest.raises(PictureError, match="only 400 x 225 would be left"):
        crop_alike(read(Image.new("RGB", (400, 900))), wide, field="last_frame_image", name="x")


def test_deep_colour_is_told_from_the_file_and_a_photo_with_a_preview_is_a_photo() -> None:
    head = struct.pack(">IIBBBBB", 640, 360, 16, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80\0" * 3 * 640) * 360)
    chunks = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    whole = b"\x89PNG\r\n\x1a\n" + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        for kind, body in chunks
    )
    assert "16-bit" in judge(whole)
    fitted = judge_picture(whole, field="image", name="a.png", fit=True)
    assert pixel(fitted.data, 9, 9) == (128, 128, 128)
    photo = Image.new("RGB", (640, 360), "teal")
    mpo = encoded(photo, "MPO", save_all=True, append_images=[photo.reduce(4)])
    assert judge_picture(mpo, field="image", name="a.jpg").mime == "image/jpeg"


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
