"""Camera commands written by hand in the text of a prompt, such as `[Push in]` or `【推进】`.

The service documents no error for a bracket that it does not know (source: t2v), so a misspelled command
costs a clip. Everything that takes a prompt (boards, tables, tasks) sends `normalise_brackets` of it and reports what
`check_prompt` says. Brackets that have nothing to do with the camera are nobody's business here.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.api.catalog.models import H3, CameraForm, camera_form, reads_brackets
from minimax_tasks.prompts.camera import (
    NO_MOVE,
    Groups,
    bracket,
    find_move,
    folded,
    group_errors,
    group_warnings,
    open_end,
    render_camera,
    split_groups,
    split_words,
    unknown_move,
)
from minimax_tasks.prompts.likeness import Likeness, likeness
from minimax_tasks.prompts.sentences import is_chinese, join_sentences

_OPEN, _CLOSE = r"\[【［〔", r"\]】］〕"
_BRACKET = re.compile(rf"([{_OPEN}]{{1,2}})([^{_OPEN}{_CLOSE}]{{0,120}})([{_CLOSE}]{{1,2}})")
_UNCLOSED = re.compile(rf"[{_OPEN}](?P<text>[^{_OPEN}{_CLOSE}]{{1,120}})")
_OUTSIDE = "(what is no camera command goes outside square brackets)"


@dataclass(frozen=True)
class Command:
    """A bracket in a prompt that is, or nearly is, a camera command.

    `prompt[start:end]` is the bracket, `text` what is inside it; `unknown` are its words that name no move,
    `flaw` what else keeps it from being one. `groups` are its moves, one group after the other.
    """

    start: int
    end: int
    text: str
    groups: Groups
    unknown: tuple[str, ...] = ()
    flaw: str = ""

    @property
    def moves(self) -> tuple[Move, ...]:
        """All its moves."""
        return tuple(move for group in self.groups for move in group)

    @property
    def is_understood(self) -> bool:
        """Whether every word of it names a move."""
        return not self.unknown and not self.flaw


@dataclass(frozen=True)
class _Reading:
    """What is inside a bracket: a command, something that was meant to be one, or just words."""

    groups: Groups = ()
    unknown: tuple[str, ...] = ()
    flaw: str = ""
    doubt: str = ""

    @property
    def is_command(self) -> bool:
        return bool(self.groups or self.unknown or self.flaw)


def find_commands(prompt: str) -> tuple[Command, ...]:
    """The camera commands of a prompt in the order of its text, which is the order in time."""
    return tuple(
        Command(start, end, text, reading.groups, reading.unknown, reading.flaw)
        for start, end, text, reading in _brackets(prompt)
        if reading.is_command
    )


def _brackets(prompt: str) -> Iterator[tuple[int, int, str, _Reading]]:
    for found in _BRACKET.finditer(prompt):
        opened, text, closed = found.groups()
        outside = min(len(opened), len(closed)) - 1  # [[Push in]] is one command
        start = found.start() + len(opened) - 1 - outside
        yield start, found.start(3) + 1 + outside, text, _read(text)


@functools.lru_cache(maxsize=4096)
def _read(text: str) -> _Reading:
    parts = split_groups(text)
    words = [word for part in parts for word in split_words(part)]
    if not words:
        return _Reading(flaw=NO_MOVE) if _is_empty(text) else _Reading()
    alike = {word: likeness(word) for word in words}
    unknown = tuple(word for word in words if not find_move(word))
    groups = tuple(
        group for part in parts if (group := tuple(filter(None, map(find_move, split_words(part)))))
    )
    flaw = "" if all(parts) else NO_MOVE
    flaw = flaw or next(filter(None, map(open_end, parts)), "")
    if not unknown and not flaw:
        return _Reading(groups)
    meant = any(kind in (Likeness.COMMAND, Likeness.MISSPELT) for kind in alike.values())
    if meant or (flaw and not unknown):
        return _Reading(groups, unknown, flaw)
    maybe = [word for word, kind in alike.items() if kind in (Likeness.MAYBE, Likeness.ALIAS)]
    if any(kind is Likeness.MAYBE for kind in alike.values()):
        return _Reading(doubt=maybe[0])
    return _Reading()


def _is_empty(text: str) -> bool:
    """Whether there is nothing, or nothing but an `and`, where a command belongs."""
    return not re.sub(r"[\s,，、+＋&＆]|\band\b|\bthen\b|和|与|同时|然后", "", text, flags=re.IGNORECASE)


def check_prompt(
    prompt: str, *, model: str | None = None, camera: Groups = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong (errors) and what is doubtful (warnings) about the camera commands in a prompt.

    With a model, brackets that it does not read are a warning; with the moves of the shot's `camera:`, so
    is a prompt that has other commands next to them or leaves them out. What `camera_warnings` says about
    those moves is not repeated.
    """
    commands = find_commands(prompt)
    errors = tuple(error for command in commands for error in _errors(command))
    warnings = [warning for command in commands for warning in _spelling_warnings(command)]
    warnings += [_doubt(text, reading.doubt) for *_, text, reading in _brackets(prompt) if reading.doubt]
    warnings += _unclosed(prompt)
    placed = set(map(frozenset, camera))
    for command in commands:
        for group in command.groups:
            if frozenset(group) not in placed:
                warnings.extend(f"[{command.text}]: {warning}" for warning in group_warnings(group))
    understood = tuple(command for command in commands if command.is_understood)
    if understood and model is not None and not reads_brackets(model):
        shown = ", ".join(prompt[command.start : command.end] for command in understood)
        is_translated = camera_form(model) is CameraForm.CLAUSES
        instead = f"; sent as: {', '.join(map(_clause, understood))}" if is_translated else ""
        warnings.append(f"{model} does not read camera commands: {shown}{instead}")
    if camera and reads_brackets(model):
        warnings.extend(_both_ways(commands, camera))
    return errors, tuple(dict.fromkeys(warnings))


def _errors(command: Command) -> Iterator[str]:
    yield from (f"[{command.text}]: {unknown_move(word)} {_OUTSIDE}" for word in command.unknown)
    if command.flaw:
        yield f"[{command.text}]: {command.flaw} {_OUTSIDE}"
    for group in command.groups:
        yield from (f"[{command.text}]: {error}" for error in group_errors(group, in_brackets=True))


def _doubt(text: str, word: str) -> str:
    return f"[{text}] is left as it is; if the camera is meant: {unknown_move(word)}"


def _unclosed(prompt: str) -> Iterator[str]:
    """Brackets that begin with a move and never end: nobody reads a command in them."""
    whole = [found.span() for found in _BRACKET.finditer(prompt)]
    for opened in _UNCLOSED.finditer(prompt):
        if any(start <= opened.start() < end for start, end in whole):
            continue
        words = opened["text"].split()
        begins = (" ".join(words[:count]) for count in (3, 2, 1))
        if move := next(filter(None, (find_move(word.rstrip(",.;:，。")) for word in begins)), None):
            yield f"[{' '.join(words[:6])} is not closed, so it is no command: [{move.english}]"


def _spelling_warnings(command: Command) -> Iterator[str]:
    if not command.is_understood:
        return
    for group in command.groups:
        words = [word for part in split_groups(command.text) for word in split_words(part)]
        for word in words:
            move = find_move(word)
            if move in group and folded(word) not in {folded(move.english), folded(move.chinese)}:
                sent = f"[{move.english}]"
                yield f"[{command.text}]: {word!r} is not one of the service's commands; it is sent as {sent}"


def _both_ways(commands: tuple[Command, ...], camera: Groups) -> Iterator[str]:
    written = [frozenset(group) for command in commands for group in command.groups]
    for group in map(frozenset, camera):
        if group not in written:
            names = ", ".join(sorted(move.english for move in group))
            yield f"`camera:` asks for {names}, but the prompt places moves of its own instead"
            continue
        written.remove(group)
    if written:
        names = "; ".join(", ".join(sorted(move.english for move in group)) for group in written)
        yield f"the prompt has camera commands of its own as well as `camera:`: {names}"


def normalise_brackets(prompt: str, model: str | None = None) -> str:
    """The prompt with every camera command that is understood in the form that is sent.

    For a model whose guide has clauses in place of commands it is one of those: `[Push in]A man` becomes `The camera
    pushes in. A man`, and `a man, [推进] 他` likewise in Chinese.

    `[push in + tilt up]` and `【Push in，Tilt up】` become `[Push in,Tilt up]`, `[推进再拉远]` becomes
    `[推进]，然后[拉远]`: a bracket keeps the language that it was written in. A prompt in that form already
    stays as it is, letter for letter.
    """
    if not _BRACKET.search(prompt):
        return prompt
    if camera_form(model) is CameraForm.CLAUSES:
        return _in_clauses(prompt)
    parts, done = [], 0
    for command in find_commands(prompt):
        if command.is_understood:
            parts += [prompt[done : command.start], _canonical(command)]
            done = command.end
    return "".join(parts) + prompt[done:]


def _in_clauses(prompt: str) -> str:
    """The prompt with its commands as clauses: sentences between sentences, and set off by commas within one."""
    text, done = "", 0
    for command in _in_a_row(prompt):
        text += prompt[done : command.start]
        before, after = text.rstrip(), prompt[command.end :].lstrip(" ,，")
        clause, done = _clause(command), len(prompt) - len(after)
        wide = is_chinese(clause)
        ends = not after or after[0] in ".!?。！？;；\n"
        if not before or before[-1] in ".!?。！？;；":
            stop = "" if after and ends else "。" if wide else ". " if after else "."
            text = join_sentences(before, clause[:1].upper() + clause[1:] + stop)
        else:
            comma = "，" if wide else ", "
            text = f"{before.rstrip(',，')}{comma}{clause}{'' if ends else comma}"
    return text + prompt[done:]


def _in_a_row(prompt: str) -> list[Command]:
    """The commands that are understood; those with nothing but a `then` between them as one."""
    found: list[Command] = []
    for command in find_commands(prompt):
        if not command.is_understood:
            continue
        before = found[-1] if found else None
        between = prompt[before.end : command.start].strip(" ,，") if before else "-"
        if before and between in ("", "then", "然后"):
            found[-1] = replace(before, end=command.end, groups=before.groups + command.groups)
        else:
            found.append(command)
    return found


def _clause(command: Command) -> str:
    words = _language(command)
    instruction = render_camera(command.groups, model=H3, language=words, words=words)
    return instruction[:1].lower() + instruction[1:]


def spellings_before(prompt: str) -> tuple[str, ...]:
    """How a prompt as it was written may have been sent by older versions, which left most commands alone."""
    parts, done = [], 0
    for command in find_commands(prompt):
        inside = re.sub(r"\s*[，、]\s*", ",", command.text).strip()
        parts += [prompt[done : command.start], f"[{inside}]"]
        done = command.end
    return tuple(dict.fromkeys(("".join(parts) + prompt[done:], prompt)))


def _language(command: Command) -> str:
    """The language in which a command is written."""
    return "en" if re.search(r"[A-Za-zＡ-Ｚａ-ｚ]", command.text) else "zh"


def _canonical(command: Command) -> str:
    language = _language(command)
    return ("，然后" if language == "zh" else ", then ").join(
        bracket(group, language) for group in command.groups
    )
