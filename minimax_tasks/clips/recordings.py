"""The reference videos and sounds of a request: read, judged and measured before anything is paid."""

import base64
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from minimax_tasks.api.catalog.models import PictureLimits, RecordingLimits, ReferenceLimits
from minimax_tasks.api.data_urls import decode_data_url
from minimax_tasks.errors import PictureError, UnreadableReference, VideoError
from minimax_tasks.redaction import shown
from minimax_tasks.storage import references
from minimax_tasks.storage.references import Kind

_TOLERANCE = 0.05
"""Seconds and frames a second by which a file may miss a limit that the one who cut it meant to keep."""

_MOV = "video/quicktime"
_MOV_BRAND = b"qt  "


@dataclass(frozen=True)
class Heard:
    """A recording as it was read: its SHA-256 and its length in seconds."""

    digest: str
    seconds: float


_heard_before: dict[tuple[str, str], Heard] = {}
"""Field's kind with reference, and version of a file -> the recording in it."""


def is_video(field: str) -> bool:
    """Whether a field of a request has a video; the other recordings are sounds."""
    return field.startswith("reference_videos")


def read_recording_bytes(reference: str, field: str, limits: ReferenceLimits) -> bytes:
    """The bytes of a recording. Raises `PictureError` when they cannot be read."""
    own = limits.video if is_video(field) else limits.audio
    try:
        if references.kind_of(reference) is Kind.DATA:
            return decode_data_url(reference, field=field)
        return references.read(reference, own.most_bytes)
    except UnreadableReference as error:
        raise PictureError(field, reference, own.words, str(error)) from None


def hear(reference: str, field: str, limits: ReferenceLimits, pictures: PictureLimits) -> Heard:
    """What a recording is, read again only when its file changed. Raises `PictureError` for one that is not taken."""
    version = references.version_of(reference)
    place = (f"{is_video(field)} {reference}", version or "")
    if version and place in _heard_before:
        return _heard_before[place]
    data = read_recording_bytes(reference, field, limits)
    own = limits.video if is_video(field) else limits.audio
    seconds = judge_recording(data, own, pictures, field=field, name=shown(reference))
    heard = Heard(hashlib.sha256(data).hexdigest(), seconds)
    if version:
        _heard_before[place] = heard
    return heard


def judge_recording(
    data: bytes, limits: RecordingLimits, pictures: PictureLimits, *, field: str, name: str
) -> float:
    """Judge a video or a sound by its bytes; returns its length in seconds. Raises `PictureError`."""
    from minimax_tasks.video.recording import read_recording

    def wrong(allowed: str, why: str) -> PictureError:
        return PictureError(field, name, allowed, why)

    if len(data) > limits.most_bytes:
        raise wrong(f"at most {limits.most_bytes / 1e6:g} MB", f"{len(data) / 1e6:.1f} MB")
    try:
        found = read_recording(data)
    except VideoError as error:
        raise wrong(limits.words, str(error)) from None
    if not found.containers & limits.containers or found.has_pictures != bool(limits.codecs):
        raise wrong(limits.words, "it is of another kind")
    if found.has_pictures:
        if found.codec not in limits.codecs or found.sound_codec not in ("", *limits.sound_codecs):
            raise wrong(
                limits.words, f"it is {' with '.join(filter(None, (found.codec, found.sound_codec)))}"
            )
        size, (low, high) = (found.width, found.height), pictures.aspect
        longest = pictures.longest or max(size)
        if min(size) < pictures.shortest or max(size) > longest:
            raise wrong(f"sides of {pictures.shortest} to {longest} px", f"it is {size[0]} x {size[1]} px")
        if not low <= size[0] / size[1] <= high:
            raise wrong(
                "an aspect ratio from 2:5 to 5:2", f"{size[0]} x {size[1]} px is {size[0] / size[1]:.2f}:1"
            )
        slowest, fastest = limits.rates
        if not slowest - _TOLERANCE <= found.fps <= fastest + _TOLERANCE:
            raise wrong(f"{slowest:g} to {fastest:g} frames a second", f"it has {found.fps:.2f}")
    shortest, longest_time = limits.seconds
    if not shortest - _TOLERANCE <= found.seconds <= longest_time + _TOLERANCE:
        raise wrong(f"{shortest:g} to {longest_time:g} s", f"it has {found.seconds:.2f} s")
    return found.seconds


def judge_together(seconds: Iterable[tuple[str, float]], limits: ReferenceLimits) -> float | None:
    """Judge the lengths of all recordings together; the seconds of the videos, None when there is none.

    Raises `PictureError`.
    """
    told = list(seconds)
    videos = [length for field, length in told if is_video(field)]
    sounds = [length for field, length in told if not is_video(field)]
    for field, lengths, most in (
        ("reference_videos", videos, limits.video.together),
        ("reference_audios", sounds, limits.audio.together),
    ):
        if sum(lengths) > most + _TOLERANCE:
            raise PictureError(field, f"{sum(lengths):.2f} s", f"at most {most:g} s together")
    return min(math.fsum(videos), limits.video.together) if videos else None


def as_data_url(data: bytes, field: str) -> str | None:
    """A recording as it goes into a request; None for one that has to be uploaded, since its kind cannot."""
    _, mime = file_of(data, field)
    return None if mime == _MOV else f"data:{mime};base64,{base64.b64encode(data).decode()}"


def file_of(data: bytes, field: str) -> tuple[str, str]:
    """The name and the media type under which a recording is uploaded."""
    if is_video(field):
        return ("clip.mov", _MOV) if data[8:12] == _MOV_BRAND else ("clip.mp4", "video/mp4")
    return ("sound.wav", "audio/wav") if data[:4] == b"RIFF" else ("sound.mp3", "audio/mpeg")
