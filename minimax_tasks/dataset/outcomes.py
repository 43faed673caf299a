"""The outcome of each clip of a shard, as it is kept on storage."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.dataclasses import dataclass

from minimax_tasks.clips.layout import DATASETS, clip_folder
from minimax_tasks.clips.state import VideoFacts
from minimax_tasks.errors import UncertainSubmit
from minimax_tasks.storage.files import Storage


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """A clip that is on storage, and what its video is. No model: thousands are held, each six times as large."""

    task_id: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    frames: int | None = None
    audio_rate: int | None = None
    audio_channels: int | None = None


class Failure(BaseModel):
    """A clip that is not there. `code` is the service's, `error` the name of the exception.

    `over` says that another run would find the same: the service has refused the clip. `files` changes when
    something happened to the clip.
    """

    model_config = ConfigDict(frozen=True)

    error: str
    text: str
    code: int | None = None
    task_id: str | None = None
    over: bool
    files: str

    @property
    def in_doubt(self) -> bool:
        """Whether the clip may have been paid, so that a person must settle it."""
        return self.error == UncertainSubmit.__name__

    @property
    def is_over(self) -> bool:
        """`over`, and not in doubt, which results once counted as over."""
        return self.over and not self.in_doubt


class ShardResult(BaseModel):
    """The outcome of every clip of a shard."""

    model_config = ConfigDict(frozen=True)

    finished_at: datetime
    made: dict[str, ClipFacts]
    failed: dict[str, Failure]

    @property
    def is_over(self) -> bool:
        """Whether another run would have nothing left to do."""
        return all(failure.is_over for failure in self.failed.values())


def result_name(dataset: str, digest: str) -> str:
    """Where a shard keeps its result: next to the datasets, since they are loaded as they are."""
    return f"{work_folder(dataset)}/shard-{digest}.json"


def work_folder(dataset: str) -> str:
    """Where what a dataset is made of is kept."""
    return f"{DATASETS}/.work/{dataset}"


def read_result(root: Storage, name: str) -> ShardResult | None:
    """The result of a shard, None when there is none that can be read."""
    found = root.read_json(name)
    return ShardResult.model_validate(found) if found else None


def files_digest(versions: Mapping[str, str]) -> str:
    """A short text that changes whenever the files of a clip do, from `Storage.versions` of its folder."""
    text = json.dumps(dict(versions), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stands(
    root: Storage, failed: Iterable[tuple[str, str]], finished_at: datetime, retry_before: datetime | None
) -> bool:
    """Whether failures (key, `files`) are still what they were, and nobody asked to retry them."""
    known = list(failed)
    if known and retry_before is not None and finished_at < retry_before:
        return False
    return all(files_digest(root.versions(clip_folder(key))) == files for key, files in known)


def now() -> datetime:
    """The time as results have it."""
    return datetime.now(UTC)


def facts(result: dict[str, Any]) -> ClipFacts:
    """What the final answer about a clip says of its video."""
    video = VideoFacts.of(result)
    return ClipFacts(
        task_id=result.get("task_id"),
        width=video.width,
        height=video.height,
        fps=video.fps,
        frames=video.frames,
        audio_rate=video.audio_rate,
        audio_channels=video.audio_channels,
    )
