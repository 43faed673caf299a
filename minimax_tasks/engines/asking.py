"""What an engine is told, as the clips room takes it: requests as plain data, settings, a root for many workers."""

import os
from collections.abc import Mapping
from typing import Any

from minimax_tasks.api.requests import REQUESTS, AnyRequest, mode_of
from minimax_tasks.clips.root import check_shareable, open_root
from minimax_tasks.errors import ConfigurationError, InvalidRequest
from minimax_tasks.redaction import shown
from minimax_tasks.settings import Settings

Asked = AnyRequest | Mapping[str, Any]
"""A request model, or its fields as an engine keeps them: `{"prompt": …}`."""


def request_of(asked: Asked) -> AnyRequest:
    """The request that fields ask for; which fields are given decides the mode. Raises `InvalidRequest`."""
    if isinstance(asked, AnyRequest):
        return asked
    if not isinstance(asked, Mapping):
        raise InvalidRequest("request", asked, "a request model, or its fields: {'prompt': …}")
    given = {str(name): value for name, value in asked.items() if value is not None}
    return REQUESTS[mode_of(given)](**given)


def settings_of(**given: Any) -> Settings:
    """The settings of an engine's resource over those of the process; what is None or "" counts as absent.

    Raises `ConfigurationError` for a value that is not allowed, and for a root that the workers of an engine
    could not share: each runs in a folder of its own, and a root that another one does not find is paid for again.
    """
    settings = Settings.load(**{name: value for name, value in given.items() if value not in (None, "")})
    _check_shared(settings.root)
    return settings


def _check_shared(root: str) -> None:
    if "://" not in root and not os.path.isabs(os.path.expanduser(root)):
        raise ConfigurationError(
            f"root = {shown(root)!r}: a worker of the engine may run in another folder, where it means another place",
            advice="give the whole path, or a URL such as s3://bucket/videos",
            setting="root",
        )
    check_shareable(open_root(root))
