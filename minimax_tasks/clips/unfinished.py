"""The clips of a root that are paid for and not yet there."""

from minimax_tasks.clips.folder import VIDEO
from minimax_tasks.storage.files import Storage


def unfinished(root: Storage) -> list[str]:
    """Keys of clips with a submission and without a video, told by one listing."""
    submitted, made = set(), set()
    for path in root.find("clips"):
        key, _, name = path.rpartition("/")
        if name == "submission.json":
            submitted.add(key)
        elif name == VIDEO:
            made.add(key)
    return sorted(submitted - made)
