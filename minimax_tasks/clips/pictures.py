"""Reading the pictures of a request from any fsspec path, and knowing them by their bytes."""

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from minimax_tasks.api.catalog.models import V1_PICTURES, PictureLimits
from minimax_tasks.api.data_urls import decode_data_url
from minimax_tasks.api.picture_shapes import same_shape
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.layout import SUBMISSION, clip_file, picture_memory, sent_memory
from minimax_tasks.clips.recordings import (
    as_data_url,
    file_of,
    hear,
    is_video,
    judge_together,
    read_recording_bytes,
)
from minimax_tasks.clips.request import NOTHING, PICTURE, ClipRequest, FrameOf
from minimax_tasks.clips.spellings import as_paid
from minimax_tasks.errors import PictureError, UnreadableReference
from minimax_tasks.redaction import shown
from minimax_tasks.storage import references
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import Kind

FrameReader = Callable[[FrameOf], Awaitable[bytes]]
"""Gives the PNG bytes of a frame of another clip."""


PICTURE_LIMIT = 100_000_000
"""Bytes of a picture that are read at most. The service takes under 20 MB; with `fit` more is made to fit."""


def read_picture(reference: str, *, field: str) -> bytes:
    """The bytes behind a path, a URL of a storage or a data URL. Raises `PictureError` when they cannot be read."""
    try:
        match references.kind_of(reference):
            case Kind.DATA:
                if len(reference) > PICTURE_LIMIT * 4 // 3:
                    raise UnreadableReference(f"it has more than {PICTURE_LIMIT / 1e6:g} MB")
                return decode_data_url(reference, field=field)
            case Kind.WEB:
                raise UnreadableReference("a picture on the web is sent by its URL, not read here")
            case _:
                return references.read(reference, PICTURE_LIMIT)
    except UnreadableReference as error:
        raise PictureError(field, reference, PICTURE, str(error)) from None


def has_bytes(reference: str) -> bool:
    """Whether a picture is known by its bytes, and not by its URL or by the clip that it is taken from."""
    return not references.is_web(reference) and FrameOf.parse(reference) is None


@dataclass(frozen=True)
class Seen:
    """A picture as it was read: its SHA-256, its upright size in pixels (0 when that is not known), and whether
    it is sent byte for byte, as it is and with `fit`.
    """

    digest: str
    width: int = 0
    height: int = 0
    as_it_is: bool = True
    fits: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    def is_sent_whole(self, *, fit: bool) -> bool:
        """Whether what is sent is what was read."""
        return self.as_it_is and (self.fits or not fit)


@dataclass(frozen=True)
class Sent:
    """A picture as it is sent, without its bytes: its SHA-256, its size in pixels, and what was done to it."""

    digest: str
    width: int
    height: int
    notes: tuple[str, ...] = ()


Look = Callable[[str, str], Seen]
"""Sees a picture: a reference and a field, for `PictureError`."""


@dataclass(frozen=True)
class Reading:
    """A picture that was read: what it is, the version of its file, and its bytes if they had to be read."""

    seen: Seen
    version: str | None
    data: bytes | None = None


_MOST_REMEMBERED = 65_536

_seen_before: dict[tuple[str, str], Seen] = {}
"""Reference and version of a file -> the picture in it."""

_sent_before: dict[tuple[str, str, bool, PictureLimits, tuple[int, int] | None], Sent] = {}
"""Reference, digest, `fit`, limits and shape of a picture -> what is sent of it."""


def forget_pictures() -> None:
    """Forget what this process knows of pictures that it has read."""
    _seen_before.clear()
    _sent_before.clear()


def look_at(reference: str, field: str) -> Reading:
    """Look at a picture, whose bytes are read only when its file changed. Raises `PictureError`."""
    version = references.version_of(reference)
    if version and (known := _seen_before.get((reference, version))):
        return Reading(known, version)
    data = read_picture(reference, field=field)
    seen = seen_in(data)
    if version:
        if len(_seen_before) >= _MOST_REMEMBERED:
            _seen_before.clear()
        _seen_before[reference, version] = seen
    return Reading(seen, version, data)


def seen_in(data: bytes) -> Seen:
    """What a picture is, by its bytes."""
    from minimax_tasks.api.pictures import glance

    digest, head = hashlib.sha256(data).hexdigest(), glance(data)
    return Seen(digest, head.width, head.height, head.as_it_is, head.fits) if head else Seen(digest)


def see_picture(reference: str, field: str) -> Seen:
    """What a picture is, read again only when the file changed. Raises `PictureError` when it cannot be read."""
    return look_at(reference, field).seen


def prepare_picture(
    reference: str,
    seen: Seen,
    *,
    field: str,
    fit: bool,
    shape: tuple[int, int] | None = None,
    data: bytes | None = None,
    limits: PictureLimits = V1_PICTURES,
) -> Sent:
    """A picture as it would be sent: judged on its bytes and, to have a shape, cropped. Raises `PictureError`.

    `data` are its bytes where they are at hand; otherwise they are read, unless all this is known already.
    """
    what = (reference, seen.digest, fit, limits)
    known, whole = _sent_before.get((*what, shape)), _sent_before.get((*what, None))
    if known is None and whole is not None and shape is not None:
        known = whole if _is_whole(whole, shape) else None
    return known or _prepare(reference, seen.digest, field, fit, shape, data, limits)


def _prepare(
    reference: str,
    digest: str,
    field: str,
    fit: bool,
    shape: tuple[int, int] | None,
    data: bytes | None,
    limits: PictureLimits,
) -> Sent:
    from minimax_tasks.api.pictures import Picture, crop_to, judge_picture

    def remembered(picture: Picture, shape: tuple[int, int] | None) -> Sent:
        sent = Sent(hashlib.sha256(picture.data).hexdigest(), picture.width, picture.height, picture.notes)
        if len(_sent_before) >= _MOST_REMEMBERED:
            _sent_before.clear()
        _sent_before[reference, digest, fit, limits, shape] = sent
        return sent

    label = shown(reference)
    if data is None:
        data = read_picture(reference, field=field)
    if hashlib.sha256(data).hexdigest() != digest:
        raise PictureError(field, reference, "the picture that was planned", "it has changed; plan again")
    picture = judge_picture(data, field=field, name=label, fit=fit, limits=limits)
    whole = remembered(picture, None)
    if shape is None or _is_whole(whole, shape):
        return whole
    return remembered(crop_to(picture, shape, field=field, name=label, limits=limits), shape)


def _is_whole(sent: Sent, shape: tuple[int, int]) -> bool:
    """Whether nothing is cropped of a picture to have a shape."""
    return same_shape((sent.width, sent.height), shape)


def known_clip(
    root: Storage,
    request: AnyRequest,
    take: int,
    *,
    written: Iterable[str] = (),
    shapes: Mapping[str, tuple[int, int]] | None = None,
    look: Look = see_picture,
    begun: Container[str] | None = None,
) -> ClipRequest:
    """The clip of a request: what its pictures are and what is sent of them, and where it is on storage.

    `written` are other spellings of its prompt, `shapes` those to which first frames are cropped.

    A picture that is gone is known by what it was when it was last submitted under this root,
    if that clip was submitted: a paid clip stays reachable. Raises `PictureError` otherwise.
    """
    seen, gone = {}, None
    for name, reference in request.pictures().items():
        if not has_bytes(reference):
            continue
        try:
            seen[name] = look(reference, name)
        except PictureError as error:
            remembered = remembered_picture(root, reference)
            if remembered is None:
                raise
            seen[name], gone = remembered, error
    shapes = dict(shapes or {})
    sent = _what_is_sent(root, request, seen, shapes)
    digests = {name: one.digest for name, one in seen.items()}
    request, heard, missing = _heard(root, request)
    digests |= heard
    gone = gone or missing
    clip = ClipRequest(request, digests or NOTHING, take, sent or NOTHING, shapes or NOTHING)
    clip = as_paid(root, clip, written, begun=begun)
    if gone is not None and not root.exists(clip_file(clip.key, SUBMISSION)):
        raise gone
    return clip


def _heard(root: Storage, request: AnyRequest) -> tuple[AnyRequest, dict[str, str], PictureError | None]:
    """The request with the seconds of its videos, the digests of its recordings, and what is wrong with one that is
    gone and known from an earlier submit. Raises `PictureError`.
    """
    limits = getattr(request, "reference_limits", None)
    if limits is None or not request.recordings():
        return request, {}, None
    digests: dict[str, str] = {}
    lengths: list[tuple[str, float]] = []
    gone: PictureError | None = None
    for name, reference in request.recordings().items():
        if not has_bytes(reference):
            continue
        try:
            found = hear(reference, name, limits, request.picture_limits)
        except PictureError as error:
            remembered = remembered_picture(root, reference)
            if remembered is None:
                raise
            digests[name], gone = remembered.digest, error
        else:
            digests[name] = found.digest
            lengths.append((name, found.seconds))
    seconds = judge_together(lengths, limits)
    all_known = all(name in digests for name in request.recordings() if is_video(name)) and gone is None
    if seconds is not None and all_known and getattr(request, "reference_seconds", None) is None:
        request = request.model_copy(update={"reference_seconds": round(seconds, 3)})
    return request, digests, gone


def _what_is_sent(
    root: Storage, request: AnyRequest, seen: Mapping[str, Seen], shapes: Mapping[str, tuple[int, int]]
) -> dict[str, str]:
    """The digests of pictures that are not sent as they were read."""
    return {
        name: sent.digest
        for name, _, sent in _changed(root, request, seen, shapes)
        if sent.digest != seen[name].digest
    }


def _changed(
    root: Storage, request: AnyRequest, seen: Mapping[str, Seen], shapes: Mapping[str, tuple[int, int]]
) -> Iterator[tuple[str, str, Sent]]:
    """Field, place of the memory and what is sent, of each picture that is turned, cropped, or laid on white.

    What was sent before under this root stays what it is: another version of an image library may write
    the same pixels in other bytes. A picture that the service would refuse counts as sent as it is; who
    sends it is warned.
    """
    start: tuple[int, int] | None = None
    for name, one in seen.items():
        shape = shapes.get(name, start if name == "last_frame_image" else None)
        size = one.size
        limits = request.picture_limits
        too_large = request.fit and limits.longest is not None and max(one.size) > limits.longest
        if one.is_sent_whole(fit=request.fit) and not too_large and not _is_cropped(one.size, shape):
            start = size if name == "first_frame_image" and all(size) else start
            continue
        place = _sent_memory(one.digest, request.fit, shape, limits)
        try:
            sent = _remembered_sent(root, place) or prepare_picture(
                request.pictures()[name], one, field=name, fit=request.fit, shape=shape, limits=limits
            )
        except PictureError:
            continue
        start = (sent.width, sent.height) if name == "first_frame_image" else start
        yield name, place, sent


def _is_cropped(size: tuple[int, int], shape: tuple[int, int] | None) -> bool:
    return shape is not None and all(size) and not same_shape(size, shape)


def remembered_picture(root: Storage, reference: str) -> Seen | None:
    """What a picture was when it was last submitted under this root, None when it never was."""
    place = _memory(reference)
    found = (root.read_json(place) if place else None) or {}
    if not found.get("sha256"):
        return None
    known = {name: found[name] for name in ("width", "height", "as_it_is", "fits") if name in found}
    return Seen(str(found["sha256"]), **known)


def remember_pictures(root: Storage, clip: ClipRequest) -> None:
    """Keep under the root what a clip's pictures are and what is sent of them, for `known_clip`.

    Raises `PictureError` when another worker is about to send the same picture in other bytes.
    """
    seen: dict[str, Seen] = {}
    for name, digest in clip.digests.items():
        if name in clip.request.recordings():
            _remember_recording(root, clip.request.recordings()[name], digest)
            continue
        reference = clip.request.pictures()[name]
        try:
            seen[name] = see_picture(reference, name)
        except PictureError:
            seen[name] = Seen(digest)
        place = _memory(reference)
        if place and seen[name].digest == digest:
            found = {"from": shown(reference), "sha256": digest} | dataclasses.asdict(seen[name])
            del found["digest"]
            root.write_json(place, found, durable=False)
    for name, place, sent in _changed(root, clip.request, seen, clip.shapes):
        document = {
            "read": seen[name].digest,
            "sent": sent.digest,
            "width": sent.width,
            "height": sent.height,
        }
        if root.create_json(place, document):
            continue
        if (found_sent := _remembered_sent(root, place)) and found_sent.digest != sent.digest:
            raise PictureError(
                name,
                shown(clip.request.pictures()[name]),
                "the bytes that were sent before",
                "another worker encodes it differently; plan the clip again",
            )


def _remember_recording(root: Storage, reference: str, digest: str) -> None:
    place = _memory(reference)
    if place:
        root.write_json(place, {"from": shown(reference), "sha256": digest}, durable=False)


def _memory(reference: str) -> str | None:
    """The file with a picture's digest under a root, None for a picture that has no name or none of a file."""
    try:
        if references.kind_of(reference) not in (Kind.LOCAL, Kind.STORED):
            return None
        name = references.full_name(reference)
    except UnreadableReference:
        return None
    return picture_memory(name)


def _sent_memory(digest: str, fit: bool, shape: tuple[int, int] | None, limits: PictureLimits) -> str:
    how: list[object] = [digest, fit, shape]
    return sent_memory(json.dumps(how if limits == V1_PICTURES else [*how, limits.most_bytes]))


def _remembered_sent(root: Storage, place: str) -> Sent | None:
    found = root.read_json(place)
    return Sent(str(found["sent"]), int(found["width"]), int(found["height"])) if found else None


Upload = Callable[[bytes, str, str], Awaitable[str]]
"""Keeps a file with the service: its bytes, name and media type; gives its address."""

MOST_SENT = 60_000_000
"""Characters of data URLs in a request; the service takes 64 MB in all."""


async def sendable(clip: ClipRequest, frames: FrameReader | None, upload: Upload | None = None) -> AnyRequest:
    """The request with every picture as the URL or data URL that is sent, judged on its bytes.

    A last frame of another shape than the first is cropped alike, with a warning; the service would crop it
    as it likes. Raises `PictureError` for a picture that the service would refuse, that is gone, or that is
    not the one that the clip's key was made from.
    """
    if not clip.request.pictures() and not clip.request.recordings():
        return clip.request
    from minimax_tasks.api.pictures import Picture, crop_alike, crop_to, judge_picture

    limits = clip.request.picture_limits
    pictures: dict[str, Picture] = {}
    resolved = {}
    for name, reference in clip.request.pictures().items():
        frame = FrameOf.parse(reference)
        if frame is not None:
            if frames is None:
                raise PictureError(name, reference, "a picture", "nothing here can read frames of clips")
            data = await frames(frame)
        elif has_bytes(reference):
            data = read_picture(reference, field=name)
            if hashlib.sha256(data).hexdigest() != clip.digests.get(name):
                raise PictureError(
                    name, reference, "the picture that was planned", "it has changed; plan the clip again"
                )
        else:
            resolved[name] = reference
            continue
        label = shown(reference)
        # The sides of a clip are whole, even numbers, by which its shape may be a hair over the limit.
        fit = clip.request.fit or frame is not None
        picture = judge_picture(data, field=name, name=label, fit=fit, limits=limits)
        if name in clip.shapes:
            picture = crop_to(picture, clip.shapes[name], field=name, name=label, limits=limits)
        pictures[name] = picture
        for note in picture.notes:
            warnings.warn(f"{name} = {label}: {note}", stacklevel=2)
    first, last = pictures.get("first_frame_image"), pictures.get("last_frame_image")
    if first is not None and last is not None:
        label = shown(clip.request.pictures()["last_frame_image"])
        pictures["last_frame_image"] = crop_alike(
            last, first, field="last_frame_image", name=label, limits=limits
        )
        if pictures["last_frame_image"] is not last:
            warnings.warn(
                different_shapes((first.width, first.height), (last.width, last.height)), stacklevel=2
            )
    resolved |= {name: picture.data_url for name, picture in pictures.items()}
    resolved |= await _sendable_recordings(clip, upload)
    if upload is not None and clip.request.recordings() | clip.request.pictures():
        await _upload_the_longest(clip.request, resolved, upload)
    return clip.request.with_pictures(resolved)


async def _sendable_recordings(clip: ClipRequest, upload: Upload | None) -> dict[str, str]:
    """Each recording as it is sent. Raises `PictureError` for one that has changed."""
    limits = getattr(clip.request, "reference_limits", None)
    found = {}
    for name, reference in clip.request.recordings().items():
        if limits is None or not has_bytes(reference):
            found[name] = reference
            continue
        data = read_recording_bytes(reference, name, limits)
        if hashlib.sha256(data).hexdigest() != clip.digests.get(name):
            raise PictureError(
                name, reference, "the file that was planned", "it has changed; plan the clip again"
            )
        url = as_data_url(data, name)
        if url is None and upload is None:
            raise PictureError(name, reference, "an MP4 video", "nothing here can upload a file")
        found[name] = url or await upload(data, *file_of(data, name))  # type: ignore[misc]
    return found


async def _upload_the_longest(request: AnyRequest, resolved: dict[str, str], upload: Upload) -> None:
    """Upload files, the longest first, until the request is short enough to be sent."""
    by_length = sorted(resolved, key=lambda name: len(resolved[name]), reverse=True)
    for name in by_length:
        url = resolved[name]
        if sum(map(len, resolved.values())) <= MOST_SENT or not url.startswith("data:"):
            return
        data = decode_data_url(url, field=name)
        mime = url.partition(":")[2].partition(";")[0]
        named = file_of(data, name) if name in request.recordings() else (f"picture.{mime[6:]}", mime)
        resolved[name] = await upload(data, *named)


def different_shapes(first: tuple[int, int], last: tuple[int, int]) -> str:
    """The warning about a last frame that is cropped. Sizes are (width, height) in pixels."""
    return (
        f"the first frame is {first[0]} x {first[1]} and the last {last[0]} x {last[1]}: the last is cropped "
        "to the shape of the first"
    )
