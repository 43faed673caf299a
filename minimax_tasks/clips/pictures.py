"""Reading the pictures of a request from any fsspec path, and knowing them by their bytes."""

import hashlib
from collections.abc import Awaitable, Callable

import fsspec

from minimax_tasks.api.errors import PictureError
from minimax_tasks.api.pictures import decode_data_url, judge_picture
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.request import ClipRequest, FrameOf

FrameReader = Callable[[FrameOf], Awaitable[bytes]]
"""Gives the PNG bytes of a frame of another clip."""


def read_picture(reference: str, *, field: str) -> bytes:
    """The bytes behind a path, fsspec URL or data URL. Raises `PictureError` when they cannot be read."""
    if reference.startswith("data:"):
        return decode_data_url(reference, field=field)
    try:
        fs, path = fsspec.core.url_to_fs(reference, use_listings_cache=False)
        return bytes(fs.cat_file(path))
    except FileNotFoundError:
        reason = "there is no such file"
    except IsADirectoryError:
        reason = "it is a folder"
    except (OSError, ValueError, ImportError) as error:
        reason = f"it cannot be read ({error})"
    raise PictureError(field, reference, "an http(s) URL, or a path to a JPEG, PNG or WebP picture", reason)


def has_bytes(reference: str) -> bool:
    """Whether a picture is known by its bytes, and not by its URL or by the clip that it is taken from."""
    return not reference.startswith(("http://", "https://")) and FrameOf.parse(reference) is None


def digest_pictures(request: AnyRequest) -> dict[str, str]:
    """Field -> SHA-256 of the pictures that are paths or data URLs. Raises `PictureError`."""
    return {
        name: hashlib.sha256(read_picture(reference, field=name)).hexdigest()
        for name, reference in request.pictures().items()
        if has_bytes(reference)
    }


async def sendable(clip: ClipRequest, frames: FrameReader | None) -> AnyRequest:
    """The request with every picture as the URL or data URL that is sent, judged on its bytes.

    Raises `PictureError` for a picture that the service would refuse, that is gone, or that is not the one
    that the clip's key was made from.
    """
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
        shown = "data URL" if reference.startswith("data:") else reference
        resolved[name] = judge_picture(data, field=name, name=shown).data_url
    return clip.request.with_pictures(resolved)
