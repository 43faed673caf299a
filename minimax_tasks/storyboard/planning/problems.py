"""The mistakes of a board, each at the line of the key that is wrong."""

from collections.abc import Iterable

from minimax_tasks.problems import Problem, Problems
from minimax_tasks.storyboard.planning.draft import ShotDraft
from minimax_tasks.storyboard.yaml_document import Document, KeyPath

_FROM_DEFAULTS = ("model", "resolution", "seconds", "template", "takes")
"""Keys of a shot that the board's defaults may hold instead."""


class BoardProblems(Problems):
    """The mistakes of one board, by shot and key."""

    def __init__(self, path: str, document: Document, found: Iterable[Problem] = ()) -> None:
        super().__init__(path, found)
        self._document = document

    def wrong(self, draft: ShotDraft, key: str, text: str) -> None:
        """Note what is wrong with a key of a shot."""
        self.add(self.line(draft, key), text, draft.shot.id)

    def wrong_at(self, place: KeyPath, text: str, shot: str = "") -> None:
        """Note what is wrong with something else in the board."""
        self.add(self._document.line(place), text, shot)

    def line(self, draft: ShotDraft, key: str) -> int:
        """The line of a key of a shot, or of the default that it comes from."""
        place: KeyPath = ("shots", draft.index, key)
        lines = self._document.lines
        if place not in lines and key in _FROM_DEFAULTS and ("defaults", key) in lines:
            return self._document.line(("defaults", key))
        return self._document.line(place)
