"""Fonts for writing on pictures, and which characters of a text they can show."""

from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

CJK_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "NotoSansSC[wght].ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "PingFang.ttc",
    "STHeiti Light.ttc",
    "STHeiti Medium.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
)
"""File names under which systems keep a font with Chinese characters."""

NO_CHARACTER = "\uffff"
"""Not a character, so a font draws its box for missing ones."""


def font_for(text: str, pixels: int) -> Font:
    """Pillow's built-in font, which is the same everywhere, or a CJK font of the system for a text that needs one."""
    latin = latin_font(pixels)
    if all(has_glyph(latin, character) for character in text):
        return latin
    return cjk_font(pixels) or latin


def drawable(text: str, font: Font) -> str:
    """The part of the text that the font can show, so that no empty boxes are drawn."""
    kept = "".join(character if has_glyph(font, character) else " " for character in text)
    return " ".join(kept.split())


def letters_without_font(text: str) -> str:
    """The letters and digits of a text that no font on this machine has, each once."""
    font = font_for(text, 20)
    return "".join(
        letter for letter in dict.fromkeys(text) if letter.isalnum() and not has_glyph(font, letter)
    )


@lru_cache(maxsize=32)
def latin_font(pixels: int) -> Font:
    """Pillow's built-in font."""
    return ImageFont.load_default(pixels)


@lru_cache(maxsize=32)
def cjk_font(pixels: int) -> Font | None:
    """A font of this system with Chinese characters, or None."""
    for name in CJK_FONTS:
        try:
            return ImageFont.truetype(name, pixels)
        except OSError:
            continue
    return None


@lru_cache(maxsize=4096)
def has_glyph(font: Font, character: str) -> bool:
    """Whether the font knows the character."""
    if character.isspace():
        return True
    return _drawn(font, character) != _box(font)


@lru_cache(maxsize=64)
def _box(font: Font) -> tuple[tuple[int, int], bytes]:
    return _drawn(font, NO_CHARACTER)


def _drawn(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)
