"""What is spoken in a clip that has sound, as the prompt guide of the second generation writes it.

`The courier (S1) says: <d>[English] The gate is open.</d>`: the speaker and how it is said stand outside, the
language and the words as they are inside. Source: h3r, the prompt guide, 4.4.
"""

import re

from minimax_tasks.prompts.sentences import END_OF_LINE as END
from minimax_tasks.prompts.sentences import is_chinese, phrase

WRITTEN = "<d>"
"""What a text has that says itself what is spoken."""

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("Japanese", re.compile(r"[\u3040-\u30ff]")),
    ("Korean", re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")),
    ("Chinese", re.compile(r"[\u3400-\u9fff]")),
    ("Russian", re.compile(r"[\u0400-\u04ff]")),
    ("Arabic", re.compile(r"[\u0600-\u06ff]")),
    ("Hindi", re.compile(r"[\u0900-\u097f]")),
    ("Thai", re.compile(r"[\u0e00-\u0e7f]")),
    ("Greek", re.compile(r"[\u0370-\u03ff]")),
    ("Hebrew", re.compile(r"[\u0590-\u05ff]")),
)
"""The language that a script is taken for, the telling ones first."""

_TAGGED = re.compile(r"\s*\[(?P<language>[A-Z][A-Za-z ]{1,30})\]\s*(?P<words>.*)", re.DOTALL)


def spoken(line: str, speaker: str = "") -> str:
    """A line as a sentence of a prompt. `speaker` is who says it, in words; without one it is a voice.

    The language is what the line says in front (`[French] Bonjour.`), else what its script tells, else English.
    """
    found = _TAGGED.fullmatch(line)
    language, words = (found["language"], found["words"]) if found else (language_of_line(line), line)
    who, said = phrase(speaker) or "A voice", f"{WRITTEN}[{language}] {' '.join(words.split())}{END}"
    if is_chinese(who):
        return f"{who}（S1）说：{said}"
    return f"{who[:1].upper()}{who[1:]} (S1) says: {said}"


def language_of_line(line: str) -> str:
    """The language of a line by its script; English for Latin letters, which say nothing."""
    return next((language for language, script in _SCRIPTS if script.search(line)), "English")
