"""What a field may hold, whichever request it is of."""

from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.errors import InvalidRequest

UPLOADED = "mm_file://"
"""What the address of a file that was uploaded to the service starts with."""


def is_url(reference: str) -> bool:
    """Whether a reference is sent as it is: an http(s) URL, a data URL, or the address of an uploaded file."""
    return reference.startswith(("http://", "https://", "data:", UPLOADED))


def need_readable(field: str, value: str) -> None:
    """Raise `InvalidRequest` for a text with a character that no text has."""
    if character := forbidden_character(value):
        raise InvalidRequest(field, value, "a text without it", f"there is {character}, in it")


def need_picture(field: str, value: str) -> None:
    """Raise `InvalidRequest` where a file must be and none is named."""
    if not value.strip():
        raise InvalidRequest(
            field, value, "an http(s) URL, a data URL, or a path to a JPEG, PNG or WebP picture"
        )


def sendable(field: str, value: str) -> str:
    """The reference, as it is on the wire. Raises `InvalidRequest` for one that was not resolved yet."""
    if not is_url(value):
        raise InvalidRequest(field, value, "an http(s) URL or a data URL", "the picture was not read yet")
    return value
