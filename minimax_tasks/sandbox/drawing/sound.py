"""The sound of a clip: a tone by which the shot is known, a tick each second, and a note for each word of dialogue.

What is heard can be checked by a program: the tone is one of a scale, chosen by the prompt and the take.
"""

import hashlib
import re

import numpy as np

from minimax_tasks.video.samples import Samples

RATE = 32_000
"""Samples a second (source: measured on the service's own files)."""

_SCALE = (196.0, 220.0, 246.9, 261.6, 293.7, 329.6, 349.2, 392.0, 440.0, 493.9, 523.3, 587.3)
_TICK_HERTZ, _TICK_SECONDS = 2000.0, 0.02
_WORD_SECONDS, _WORD_PAUSE, _WORDS_BEGIN = 0.14, 0.06, 0.4
_DIALOGUE = re.compile(r"<d>(?:\s*\[[^\]]*\])?(.*?)</d>", re.DOTALL)


def tone_of(prompt: str, variant: int) -> float:
    """The frequency in hertz by which a shot is known."""
    return _SCALE[_hashed(f"{variant}\n{prompt}") % len(_SCALE)]


def words_of(prompt: str) -> list[str]:
    """The words that are spoken: those of `<d>[English] …</d>`."""
    return [word for said in _DIALOGUE.findall(prompt) for word in said.split()]


def word_tone(word: str) -> float:
    """The frequency in hertz that a spoken word has."""
    return 700.0 + 25.0 * (_hashed(word.casefold()) % 40)


def draw_sound(prompt: str, variant: int, seconds: float) -> Samples:
    """The sound of a clip: as long as its pictures, silent at both ends so that no join of two clicks."""
    count = round(seconds * RATE)
    time = np.arange(count) / RATE
    tone = tone_of(prompt, variant)
    left = 0.12 * np.sin(2 * np.pi * tone * time)
    right = 0.12 * np.sin(2 * np.pi * tone * time + 0.4)
    both = np.stack([left, right])
    for second in range(int(seconds) + 1):
        _add(both, _note(_TICK_HERTZ, _TICK_SECONDS, 0.4), second)
    for number, word in enumerate(words_of(prompt)):
        begins = _WORDS_BEGIN + number * (_WORD_SECONDS + _WORD_PAUSE)
        _add(both, _note(word_tone(word), _WORD_SECONDS, 0.3), begins)
    edge = min(count // 2, RATE // 100)
    if edge:
        swell = np.linspace(0.0, 1.0, edge)
        both[:, :edge] *= swell
        both[:, -edge:] *= swell[::-1]
    return np.clip(both, -1.0, 1.0).astype(np.float32)


def _note(hertz: float, seconds: float, loud: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(loud * np.sin(2 * np.pi * hertz * time) * np.hanning(len(time)))


def _add(
    both: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    note: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    begins: float,
) -> None:
    start = round(begins * RATE)
    note = note[: max(0, both.shape[1] - start)]
    both[:, start : start + len(note)] += note


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4], "big")
