"""The first look at many clips of a root: one listing says of which of them nothing is there.

A dataset that is made for the first time would otherwise ask the storage for each clip what nobody has begun.
"""

import asyncio
import time

from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.layout import CLIPS
from minimax_tasks.clips.state import NEVER_BEGUN, SubmitState
from minimax_tasks.storage.files import Storage

_A_REQUEST = 1000
"""Folders that one request lists."""

_MOST_REQUESTS = 10
"""Requests of one listing at most: the names are kept."""


class FirstLooks:
    """Where the submits of clips stand, for a worker that sees to about `clips` of one root.

    What was listed counts for `life` seconds. For money it is a hint and no more: who submits by it creates the first
    claim, and that fails when somebody has begun the clip since (`submit`). What it cannot see in those seconds is a
    submission without a claim, which no program of ours writes and a person puts there by hand; a look at the clip itself
    would not see it either while the clip waits for its turn.
    """

    def __init__(self, root: Storage, life: float, clips: int) -> None:
        self._root = root
        self._life = life
        self._most_requests = min(_MOST_REQUESTS, clips // 10)
        self._is_worth_it = root.lists_in_pages and self._most_requests > 0
        self._listing = asyncio.Lock()
        self._begun: frozenset[str] = frozenset()
        self._listed_at: float | None = None
        self._saved = 0
        """Requests that the listing has saved so far."""

    async def submit_state(self, folder: ClipFolder) -> SubmitState:
        """Where the submits of a clip stand, now or a moment ago."""
        if self._is_worth_it and await self._is_never_begun(folder.key):
            self._saved += 1
            return NEVER_BEGUN
        return await folder.submit_state()

    async def _is_never_begun(self, key: str) -> bool:
        async with self._listing:
            if self._listed_at is None or time.monotonic() > self._listed_at + self._life:
                await self._list()
        return self._is_worth_it and key not in self._begun

    async def _list(self) -> None:
        """List what is begun, unless there is too much of it, or the last listing did not pay."""
        taken = 1 + len(self._begun) // _A_REQUEST
        if self._listed_at is not None and self._saved <= taken:
            self._is_worth_it = False
            return
        most = self._most_requests * _A_REQUEST
        begun = await self._root.run(self._root.folders, CLIPS, most=most)
        self._is_worth_it = len(begun) < most
        self._begun, self._listed_at, self._saved = frozenset(begun), time.monotonic(), 0
