"""How long clips are as far as that is known: as measured where a model's clips are longer than asked."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

from minimax_tasks.clips.layout import RESULT, clip_file
from minimax_tasks.clips.state import ClipState, ClipStatus, VideoFacts
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.edit import ClipLength, asked_lengths
from minimax_tasks.storyboard.plan import Plan

_READERS = 8


def known_lengths(root: Storage, plan: Plan, states: Mapping[str, ClipState]) -> dict[str, ClipLength]:
    """Clip key -> its length, of the takes that go into the film: what was measured, or what is asked for.

    Only clips of models that make them longer as a matter of course are looked up, each with one request.
    """
    lengths = asked_lengths(plan)
    longer = [
        shot.key
        for shot in plan.shown
        if shot.own is None
        and shot.picked.asked.is_approximate
        and states[shot.key].status is ClipStatus.MADE
    ]
    with ThreadPoolExecutor(_READERS) as readers:
        results = readers.map(lambda key: root.read_json(clip_file(key, RESULT)), longer)
        for key, result in zip(longer, results, strict=True):
            seconds = VideoFacts.of(result or {}).seconds
            if seconds:
                lengths[key] = ClipLength(Fraction(str(seconds)))
    return lengths
