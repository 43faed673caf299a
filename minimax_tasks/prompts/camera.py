"""The camera of a shot: words people use, checks, and the instruction that a model reads.

Moves at the same time are one group, groups run one after the other: `((push in, tilt up), (static,))`.
The facts are the table in `minimax_tasks.api.catalog.cameras`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from minimax_tasks.api.catalog.cameras import MAX_SIMULTANEOUS, MOVES, Move
from minimax_tasks.api.catalog.combinations import find_combination
from minimax_tasks.api.catalog.models import CameraForm, camera_form, reads_brackets
from minimax_tasks.errors import CameraError

Group = tuple[Move, ...]
Groups = tuple[Group, ...]


_UNSEEN = re.compile(r"[\s_\-\u2010-\u2015\u00ad\u200b-\u200f\u2060\ufeff]+")
_TRADITIONAL = str.maketrans("進遠搖變動隨", "进远摇变动随")


def folded(word: str) -> str:
    """A spelling without what does not matter: case, spaces, hyphens, underscores, width, old characters."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", word).casefold()).translate(_TRADITIONAL)


SPELLINGS: dict[str, Move] = {
    folded(word): move for move in MOVES for word in (move.name, move.english, move.chinese, *move.aliases)
}
"""Every folded spelling of every move."""

_AND = re.compile(r"[,、;/|+&]|\band\b|和|与|并|同时", re.IGNORECASE)
_ENDS_OPEN = re.compile(r"(?:[+&]|\band|和|与|并|同时)$", re.IGNORECASE)
_BEGINS_OPEN = re.compile(r"(?:[+&]|and\b|和|与|并|同时)", re.IGNORECASE)
_THEN = re.compile(
    r"[\s,;]*(?:\band\s+)?(?:\bthen\b|\bfollowed\s+by\b|[-=]>|→|然后|接着|随后|再)\s*,?", re.IGNORECASE
)
_BETWEEN_BRACKETS = re.compile(r"[\]】〕]\s*,?\s*[\[【〔]")
NO_MOVE = "no camera move is named; write one such as push in, or leave the camera out"

_LONGEST = 500
"""Characters of an instruction; ten moves have 150."""

_AROUND = " \t\r\n,.。、;[]【】〔〕"
_LABEL = re.compile(
    r"^(?:the\s+)?(?:camera(?:\s+(?:move|movement|motion|work))?|镜头(?:运动)?|运镜)\s*[:=]\s*", re.IGNORECASE
)


def find_move(word: str) -> Move | None:
    """The move that a word names (English, Chinese, table name or alias), or None."""
    return SPELLINGS.get(folded(word))


def _by_verb() -> dict[str, tuple[Move, ...]]:
    found: dict[str, list[Move]] = {}
    for move in MOVES:
        for spelling in (move.english, *move.aliases):
            verb, _, direction = spelling.casefold().partition(" ")
            if direction and direction != "shot" and verb not in SPELLINGS:
                found.setdefault(verb, []).append(move)
    return {verb: tuple(dict.fromkeys(moves)) for verb, moves in found.items()}


WHICH_WAY = _by_verb()
"""Verbs that say nothing without a direction (pan, tilt, zoom …), with the moves that they may mean."""


def nearest_moves(word: str) -> tuple[Move, ...]:
    """The moves spelled most like this word, the nearest first; none when nothing is near."""
    spelling = folded(word)
    if spelling in WHICH_WAY:
        return WHICH_WAY[spelling]
    likeness = {known: SequenceMatcher(None, known, spelling).ratio() for known in SPELLINGS}
    best = max(likeness.values())
    if best < (0.6 if spelling.isascii() else 0.5):  # of two Chinese characters one may be wrong
        return ()
    close = sorted(likeness, key=likeness.__getitem__, reverse=True)
    return tuple(dict.fromkeys(SPELLINGS[known] for known in close if likeness[known] >= best - 0.17))[:3]


def unknown_move(word: str) -> str:
    """The message for a word that names no move, with the nearest ones or, when none is near, all."""
    combination = find_combination(word)
    if combination is not None:
        return (
            f"unknown camera move {word!r}; did you mean {combination.macro}, in the text of a prompt? "
            f"In `camera:` it is {combination.moves}"
        )
    near = nearest_moves(word)
    if near:
        advice = "did you mean " + " or ".join(f"{move.english} ({move.chinese})" for move in near) + "?"
    else:
        advice = "known moves: " + ", ".join(move.english for move in MOVES)
    way = " It has to say which way." if folded(word) in WHICH_WAY else ""
    return f"unknown camera move {word!r}; {advice}{way}"


def split_words(text: str) -> tuple[str, ...]:
    """The words of one group: `push in, tilt up and shake` has three."""
    words = _AND.split(unicodedata.normalize("NFKC", text))
    return tuple(bare for word in words if (bare := word.strip(_AROUND)))


def split_groups(text: str) -> tuple[str, ...]:
    """The groups of a text, in time: `push in then tilt up` and `[推进]，然后[上摇]` have two.

    A label such as `camera:` in front of one is taken away. What stands on either side of a `then` may be
    empty.
    """
    plain = _BETWEEN_BRACKETS.sub(" then ", unicodedata.normalize("NFKC", text))
    parts = [_LABEL.sub("", part.strip(_AROUND)).strip(_AROUND) for part in _THEN.split(plain)]
    return tuple(parts[1:] if len(parts) > 1 and not parts[0] else parts)  # "then push in" follows a shot


def open_end(group: str) -> str:
    """What is wrong with a group that has an `and` with nothing on one side of it; empty when nothing is."""
    if found := _ENDS_OPEN.search(group.rstrip()):
        return f"no camera move follows {found.group()!r}"
    if found := _BEGINS_OPEN.match(group.lstrip()):
        return f"no camera move stands before {found.group()!r}"
    return ""


def parse_camera(value: str | Sequence[str]) -> Groups:
    """The moves of a board's `camera:` value.

    One string means at the same time (`push in, tilt up`), a list means one after the other. A string may
    also hold brackets and the word `then`, so what `render_camera` writes in brackets is read back.

    Nothing at all (an empty text or list) is no move. Raises `CameraError` for an unknown word, for moves
    that contradict each other, for too many at once, and for a text that names no move.
    """
    items = (value,) if isinstance(value, str) else value
    if not isinstance(items, Sequence) or not all(isinstance(item, str) for item in items):
        raise CameraError(
            f"camera = {value!r}: write one text for moves at the same time, "
            "or a list of texts for one after the other"
        )
    if not value:
        return ()
    if sum(map(len, items)) > _LONGEST:
        raise CameraError(f"it has {sum(map(len, items))} characters; at most {_LONGEST}")
    groups = tuple(_read_group(part) for item in items for part in split_groups(item))
    for group in groups:
        if errors := group_errors(group):
            raise CameraError("; ".join(errors))
    return groups


def _read_group(text: str) -> Group:
    moves = []
    words = split_words(text)
    if not words:
        raise CameraError(NO_MOVE)
    for word in words:
        move = find_move(word)
        if move is None:
            raise CameraError(unknown_move(word))
        moves.append(move)
    if flaw := open_end(text):
        raise CameraError(flaw)
    return tuple(moves)


def group_errors(group: Group, *, in_brackets: bool = False) -> list[str]:
    """What cannot happen at the same time, each with the way to write it one after the other."""
    moves = tuple(dict.fromkeys(group))
    errors = []
    if len(moves) > MAX_SIMULTANEOUS:
        names = ", ".join(move.english for move in moves)
        errors.append(f"{len(moves)} camera moves at the same time ({names}); at most {MAX_SIMULTANEOUS}")
    for one, other in combinations(moves, 2):
        if "static" in (one.name, other.name):
            moving = other if one.name == "static" else one
            reason = f"Static shot means that nothing moves, so it cannot go with {moving.english}"
        elif one.axis == other.axis and one.sign != other.sign:
            reason = f"{one.english} and {other.english} at the same time contradict each other"
        else:
            continue
        listed = f"a list: [{one.english.lower()}, {other.english.lower()}]"
        apart = f"[{one.english}], then [{other.english}]" if in_brackets else listed
        errors.append(f"{reason}; for one after the other write {apart}")
    return errors


@dataclass(frozen=True)
class _Clash:
    """Two kinds of movement that spoil each other; `same_way` limits that to equal directions."""

    axes: frozenset[str]
    same_way: bool
    why: str


_CLASHES = (
    _Clash(frozenset({"truck", "pan"}), True, "read as one fast drift; the opposite way is an arc"),
    _Clash(frozenset({"pedestal", "tilt"}), True, "lose the subject; the opposite way is a crane move"),
    _Clash(frozenset({"dolly", "zoom"}), True, "magnify twice; the opposite way is a dolly zoom"),
    _Clash(frozenset({"tracking", "truck"}), False, "fight: tracking follows the subject sideways already"),
    _Clash(frozenset({"tracking", "dolly"}), False, "fight: tracking decides the distance already"),
)


def camera_warnings(groups: Groups, seconds: float, model: str) -> tuple[str, ...]:
    """What the service takes and rarely does well, for a shot of this length on this model."""
    warnings = [warning for group in groups for warning in group_warnings(group)]
    fits = 3 if seconds >= 10 else 2
    if len(groups) > fits:
        warnings.append(
            f"{len(groups)} camera moves one after the other in {seconds:g} s: more than {fits} rarely happen"
        )
    if groups and camera_form(model) is CameraForm.WORDS:
        warnings.append(f"{model} does not read camera commands; the camera is described in plain words")
    if camera_form(model) is CameraForm.CLAUSES and sum(map(len, groups)) > 1:
        warnings.append(f"{model}'s prompt guide has one camera move in a shot")
    return tuple(dict.fromkeys(warnings))


def group_warnings(group: Group) -> Iterator[str]:
    """What is possible at the same time and rarely meant."""
    moves = tuple(dict.fromkeys(group))
    yield from (f"{move.english} is named twice at the same time" for move in moves if group.count(move) > 1)
    for one, other in combinations(moves, 2):
        for clash in _CLASHES:
            if clash.axes == {one.axis, other.axis} and not (clash.same_way and one.sign != other.sign):
                yield f"{one.english} and {other.english} {clash.why}"


def render_camera(groups: Groups, *, model: str, language: str, words: str = "") -> str:
    """The instruction that this model reads; empty for no moves.

    Models that read commands get `[Push in,Pedestal down], then [Static shot]`, the others plain words. A
    move that is named twice in a group is written once. `language` is that of the commands, "en" or "zh";
    `words` that of the words around and instead of them, the same if not given.
    """
    if not groups:
        return ""
    words = words or language
    phrases = [group_phrase(group, model=model, language=language, words=words) for group in groups]
    if reads_brackets(model):
        return ("，然后" if words == "zh" else ", then ").join(phrases)
    return "镜头" + "，然后".join(phrases) if words == "zh" else "The camera " + ", then ".join(phrases)


def bracket(group: Group, language: str) -> str:
    """The one form in which a group is sent: `[Push in,Tilt up]`, `[推进,上摇]`."""
    moves = dict.fromkeys(group)
    return "[" + ",".join(move.chinese if language == "zh" else move.english for move in moves) + "]"


def group_phrase(group: Group, *, model: str, language: str, words: str) -> str:
    """One group as the model reads it: a bracket, or what the camera does, without naming the camera."""
    moves = tuple(dict.fromkeys(group))
    if reads_brackets(model):
        return bracket(moves, language)
    has_guide = camera_form(model) is CameraForm.CLAUSES
    english = [move.clause if has_guide and move.clause else move.words for move in moves]
    first, *others = (move.chinese for move in moves) if words == "zh" else english
    if not others:
        return first
    return (
        f"{first}，同时{'、'.join(others)}" if words == "zh" else f"{first} while it {' and '.join(others)}"
    )
