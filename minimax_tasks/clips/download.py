"""Fetching a generated clip and checking it before it gets its name."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from minimax_tasks.api.answers import QueryAnswer, State
from minimax_tasks.api.catalog.models import expected_short_side, find_model_mode
from minimax_tasks.api.client import is_loopback
from minimax_tasks.api.endpoints import endpoint_of
from minimax_tasks.clips.events import Happened, announce, event_of, is_heard
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.layout import REQUEST, RESULT, SUBMISSION, VIDEO, clip_file, is_unchecked
from minimax_tasks.clips.poll import raise_if_failed
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.state import what_to_do
from minimax_tasks.clips.submit import ensure_submitted
from minimax_tasks.clips.video_look import VideoLook, look_through
from minimax_tasks.errors import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    ControlFlow,
    DownloadFailed,
    InvalidParameters,
    NotConnected,
    UncheckedVideo,
)
from minimax_tasks.storage.disk_work import when_the_disk_rests

log = logging.getLogger(__name__)


async def download(folder: ClipFolder, service: Service) -> None:
    """Fetch a generated clip to `video.mp4`. Needs the clip folder alone.

    The bytes go to a local file first, are checked (length where it is known, container, every packet, key
    frames), and are then put on storage as a whole. Raises `DownloadFailed` when the clip was generated but
    could not be fetched, `UncheckedVideo` when what came whole is no clip and was kept next to it, and
    `GenerationFailed` when there is nothing to fetch.
    """
    # What was submitted or found ready here has no video yet, unless somebody else fetched it meanwhile: then it is
    # fetched again.
    is_ours = folder.own(SUBMISSION) is not None or folder.own(RESULT) is not None
    if not is_ours and (await folder.submit_state()).made:
        return
    submission = await ensure_submitted(folder)
    result = await folder.known(RESULT)
    if result is None:
        raise DownloadFailed(
            f"clip {folder.key} is not generated yet: {folder.path(RESULT)} is missing",
            keys=[folder.key],
            root=folder.root.url,
        )
    raise_if_failed(result, folder)
    asked = await folder.known(REQUEST) or {}
    small = await service.draws_small(folder.root)
    kept: Any = result.get("unchecked")
    if isinstance(kept, dict) and not kept.get("again") and await _is_there(folder, str(kept.get("file"))):
        raise _unchecked(folder, submission, kept)
    trouble, tries = "", service.timing.download_tries
    with service.scratch() as scratch:
        draft, best_draft = scratch(VIDEO), scratch("best")
        best: _Unsound | None = None
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(min(service.timing.download_pause * 2.0 ** (attempt - 1), 30.0))
            try:
                await _fetch(submission, result, draft, service)
                facts = _facts(await when_the_disk_rests(look_through, str(draft)), result, asked, small)
            except AuthenticationFailed:
                raise
            except _Unsound as error:
                trouble = str(error)
                log.warning("clip %s, download %d of %d: %s", folder.key, attempt + 1, tries, trouble)
                if error.extension and (best is None or error.frames >= best.frames):
                    best = error
                    draft.replace(best_draft)
                if error.is_whole:
                    break
                continue
            except (NotConnected, AnswerLost, ApiError) as error:
                trouble = str(error)
                log.warning("clip %s, download %d of %d: %s", folder.key, attempt + 1, tries, trouble)
                continue
            await folder.deliver(str(draft), facts)
            if is_heard():
                announce(event_of(Happened.DELIVERED, folder, submission, asked))
            await folder.tidy()
            return
        if best is not None:
            kept = await folder.keep(str(best_draft), best.extension, str(best), again=not best.is_whole)
            log.warning("clip %s: %s", folder.key, what_to_do(folder.root, folder.key, kept))
    if isinstance(kept, dict) and await _is_there(folder, str(kept.get("file"))):
        raise _unchecked(folder, submission, kept)
    if folder.own(RESULT) is not None:
        with contextlib.suppress(OSError):  # then the next run asks for it
            await folder.note({})
    raise DownloadFailed(
        f"clip {folder.key}, task {submission['task_id']}: it was generated and paid for, but could not be "
        f"fetched ({trouble}). The next run fetches it without paying again; the service keeps a "
        "video for hours only",
        keys=[folder.key],
        root=folder.root.url,
        task_id=str(submission["task_id"]),
    )


class _Unsound(ControlFlow):
    """What came is not a clip. `extension` is "" when it is certainly no video, `is_whole` says that it is a
    good one nevertheless, in another container than the service's.
    """

    def __init__(self, why: str, *, extension: str = "", frames: int = 0, is_whole: bool = False) -> None:
        super().__init__(why)
        self.extension, self.frames, self.is_whole = extension, frames, is_whole


async def _is_there(folder: ClipFolder, name: str) -> bool:
    return is_unchecked(name) and await folder.root.run(folder.root.exists, clip_file(folder.key, name))


def _unchecked(folder: ClipFolder, submission: dict[str, Any], kept: dict[str, Any]) -> UncheckedVideo:
    return UncheckedVideo(
        f"clip {folder.key}, task {submission['task_id']}: {what_to_do(folder.root, folder.key, kept)}",
        keys=[folder.key],
        root=folder.root.url,
        task_id=str(submission["task_id"]),
    )


async def _fetch(submission: dict[str, Any], result: dict[str, Any], draft: Path, service: Service) -> None:
    url = await _fresh_url(submission, result, service)
    if not url:
        raise _Unsound("the service gave no download URL yet")
    await service.client.fetch(_address(url, service.client.base_url), draft)


def _address(url: str, base_url: str) -> str:
    """Where to fetch from. A service that is spoken to over https signs plain http URLs of hosts that have both."""
    plain = url[:7].lower() == "http://" and base_url.startswith("https:") and not is_loopback(url)
    return f"https://{url[7:]}" if plain else url


async def _fresh_url(submission: dict[str, Any], result: dict[str, Any], service: Service) -> str:
    """A newly signed URL: by a query where that answers with one, else by the file id."""
    task_id, endpoint = str(submission["task_id"]), endpoint_of(submission)
    if not endpoint.retrieve_path:
        try:
            return (await service.client.query(task_id, endpoint)).video_url
        except InvalidParameters:
            if endpoint.former is None:
                raise
            endpoint = endpoint.former  # known there as well, and perhaps for longer
    file_id = QueryAnswer.model_validate(result).file_id
    if not file_id:
        answer = await service.client.query(task_id, endpoint)
        file_id = answer.file_id if answer.state is State.SUCCESS else ""
    return (await service.client.retrieve(file_id, endpoint=endpoint)).file.download_url if file_id else ""


def _facts(found: VideoLook, result: dict[str, Any], asked: dict[str, Any], small: bool) -> dict[str, Any]:
    """What the video is, and how it differs from what was asked: it was paid for, so it is kept.

    Clips that are drawn `small` on purpose have another size than the one that was asked. Raises `_Unsound`.
    """
    if found.problems:
        what = "what came is another kind of video" if found.is_whole else "what came is not a whole video"
        raise _Unsound(
            f"{what}: " + "; ".join(found.problems),
            extension=found.extension,
            frames=found.frames,
            is_whole=found.is_whole,
        )
    warnings = []
    seconds = asked.get("duration")
    row = find_model_mode(str(asked.get("model")), asked.get("mode"))
    longer = max(0.5, row.longer_by if row else 0.0)
    if isinstance(seconds, int) and not seconds - 0.5 <= found.seconds <= seconds + longer:
        warnings.append(f"asked for {seconds} s, got {found.seconds:.2f} s")
    resolution = str(asked.get("resolution") or "")
    lines = expected_short_side(resolution, str(asked.get("ratio") or ""))
    if not small and lines and abs(min(found.width, found.height) - lines) > lines * 0.02:
        warnings.append(f"asked for {resolution}, got {found.width} x {found.height}")
    promised = result.get("video_width"), result.get("video_height")
    if not small and all(promised) and promised != (found.width, found.height):
        warnings.append(
            f"the service said {promised[0]} x {promised[1]}, the video is {found.width} x {found.height}"
        )
    return {
        "video": {
            "width": found.width,
            "height": found.height,
            "frames": found.frames,
            "seconds": round(found.seconds, 3),
            "fps": found.fps,
            "codec": found.codec,
            "audio_rate": found.audio_rate or None,
            "audio_channels": found.audio_channels or None,
        },
        "warnings": warnings,
    }
