"""Files that hold a good picture and something else: the picture is sent, the rest is left out or laid under."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from minimax_tasks import PictureError
from minimax_tasks.api.picture_files import without_ballast
from minimax_tasks.api.pictures import Picture, crop_alike, judge_picture

SIZE = (640, 360)
CMYK_HEAD = bytes(12) + b"prtrCMYKLab " + bytes(104)
GREY_HEAD = bytes(12) + b"mntrGRAYXYZ " + bytes(104)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def judged(data: bytes, *, fit: bool = False) -> Picture:
    return judge_picture(data, field="first_frame_image", name="a", fit=fit)


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def refused(data: bytes) -> str:
    with pytest.raises(PictureError) as error:
        judged(data)
    return str(error.value)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(data: bytes, *chunks: bytes) -> bytes:
    """Chunks right behind the head of a PNG."""
    return data[:33] + b"".join(chunks) + data[33:]


def half_clear(mode: str) -> tuple[bytes, str]:
    """A navy picture whose left half is transparent, and its format."""
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(0, (0, 0, 320, 360))
    colour = Image.new("RGB", SIZE, "navy")
    if mode in ("RGBA", "WEBP"):
        colour.putalpha(alpha)
        return encoded(
            colour, "WEBP" if mode == "WEBP" else "PNG", **{"lossless": True} if mode == "WEBP" else {}
        ), mode
    if mode == "LA":
        grey = Image.new("L", SIZE, 40)
        grey.putalpha(alpha)
        return encoded(grey), mode
    key = Image.new("L" if mode == "L" else "P" if mode.startswith("P") else mode, SIZE, 1)
    if mode == "RGB":
        key = Image.new("RGB", SIZE, "navy")
        key.paste((1, 2, 3), (0, 0, 320, 360))
        return encoded(key, transparency=(1, 2, 3)), mode
    if mode.startswith("P"):
        key.putpalette([9, 9, 9, 0, 0, 128])
    key.paste(0, (0, 0, 320, 360))
    return encoded(key, transparency=b"\0" if mode == "P bytes" else 0), mode


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "P bytes", "L", "1", "RGB", "WEBP"])
def test_transparency_of_every_kind_is_laid_on_white_and_told(mode: str) -> None:
    data, _ = half_clear(mode)
    picture = judged(data)
    assert picture.notes == ("its transparent parts are laid on white, and it is sent without transparency",)
    sent = opened(picture)
    assert sent.mode == "RGB"
    assert "transparency" not in sent.info
    assert sent.getpixel((5, 5)) == (255, 255, 255)
    assert mode == "1" or sent.getpixel((600, 300)) != (255, 255, 255)
    assert judged(data, fit=True) == picture
    assert judged(picture.data).data == picture.data


def test_half_transparent_is_mixed_with_white_and_an_opaque_alpha_goes_without_a_word() -> None:
    half = judged(encoded(Image.new("RGBA", SIZE, (0, 0, 0, 128))))
    assert opened(half).getpixel((9, 9)) == pytest.approx((127, 127, 127), abs=1)
    opaque = judged(encoded(Image.new("RGBA", SIZE, (10, 20, 30, 255))))
    assert opened(opaque).mode == "RGB"
    assert opened(opaque).getpixel((9, 9)) == (10, 20, 30)
    assert opaque.notes == ()


def test_a_cropped_or_turned_picture_keeps_no_transparency() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGBA", (900, 700), (0, 0, 0, 0))
    turned = judged(encoded(image, exif=exif))
    assert (turned.width, turned.height) == (700, 900)
    assert opened(turned).getpixel((5, 5)) == (255, 255, 255)
    wide = judged(encoded(Image.new("RGB", (1280, 720))))
    cropped = crop_alike(judged(encoded(image)), wide, field="last_frame_image", name="x")
    assert opened(cropped).mode == "RGB"
    assert opened(cropped).getpixel((5, 5)) == (255, 255, 255)
    assert cropped.notes


def text_chunks(size: int) -> list[bytes]:
    text = b"x" * size
    packed = zlib.compress(text)
    return [
        chunk(b"tEXt", b"workflow\0" + text),
        chunk(b"zTXt", b"workflow\0\0" + packed),
        chunk(b"iTXt", b"workflow\0\0\0\0\0" + text),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + packed),
    ]


@pytest.mark.parametrize("number", range(4))
def test_big_texts_are_left_out_and_small_ones_stay(number: int) -> None:
    plain = encoded(Image.new("RGB", SIZE, "teal"))
    picture = judged(with_chunk(plain, text_chunks(2_000_000)[number]))
    assert picture.data == plain, "what is left is the very file without it"
    assert "text in it" in picture.notes[0]
    small = with_chunk(plain, text_chunks(2_000)[number])
    assert judged(small).data == small
    assert judged(small).notes == ()


def test_many_texts_count_together_and_packed_texts_are_never_unpacked_whole() -> None:
    plain = encoded(Image.new("RGB", SIZE, "teal"))
    many = with_chunk(plain, *[chunk(b"tEXt", b"k\0" + b"x" * 600_000)] * 3)
    assert len(judged(many).data) < 700_000 + len(plain)
    bomb = zlib.compress(b"\0" * 50_000_000, 9)
    assert judged(with_chunk(plain, chunk(b"zTXt", b"k\0\0" + bomb))).data == plain


def test_a_picture_is_weighed_without_its_ballast() -> None:
    plain = encoded(Image.new("RGB", SIZE, "teal"))
    assert judged(with_chunk(plain, chunk(b"tEXt", b"k\0" + b"x" * 21_000_000))).data == plain


@pytest.mark.parametrize(
    "ballast",
    [
        chunk(b"eXIf", b"garbage"),
        chunk(b"iCCP", b"monitor\0\0" + zlib.compress(bytes(2_000_000))),
        chunk(b"iCCP", b"monitor\0\0not packed"),
        chunk(b"iCCP", b"print\0\0" + zlib.compress(CMYK_HEAD)),
        chunk(b"iCCP", b"grey\0\0" + zlib.compress(GREY_HEAD)),
        chunk(b"pHYs", b"\0" * 9)[:-1] + b"?",
    ],
)
def test_what_is_broken_or_wrong_beside_the_pixels_is_left_out(ballast: bytes) -> None:
    plain = encoded(Image.new("RGB", SIZE, "teal"))
    picture = judged(with_chunk(plain, ballast))
    assert picture.data == plain
    assert "left out" in picture.notes[0]


def test_a_profile_of_the_picture_s_own_space_stays_whatever_is_done_to_it() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        good = encoded(Image.new("RGB", SIZE, "teal"), kind, icc_profile=SRGB)
        assert judged(good).data == good
    panorama = judged(encoded(Image.new("RGB", (1600, 400)), "JPEG", icc_profile=SRGB), fit=True)
    assert opened(panorama).info["icc_profile"] == SRGB


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("profile", [CMYK_HEAD, GREY_HEAD, b"short"])
def test_a_wrong_profile_leaves_a_photo_whose_pixels_stay(kind: str, profile: bytes) -> None:
    photo = Image.effect_noise(SIZE, 60).convert("RGB")
    data = encoded(photo, kind, icc_profile=profile)
    picture = judged(data)
    assert picture.mime == f"image/{kind.lower()}"
    assert "icc_profile" not in opened(picture).info
    assert np.array_equal(np.asarray(opened(picture)), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_broken_exif_data_leaves_a_photo(kind: str) -> None:
    data = encoded(Image.new("RGB", SIZE, "teal"), kind, exif=b"Exif\0\0garbage")
    assert b"garbage" in data
    picture = judged(data)
    assert b"garbage" not in picture.data
    assert opened(picture).size == SIZE


def test_print_colours_and_grey_become_rgb_without_their_profile() -> None:
    cmyk = encoded(Image.new("CMYK", SIZE, (0, 255, 255, 0)), "JPEG", icc_profile=CMYK_HEAD)
    sent = opened(judged(cmyk, fit=True))
    assert sent.mode == "RGB"
    assert "icc_profile" not in sent.info
    assert sent.getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=2)
    grey = encoded(Image.new("L", (1600, 400), 99), icc_profile=GREY_HEAD)
    assert "icc_profile" not in opened(judged(grey, fit=True)).info


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(300), "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(300), "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(300), "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif" + bytes(300), "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(300), "a video"),
        (encoded(Image.new("RGB", SIZE), "GIF"), "GIF"),
        (encoded(Image.new("RGB", SIZE), "TIFF"), "TIFF"),
        (encoded(Image.new("RGB", SIZE), "BMP"), "BMP"),
        (b'<?xml version="1.0"?>\n<!-- Inkscape -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<svg width='9'></svg>", "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"8BPS\0\1", "Photoshop's PSD"),
    ],
)
def test_other_formats_are_called_by_name_with_the_way_out(data: bytes, words: str) -> None:
    told = refused(data)
    assert f"it is {words}" in told
    assert "save it as JPEG" in told
    assert ("MiniMax-H3 takes by URL" in told) == (words == "HEIC")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"hello", "it is not a picture;"),
        (encoded(Image.new("RGB", SIZE))[:20], "damaged"),
    ],
)
def test_what_is_no_picture_is_told_apart(data: bytes, words: str) -> None:
    assert words in refused(data)


def test_too_many_pixels_are_told_in_pixels() -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 14_500, 13_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    told = refused(bomb)
    assert "14500 x 13000 (188.5 megapixels)" in told
    assert "178,956,970 pixels" in told
    assert "20 MB" not in told


WHOLE = {
    kind: with_chunk(encoded(Image.effect_noise((310, 310), 50).convert("RGB"), kind), *extra)
    if kind == "PNG"
    else encoded(
        Image.effect_noise((310, 310), 50).convert("RGB"), kind, icc_profile=SRGB, exif=b"Exif\0\0garbage"
    )
    for kind, extra in (("PNG", text_chunks(100)), ("JPEG", ()), ("WEBP", ()))
}


@settings(max_examples=3 * settings.default.max_examples // 2, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_whatever_is_done_to_a_file_it_is_a_picture_or_a_picture_error(
    kind: str, data: st.DataObject
) -> None:
    file = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(file) - 1, 700)))
        file[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(file), len(file) // 2, 40, 9]))
    mutated = bytes(file[:cut])
    without_ballast(mutated)
    try:
        picture = judged(mutated)
    except PictureError:
        return
    assert opened(picture).size == (picture.width, picture.height)


def test_png_info_of_pillow_is_kept() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", "a boat")
    data = encoded(Image.new("L", SIZE), pnginfo=info)
    assert judged(data).data == data
