import numpy as np
import pytest
from PIL import Image, ImageFilter

from minimax_tasks.video.seam import Seam, measure_seam


@pytest.fixture(scope="module")
def picture():
    y, x = np.mgrid[0:180, 0:320].astype(np.float32)
    red = 128 + 80 * np.sin(x / 9) * np.cos(y / 7)
    green = 60 + x / 3
    blue = 200 - y / 2
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8))


def brighter(image, by):
    return Image.fromarray(np.clip(np.asarray(image).astype(int) + by, 0, 255).astype(np.uint8))


def test_a_picture_continues_itself(picture):
    assert measure_seam(picture, picture) == Seam(99.0, 0.0, 1.0, 1.0, 1.0)


def test_brightness(picture):
    seam = measure_seam(picture, brighter(picture, 10))
    assert seam.luma == pytest.approx(10, abs=0.5)
    assert 26 < seam.psnr < 30


def test_saturation(picture):
    assert measure_seam(picture, picture.convert("L")).saturation < 0.05


def test_contrast(picture):
    flat = Image.blend(picture, Image.new("RGB", picture.size, (128, 128, 128)), 0.5)
    assert measure_seam(picture, flat).contrast == pytest.approx(0.5, abs=0.05)


def test_sharpness(picture):
    assert measure_seam(picture, picture.filter(ImageFilter.GaussianBlur(4))).sharpness < 0.8


def test_another_picture_and_another_size(picture):
    other = Image.new("RGB", (640, 360), (10, 200, 30))
    assert measure_seam(picture, other).psnr < 15


def test_flat_pictures_have_no_infinite_ratios():
    black = Image.new("RGB", (64, 36))
    assert measure_seam(black, black) == Seam(99.0, 0.0, 1.0, 1.0, 1.0)
