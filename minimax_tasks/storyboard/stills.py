"""The stills of a board: read once, judged, and known by their bytes."""

import hashlib
from dataclasses import dataclass

from minimax_tasks.api.errors import PictureError
from minimax_tasks.clips.pictures import has_bytes, read_picture, remembered_digest
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


def read_still(reference: str, name: str, root: Storage, *, fit: bool = False) -> Still:
    """Read and judge a still. Raises `PictureError`.

    One that is gone, but was submitted under this root before, is known by the digest it had.
    """
    from minimax_tasks.api.pictures import judge_picture

    if not has_bytes(reference):
        return Still(name, reference)
    try:
        data = read_picture(reference, field=name)
    except PictureError as error:
        digest = remembered_digest(root, reference)
        if digest is None:
            raise
        return Still(name, reference, digest, gone=error)
    picture = judge_picture(data, field=name, name=reference, fit=fit)
    return Still(name, reference, hashlib.sha256(data).hexdigest(), picture.width, picture.height)
