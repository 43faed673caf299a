"""Clips that were asked for under another spelling of the same request.

What is sent decides what a clip is; before, it was what somebody wrote: its prompt's brackets, the switch
`fit`, a list of one picture. Who paid for a clip then still has it, at every door.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from minimax_tasks.api.requests import VideoRequest
from minimax_tasks.clips.layout import CLIPS, SUBMISSION, claim_number, clip_folder, released_name
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.storage.files import Storage

_NOT, _PERHAPS, _SUBMITTED = range(3)
"""Whether a clip was submitted; one that certainly was comes before one that is in doubt."""

_kept_folders: dict[str, frozenset[str]] = {}


def as_paid(
    root: Storage, clip: ClipRequest, written: Iterable[str] = (), *, begun: Container[str] | None = None
) -> ClipRequest:
    """The clip, or the same under the spelling with which it was submitted under the root before.

    `written` are other spellings of its prompt. A spelling counts as well when it is in doubt whether it was
    submitted, but not when it was tried in vain: nothing was paid. `begun` are the names of the folders of
    all clips, for whoever has them at hand.
    """
    others = list(_others(clip, written))
    if others and begun is None:
        begun = _folders(root)
    if begun is not None:
        others = [other for other in others if other.key in begun]
    if not others:
        return clip
    standing = _standing(root, clip.key)
    if standing > _NOT:
        return clip
    best = clip
    for other in others:
        found = _standing(root, other.key)
        if found > standing:
            best, standing = other, found
    return best


def is_begun(root: Storage, key: str) -> bool:
    """Whether a clip was submitted under this root, or may have been."""
    return _standing(root, key) > _NOT


def _others(clip: ClipRequest, written: Iterable[str]) -> Iterator[ClipRequest]:
    known = {clip.key}
    spelt = [clip]
    if isinstance(clip.request, VideoRequest):
        spelt += [
            replace(clip, request=clip.request.model_copy(update={"prompt": prompt}), stored="")
            for prompt in dict.fromkeys(written)
            if prompt != clip.request.prompt
        ]
    for one in spelt:
        for key in (one.key, *one.older_keys()):
            if key not in known:
                known.add(key)
                yield one if key == one.key else replace(one, stored=key)


def _standing(root: Storage, key: str) -> int:
    names = root.names(clip_folder(key))
    if SUBMISSION in names:
        return _SUBMITTED
    claims = {claim_number(name) for name in names} - {0}
    if any(released_name(number) not in names for number in claims):
        return _PERHAPS
    return _NOT


def _folders(root: Storage) -> frozenset[str] | None:
    """The clips that are begun on a remote storage, told once for a process, since no new folder gets an old
    spelling's name; None where a look at each costs nothing.
    """
    if root.nonblocking:
        return None
    if root.url not in _kept_folders:
        _kept_folders[root.url] = frozenset(root.folders(CLIPS))
    return _kept_folders[root.url]
