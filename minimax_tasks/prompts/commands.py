"""Camera commands written by hand in the text of a prompt, such as `[Push in]` or `【推进】`.

The service documents no error for a bracket that it does not know (source: t2v), so a misspelled command
costs a clip. Brackets that have nothing to do with the camera are nobody's business here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from minimax_tasks.api.catalog.cameras import BRACKET_MODELS, MOVES, Move
from minimax_tasks.prompts.camera import (
    SPELLINGS,
    Groups,
    find_move,
    folded,
    group_errors,
    group_warnings,
    split_words,
    unknown_move,
)

_BRACKET = re.compile(r"[\[【［]([^\[\]【】［］]{1,120})[\]】］]")
_FULL_WIDTH = re.compile(r"\s*[，、]\s*")

_OFFICIAL = {folded(word) for move in MOVES for word in (move.name, move.english, move.chinese)}
_VERBS = {folded(spelling.split()[0]) for move in MOVES for spelling in (move.english, *move.aliases)}
_DIRECTION = re.compile(r"in|out|left|right|up|down|shot|camera|(?:for|back)wards?|back")
_ADVERBS = re.compile(
    r"^(?:(?:the|camera|slow|slowly|fast|quick|quickly|gentle|gently|slight|slightly|smooth|smoothly)\s+)+",
    re.IGNORECASE,
)
_CHINESE_AROUND = re.compile(r"^(?:镜头|相机|画面|缓慢|快速|慢慢|慢|快|向|地)+|(?:镜头|动)$")


@dataclass(frozen=True)
class Command:
    """A bracket in a prompt that is, or nearly is, a camera command.

    `prompt[start:end]` is the bracket, `text` what is inside it; `unknown` are its words that name no move.
    """

    start: int
    end: int
    text: str
    moves: tuple[Move, ...]
    unknown: tuple[str, ...]


def find_commands(prompt: str) -> tuple[Command, ...]:
    """The camera commands of a prompt in the order of its text, which is the order in time."""
    return tuple(_commands(prompt))


def _commands(prompt: str) -> Iterator[Command]:
    for bracket in _BRACKET.finditer(prompt):
        text = bracket.group(1)
        words = split_words(text)
        moves = tuple(move for word in words if (move := find_move(word)))
        unknown = tuple(word for word in words if not find_move(word))
        if (moves and not unknown) or any(_is_meant(word) for word in words):
            yield Command(bracket.start(), bracket.end(), text, moves, unknown)


def _is_meant(word: str) -> bool:
    """Whether a word is surely meant for the camera; `hold` or `follow` among other words is not."""
    if find_move(word):
        return folded(word) in _OFFICIAL or len(word.split()) > 1
    bare = _CHINESE_AROUND.sub("", _ADVERBS.sub("", word)).strip()
    if folded(bare) in SPELLINGS:
        return True
    match bare.casefold().replace("-", " ").split():
        case [verb, direction] if verb in _VERBS and _DIRECTION.fullmatch(direction):
            return True
    return bool(get_close_matches(folded(bare), SPELLINGS, n=1, cutoff=0.75))


def check_prompt(
    prompt: str, *, model: str | None = None, camera: Groups = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong (errors) and what is doubtful (warnings) about the camera commands in a prompt.

    With a model, brackets that it does not read are a warning; with the moves of the shot's `camera:`, so
    is a prompt that has other commands beside them or leaves them out. What `camera_warnings` says about
    those moves is not repeated.
    """
    commands = find_commands(prompt)
    errors = tuple(error for command in commands for error in _errors(command))
    warnings = [warning for command in commands for warning in _spelling_warnings(command)]
    placed = set(map(frozenset, camera))
    for command in commands:
        if frozenset(command.moves) not in placed:
            warnings.extend(f"[{command.text}]: {warning}" for warning in group_warnings(command.moves))
    if commands and model is not None and model not in BRACKET_MODELS:
        shown = ", ".join(prompt[command.start : command.end] for command in commands)
        warnings.append(f"{model} does not read camera commands: {shown}")
    if camera and model in BRACKET_MODELS:
        warnings.extend(_beside(commands, camera))
    return errors, tuple(dict.fromkeys(warnings))


def _errors(command: Command) -> Iterator[str]:
    advice = "(what is no camera command goes outside square brackets)"
    yield from (f"[{command.text}]: {unknown_move(word)} {advice}" for word in command.unknown)
    yield from (f"[{command.text}]: {error}" for error in group_errors(command.moves, in_brackets=True))


def _spelling_warnings(command: Command) -> Iterator[str]:
    for word in split_words(command.text):
        move = find_move(word)
        if move and folded(word) not in {folded(move.english), folded(move.chinese)}:
            yield f"[{command.text}]: {word!r} is not one of the service's commands; write [{move.english}]"
    if re.search(r"[，、]", command.text):
        yield f"[{command.text}]: commands are separated by an ordinary comma"


def _beside(commands: tuple[Command, ...], camera: Groups) -> Iterator[str]:
    written = [frozenset(command.moves) for command in commands]
    for group in map(frozenset, camera):
        if group not in written:
            names = ", ".join(sorted(move.english for move in group))
            yield f"`camera:` asks for {names}, but the prompt places moves of its own instead"
            continue
        written.remove(group)
    if written:
        names = "; ".join(", ".join(sorted(move.english for move in group)) for group in written)
        yield f"the prompt has camera commands of its own beside `camera:`: {names}"


def normalise_brackets(prompt: str) -> str:
    """The prompt with the service's brackets and commas in its camera commands: no full-width ones."""
    parts, done = [], 0
    for command in find_commands(prompt):
        inside = _FULL_WIDTH.sub(",", command.text).strip()
        parts += [prompt[done : command.start], f"[{inside}]"]
        done = command.end
    return "".join(parts) + prompt[done:]
