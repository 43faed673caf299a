"""The stills of a board: each read once, judged, and known by its bytes."""

from dataclasses import dataclass

from minimax_tasks.api.catalog.models import V1_PICTURES, PictureLimits
from minimax_tasks.clips.pictures import Seen, has_bytes, look_at, prepare_picture, remembered_picture
from minimax_tasks.clips.request import check_reference
from minimax_tasks.errors import PictureError
from minimax_tasks.storage.files import Storage


@dataclass(frozen=True)
class Still:
    """A picture that a shot starts from or ends at. One on the web is not fetched: no digest, no size."""

    name: str
    reference: str
    seen: Seen | None = None
    """The picture as it was read."""
    width: int = 0
    height: int = 0
    """Its size in pixels as it is sent."""
    notes: tuple[str, ...] = ()
    """What is done to it before it is sent, for people."""
    gone: PictureError | None = None
    """Why it cannot be read any more, when it is known only from an earlier run."""
    version: str | None = None
    """The version of its file that was read."""


def read_still(
    reference: str, name: str, root: Storage, *, fit: bool = False, limits: PictureLimits = V1_PICTURES
) -> Still:
    """Read and judge a still by the `limits` of the models that get it. Raises `PictureError`.

    One that is gone, but was submitted under this root before, is known by what it was.
    """
    check_reference(name, reference)
    if not has_bytes(reference):
        return Still(name, reference)
    try:
        read = look_at(reference, name)
    except PictureError as error:
        found = remembered_picture(root, reference)
        if found is None:
            raise
        return Still(name, reference, found, found.width, found.height, gone=error)
    sent = prepare_picture(reference, read.seen, field=name, fit=fit, data=read.data, limits=limits)
    return Still(name, reference, read.seen, sent.width, sent.height, sent.notes, version=read.version)
