"""Typefaces: those that come with the package, and those of the machine for writing that they do not have.

A text is set in one font, the first that has all its letters, so that what is mixed looks as of one hand.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont, features

from minimax_tasks.video.fonts import CJK_FONTS, has_glyph

FOLDER = Path(__file__).parent / "typefaces"


class Face(StrEnum):
    """A weight of one of our two families: Source Sans and Source Serif (Adobe, SIL Open Font License)."""

    LIGHT = "SourceSansPro-Light.otf"
    REGULAR = "SourceSansPro-Regular.otf"
    SEMIBOLD = "SourceSansPro-Semibold.otf"
    BLACK = "SourceSansPro-Black.otf"
    SERIF = "SourceSerifPro-Regular.otf"


_WEIGHTS = {
    Face.LIGHT: ("Light", "Regular"),
    Face.REGULAR: ("Regular",),
    Face.SEMIBOLD: ("Medium", "Bold", "Regular"),
    Face.BLACK: ("Black", "Bold", "Regular"),
    Face.SERIF: ("Regular",),
}
"""The weights of other families that come nearest, best first."""

_NOTO = (
    "", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Thai", "Khmer", "Georgian", "Armenian",
    "Ethiopic",
)  # fmt: skip
"""Noto Sans has a font for each script."""

_OF_MACHINES = (
    "Amiri-Regular.ttf", "GeezaPro.ttc", "SFArabic.ttf", "ArialHB.ttc", "Thonburi.ttc", "Kohinoor.ttc",
    "Nirmala.ttf", "segoeui.ttf", "tahoma.ttf", "malgun.ttf", "AppleSDGothicNeo.ttc", "Arial.ttf", "FreeSans.ttf",
)  # fmt: skip
"""File names under which systems keep fonts of many scripts, beside Noto, DejaVu and those of Chinese."""

_SHAPED = {
    "ARABIC", "SYRIAC", "HEBREW", "THAANA", "NKO", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL",
    "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "KHMER", "MONGOLIAN",
}  # fmt: skip
"""Scripts whose letters join, are reordered or run from right to left."""

_CHINESE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
_KANA_OR_HANGUL = re.compile("[぀-ヿ가-힯]")
_SIMPLIFIED = 2
"""The number of the font for simplified Chinese in the collections of Noto CJK."""

_INVISIBLE = ("Cf", "Cc", "Mn")
"""Marks of direction and joining, line ends, and marks over letters, which not every font draws by themselves."""


def font_of(text: str, face: Face, pixels: int) -> ImageFont.FreeTypeFont | None:
    """The font in which a text is set, None when no font of this machine has all its letters."""
    for name in (str(FOLDER / face), *_others(text, face)):
        index = _SIMPLIFIED if _is_chinese_collection(name, text) else 0
        # What a font has, it has in every size: to look for its letters takes longer than to set them.
        tried = _loaded(name, _TRIED, index)
        if tried is not None and not _lacking(text, tried):
            return _loaded(name, pixels, index)
    return None


def missing_letters(text: str, face: Face) -> str:
    """What keeps a text from being set, in words for people; empty when nothing does."""
    shaped = {script for letter in text if (script := _script(letter)) in _SHAPED}
    if shaped and not features.check("raqm"):
        return (
            f"{_named(shaped)} letters are not joined and ordered by this Pillow, which is built without Raqm"
        )
    if font_of(text, face, _TRIED) is not None:
        return ""
    own = _loaded(str(FOLDER / face), _TRIED, 0)
    letters = _lacking(text, own) if own else text
    shown = ", ".join(letters[:5]) + (", …" if len(letters) > 5 else "")
    scripts = {_script(letter) for letter in letters}
    advice = "Noto Sans CJK (fonts-noto-cjk)" if scripts & set(_CHINESE) else "Noto Sans (fonts-noto-core)"
    return f"no font of this machine has the {_named(scripts)} letters of it ({shown}); install one, such as {advice}"


_TRIED = 32


def _named(scripts: set[str]) -> str:
    names = {"Chinese" if script == "CJK" else script.capitalize() for script in scripts}
    return " and ".join(sorted(names))


def is_shaped(text: str) -> bool:
    """Whether letters of a text join or run from right to left, so that they cannot be set one by one."""
    return any(_script(letter) in _SHAPED for letter in text)


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "unknown").split()[0]
    return "CJK" if name in ("FULLWIDTH", "IDEOGRAPHIC") else name.partition("-")[0]


def _others(text: str, face: Face) -> list[str]:
    """Names of other fonts to try, best first: the nearest of ours, and those of the machine, whatever their style."""
    weights = _WEIGHTS[face]
    styles = ("Serif", "Sans") if face is Face.SERIF else ("Sans",)
    if any(_script(letter) in _CHINESE for letter in text):
        noto = [f"Noto{style}CJK-{weight}.ttc" for style in styles for weight in weights]
        return [*noto, *CJK_FONTS, "DejaVuSans.ttf"]
    noto = [f"Noto{style}{script}-{weight}.ttf" for style in styles for script in _NOTO for weight in weights]
    naskh = ["Amiri-Regular.ttf"] if face is Face.SERIF else []
    bold = "-Bold" if face in (Face.SEMIBOLD, Face.BLACK) else ""
    dejavu = [f"DejaVu{style}{bold}.ttf" for style in styles]
    return [str(FOLDER / Face.REGULAR), *noto, *naskh, *dejavu, "DejaVuSans.ttf", *_OF_MACHINES, *CJK_FONTS]


def _is_chinese_collection(name: str, text: str) -> bool:
    return "CJK" in name and name.endswith(".ttc") and not _KANA_OR_HANGUL.search(text)


@lru_cache(maxsize=512)
def _loaded(name: str, pixels: int, index: int) -> ImageFont.FreeTypeFont | None:
    if name in _absent:
        return None
    try:
        return ImageFont.truetype(name, pixels, index)
    except OSError:
        _absent.add(name)
        return None


def larger(font: ImageFont.FreeTypeFont, times: int) -> ImageFont.FreeTypeFont:
    """The same font in so many times its size."""
    found = _loaded(str(font.path), round(font.size) * times, font.index)
    return found if found is not None else font.font_variant(size=font.size * times)


_absent: set[str] = set()
"""Names of fonts that this machine does not have: each look costs a walk over its folders."""


def _lacking(text: str, font: ImageFont.FreeTypeFont) -> str:
    """The letters that the font does not have, each once."""
    return "".join(
        letter
        for letter in dict.fromkeys(text)
        if unicodedata.category(letter) not in _INVISIBLE and not has_glyph(font, letter)
    )
