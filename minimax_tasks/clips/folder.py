"""The files of one clip, `<root>/clips/<key>/`, and what they say about where the clip stands.

| file | written | says |
|---|---|---|
| `request.json` | before the first claim | what was asked, for people |
| `claim.N.json` | before the N-th POST, by exclusive create | somebody is about to pay |
| `released.N.json` | after a POST that certainly created nothing | the claim is void, and why |
| `doubt.N.json` | after a POST whose outcome is not known | the clip may have been paid |
| `submission.json` | right after the service accepted the N-th POST | the task id |
| `result.json` | when the task is over | the final query answer |
| `video.mp4` | last | the clip is made |

Nothing is ever deleted, so a process that wakes up late cannot void the claim of another.
"""

import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from minimax_tasks.api.answers import QueryAnswer
from minimax_tasks.clips.request import ClipRequest, without_query
from minimax_tasks.storage.files import Storage

VIDEO = "video.mp4"


@dataclass(frozen=True)
class Standing:
    """Where a clip stands, from one listing of its folder."""

    claims: int
    """Number of the newest claim; 0 when nobody ever was about to pay."""
    released: bool
    submitted: bool
    finished: bool
    made: bool


class ClipFolder:
    """The folder of one clip under a root."""

    def __init__(self, root: Storage, key: str) -> None:
        self.root = root
        self.key = key
        self._folder = f"clips/{key}"

    def path(self, name: str) -> str:
        """The path or URL of a file of the clip."""
        return self.root.join(f"{self._folder}/{name}")

    async def standing(self) -> Standing:
        """Look at the folder."""
        names = await self.root.call(self.root.names, self._folder)
        claims = max((_number(name, "claim") for name in names), default=0)
        return Standing(
            claims=claims,
            released=f"released.{claims}.json" in names,
            submitted="submission.json" in names,
            finished="result.json" in names,
            made=VIDEO in names,
        )

    async def describe(self, clip: ClipRequest) -> None:
        """Write `request.json`."""
        await self._write("request.json", clip.asked())

    async def claim(self, number: int, clip: ClipRequest) -> bool:
        """Say that somebody is about to pay; False when somebody else already did."""
        document = {"attempt": number, "at": now(), "usd": clip.request.usd, **me()}
        return await self.root.call(self.root.create_json, self._name(f"claim.{number}.json"), document)

    async def claimed(self, number: int) -> dict[str, Any]:
        """The claim, empty when it cannot be read."""
        return await self._read(f"claim.{number}.json") or {}

    async def release(self, number: int, why: str, *, code: int | None = None, final: bool = False) -> None:
        """Say that nothing was created for a claim."""
        await self._write(f"released.{number}.json", {"at": now(), "why": why, "code": code, "final": final})

    async def released(self, number: int) -> dict[str, Any]:
        """Why a claim was released, empty when it cannot be read."""
        return await self._read(f"released.{number}.json") or {}

    async def doubt(self, number: int, why: str) -> None:
        """Say that the outcome of a POST is not known."""
        await self._write(f"doubt.{number}.json", {"at": now(), "why": why, **me()})

    async def doubted(self, number: int) -> dict[str, Any]:
        """What is known of an uncertain POST, empty when nothing is."""
        return await self._read(f"doubt.{number}.json") or {}

    async def submitted(self, number: int, clip: ClipRequest, task_id: str, host: str) -> None:
        """Write the task id."""
        await self._write(
            "submission.json",
            {
                "task_id": task_id,
                "attempt": number,
                "mode": str(clip.mode),
                "model": getattr(clip.request, "model", None),
                "host": host,
                "submitted_at": now(),
                "usd": clip.request.usd,
            },
        )

    async def submission(self) -> dict[str, Any] | None:
        """What `submission.json` says, None when there is none."""
        return await self._read("submission.json")

    async def finish(self, answer: QueryAnswer) -> None:
        """Write the final query answer, without the signature of a video's URL."""
        document = answer.model_dump() | {"video_url": without_query(answer.video_url), "finished_at": now()}
        await self._write("result.json", document)

    async def result(self) -> dict[str, Any] | None:
        """What `result.json` says, None when there is none."""
        return await self._read("result.json")

    async def note(self, facts: dict[str, Any]) -> None:
        """Add what the video turned out to be to `result.json`."""
        await self._write("result.json", (await self.result() or {}) | facts)

    async def deliver(self, source: str) -> None:
        """Give a whole local file the name `video.mp4`."""
        await self.root.call(self.root.put, source, self._name(VIDEO))

    def _name(self, name: str) -> str:
        return f"{self._folder}/{name}"

    async def _read(self, name: str) -> dict[str, Any] | None:
        return await self.root.call(self.root.read_json, self._name(name))

    async def _write(self, name: str, document: dict[str, Any]) -> None:
        await self.root.call(self.root.write_json, self._name(name), document)


def now() -> str:
    """The time as it stands in the files: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def age(document: dict[str, Any], field: str = "at") -> float:
    """Seconds since the time in a document; 0 when it has none."""
    try:
        return max(0.0, time.time() - datetime.fromisoformat(document[field]).timestamp())
    except (KeyError, TypeError, ValueError):
        return 0.0


def me() -> dict[str, Any]:
    """This process, as claims name it."""
    return {"machine": socket.gethostname(), "process": os.getpid()}


def is_dead(document: dict[str, Any]) -> bool:
    """Whether the process that wrote a claim is known to be gone. False when that cannot be known."""
    if document.get("machine") != socket.gethostname():
        return False
    try:
        os.kill(int(document["process"]), 0)
    except ProcessLookupError:
        return True
    except (KeyError, TypeError, ValueError, OSError, OverflowError):
        return False
    return False


def _number(name: str, kind: str) -> int:
    first, _, rest = name.partition(".")
    number = rest.removesuffix(".json")
    return int(number) if first == kind and number.isdigit() else 0
