"""The captions of a cut as SubRip (`.srt`) or WebVTT (`.vtt`): a file for each language.

Sources: the SubRip format as players read it; W3C WebVTT, 4. A language gets its name before the ending
(`film.zh.srt`) where the board has several.
"""

from fractions import Fraction
from pathlib import Path

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.storyboard.captions import Caption, captions_of
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut


def write(cut: ExportedCut, out: str) -> list[str]:
    """Write the captions; returns the files. Raises `OSError`, and `ConfigurationError` when nothing is spoken."""
    found = captions_of(cut.plan, cut.edit)
    if not found:
        raise ConfigurationError(f"{out}: no shot of the board has `dialogue`, so there are no captions")
    path, files = Path(out), []
    for language, captions in found.items():
        own = path if len(found) == 1 or not language else path.with_suffix(f".{language}{path.suffix}")
        text = _vtt(captions) if path.suffix.casefold() == ".vtt" else _srt(captions)
        own.write_text(text, encoding="utf-8", newline="\n")
        files.append(str(own))
    return files


def _srt(captions: list[Caption]) -> str:
    return "".join(
        f"{number}\n{_clock(one.starts_at, ',')} --> {_clock(one.ends_at, ',')}\n{one.text}\n\n"
        for number, one in enumerate(captions, 1)
    )


def _vtt(captions: list[Caption]) -> str:
    cues = (
        f"{_clock(one.starts_at, '.')} --> {_clock(one.ends_at, '.')}\n{_escaped(one.text)}\n\n"
        for one in captions
    )
    return "WEBVTT\n\n" + "".join(cues)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: Fraction, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
