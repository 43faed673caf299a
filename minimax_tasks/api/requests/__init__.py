"""The requests, one for each mode, checked against the catalogue when they are constructed.

Where public material disagrees on what the service takes, either is taken, what is safest is sent, and a
`MiniMaxCatalogWarning` says so.

A field of a picture, a video or a sound holds a *reference* until the request is sent: an http(s) URL, a data URL, the
address of an uploaded file (`mm_file://`), or whatever the caller resolves (`with_pictures`) into one of them.
`body()` gives the exact JSON of the wire, which the model's generation of the API writes.
"""

from collections.abc import Container

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.requests.fields import UPLOADED, is_url
from minimax_tasks.api.requests.modes import (
    ImageToVideoRequest,
    StartEndToVideoRequest,
    SubjectToVideoRequest,
    TextToVideoRequest,
)
from minimax_tasks.api.requests.reference import ReferenceToVideoRequest
from minimax_tasks.api.requests.template import TemplateRequest
from minimax_tasks.api.requests.video import ADAPTIVE, VideoRequest

__all__ = [
    "ADAPTIVE",
    "REQUESTS",
    "UPLOADED",
    "AnyRequest",
    "ImageToVideoRequest",
    "ReferenceToVideoRequest",
    "StartEndToVideoRequest",
    "SubjectToVideoRequest",
    "TemplateRequest",
    "TextToVideoRequest",
    "VideoRequest",
    "is_url",
    "mode_of",
]

AnyRequest = (
    TextToVideoRequest
    | ImageToVideoRequest
    | StartEndToVideoRequest
    | SubjectToVideoRequest
    | ReferenceToVideoRequest
    | TemplateRequest
)

REQUESTS: dict[Mode, type[AnyRequest]] = {
    Mode.TEXT: TextToVideoRequest,
    Mode.IMAGE: ImageToVideoRequest,
    Mode.START_END: StartEndToVideoRequest,
    Mode.SUBJECT: SubjectToVideoRequest,
    Mode.REFERENCE: ReferenceToVideoRequest,
    Mode.TEMPLATE: TemplateRequest,
}
"""Mode -> its request."""


def mode_of(fields: Container[str]) -> Mode:
    """The mode of a request by which fields it has, as on the wire."""
    for mode, request in reversed(REQUESTS.items()):
        if any(name in fields for name in (request.decided_by, *request.also_decided_by)):
            return mode
    return Mode.TEXT
