"""Clips that were asked for under another spelling of the same prompt.

What is sent today is one form of each camera command; before, it was what somebody wrote. Who paid for a
clip then still has it.
"""

from collections.abc import Iterable
from dataclasses import replace

from minimax_tasks.api.requests import VideoRequest
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.storage.files import Storage


def as_paid(root: Storage, clip: ClipRequest, written: Iterable[str]) -> ClipRequest:
    """The clip, or the same with the first of these spellings of its prompt that was submitted under the root.

    A spelling counts as well when it is in doubt whether it was submitted. The storage is asked only about
    spellings that differ from the clip's own prompt.
    """
    request = clip.request
    if not isinstance(request, VideoRequest):
        return clip
    others = dict.fromkeys(prompt for prompt in written if prompt != request.prompt)
    if not others or is_begun(root, clip.key):
        return clip
    for prompt in others:
        before = replace(clip, request=request.model_copy(update={"prompt": prompt}))
        if is_begun(root, before.key):
            return before
    return clip


def is_begun(root: Storage, key: str) -> bool:
    """Whether a clip was submitted under this root, or may have been."""
    names = set(root.names(f"clips/{key}"))
    claims = [name for name in names if name.startswith("claim.")]
    return "submission.json" in names or any(
        name.replace("claim.", "released.", 1) not in names for name in claims
    )
