"""Clips of one shape are submitted one after the other, so that no two of them are in doubt at once.

The list of an account's tasks can settle a doubt only if one clip alone may be the task's. The N-th submit of a
shape creates `turns/<shape>/N.json` before its POST, by exclusive create, and only when the outcome of the one before
is known. So a claim without a turn was never followed by a POST.
"""

import asyncio
from dataclasses import dataclass, field

from minimax_tasks.clips.folder import ClipFolder, age, is_dead
from minimax_tasks.clips.layout import turn_name, turns_folder
from minimax_tasks.clips.state import clip_names, look_async, outcome_is_known
from minimax_tasks.clips.timing import Timing
from minimax_tasks.storage.files import Storage


@dataclass(frozen=True)
class Turn:
    """A turn that was taken: by which clip, for which of its attempts."""

    number: int
    key: str
    attempt: int
    nonce: str = ""


@dataclass
class Turns:
    """The turns of one service: a lock and the newest known number for each shape of each root."""

    locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)
    newest: dict[tuple[str, str], int] = field(default_factory=dict)

    def lock(self, root: Storage, shape: str) -> asyncio.Lock:
        """Held by a clip of this process from before its claim until the outcome of its POST is known."""
        return self.locks.setdefault((root.url, shape), asyncio.Lock())

    async def last(self, root: Storage, shape: str) -> Turn | None:
        """The newest turn of a shape; None before the first."""
        place = (root.url, shape)
        if place not in self.newest:
            self.newest[place] = await root.run(_newest, root, shape)
        while await root.run(root.exists, turn_name(shape, self.newest[place] + 1)):
            self.newest[place] += 1
        number = self.newest[place]
        return await root.run(read_turn, root, shape, number) if number else None

    async def take(self, root: Storage, shape: str, number: int, key: str, attempt: int, nonce: str) -> bool:
        """Take the turn with this number; false when somebody else did."""
        document = {"clip": key, "attempt": attempt, "nonce": nonce}
        name = turn_name(shape, number)
        try:
            created = await root.run(root.create_json, name, document)
        except Exception:
            found = await root.run(root.read_json, name)
            if (found or {}).get("nonce") != nonce:
                raise
            created = True
        if created or ((await root.run(root.read_json, name)) or {}).get("nonce") == nonce:
            self.newest[root.url, shape] = number
            return True
        return False


def _newest(root: Storage, shape: str) -> int:
    stems = [name.removesuffix(".json") for name in root.names(turns_folder(shape))]
    return max((int(stem) for stem in stems if stem.isdecimal()), default=0)


def read_turn(root: Storage, shape: str, number: int) -> Turn:
    """A turn; one that cannot be read is of no clip."""
    found = root.read_json(turn_name(shape, number)) or {}
    attempt = found.get("attempt")
    return Turn(
        number,
        str(found.get("clip", "")),
        attempt if isinstance(attempt, int) else 0,
        str(found.get("nonce", "")),
    )


def was_sent(root: Storage, shape: str, nonce: str) -> bool:
    """Whether a claim with this secret came so far as to take a turn. Looks from the newest turn on."""
    numbers = range(_newest(root, shape), 0, -1)
    return any(read_turn(root, shape, number).nonce == nonce for number in numbers)


async def is_settled(root: Storage, turn: Turn) -> bool:
    """Whether the outcome of a turn's POST is known."""
    if not turn.key:
        return True
    names = await root.run(clip_names, root, turn.key)
    if await look_async(root, turn.key, outcome_is_known(names, turn.attempt)):
        return True
    return await ClipFolder(root, turn.key).recover(turn.attempt)


async def is_under_way(root: Storage, turn: Turn, timing: Timing) -> bool:
    """Whether the worker of a turn may still be at its POST."""
    folder = ClipFolder(root, turn.key, timing)
    claim = await folder.claimed(turn.attempt)
    if not claim or await folder.doubted(turn.attempt) or is_dead(claim):
        return False
    return age(claim) <= timing.claim_patience
