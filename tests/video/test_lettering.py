"""Words in the picture: where lines break, that nothing is lost, where they stand, and that they can be read."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minimax_tasks.video.lettering.canvas import safe_edges
from minimax_tasks.video.lettering.captions import caption_leaves, draw_caption, parts_of
from minimax_tasks.video.lettering.faces import Face, font_of, missing_letters
from minimax_tasks.video.lettering.look_names import LOOKS
from minimax_tasks.video.lettering.looks import Words, card_words, draw_title
from minimax_tasks.video.lettering.typesetting import (
    NOT_FIRST,
    NOT_LAST,
    Type,
    breaks_of,
    draw_lines,
    fitted,
    set_lines,
)

SIZES = [(256, 144), (144, 256), (640, 360), (768, 768), (1080, 1920), (1920, 816), (2560, 1440)]
SPOKEN = "We should have left at noon, when the water was still calm and the pilot was sober."
ARABIC, HEBREW = "كان ينبغي أن نغادر عند الظهر", "היינו צריכים לצאת"


def inked(image: Image.Image) -> tuple[int, int, int, int]:
    """The box of the letters themselves, without their shadow."""
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    black.alpha_composite(image)
    box = black.convert("L").point([255 if value > 120 else 0 for value in range(256)]).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("size", SIZES)
def test_captions_stand_in_the_safe_area_on_two_lines_at_most(size: tuple[int, int]) -> None:
    left, top, right, bottom = safe_edges(size)
    for leaf in caption_leaves(SPOKEN, size):
        box = inked(leaf.image)
        assert left - 1 <= box[0]
        assert box[2] <= right + 1
        assert top <= box[1]
        assert box[3] <= bottom + 1
        assert box[1] > size[1] * 0.55, "captions are at the foot"


@pytest.mark.parametrize("size", SIZES)
def test_no_word_of_a_caption_is_lost(size: tuple[int, int]) -> None:
    assert " ".join(parts_of(SPOKEN * 3, size)).split() == (SPOKEN * 3).split()


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 220, 0)])
@pytest.mark.parametrize("size", SIZES[2:5])
def test_captions_are_readable_on_any_ground(size: tuple[int, int], ground: tuple[int, int, int]) -> None:
    picture = Image.new("RGBA", size, (*ground, 255))
    caption = draw_caption("We should have left at noon.", size)
    picture.alpha_composite(caption)
    pixels = np.asarray(picture.convert("L"), int)
    left, top, right, bottom = inked(caption)
    part = pixels[top:bottom, left:right]
    assert part.max() > 235, "the letters are white"
    assert np.percentile(part, 30) < 130, "the ground is dark"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", SIZES)
def test_every_look_stays_in_the_safe_area_of_every_shape(look: str, size: tuple[int, int]) -> None:
    left, top, right, bottom = safe_edges(size)
    words = Words(
        "The Extraordinarily Long Title of a Film about a Ferry and a Pilot", "A film by Mara Lindqvist"
    )
    for image in (draw_title(words, look, size), card_words(words, look, size, True).cover.convert("L")):
        box = inked(image) if image.mode == "RGBA" else image.point([0] * 120 + [255] * 136).getbbox()
        assert box is not None
        assert left - 2 <= box[0]
        assert box[2] <= right + 2
        assert top - 2 <= box[1]
        assert box[3] <= bottom + 2


CHINESE = st.text("我们该走了海面很平静。，、！？：；「」『』（）《》“”…—a1 ", min_size=1, max_size=60)


@given(CHINESE)
def test_no_line_begins_with_closing_punctuation_or_ends_with_opening(text: str) -> None:
    whole = " ".join(text.split())
    for at in breaks_of(whole):
        if whole[at - 1] != " ":
            assert whole[at] not in NOT_FIRST
            assert whole[at - 1] not in NOT_LAST


def test_chinese_breaks_between_characters_and_words_do_not() -> None:
    assert breaks_of("我们该走。「走」") == [1, 2, 3, 5]
    assert breaks_of("We go") == [3]
    assert breaks_of("well-known 12-30") == [5, 11]


@given(
    st.lists(st.text("abcdefghij", min_size=1, max_size=9), min_size=1, max_size=25), st.integers(120, 900)
)
@settings(max_examples=25, deadline=None)
def test_lines_hold_all_words_in_their_order_and_fit(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = fitted(text, Type(Face.SEMIBOLD, 30), width, 2)
    assert "".join(line.text for line in lines).replace(" ", "") == "".join(words)
    if len(lines) <= 2:
        assert all(line.width <= width + 1 for line in lines)


def test_two_lines_are_about_equally_long_and_break_where_a_reader_pauses() -> None:
    lines = set_lines(
        "We should have left at noon, when the water was calm.", Type(Face.SEMIBOLD, 30), 500, 2
    )
    assert lines is not None
    assert [line.text for line in lines] == ["We should have left at noon,", "when the water was calm."]


def test_spaced_letters_are_kerned_and_marks_stay_with_theirs() -> None:
    plain, spaced = (
        set_lines("Ave\u0301", Type(Face.SERIF, 60, tracking), 900, 1) for tracking in (0.0, 0.2)
    )
    assert plain
    assert spaced
    assert spaced[0].width == pytest.approx(plain[0].width + 2 * 12, abs=2)
    assert len(spaced[0].clusters) == 3


@pytest.mark.parametrize("face", [Face.REGULAR, Face.SEMIBOLD])
@pytest.mark.parametrize("tracking", [0.0, 0.01])
@pytest.mark.parametrize("pixels", [13, 18, 23, 31])
def test_words_stand_apart_in_small_type_as_in_large(face: Face, tracking: float, pixels: int) -> None:
    def between_words(size: int) -> list[float]:
        """How wide the three spaces are, in parts of the type's size."""
        canvas = Image.new("L", (size * 16, size * 2))
        (line,) = fitted("Captain of the Aurora", Type(face, size, tracking), canvas.width, 1)
        draw_lines(canvas, [line], 2, canvas.width, 0, 0, "left", 255)
        inked = "".join("x" if column else " " for column in np.asarray(canvas).sum(axis=0) > 255 * size / 25)
        wide = sorted(re.finditer(" +", inked.strip()), key=lambda gap: gap.end() - gap.start())[-3:]
        return [(gap.end() - gap.start()) / size for gap in sorted(wide, key=lambda gap: gap.start())]

    assert between_words(pixels) == pytest.approx(between_words(320), abs=1.2 / pixels)


@pytest.mark.parametrize("text", [ARABIC, HEBREW])
def test_right_to_left_text_is_shaped_and_its_looks_stand_at_the_right(text: str) -> None:
    if missing_letters(text, Face.SEMIBOLD):
        pytest.skip("this machine has no font or no Raqm for it")
    size = (1280, 720)
    left, _, right, _ = inked(draw_title(Words(text), "bold", size))
    assert size[0] - right < left, "it begins at the right"
    font = font_of(text, Face.SEMIBOLD, 40)
    assert font is not None
    if text is ARABIC:
        apart = sum(font.getlength(letter) for letter in text)
        assert font.getlength(text) < apart * 0.97, "letters are joined"


def test_letters_that_no_font_has_are_named_with_their_script() -> None:
    letter = "\U00012000"
    assert unicodedata.name(letter).startswith("CUNEIFORM")
    assert "the Cuneiform letters of it" in missing_letters(f"A {letter}", Face.SERIF)
    assert missing_letters("Ελληνικά, Русский, Việt, Žluťoučký — “Ærø”", Face.SEMIBOLD) == ""
