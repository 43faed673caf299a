"""What is shown of a parameter, with what it stands for beside it."""

from typing import Any


class Shown(str):
    """The text of a parameter for logs, task ids and the scheduler; `whole` is the value that it stands for.

    Pickled, as between Luigi's processes, it keeps the value. In JSON, as for a central scheduler, the text alone is
    left: bytes of pictures, signatures and requests stay on this machine.
    """

    whole: Any

    def __new__(cls, text: str, whole: Any) -> "Shown":
        """A text with what it stands for."""
        made = super().__new__(cls, text)
        made.whole = whole
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Shown, (str(self), self.whole)
