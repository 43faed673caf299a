"""How sentences and camera instructions are put together, whatever the text around them is.

While a prompt is rendered, instructions and the look are enclosed in Unicode noncharacters, which no text
contains. They survive every filter, so the finished text shows what its author placed, and where.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from minimax_tasks.errors import ControlFlow

CAMERA, THEN, LOOK, END = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdef"
"""What a mark encloses: a whole instruction, a move that follows another one, the look."""

SENTENCE, NOTHING = "\ufdd3", "\ufdd4"
"""Where `sentence` began one, and where a template placed a camera that a shot does not have."""

END_OF_LINE = "</d>"
"""What ends a spoken line, and the sentence around it."""

_MARK = re.compile(f"([{CAMERA}{THEN}{LOOK}])([^{CAMERA}{THEN}{LOOK}{END}]*){END}")
_ALL_MARKS = str.maketrans("", "", CAMERA + THEN + LOOK + END + SENTENCE + NOTHING)
_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_STOPS = ".!?。！？…।॥؟۔｡．։።‼⁇⁈⁉"
_CLOSING = "\"'”’）)」』》〉»›"
_OPENING = "\"'“‘（(「『《〈«‹[【"
_FULL_STOP = re.compile(rf"[{re.escape(_STOPS)}][{re.escape(_CLOSING)}]*$")
_PAUSING = ",;:，；：、—–-،؛"
_PAUSE = re.compile(rf"[{re.escape(_PAUSING)}]$")
_SPACES = " \t\r\n\u00a0\u3000"
_WIDE_END = re.compile(r"[。！？，；：、…][”’）」』》]*$")


class NoText(ControlFlow, ValueError):
    """A value that cannot stand in a sentence."""


class NoCamera(str):
    """The camera of a shot that has none: empty, and yet seen where a template places it."""


def finalized(value: object) -> object:
    """What Jinja writes for a value."""
    return NOTHING if isinstance(value, NoCamera) else written(value)


def mark(kind: str, text: str) -> str:
    """The text with its mark around it; nothing stays nothing."""
    return f"{kind}{text}{END}" if text else ""


def is_placed(kind: str, text: str) -> bool:
    """Whether a rendered text contains this kind of mark."""
    return kind in text


def is_chinese(text: str) -> bool:
    """Whether a text has a Chinese character or full-width punctuation in it."""
    return bool(_CHINESE.search(text))


class Flag(int):
    """True or false of a board: as Python's, but in every text as boards have it."""

    def __str__(self) -> str:
        return "true" if self else "false"

    __repr__ = __str__

    def __format__(self, wanted: str) -> str:
        return format(str(self), wanted)


def with_flags(value: Any) -> Any:
    """A value of a board with every true and false in it as a `Flag`."""
    if isinstance(value, bool):
        return Flag(value)
    if isinstance(value, dict):
        return {name: with_flags(item) for name, item in value.items()}
    return type(value)(map(with_flags, value)) if type(value) in (list, tuple) else value


def without_flags(value: Any) -> Any:
    """The same with Python's own."""
    if isinstance(value, Flag):
        return bool(value)
    if isinstance(value, dict):
        return {name: without_flags(item) for name, item in value.items()}
    return [without_flags(item) for item in value] if isinstance(value, list | tuple) else value


def as_text(value: object) -> str:
    """A value of a board as text in one line: numbers as they are, a list with its parts in a row.

    Raises `NoText` for what no text can be made of without guessing (true, false, names with values), and for
    what only Python has a text for, which may be another one in each run.
    """
    if isinstance(value, bool | Flag):
        raise _no_text(str(value).lower())
    if isinstance(value, list | tuple):
        parts = [phrase(part) for part in value]
        return ("、" if is_chinese("".join(parts)) else ", ").join(filter(None, parts))
    return " ".join(str(written(value)).split())


def written(value: object) -> object:
    """What a template writes for a value: itself, if it is a text, a number, true or false. Raises `NoText`."""
    from jinja2 import Undefined  # camera commands are judged without templates

    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return as_text(value)
    if isinstance(value, str | int | Undefined) or (isinstance(value, float) and math.isfinite(value)):
        return value
    name = getattr(value, "name", "") or getattr(value, "__name__", "")
    if name and callable(value):
        raise NoText(f"{name} is to be called, with what it needs in parentheses: {name}(…)")
    if isinstance(value, dict):
        raise _no_text("names with values")
    raise _no_text({type(None): "nothing", float: str(value)}.get(type(value), f"a {type(value).__name__}"))


def _no_text(shown: str) -> NoText:
    return NoText(
        f"a text is wanted here, and the value is {shown}; write in quotes what the prompt is to say"
    )


def phrase(value: object) -> str:
    """A value as a part of a sentence: no stop at its end, none of it changed; empty for no words at all."""
    text = as_text(value).lstrip(_PAUSING.replace("-", "").replace("–", "").replace("—", "") + "。" + _SPACES)
    bare = text.rstrip(".。．｡।॥!?！？" + _PAUSING + _SPACES)
    return bare if _has_words(bare) else ""


def _has_words(text: str) -> bool:
    """Whether there is anything but punctuation in a text."""
    return any(unicodedata.category(each)[0] not in "PZC" for each in text.translate(_ALL_MARKS))


def sentence(text: object) -> str:
    """A text as a sentence of its own: a capital first, one full stop last; empty for a text without words."""
    words = as_text(text).removeprefix(SENTENCE)
    words = words.lstrip(",;:，；：、。" + _SPACES)
    if not _has_words(words):
        return ""
    return end_sentence(words if is_brand(words) else _capital(words))


def begun_sentence(text: object) -> str:
    """`sentence`, with a mark in front, so that what stands before it ends there."""
    whole = sentence(text)
    return whole and SENTENCE + whole


def is_brand(words: str) -> bool:
    """Whether a text begins with a word such as iPhone or eBay."""
    return words[:1].islower() and words[1:2].isupper()


def _capital(words: str) -> str:
    first = words[:1].title()
    return (first if len(first) == 1 else words[:1]) + words[1:]  # "ﬁ" has no capital of its own


def end_sentence(value: object) -> str:
    """The text with a full stop unless it has ended already; a comma at its end gives way to it."""
    text = value if isinstance(value, str) else as_text(value)
    whole = text.rstrip(_PAUSING + _SPACES)
    visible = whole.translate(_ALL_MARKS)
    if not visible or _FULL_STOP.search(visible[-8:]) or visible.endswith(END_OF_LINE):
        return whole
    bracket = re.search(r"\[[^\[\]]*\]$", visible[-130:])
    if bracket and _WIDE_END.search(visible[: -len(bracket.group())]):  # "…流下来。[推进]" has ended
        return whole
    last = visible[-1]
    if is_chinese(last) or _KANA.match(last):
        return whole + "。"
    return whole + ("।" if "\u0900" <= last <= "\u0963" else ".")


def join_sentences(*texts: str) -> str:
    """Texts one after the other, with a space unless the one before ends in full-width punctuation."""
    joined = ""
    for text in filter(None, texts):
        joined += ("" if not joined or _WIDE_END.search(joined[-8:]) else " ") + text
    return joined


def closed_up(text: str) -> str:
    """A text of Chinese sentences, as templates put it together, without blanks after full-width punctuation."""
    return re.sub(rf"([。！？，；：、][”’）」』》]*[{SENTENCE}{NOTHING}{END}]*) (?!\s)", r"\1", text)


_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 20_000
"""Characters of a text that tell its language."""

_NOT_WORDS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\[[^\[\]]*\]", re.DOTALL)


def language_of(texts: Iterable[str], otherwise: str) -> str:
    """ "zh" for texts that are rather Chinese, "en" for others, `otherwise` where there are no words.

    Commands in brackets and what Jinja reads are no words.
    """
    words = " ".join(_NOT_WORDS.sub("", text[:_ENOUGH]) for text in texts)
    chinese, others = len(_CHINESE.findall(words)), len(_WORD.findall(_CHINESE.sub(" ", words)))
    if 2 * len(_KANA.findall(words)) >= chinese > 0:
        return "en"  # Japanese, whose readers are served better by English words than by Chinese ones
    if not chinese + others:
        return otherwise
    return "zh" if chinese > others else "en"


def settle(text: str, *, chinese: bool) -> str:
    """The text with every marked instruction fitted into its sentence, and no marks left.

    Commands in brackets stand anywhere. Plain words start a sentence, or become `as the camera …` inside
    one, and end theirs where a new one begins. `chinese` tells the language of what is put between commands.
    """
    done, rest, after_words = "", _without_nothing(text), False
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
    if base[-1] in "([{（【“‘":
        return before + words[0].lower() + words[1:]
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
    return not base or bool(_FULL_STOP.search(base[-8:]))


def _end_words(words: str, rest: str) -> str:
    """The rest of a text after plain words, with the punctuation that parts the two."""
    chinese = is_chinese(words)
    following = rest.lstrip()
    if following.startswith((CAMERA, THEN)):
        return rest
    visible = following.translate(_ALL_MARKS)
    if not visible:
        return "。" if chinese else "."
    if following.startswith(SENTENCE):
        return ("。" if chinese else ". ") + following
    if visible[0] in _STOPS + _PAUSING + "）)」』》〉»›”’]】":
        return rest
    if chinese:
        inner = visible.lstrip(_OPENING)[:1]
        return ("，" if is_chinese(inner) and inner.isalnum() else "。") + following
    if visible.lstrip(_OPENING)[:1].islower():
        return " " + following
    return ". " + following


def _without_nothing(text: str) -> str:
    """The text with the punctuation settled where a template places a camera that is not there."""
    while NOTHING in text:
        before, _, after = text.partition(NOTHING)
        text = _closed_over(before, after)
    return text


_PAIRS = ("()", "[]", "（）", "【】", "“”", '""')
_LABEL = re.compile(
    r"(?:^|(?<=[.!?。！？]))\s*(?:the\s+)?(?:camera|镜头|运镜)[^.!?。！？:：]{0,20}[:：]\s*$", re.IGNORECASE
)


def _closed_over(before: str, after: str) -> str:
    base, rest = before.rstrip(), after.lstrip()
    spaced = base != before or rest != after
    while base and rest and base[-1] + rest[0] in _PAIRS:
        base, rest, spaced = base[:-1].rstrip(), rest[1:].lstrip(), True
    if not rest.translate(_ALL_MARKS) or rest[0] in _STOPS + _PAUSING:
        base = _LABEL.sub("", base)
    if _starts_sentence(base.translate(_ALL_MARKS)):
        following = rest.lstrip(_STOPS + ",;:，；：、 ") if rest[:1] in (*_STOPS, *",;:，；：、") else rest
        rest = following if following == rest or is_brand(following) else _capital(following)
    elif _PAUSE.search(base) and (not rest or rest[0] in _STOPS + ",;:，；：、"):
        base = base.rstrip(_PAUSING + _SPACES)
    joint = " " if base and rest and spaced and rest[0] not in _STOPS + ",;:，；：、）)" else ""
    return base + ("" if _WIDE_END.search(base) else joint) + rest
