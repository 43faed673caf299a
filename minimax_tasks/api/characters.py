"""Characters that have no place in a text that is paid for: no model reads them, and a terminal may obey them."""

import re
import unicodedata

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but tabs and new lines
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction of the text around
    "\ud800-\udfff"  # half a character, as a program that counts in UTF-16 cuts it
    "\ufff9-\ufffb\ufdd0-\ufdef"
    + "".join(chr(plane | 0xFFFE) + chr(plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000))
    + "\U000e0001\U000e0020-\U000e007f"  # letters that nobody sees
    + "]"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")
"""The flags of England, Scotland and Wales are written with letters that nobody sees."""


def forbidden_character(text: str) -> str:
    """The first character of a text that no text may have, as `U+001B, a control character`; empty for none."""
    found = _FORBIDDEN.search(text)
    if found and found.group() >= "\U000e0000":
        found = _FORBIDDEN.search(_FLAG.sub("", text))
    if not found:
        return ""
    character = found.group()
    return f"U+{ord(character):04X}, {_kind(character)}"


def _kind(character: str) -> str:
    match unicodedata.category(character):
        case "Cc":
            return "a control character"
        case "Cs":
            return "half a character, which was cut in two"
        case "Zl" | "Zp":
            return "a line separator"
        case "Cf":
            return "a formatting character that nobody sees"
        case _:
            return "no character at all"
