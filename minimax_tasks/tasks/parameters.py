"""Luigi parameters for roots, pictures and requests."""

import json
from collections.abc import Sequence
from typing import Any

import luigi

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.settings import Settings


class RootParameter(luigi.Parameter):
    """Where the files go, any fsspec URL; left out, it is the setting `root`."""

    def __init__(self) -> None:
        super().__init__(default="", description="where the files go, any fsspec URL")

    def normalize(self, value: Any) -> str:
        """The URL without a slash at its end."""
        return str(value or Settings.load().root).rstrip("/") or "/"


class PictureParameter(luigi.Parameter):
    """A picture: http(s) URL, data URL, fsspec path or URL; a path object or a target will do."""

    def normalize(self, value: Any) -> Any:
        """The reference as text; None for none."""
        return None if value in (None, "") else str(getattr(value, "path", value))

    def serialize(self, value: Any) -> str:
        """Empty for none."""
        return "" if value is None else str(value)

    def parse(self, text: str) -> str | None:
        """None for empty."""
        return text or None

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
            json.dumps(list(value), ensure_ascii=False)
            if isinstance(value, tuple)
            else super().serialize(value)
        )

    def parse(self, text: str) -> Any:
        """JSON for several."""
        return tuple(json.loads(text)) if text.startswith("[") else super().parse(text)


class RequestParameter(luigi.Parameter):
    """What is asked for: a `ClipRequest`, a request, its JSON, or the key of a clip that was submitted."""

    def normalize(self, value: Any) -> str:
        """JSON, or the key."""
        if isinstance(value, ClipRequest):
            return value.to_json()
        if isinstance(value, AnyRequest):
            return ClipRequest(value).to_json()
        return str(value).strip()

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Requests are welcome as they are."""
