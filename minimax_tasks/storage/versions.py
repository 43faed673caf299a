"""Which versions of files something was made from, so that it need not be made again while they stay."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from minimax_tasks.storage.references import version_of

_AT_ONCE = 8
"""Files of a storage that are asked about at the same time."""


@dataclass(frozen=True)
class Versions:
    """The main file, and those that belong to it, each with its version when it was read.

    A file that is missing has none, and is current as long as it stays missing. A main file without a version
    (one on the web) is never current. `tell` is what gives the version of the main file, where that is more than one.
    """

    main: str
    version: str | None
    others: Mapping[str, str | None] = field(default_factory=dict)
    tell: Callable[[str], str | None] = version_of

    def are_current(self) -> bool:
        """Whether every file is as it was. Nothing is read."""
        if self.version is None or self.tell(self.main) != self.version:
            return False
        return versions_of(self.others) == self.others


def versions_of(references: Iterable[str]) -> dict[str, str | None]:
    """The version of each file, None for one that has none."""
    names = list(references)
    if len(names) < 2:
        return {name: version_of(name) for name in names}
    with ThreadPoolExecutor(_AT_ONCE) as lookers:
        return dict(zip(names, lookers.map(version_of, names), strict=True))
