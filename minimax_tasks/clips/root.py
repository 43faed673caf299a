"""A root belongs either to the real service or to a local double of it, never to both.

A clip that the sandbox drew has the same key as the one that MiniMax would make. Mixed in one root, a
drawn clip would be delivered as the real one.
"""

from minimax_tasks.api.client import is_loopback
from minimax_tasks.api.errors import ConfigurationError
from minimax_tasks.storage.files import Storage

MARK = "clips/made-by.json"


def service_kind(base_url: str) -> str:
    """ "sandbox" for any host on this machine, else "minimax"."""
    return "sandbox" if is_loopback(base_url) else "minimax"


def check_shareable(root: Storage) -> None:
    """Raise `ConfigurationError` for storage on which two workers could claim the same clip at once."""
    if not root.exclusive:
        raise ConfigurationError(
            f"root = {root.url!r}: workers cannot share this storage, since it has no exclusive create; use a "
            "local disk, S3, GCS or Azure, or a single worker"
        )


def check_root(root: Storage, base_url: str) -> None:
    """Mark a new root with the kind of service, or raise `ConfigurationError` when it has the other one."""
    wanted = service_kind(base_url)
    if root.create_json(MARK, {"service": wanted}) and root.create_json(MARK, {"service": wanted}):
        raise ConfigurationError(
            f"root = {root.url!r}: this file system replaces a file that must not be there yet, so that a clip could "
            "be paid for twice; use a newer version of its fsspec package, or another storage"
        )
    mark = root.read_json(MARK) or {}
    found = mark.get("service", wanted)
    if found != wanted:
        whose = "the sandbox" if found == "sandbox" else "MiniMax"
        other = "MiniMax" if found == "sandbox" else "the sandbox"
        raise ConfigurationError(
            f"root = {root.url!r} holds clips made by {whose}; use another root for {other}, so that the "
            "two are never mixed up in a film"
        )
