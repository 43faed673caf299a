"""What is wrong with a file that people write, gathered until all of it is known: boards and tables alike."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from minimax_tasks.api.suggest import suggest
from minimax_tasks.redaction import shortened, shown

MOST_TOLD = 200
"""Mistakes of one board that are reported and explained at length."""

LONGEST_NAMES, LONGEST_TEXT = 200, 3_000
"""Characters of the names of shots, and of the rest, in the message about a mistake."""

_MOST_COMPARED = 500
"""Names that a misspelt one is compared with."""


MOST_PLACES = 10
"""Lines that a mistake names which is in many of them; it counts the others."""

_FEW = 3
"""Lines with the same mistake that are still told one by one."""


@dataclass(frozen=True)
class Problem:
    """One mistake: the line or row it is in, what would be right, and the shot when it is in one.

    `file` and `unit` are those of the line where a table has several files. `kind` is the text without the value
    that is wrong, for a mistake that other lines have with values of their own.
    """

    line: int
    text: str
    shot: str = ""
    file: str = ""
    unit: str = ""
    kind: str = ""


class Problems:
    """The mistakes found in one file.

    `unit` is what the file is counted by, when that is not the line of a board. `rows` is how many of them there are:
    a mistake that is in every one is told once.
    """

    def __init__(
        self,
        path: str,
        found: Iterable[Problem] = (),
        *,
        unit: str = "",
        most_told: int = MOST_TOLD,
        rows: int = 0,
    ) -> None:
        self.path = path
        self._unit = unit
        self._rows = rows
        self._most_told = most_told
        self._found: list[Problem] = []
        self._shots: set[str] = set()
        self.extend(found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def add(self, line: int, text: str, shot: str = "") -> None:
        """Note a mistake."""
        self.extend([Problem(line, text, shot)])

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note mistakes that were found elsewhere."""
        for problem in problems:
            self._found.append(problem)
            self._shots.add(problem.shot)

    def has(self, shot: str) -> bool:
        """Whether something is wrong with a shot."""
        return shot in self._shots

    def suggest(self, word: str, known: Iterable[str]) -> str | None:
        """The known word that was probably meant.

        Comparing takes time, so only the first few hundred names are compared, and none once there are more
        mistakes than anybody is shown.
        """
        if len(self._found) >= self._most_told:
            return None
        return suggest(word, itertools.islice(known, _MOST_COMPARED))

    def lines(self) -> list[str]:
        """The mistakes in the order of the file, one line each, as many of them as are reported."""
        lines = list(self._shared()) if self._unit else list(map(self._line, _merged(self._found)))
        more = len(lines) - self._most_told
        lines = lines[: self._most_told]
        return [*lines, f"{shown(self.path)}: … and {more:,} more mistakes"] if more > 0 else lines

    def _shared(self) -> Iterator[str]:
        """The mistakes of a table: one that every row has as one sentence, one that many have with their numbers."""
        kinds: dict[str, set[tuple[str, int]]] = {}
        texts: dict[str, list[Problem]] = {}
        ordered = sorted(self._found, key=lambda problem: (problem.file, problem.line))
        for problem in ordered:
            kinds.setdefault(problem.kind or problem.text, set()).add((problem.file, problem.line))
            texts.setdefault(problem.text, []).append(problem)
        told: set[str] = set()
        for problem in ordered:
            kind, same = problem.kind or problem.text, texts[problem.text]
            if kind in told or problem.text in told:
                continue
            if self._rows > _FEW and len(kinds[kind]) == self._rows:
                told.add(kind)
                text = (
                    problem.text
                    if len(same) == self._rows
                    else f"{kind}; first {self._place(problem)}: {problem.text}"
                )
                yield f"{shown(self.path)}: every one of {self._rows:,} rows: {shortened(text, LONGEST_TEXT)}"
            elif len(same) > _FEW:
                told.add(problem.text)
                places = [self._place(one) for one in same[:MOST_PLACES]]
                if len({one.file for one in same}) == 1:
                    places[1:] = [str(one.line) for one in same[1:MOST_PLACES]]
                more = len(same) - MOST_PLACES
                where = ", ".join(places) + (f" and {more:,} more" if more > 0 else "")
                yield f"{shown(self.path)}, {where}: {shortened(problem.text, LONGEST_TEXT)}"
            else:
                yield self._line(problem)

    def _place(self, problem: Problem) -> str:
        """`line 3`, or of a table of many files `date=2026-11-01/a.csv, line 3`."""
        place = f"{problem.unit or self._unit} {problem.line}"
        return f"{shown(problem.file)}, {place}" if problem.file else place

    def _line(self, problem: Problem) -> str:
        """`file:line: shot 010: text`, or `file, row 7: text`."""
        file = shown(self.path)
        place = f"{file}, {self._place(problem)}" if self._unit else f"{file}:{problem.line}"
        word = "shots" if ", " in problem.shot else "shot"
        shot = shortened(problem.shot, LONGEST_NAMES)
        return f"{place}: {f'{word} {shot}: ' if shot else ''}{shortened(problem.text, LONGEST_TEXT)}"


def _merged(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by line; a mistake that several shots have is named once."""
    shots: dict[tuple[int, str], dict[str, None]] = {}
    for problem in sorted(problems, key=lambda problem: problem.line):
        named = shots.setdefault((problem.line, problem.text), {})
        if problem.shot:
            named[problem.shot] = None
    return [Problem(line, text, ", ".join(named)) for (line, text), named in shots.items()]
