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


@dataclass(frozen=True)
class Problem:
    """One mistake: the line or row it is in, what would be right, and the shot when it is in one."""

    line: int
    text: str
    shot: str = ""


class Problems:
    """The mistakes found in one file. `unit` is what the file is counted by, when that is not the line."""

    def __init__(
        self, path: str, found: Iterable[Problem] = (), *, unit: str = "", most_told: int = MOST_TOLD
    ) -> None:
        self.path = path
        self._unit = unit
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
        merged, file = _merged(self._found), shown(self.path)
        more = len(merged) - self._most_told
        told = [self._line(file, problem) for problem in merged[: self._most_told]]
        return [*told, f"{file}: … and {more:,} more mistakes"] if more > 0 else told

    def _line(self, file: str, problem: Problem) -> str:
        """`file:line: shot 010: text`, or `file, row 7: text`."""
        place = f"{file}, {self._unit} {problem.line}" if self._unit else f"{file}:{problem.line}"
        word = "shots" if ", " in problem.shot else "shot"
        shot = shortened(problem.shot, LONGEST_NAMES)
        return f"{place}: {f'{word} {shot}: ' if shot else ''}{shortened(problem.text, LONGEST_TEXT)}"


def _merged(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by line, with a mistake that several shots have told once."""
    shots: dict[tuple[int, str], dict[str, None]] = {}
    for problem in sorted(problems, key=lambda problem: problem.line):
        named = shots.setdefault((problem.line, problem.text), {})
        if problem.shot:
            named[problem.shot] = None
    return [Problem(line, text, ", ".join(named)) for (line, text), named in shots.items()]
