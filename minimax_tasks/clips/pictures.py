"""Reading the pictures of a request from any fsspec path, and knowing them by their bytes."""

import functools
import hashlib
import warnings
from collections.abc import Awaitable, Callable, Iterable

from minimax_tasks.api.data_urls import decode_data_url
from minimax_tasks.api.errors import PictureError
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.request import PICTURE, ClipRequest, FrameOf
from minimax_tasks.clips.spellings import as_paid
from minimax_tasks.redaction import shown
from minimax_tasks.storage import references
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import Kind, Unreadable

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
                    raise Unreadable(f"it has more than {PICTURE_LIMIT / 1e6:g} MB")
                return decode_data_url(reference, field=field)
            case Kind.WEB:
                raise Unreadable("a picture on the web is sent by its URL, not read here")
            case _:
                return references.read(reference, PICTURE_LIMIT)
    except Unreadable as error:
        raise PictureError(field, reference, PICTURE, str(error)) from None


def has_bytes(reference: str) -> bool:
    """Whether a picture is known by its bytes, and not by its URL or by the clip that it is taken from."""
    return not references.is_web(reference) and FrameOf.parse(reference) is None


def digest_picture(reference: str, *, field: str) -> str:
    """The SHA-256 of a picture's bytes, read again only when the file changed. Raises `PictureError`."""
    version = references.version_of(reference)
    return _digest_of_version(reference, field, version) if version else _digest(reference, field)


def known_clip(root: Storage, request: AnyRequest, take: int, *, written: Iterable[str] = ()) -> ClipRequest:
    """The clip of a request, with the digests of its pictures.

    `written` are other spellings of its prompt, under which it may have been paid for before (`as_paid`).

    A picture that is gone is known by the digest that it had when it was last submitted under this root,
    if that clip was submitted: a paid clip stays reachable. Raises `PictureError` otherwise.
    """
    digests, gone = {}, None
    for name, reference in request.pictures().items():
        if not has_bytes(reference):
            continue
        try:
            digests[name] = digest_picture(reference, field=name)
        except PictureError as error:
            remembered = remembered_digest(root, reference)
            if remembered is None:
                raise
            digests[name], gone = remembered, error
    clip = as_paid(root, ClipRequest(request, digests, take), written)
    if gone is not None and not root.exists(f"clips/{clip.key}/submission.json"):
        raise gone
    return clip


def remembered_digest(root: Storage, reference: str) -> str | None:
    """The digest that a picture had when it was last submitted under this root, None when it never was."""
    place = _memory(reference)
    found = (root.read_json(place) if place else None) or {}
    return str(found["sha256"]) if found.get("sha256") else None


def remember_pictures(root: Storage, clip: ClipRequest) -> None:
    """Keep the digests of a clip's pictures under the root, for `known_clip`."""
    for name, digest in clip.digests.items():
        reference = clip.request.pictures()[name]
        place = _memory(reference)
        if place:
            root.write_json(place, {"from": shown(reference), "sha256": digest}, durable=False)


def _memory(reference: str) -> str | None:
    """The file with a picture's digest under a root, None for a picture that has no name or none of a file."""
    try:
        if references.kind_of(reference) not in (Kind.LOCAL, Kind.STORED):
            return None
        name = references.full_name(reference)
    except Unreadable:
        return None
    return f"pictures/{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}.json"


@functools.lru_cache(maxsize=4096)
def _digest_of_version(reference: str, field: str, version: str) -> str:
    return _digest(reference, field)


def _digest(reference: str, field: str) -> str:
    return hashlib.sha256(read_picture(reference, field=field)).hexdigest()


async def sendable(clip: ClipRequest, frames: FrameReader | None) -> AnyRequest:
    """The request with every picture as the URL or data URL that is sent, judged on its bytes.

    A last frame of another shape than the first is cropped alike, with a warning; the service would crop it
    as it likes. Raises `PictureError` for a picture that the service would refuse, that is gone, or that is
    not the one that the clip's key was made from.
    """
    from minimax_tasks.api.pictures import Picture, crop_alike, judge_picture

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
                    name, reference, "the picture that was planned", "it has changed; plan the clip anew"
                )
        else:
            resolved[name] = reference
            continue
        pictures[name] = judge_picture(data, field=name, name=shown(reference), fit=clip.request.fit)
    first, last = pictures.get("first_frame_image"), pictures.get("last_frame_image")
    if first is not None and last is not None:
        pictures["last_frame_image"] = crop_alike(last, first, field="last_frame_image", name=clip.what)
        if pictures["last_frame_image"] is not last:
            warnings.warn(
                different_shapes((first.width, first.height), (last.width, last.height)), stacklevel=2
            )
    resolved |= {name: picture.data_url for name, picture in pictures.items()}
    return clip.request.with_pictures(resolved)


def different_shapes(first: tuple[int, int], last: tuple[int, int]) -> str:
    """The warning about a last frame that is cropped. Sizes are (width, height) in pixels."""
    return (
        f"the first frame is {first[0]} x {first[1]} and the last {last[0]} x {last[1]}: the last is cropped "
        "to the shape of the first"
    )
