"""A root belongs either to the real service or to a local double of it, never to both.

A clip that the sandbox drew has the same key as the one that MiniMax would make. Mixed in one root, a
drawn clip would be delivered as the real one.
"""

import logging
import multiprocessing
import os

from minimax_tasks.api.client import is_loopback
from minimax_tasks.clips.layout import DRAWN_AT, MADE_BY
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import clean, shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import STORED_PATIENCE, connects_when_named, in_time, missing_package
from minimax_tasks.storage.temporary import temporary_place

log = logging.getLogger(__name__)

FULL_SIZE = "full size"


def service_kind(base_url: str) -> str:
    """ "sandbox" for any host on this machine, else "minimax"."""
    return "sandbox" if is_loopback(base_url) else "minimax"


def open_root(url: str) -> Storage:
    """The storage, once it has answered. Raises `ConfigurationError` when it cannot be used."""
    try:
        return in_time(lambda: _asked(url)) if connects_when_named(url) else _asked(url)
    # The file systems of fsspec have no exception in common; any that is raised here is about the root.
    except Exception as error:
        raise unusable(url, error) from error


def _asked(url: str) -> Storage:
    root = Storage(url)
    root.ask(MADE_BY)  # looking whether it exists would call a root below a file an empty one
    return root


def unusable(url: str, error: Exception) -> ConfigurationError:
    """What to raise of a root when its storage raises an error."""
    why = ""
    if isinstance(error, TimeoutError):
        why = f"it does not answer within {STORED_PATIENCE:g} s"
    elif isinstance(error, ImportError):
        why = missing_package(url)
    why = why or clean(error, 500)
    return ConfigurationError(f"root = {shown(url)!r} cannot be used: {why or type(error).__name__}")


def check_writable(root: Storage, base_url: str) -> None:
    """`check_root` for the start of a run: a root that cannot be written to is a `ConfigurationError` too."""
    try:
        check_root(root, base_url)
    except ConfigurationError:
        raise
    except Exception as error:
        raise unusable(root.url, error) from error


def check_shareable(root: Storage) -> None:
    """Raise `ConfigurationError` for a root that other workers would not find, or could claim the same clip on."""
    _check_other_processes(root)
    if _is_relative(root):
        raise ConfigurationError(
            f"root = {shown(root.url)!r}: other workers would look for it in their own working directory, and pay "
            f"again; use the whole path, such as {os.path.abspath(root.path())}, or a storage's URL",
            setting="root",
        )


def _check_other_processes(root: Storage) -> None:
    if root.in_memory:
        raise ConfigurationError(
            f"root = {shown(root.url)!r}: the memory of a process cannot be shared; use a real storage",
            setting="root",
        )
    if not root.has_exclusive_create:
        raise ConfigurationError(
            f"root = {shown(root.url)!r}: workers cannot share this storage, since it has no exclusive create; use a "
            "local disk, S3, GCS or Azure",
            setting="root",
        )


def check_lasting(root: Storage, base_url: str) -> None:
    """Raise `ConfigurationError` when paid clips would be gone with the process, or two runs would pay for one clip."""
    if service_kind(base_url) != "minimax":
        return
    if root.in_memory:
        raise ConfigurationError(
            f"root = {shown(root.url)!r}: it is gone when this process ends, with the clips that were paid for",
            advice="use a real storage",
            setting="root",
        )
    if not root.has_exclusive_create:
        raise ConfigurationError(
            f"root = {shown(root.url)!r}: this storage has no exclusive create, so that two runs at once would pay for "
            "the same clip",
            advice="use a local disk, S3, GCS or Azure",
            setting="root",
        )


def check_payable(root: Storage, base_url: str, *, shared: bool) -> None:
    """Everything that must hold of a root, and of this machine, before something is paid on it; marks a new root.

    `shared`: other workers get tasks from the same scheduler. A child of `multiprocessing`, as Luigi's own worker
    makes them, has others beside it as well. Raises `ConfigurationError`.
    """
    temporary_place()  # a video arrives there
    check_lasting(root, base_url)
    if shared:
        check_shareable(root)
    elif multiprocessing.parent_process() is not None:
        _check_other_processes(root)
    check_root(root, base_url)


def check_scale(root: Storage, scale: str | None) -> None:
    """Raise `ConfigurationError` when the root holds clips that a sandbox drew at another scale."""
    wanted = scale or FULL_SIZE
    root.create_json(DRAWN_AT, {"scale": wanted})
    found = (root.read_json(DRAWN_AT) or {}).get("scale", wanted)
    if found != wanted:
        raise ConfigurationError(
            f"root = {shown(root.url)!r} holds clips drawn at {found}; use another root for {wanted}, so that a film "
            "is not of both"
        )


def is_drawn_small(root: Storage, base_url: str) -> bool:
    """Whether a sandbox draws the clips of this root small on purpose, so that their size is no surprise."""
    if service_kind(base_url) != "sandbox":
        return False
    drawn_at = (root.read_json(DRAWN_AT) or {}).get("scale", FULL_SIZE)
    return bool(drawn_at != FULL_SIZE)


def check_root(root: Storage, base_url: str) -> None:
    """Mark a new root with the kind of service, or raise `ConfigurationError` when it has the other one."""
    wanted = service_kind(base_url)
    is_new = root.create_json(MADE_BY, {"service": wanted})
    if is_new and root.create_json(MADE_BY, {"service": wanted}):
        raise ConfigurationError(
            f"root = {shown(root.url)!r}: this file system replaces a file that must not be there yet, so that a clip "
            "could be paid for twice; use a newer version of its fsspec package, or another storage"
        )
    mark = root.read_json(MADE_BY) or {}
    found = mark.get("service", wanted)
    if found != wanted:
        whose = "the sandbox" if found == "sandbox" else "MiniMax"
        other = "MiniMax" if found == "sandbox" else "the sandbox"
        raise ConfigurationError(
            f"root = {shown(root.url)!r} holds clips made by {whose}; use another root for {other}, so that the "
            "two are never mixed up in a film"
        )
    if is_new and wanted == "minimax" and _is_relative(root):
        log.warning(
            "a new root was made, %s: root = %r is relative, so a run from another folder does not know its clips and "
            "pays for them again; the whole path is found from everywhere",
            os.path.abspath(root.path()),
            shown(root.url),
        )


def _is_relative(root: Storage) -> bool:
    return root.local and "://" not in root.url and not os.path.isabs(os.path.expanduser(root.url))
