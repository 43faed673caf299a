"""Luigi parameters for roots, references, pictures and requests.

What a parameter serializes to goes into logs, task ids and to the scheduler, which shows and keeps it. So
passwords, signatures and the bytes of pictures are left out there, and a few digits tell the values apart.
"""

import json
from collections.abc import Sequence
from typing import Any

import luigi

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.request import KEY, ClipRequest
from minimax_tasks.errors import ConfigurationError, InvalidRequest, UnreadableReference
from minimax_tasks.redaction import is_named, named
from minimax_tasks.storage.references import judge_root
from minimax_tasks.tasks.run import current_run

_TEXTS = frozenset({"prompt", "text"})
"""Members of a request that are no references."""


def _given(text: str) -> str:
    """Refuse what somebody copied out of a log, where a part of it is left out."""
    if is_named(text):
        raise InvalidRequest(
            "reference", text, "the whole URL; this is how a log shows it, without its secret"
        )
    return text


class ReferenceParameter(luigi.Parameter):
    """A path, an fsspec path or a URL; a path object or a target will do."""

    def normalize(self, value: Any) -> str:
        """The reference as text."""
        return str(getattr(value, "path", value))

    def serialize(self, value: Any) -> str:
        """The value as it may be shown."""
        return named(str(value))

    def parse(self, text: str) -> str:
        """The value as it was given."""
        return _given(text)

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Path objects and targets are welcome."""


class OptionalUrlParameter(luigi.OptionalParameter):
    """A URL, or None."""

    def serialize(self, value: Any) -> str:
        """The value as it may be shown; empty for None."""
        return "" if value is None else named(str(value))

    def parse(self, text: str) -> str | None:
        """The value as it was given; None when empty."""
        return _given(text) or None


class RootParameter(luigi.Parameter):
    """Where the files go, any fsspec URL; left out, it is the setting `root`."""

    def __init__(self) -> None:
        super().__init__(default="", description="where the files go, any fsspec URL")

    def normalize(self, value: Any) -> str:
        """The URL without a slash at its end. Raises `ConfigurationError` where no files can be kept."""
        root = str(value or current_run().settings().root).rstrip("/") or "/"
        try:
            judge_root(root)
        except UnreadableReference as error:
            raise ConfigurationError(f"root = {named(root)!r} cannot be used: {error}") from None
        return root

    def serialize(self, value: Any) -> str:
        """The value as it may be shown."""
        return named(str(value))

    def parse(self, text: str) -> str:
        """The value as it was given."""
        return _given(text)


class PictureParameter(luigi.Parameter):
    """A picture: http(s) URL, data URL, fsspec path or URL; a path object or a target will do."""

    def normalize(self, value: Any) -> Any:
        """The reference as text; None for none."""
        return None if value in (None, "") else str(getattr(value, "path", value))

    def serialize(self, value: Any) -> str:
        """The value as it may be shown; empty for None."""
        return "" if value is None else named(str(value))

    def parse(self, text: str) -> str | None:
        """The value as it was given; None when empty."""
        return _given(text) or None

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Path objects and targets are welcome."""


class PicturesParameter(PictureParameter):
    """One picture, or several of the same subject (on the command line a JSON list)."""

    def normalize(self, value: Any) -> Any:
        """One reference, or a tuple of them."""
        if isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(super(PicturesParameter, self).normalize(item) for item in value)
        return super().normalize(value)

    def serialize(self, value: Any) -> str:
        """JSON for several."""
        return (
            json.dumps([named(item) for item in value], ensure_ascii=False)
            if isinstance(value, tuple)
            else super().serialize(value)
        )

    def parse(self, text: str) -> Any:
        """JSON for several."""
        return tuple(map(_given, json.loads(text))) if text.startswith("[") else super().parse(text)


class ReferencesParameter(PicturesParameter):
    """Any number of references (on the command line a JSON list)."""

    def normalize(self, value: Any) -> Any:
        """A tuple of references, of one as well."""
        found = super().normalize(value)
        return (found,) if isinstance(found, str) else (found or ())


class RequestParameter(luigi.Parameter):
    """What is asked for: a `ClipRequest`, a request, its JSON, or the key of a clip that was submitted."""

    def normalize(self, value: Any) -> str:
        """JSON, or the key."""
        if isinstance(value, ClipRequest):
            return value.to_json()
        if isinstance(value, AnyRequest):
            return ClipRequest(value).to_json()
        return str(value).strip()

    def serialize(self, value: Any) -> str:
        """The value as it may be shown."""
        text = str(value)
        if KEY.fullmatch(text):
            return text
        try:
            return json.dumps(_shown(json.loads(text)), ensure_ascii=False, sort_keys=True)
        except (ValueError, RecursionError):
            return named(text[:1000])

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Requests are welcome as they are."""


def _shown(document: Any) -> Any:
    """A request with its references as they may be shown."""
    if isinstance(document, dict):
        return {
            name: member if name in _TEXTS and isinstance(member, str) else _shown(member)
            for name, member in document.items()
        }
    if isinstance(document, list):
        return [_shown(member) for member in document]
    return named(document) if isinstance(document, str) else document
