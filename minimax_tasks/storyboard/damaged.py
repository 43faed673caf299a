"""Clips that exist but cannot be read: a disk, a copy or a person has changed them since they were made."""

from collections.abc import Mapping
from dataclasses import replace

from minimax_tasks.clips.layout import VIDEO, clip_file
from minimax_tasks.clips.state import ClipState, ClipStatus


def damaged_clips(clips: Mapping[str, str]) -> dict[str, str]:
    """Key -> what is wrong, of the clips (key -> local path) that cannot be read to their end."""
    from minimax_tasks.video.probe import probe

    found = {}
    for key, path in clips.items():
        facts = probe(path)
        problems = facts.problems or (() if facts.frames else ("there is no picture in it",))
        if problems:
            found[key] = "; ".join(problems)
    return found


def without_damaged(clips: dict[str, str], states: dict[str, ClipState]) -> dict[str, str]:
    """Take clips that cannot be read out of both; returns what is wrong with them."""
    damaged = damaged_clips(clips)
    for key, why in damaged.items():
        del clips[key]
        way = f"remove {clip_file(key, VIDEO)} and run again to fetch it once more"
        states[key] = replace(
            states[key], status=ClipStatus.FAILED, reason=f"{VIDEO} cannot be read ({why})", advice=way
        )
    return damaged
