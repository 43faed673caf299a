"""How sentences and camera instructions are put together, whatever the text around them is.

While a prompt is rendered, instructions and the look are enclosed in Unicode noncharacters, which no text
contains. They survive every filter, so the finished text shows what its author placed, and where.
"""

import re
from collections.abc import Iterable

CAMERA, THEN, LOOK, END = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdef"
"""What a mark encloses: a whole instruction, a move that follows another one, the look."""

_MARK = re.compile(f"([{CAMERA}{THEN}{LOOK}])([^{CAMERA}{THEN}{LOOK}{END}]*){END}")
_ALL_MARKS = str.maketrans("", "", CAMERA + THEN + LOOK + END)
_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
_FULL_STOP = re.compile(r"[.!?。！？…][\"'”’）)」』]*$")
_PAUSE = re.compile(r"[,;:，；：、—–-]$")
_PAUSES = re.compile(r"[\s,;:，；：、—–-]+$")


def mark(kind: str, text: str) -> str:
    """The text with its mark around it; nothing stays nothing."""
    return f"{kind}{text}{END}" if text else ""


def is_placed(kind: str, text: str) -> bool:
    """Whether a rendered text contains this kind of mark."""
    return kind in text


def is_chinese(text: str) -> bool:
    """Whether a text has a Chinese character or full-width punctuation in it."""
    return bool(_CHINESE.search(text))


def sentence(text: object) -> str:
    """A text as a sentence of its own: a capital first, one full stop last; empty for an empty text."""
    words = " ".join(str(text).split())
    is_brand = words[1:2].isupper()  # iPhone, eBay
    return end_sentence(words if is_brand else words[:1].upper() + words[1:])


def end_sentence(text: str) -> str:
    """The text with a full stop unless it has ended already; a comma at its end gives way to it."""
    whole = _PAUSES.sub("", text)
    visible = whole.translate(_ALL_MARKS)
    if not visible or _FULL_STOP.search(visible):
        return whole
    return whole + ("。" if is_chinese(visible[-1]) else ".")


def join_sentences(*texts: str) -> str:
    """Texts one after the other, with a space unless the one before ends in full-width punctuation."""
    joined = ""
    for text in filter(None, texts):
        joined += ("" if not joined or joined[-1] in "。！？，；" else " ") + text
    return joined


_WORD = re.compile(r"[^\W\d_]+")
_NOT_WORDS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\[[^\[\]]*\]", re.DOTALL)


def language_of(texts: Iterable[str], otherwise: str) -> str:
    """ "zh" for texts that are rather Chinese, "en" for others, `otherwise` where there are no words.

    Commands in brackets and what Jinja reads are no words.
    """
    words = " ".join(_NOT_WORDS.sub("", text) for text in texts)
    chinese, others = len(_CHINESE.findall(words)), len(_WORD.findall(_CHINESE.sub(" ", words)))
    if not chinese + others:
        return otherwise
    return "zh" if chinese > others else "en"


def settle(text: str, *, chinese: bool) -> str:
    """The text with every marked instruction fitted into its sentence, and no marks left.

    Commands in brackets stand anywhere. Plain words start a sentence, or become `as the camera …` inside
    one, and end theirs where a new one begins. `chinese` tells the language of what is put between commands.
    """
    done, rest, after_words = "", text, False
    while found := _MARK.search(rest):
        between, rest = rest[: found.start()], rest[found.end() :]
        kind, words = found.groups()
        done += between.translate(_ALL_MARKS)
        if kind == LOOK:
            done, after_words = done + words, False
        elif words.startswith("["):
            done, after_words = (_after_then(done, chinese) if kind == THEN else done) + words, False
        else:
            continues = kind == THEN or (after_words and not between.strip())
            done = _place_words(done, words, continues)
            rest, after_words = _end_words(words, rest), True
    return done + rest.translate(_ALL_MARKS)


def _place_words(before: str, words: str, continues: bool) -> str:
    chinese, base = is_chinese(words), before.rstrip()
    if continues:
        names_camera = "" if not _starts_sentence(base) else "镜头" if chinese else "the camera "
        return (
            _after_then(before, chinese)
            + names_camera
            + words.removeprefix("The camera ").removeprefix("镜头")
        )
    if _starts_sentence(base):
        return before + words
    if chinese:
        return base + ("" if _PAUSE.search(base) else "，") + words
    return base + (" " if _PAUSE.search(base) else " as ") + words[0].lower() + words[1:]


def _after_then(before: str, chinese: bool) -> str:
    base = before.rstrip()
    if _starts_sentence(base):
        return before + ("然后" if chinese else "Then ")
    if chinese:
        return base + ("然后" if _PAUSE.search(base) else "，然后")
    return base + (" then " if _PAUSE.search(base) else ", then ")


def _starts_sentence(base: str) -> bool:
    return not base or bool(_FULL_STOP.search(base))


def _end_words(words: str, rest: str) -> str:
    """The rest of a text after plain words, with the punctuation that parts the two."""
    chinese = is_chinese(words)
    following = rest.lstrip()
    if following.startswith((CAMERA, THEN)):
        return rest
    visible = following.translate(_ALL_MARKS)
    if not visible:
        return "。" if chinese else "."
    if chinese:
        return ("。" if visible[0].isascii() else "，") + following if visible[0].isalnum() else rest
    return ". " + following if visible[0].isupper() or is_chinese(visible[0]) else rest
