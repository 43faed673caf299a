"""Camera moves that have a name of their own and are two commands: the macros of `camera.j2`, and their other names."""

from dataclasses import dataclass

from minimax_tasks.api.catalog.synonyms import folded


@dataclass(frozen=True)
class Combination:
    """A macro in one direction, what it does, and its moves as `camera:` takes them."""

    macro: str
    meaning: str
    moves: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Macro:
    name: str
    meaning: str
    ways: tuple[tuple[str, str], ...]
    """Direction and its moves; the first is meant where none is said."""
    words: tuple[str, ...]


_MACROS = (
    _Macro("vertigo", "the camera goes one way, the lens the other",
           (("in", "push in, zoom out"), ("out", "pull out, zoom in")),
           ("dolly zoom", "vertigo", "zolly", "hitchcock zoom", "contra zoom", "滑动变焦", "希区柯克变焦")),
    _Macro("arc", "around the subject",
           (("left", "truck left, pan right"), ("right", "truck right, pan left")),
           ("orbit", "arc", "circle", "circle around", "rotate around", "orbital", "环绕", "环绕主体")),
    _Macro("crane", "rises and looks down, or sinks and looks up",
           (("up", "pedestal up, tilt down"), ("down", "pedestal down, tilt up")),
           ("crane", "jib", "摇臂")),
    _Macro("handheld", "a move with an unsteady hand",
           (("push in", "push in, shake"),),
           ("shaky cam", "shaky camera", "documentary", "手持")),
)  # fmt: skip

_FILLERS = ("shot", "move", "movement", "镜头", "")
"""What may follow a name without meaning anything."""

COMBINATIONS: tuple[Combination, ...] = tuple(
    Combination(f"{{{{ {macro.name}('{macro.ways[0][0]}') }}}}", macro.meaning, macro.ways[0][1], macro.words)
    for macro in _MACROS
)
"""Each macro once, in its usual direction."""


_KNOWN: dict[str, Combination] = {}
for _macro in _MACROS:
    for _word in _macro.words:
        for _way, _moves in (("", _macro.ways[0][1]), *_macro.ways):
            _combination = Combination(
                f"{{{{ {_macro.name}('{_way or _macro.ways[0][0]}') }}}}",
                _macro.meaning,
                _moves,
                _macro.words,
            )
            for _filler in _FILLERS:
                _KNOWN.setdefault(folded(f"{_word} {_way} {_filler}"), _combination)
                _KNOWN.setdefault(folded(f"{_word} {_filler} {_way}"), _combination)


def find_combination(word: str) -> Combination | None:
    """The combination that people mean by a word, with its direction: `orbit right`; None for no such."""
    return _KNOWN.get(folded(word))
