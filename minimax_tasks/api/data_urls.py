"""Pictures that are given as data URLs."""

import base64
import binascii

from minimax_tasks.errors import PictureError


def decode_data_url(url: str, *, field: str) -> bytes:
    """The bytes of a data URL. Raises `PictureError` when it holds no base64."""
    head, _, body = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise PictureError(field, url, "data:image/png;base64,…", "not a base64 data URL") from None
