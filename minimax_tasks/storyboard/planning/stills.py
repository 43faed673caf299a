"""The stills of a board: read once, judged, and known by their bytes."""

from dataclasses import dataclass

from minimax_tasks.clips.pictures import has_bytes, prepare_picture, remembered_picture, see_picture
from minimax_tasks.clips.request import check_reference
from minimax_tasks.errors import PictureError
from minimax_tasks.storage.files import Storage


@dataclass(frozen=True)
class Still:
    """A picture that a shot starts from or ends at. Remote ones are not fetched: no digest, no size."""

    name: str
    reference: str
    digest: str = ""
    width: int = 0
    height: int = 0
    gone: PictureError | None = None
    """Why it cannot be read any more, when only its digest is still known."""
    notes: tuple[str, ...] = ()
    """What is done to it before it is sent, for people."""


def read_still(reference: str, name: str, root: Storage, *, fit: bool = False) -> Still:
    """Read and judge a still. Raises `PictureError`.

    One that is gone, but was submitted under this root before, is known by what it was.
    """
    check_reference(name, reference)
    if not has_bytes(reference):
        return Still(name, reference)
    try:
        seen = see_picture(reference, name)
    except PictureError as error:
        found = remembered_picture(root, reference)
        if found is None:
            raise
        return Still(name, reference, found.digest, found.width, found.height, gone=error)
    sent = prepare_picture(reference, seen, field=name, fit=fit)
    return Still(name, reference, seen.digest, sent.width, sent.height, notes=sent.notes)
