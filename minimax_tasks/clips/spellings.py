"""Clips that were asked for under another spelling of the same request.

What is sent decides what a clip is; before, it was what somebody wrote: its prompt's brackets, the switch
`fit`, a list of one picture. Who paid for a clip then still has it, at every door.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from minimax_tasks.api.requests import VideoRequest
from minimax_tasks.clips.layout import CLIPS
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.state import Paid, clip_names, paid_by_names
from minimax_tasks.storage.files import Storage

_kept_folders: dict[str, frozenset[str]] = {}


def as_paid(
    root: Storage, clip: ClipRequest, written: Iterable[str] = (), *, begun: Container[str] | None = None
) -> ClipRequest:
    """The clip, or the same under the spelling with which it was submitted under the root before.

    `written` are other spellings of its prompt. A spelling counts as well when it is in doubt whether it was
    submitted, but not when it was tried in vain: nothing was paid. `begun` are the names of the folders of
    all clips, for callers that have them at hand.
    """
    others = list(_others(clip, written))
    if others and begun is None:
        begun = _folders(root)
    if begun is not None:
        others = [other for other in others if other.key in begun]
    if not others:
        return clip
    paid = _paid(root, clip.key)
    if paid:
        return clip
    best = clip
    for other in others:
        found = _paid(root, other.key)
        if found > paid:
            best, paid = other, found
    return best


def is_begun(root: Storage, key: str) -> bool:
    """Whether a clip was submitted under this root, or may have been."""
    return _paid(root, key) > Paid.NOT


def _others(clip: ClipRequest, written: Iterable[str]) -> Iterator[ClipRequest]:
    spelt = [clip]
    if isinstance(clip.request, VideoRequest):
        spelt += [
            replace(clip, request=clip.request.model_copy(update={"prompt": prompt}), stored="")
            for prompt in dict.fromkeys(written)
            if prompt != clip.request.prompt
        ]
    if len(spelt) == 1 and not clip.older_keys():
        return
    known = {clip.key}
    for one in spelt:
        for key in (one.key, *one.older_keys()):
            if key not in known:
                known.add(key)
                yield one if key == one.key else replace(one, stored=key)


def _paid(root: Storage, key: str) -> Paid:
    return paid_by_names(clip_names(root, key))


def _folders(root: Storage) -> frozenset[str] | None:
    """The clips that are begun on a remote storage, listed once per process, since no new folder gets an old
    spelling's name; None where a look at each costs nothing.
    """
    if root.nonblocking:
        return None
    if root.url not in _kept_folders:
        _kept_folders[root.url] = frozenset(root.folders(CLIPS))
    return _kept_folders[root.url]
