"""How much a word in brackets looks like a camera move: a command, one that is misspelt, or just a word.

`[Pan lefft]` costs a clip when nobody notices, `[GOLD]` on a shop sign is nobody's business. So the shape
of the words decides (a verb of the camera and a direction), not how many letters they share with a move.
"""

import re
import unicodedata
from difflib import SequenceMatcher
from enum import Enum
from itertools import pairwise

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.prompts.camera import SPELLINGS, WHICH_WAY, find_move, folded


class Likeness(Enum):
    """What a word in brackets is: nothing for anybody to say about it, or the more so the further down."""

    WORD = "an ordinary word"
    ALIAS = "a move's name that is an ordinary word too, such as hold"
    MAYBE = "a word that may be meant for the camera"
    MISSPELT = "surely meant for the camera, and no move"
    COMMAND = "a move, and nothing else"


_PAIRS = {
    tuple(spelling.casefold().split()): move
    for move in MOVES
    for spelling in (move.english, *move.aliases)
    if " " in spelling
}
_VERBS = {verb for verb, direction in _PAIRS if direction != "shot"}
_OF_CAMERA_ONLY = {"pan", "tilt", "zoom", "dolly", "pedestal", "push", "pull"}
_MUST_SAY_WHERE = {"pan", "tilt", "zoom"}
_DIRECTIONS = {direction for _, direction in _PAIRS if direction != "shot"}
_OTHER_DIRECTIONS = {"forward", "forwards", "backward", "backwards", "back", "upward", "upwards", "downward"}
_SHOTS = _VERBS | {verb for verb, direction in _PAIRS if direction == "shot"}

_FILM_TERMS = {
    "arc", "arc left", "arc right", "arc shot", "orbit", "orbit left", "orbit right", "orbit shot",
    "dolly zoom", "zolly", "vertigo", "whip pan", "crash zoom", "snap zoom", "rack focus", "steadicam",
    "steadicam shot", "aerial shot", "drone shot", "dutch angle", "roll left", "roll right",
}  # fmt: skip
_CHINESE_TERMS = {
    "推近", "拉近", "推镜", "拉镜", "摇镜", "移镜", "跟拍", "跟镜头", "环绕", "手持", "平移", "左平移",
    "右平移", "摇摄", "俯仰", "升降", "变焦", "甩镜", "旋转", "推", "拉", "摇", "移",
}  # fmt: skip
_ALIKE = str.maketrans("近近揺遥瑶谣迸园", "进进摇摇摇摇进远")
_CHINESE_WORDS = {"固定", "上升", "下降", "跟随", "晃动"}
"""Official commands that are ordinary words as well."""

_WORDS_LIKE_VERBS = {"tuck", "rack", "tack", "side", "slid", "cab", "doll", "boo", "bloom"}

_ADVERBS = {
    "a", "an", "the", "camera", "slow", "slowly", "very", "fast", "quick", "quickly", "gentle", "gently",
    "slight", "slightly", "smooth", "smoothly", "shot",
}  # fmt: skip
_HAS_CHINESE = re.compile(r"[\u3400-\u9fff]")
_CHINESE_AROUND = re.compile(
    r"^(?:镜头|相机|摄影机|画面|缓慢|缓缓|快速|慢慢|慢|快|向|往|地)+|(?:镜头|动|一点)$"
)


def likeness(word: str) -> Likeness:
    """What a word (one of those that `split_words` gives) is."""
    if find_move(word):
        return _of_move(word)
    plain = unicodedata.normalize("NFKC", word).casefold()
    if _HAS_CHINESE.search(plain):
        return _of_chinese(plain)
    tokens = tuple(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", plain))
    return _of_tokens(tokens) if tokens else Likeness.WORD


def _of_move(word: str) -> Likeness:
    spelling = folded(word)
    if spelling in _CHINESE_WORDS:
        return Likeness.ALIAS
    if not spelling.isascii() or any("".join(pair) == spelling for pair in _PAIRS):
        return Likeness.COMMAND
    return Likeness.ALIAS


def _of_chinese(word: str) -> Likeness:
    bare = _CHINESE_AROUND.sub("", word).strip()
    if (bare and folded(bare) in SPELLINGS) or folded(word).translate(_ALIKE) in SPELLINGS:
        return Likeness.MISSPELT
    if bare in _CHINESE_TERMS:
        return Likeness.MAYBE
    strong = [move.chinese for move in MOVES if move.chinese not in _CHINESE_WORDS]
    return Likeness.MAYBE if any(command in word for command in strong) else Likeness.WORD


def _of_tokens(tokens: tuple[str, ...]) -> Likeness:
    of_camera = "camera" in tokens
    bare = list(tokens)
    while bare and bare[0] in _ADVERBS - {"shot"}:
        bare.pop(0)
    kind = _of_bare(tuple(bare), len(bare) < len(tokens))
    return Likeness.MISSPELT if kind is Likeness.MAYBE and of_camera else kind


def _of_bare(tokens: tuple[str, ...], has_adverb: bool) -> Likeness:
    match tokens:
        case (one,):
            return _of_one(one)
        case (one, two):
            return max(_of_pair(one, two), _of_pair(two, one, turned=True), key=_STRENGTH.index)
        case (_, _, *_):
            pairs = list(pairwise(tokens))
            if any(pair in _PAIRS for pair in pairs):
                return Likeness.MISSPELT if len(tokens) == 3 else Likeness.MAYBE
            if has_adverb and any(_of_pair(*pair) is Likeness.MISSPELT for pair in pairs):
                return Likeness.MAYBE
    return Likeness.WORD


_STRENGTH = list(Likeness)


def _of_one(token: str) -> Likeness:
    if _stem(token) in _MUST_SAY_WHERE:
        return Likeness.MISSPELT
    if find_move(token) or token in WHICH_WAY or {token, token.removesuffix("s")} & _FILM_TERMS:
        return Likeness.MAYBE
    near = max(SequenceMatcher(None, known, token).ratio() for known in SPELLINGS if known.isascii())
    return Likeness.MAYBE if len(token) >= 6 and near >= 0.86 else Likeness.WORD


def _of_pair(verb: str, direction: str, *, turned: bool = False) -> Likeness:
    stem = _stem(verb)
    if turned:  # "left pan"
        exact = stem in _OF_CAMERA_ONLY and (stem, direction) in _PAIRS
        return Likeness.MISSPELT if exact else Likeness.WORD
    if f"{verb} {direction}" in _FILM_TERMS:
        return Likeness.MAYBE
    if (stem in _VERBS and direction in _DIRECTIONS | _OTHER_DIRECTIONS) or (verb, direction) in _PAIRS:
        return Likeness.MISSPELT
    if stem in _SHOTS and _is_slip(direction, "shot"):
        return Likeness.MISSPELT
    if stem in _VERBS:
        if any(_is_slip(direction, meant) for meant in _DIRECTIONS):
            return Likeness.MISSPELT
        if any(_is_near(direction, meant) for meant in _DIRECTIONS):
            return Likeness.MISSPELT if stem in _OF_CAMERA_ONLY else Likeness.MAYBE
        return Likeness.WORD
    meant = [known for known, where in _PAIRS if where == direction or _is_slip(direction, where)]
    if any(_is_slip(stem, known) for known in (_VERBS if direction in _DIRECTIONS else meant)):
        return Likeness.MAYBE if stem in _WORDS_LIKE_VERBS else Likeness.MISSPELT
    return Likeness.MAYBE if any(_is_near(stem, known) for known in meant) else Likeness.WORD


def _stem(verb: str) -> str:
    """`pans`, `panned` and `panning` are `pan`."""
    for ending in ("ing", "ed", "es", "s"):
        base = verb.removesuffix(ending)
        if base != verb:
            for stem in (base, base[:-1] if base[-2:-1] == base[-1:] else base, base + "e"):
                if stem in _SHOTS:
                    return stem
    return {"dollies": "dolly", "dollied": "dolly"}.get(verb, verb)


def _is_slip(written: str, meant: str) -> bool:
    """Whether a letter is missing, doubled, added or has changed places; in short words only doubled."""
    if written == meant:
        return True
    if len(meant) < 3:
        doubled = {meant[:i] + meant[i] + meant[i:] for i in range(len(meant))}
        return written in doubled or written == meant[::-1]
    if len(meant) == 3:
        doubled = {meant[:i] + meant[i] + meant[i:] for i in range(len(meant))}
        return written in doubled
    swapped = {meant[:i] + meant[i + 1] + meant[i] + meant[i + 2 :] for i in range(len(meant) - 1)}
    longer, shorter = (written, meant) if len(written) > len(meant) else (meant, written)
    lacks = len(longer) == len(shorter) + 1 and any(
        longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer))
    )
    return lacks or written in swapped


def _is_near(written: str, meant: str) -> bool:
    """Whether one letter is another."""
    if len(meant) < 3 or len(written) != len(meant):
        return False
    return sum(one != other for one, other in zip(written, meant, strict=True)) == 1
