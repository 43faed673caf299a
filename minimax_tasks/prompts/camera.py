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

from minimax_tasks.api.catalog.cameras import BRACKET_MODELS, MAX_SIMULTANEOUS, MOVES, Move

Group = tuple[Move, ...]
Groups = tuple[Group, ...]


class CameraError(ValueError):
    """A camera instruction that no model can follow; the message says what to write instead."""


def folded(word: str) -> str:
    """A spelling without what does not matter: case, spaces, hyphens, underscores, full-width letters."""
    return re.sub(r"[\s_\-\u2010-\u2015]+", "", unicodedata.normalize("NFKC", word).casefold())


SPELLINGS: dict[str, Move] = {
    folded(word): move for move in MOVES for word in (move.name, move.english, move.chinese, *move.aliases)
}
"""Every folded spelling of every move."""

_AND = re.compile(r"[,，、+＋&＆]|\band\b|和|同时", re.IGNORECASE)
_THEN = re.compile(r"\bthen\b|然后", re.IGNORECASE)
_BETWEEN_BRACKETS = re.compile(r"[\]】］]\s*[,，]?\s*[\[【［]")
_AROUND = " \t\r\n,，.。[]【】［］"


def find_move(word: str) -> Move | None:
    """The move that a word names (English, Chinese, table name or alias), or None."""
    return SPELLINGS.get(folded(word))


def nearest_moves(word: str) -> tuple[Move, ...]:
    """Up to three moves spelled most like this word, the nearest first; none when nothing is near."""
    spelling = folded(word)
    likeness = {known: SequenceMatcher(None, known, spelling).ratio() for known in SPELLINGS}
    best = max(likeness.values())
    if best < (0.6 if spelling.isascii() else 0.5):  # of two Chinese characters one may be wrong
        return ()
    close = sorted(likeness, key=likeness.__getitem__, reverse=True)
    return tuple(dict.fromkeys(SPELLINGS[known] for known in close if likeness[known] >= best - 0.17))[:3]


def unknown_move(word: str) -> str:
    """The message for a word that names no move, with the nearest ones or, when none is near, all."""
    near = nearest_moves(word)
    if near:
        advice = "did you mean " + " or ".join(f"{move.english} ({move.chinese})" for move in near) + "?"
    else:
        advice = "known moves: " + ", ".join(move.english for move in MOVES)
    return f"unknown camera move {word!r}; {advice}"


def split_words(text: str) -> tuple[str, ...]:
    """The words of one group: `push in, tilt up and shake` has three."""
    return tuple(word.strip() for word in _AND.split(text) if word.strip())


def parse_camera(value: str | Sequence[str]) -> Groups:
    """The moves of a board's `camera:` value.

    One string means at the same time (`push in, tilt up`), a list means one after the other. A string may
    also hold brackets and the word `then`, so what `render_camera` writes in brackets is read back.

    Raises `CameraError` for an unknown word, for moves that contradict each other and for too many at once.
    """
    items = (value,) if isinstance(value, str) else value
    if not isinstance(items, Sequence) or not all(isinstance(item, str) for item in items):
        raise CameraError(
            f"camera = {value!r}: write one text for moves at the same time, "
            "or a list of texts for one after the other"
        )
    groups = tuple(_read_group(part) for item in items for part in _split_sequence(item))
    for group in groups:
        if errors := group_errors(group):
            raise CameraError("; ".join(errors))
    return groups


def _split_sequence(text: str) -> Iterator[str]:
    for part in _THEN.split(_BETWEEN_BRACKETS.sub(" then ", text)):
        if bare := part.strip(_AROUND):
            yield bare


def _read_group(text: str) -> Group:
    moves = []
    for word in split_words(text):
        move = find_move(word)
        if move is None:
            raise CameraError(unknown_move(word))
        moves.append(move)
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
    if groups and model not in BRACKET_MODELS:
        warnings.append(f"{model} does not read camera commands; the camera is described in plain words")
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
    if model in BRACKET_MODELS:
        return ("，然后" if words == "zh" else ", then ").join(phrases)
    return "镜头" + "，然后".join(phrases) if words == "zh" else "The camera " + ", then ".join(phrases)


def group_phrase(group: Group, *, model: str, language: str, words: str) -> str:
    """One group as the model reads it: a bracket, or what the camera does, without naming the camera."""
    moves = tuple(dict.fromkeys(group))
    if model in BRACKET_MODELS:
        return "[" + ",".join(move.chinese if language == "zh" else move.english for move in moves) + "]"
    first, *others = (move.chinese if words == "zh" else move.words for move in moves)
    if not others:
        return first
    return (
        f"{first}，同时{'、'.join(others)}" if words == "zh" else f"{first} while it {' and '.join(others)}"
    )
